"""Phase contrast optics: the point spread function, and the object behind an image."""

import math

import numpy as np
from scipy.fft import dctn, idctn
from scipy.special import j1

__all__ = ["phase_contrast_kernel", "restore_object"]

# Directions to the 8 neighbours; the other four are the same edges seen from behind.
_DIRECTIONS = [(0, 1), (1, 0), (1, 1), (1, -1)]


def phase_contrast_kernel(outer_radius, ring_width, reach):
    r"""Sample the point spread function of positive phase contrast.

    A thin object delays the light that it bends, and the phase ring shifts the light
    that it does not bend. The difference is a point minus an obscured Airy pattern, the
    Fourier transform of the ring,

    .. math:: h = \delta - a / \|a\|, \quad a(r) = \frac{R J_1(2 \pi R r)
              - (R - W) J_1(2 \pi (R - W) r)}{r}, \quad
              a(0) = \pi (R^2 - (R - W)^2)

    with the Bessel function :math:`J_1` and the spectral norm of the sampled pattern.
    So a cell is dark in a bright halo.

    Parameters
    ----------
    outer_radius : float
        R, of the ring, in cycles per pixel.
    ring_width : float
        W, in cycles per pixel; at most `outer_radius`, which is a full disc.
    reach : int
        The kernel ends this many pixels from its centre (M in the paper).

    Returns
    -------
    kernel : float ndarray of shape (2 * reach + 1, 2 * reach + 1)
        Symmetric in rows, in columns, and when transposed.

    References
    ----------
    Yin, Kanade, Chen, "Understanding the phase contrast optics to restore artifact-free
    microscopy images for segmentation", Medical Image Analysis 2012,
    doi 10.1016/j.media.2011.12.006.

    Examples
    --------
    >>> from pseudocell.baselines._phase_contrast import phase_contrast_kernel
    >>> phase_contrast_kernel(0.2, 0.04, reach=3)[3].round(2)
    array([ 0.16, -0.03, -0.31,  0.56, -0.31, -0.03,  0.16])
    """
    offsets = np.arange(-reach, reach + 1)
    distance = np.hypot(offsets[:, np.newaxis], offsets)
    pattern = _disc_transform(outer_radius, distance)
    pattern = pattern - _disc_transform(outer_radius - ring_width, distance)
    kernel = -pattern / np.linalg.norm(pattern, 2)
    kernel[reach, reach] += 1
    return kernel


def _disc_transform(radius, distance):
    """Fourier transform of a disc of this radius, which is pi radius ** 2 at 0."""
    safe = np.where(distance > 0, distance, 1.0)
    return np.where(
        distance > 0,
        radius * j1(2 * np.pi * radius * safe) / safe,
        np.pi * radius**2,
    )


def restore_object(image, kernel, *, smoothness, sparsity, gamma, max_iter, tolerance):
    r"""Find the non-negative, smooth and sparse object behind an image.

    The image is g = H f + C, with H the convolution with the kernel on the mirrored
    image and C a surface of second order. Both are found together: a surface that is
    fitted to g alone takes a part of the cells with it. The object f >= 0 minimises

    .. math:: E(f) = \min_C \|H f + C - g\|^2 + \omega_s f^\top L f
              + \omega_r \gamma \sum_i \log(1 + f_i / \gamma)

    L is the Laplacian of the graph of 8-neighbours, whose edges weigh
    :math:`\exp(-(g_i - g_j)^2 / \sigma^2)`, with :math:`\sigma^2` the mean square of
    these differences. The logarithm is the penalty that re-weighting with :math:`W_i =
    \gamma / (f_i + \gamma)` minimises (Candes et al. 2008).

    Each iteration is a step of the projected gradient with momentum, or without where
    the momentum would raise E.

    Parameters
    ----------
    image : float ndarray of shape (H, W)
        The image, in any unit.
    kernel : float ndarray of shape (2 * reach + 1, 2 * reach + 1)
        Symmetric in rows and in columns.
    smoothness, sparsity, gamma : float
        :math:`\omega_s, \omega_r \ge 0` and :math:`\gamma > 0`.
    max_iter : int
        Largest number of iterations.
    tolerance : float
        Stop when an iteration lowers E by less than this share.

    Returns
    -------
    found : float32 ndarray of shape (H, W)
        The object.
    objective : list of float
        E at the start, f = 0, and after each iteration; never increases.
    """
    problem = _Problem(image, kernel, smoothness, sparsity * gamma, gamma)
    # A point and what the problem keeps of it; `before` is one iteration older.
    current = before = (np.zeros_like(problem.target),) * 2
    objective, momentum = [problem.energy], 1.0
    for _ in range(max_iter):
        following = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        share = (momentum - 1) / following
        ahead = [
            new + share * (new - old) for new, old in zip(current, before, strict=True)
        ]
        moved = problem.step(*ahead, anchor=current[0])
        if problem.value(*moved) > objective[-1]:
            following = 1.0
            moved = problem.step(*current, anchor=current[0])
        value = problem.value(*moved)
        if value > objective[-1]:
            break  # Rounding: nothing is left to gain.
        current, before, momentum = moved, current, following
        objective.append(value)
        if objective[-2] - value <= tolerance * objective[-2]:
            break
    return current[0], objective


class _Problem:
    """E and its steps; points go with their product by the matrix of E."""

    def __init__(self, image, kernel, smoothness, strength, gamma):
        surfaces = _surfaces(image.shape)
        flat = (image - _project(surfaces, image)).astype(np.float32)
        self.smoothness, self.strength, self.gamma = smoothness, strength, gamma
        self.spectrum = _cosine_spectrum(kernel, image.shape).astype(np.float32)
        self.edges = _edge_weights(flat)
        self.target = _multiply(self.spectrum, flat)
        seen = [_multiply(self.spectrum, surface) for surface in surfaces]
        self.surfaces = np.stack(seen).astype(np.float32)
        self.energy = float(np.vdot(flat, flat))
        # Largest eigenvalue of H'H, and twice the largest sum of the edges at a pixel.
        self.bound = float((self.spectrum**2).max() + 16 * smoothness)

    def step(self, point, applied, anchor):
        """Descend by the gradient, with the sparsity weighted as at the anchor."""
        slope = self.strength / (anchor + self.gamma)
        gradient = applied - self.target + slope / 2
        moved = np.maximum(point - gradient / self.bound, 0)
        return moved, self._apply(moved)

    def value(self, point, applied):
        sparse = self.strength * np.log1p(point / self.gamma).sum()
        return float(np.vdot(point, applied - 2 * self.target) + sparse) + self.energy

    def _apply(self, point):
        seen = _multiply(self.spectrum**2, point)
        seen -= _project(self.surfaces, point)
        return seen + self.smoothness * _laplacian(point, self.edges)


def _surfaces(shape):
    """Orthonormal basis of the surfaces of second order: (at most 6, H, W)."""
    row, col = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    terms = np.stack([np.ones(shape), row, col, row**2, col**2, row * col])
    sizes, axes = np.linalg.eigh(np.tensordot(terms, terms, ((1, 2), (1, 2))))
    # An image of one row has fewer surfaces than terms.
    kept = sizes > 1e-9 * sizes.max()
    return np.tensordot((axes[:, kept] / np.sqrt(sizes[kept])).T, terms, 1)


def _project(surfaces, image):
    weights = np.tensordot(surfaces, image, ((1, 2), (0, 1)))
    return np.tensordot(weights, surfaces, 1)


def _multiply(spectrum, image):
    """Multiply each cosine of the image: a convolution on the mirrored image."""
    return idctn(spectrum * dctn(image, norm="ortho"), norm="ortho")


def _cosine_spectrum(kernel, shape):
    """Factors by which a symmetric kernel multiplies each cosine of the image."""
    factors = []
    for length in shape:
        reach = len(kernel) // 2
        phase = np.pi * np.arange(length)[:, np.newaxis] / length
        factors.append(np.cos(phase * np.arange(-reach, reach + 1)))
    return factors[0] @ kernel @ factors[1].T


def _edge_weights(image):
    """Similarity of each pixel to its neighbour in each direction."""
    squares = [(near - far) ** 2 for near, far in _neighbours(image)]
    mean = sum(map(np.sum, squares)) / max(1, sum(map(np.size, squares)))
    return [np.exp(-square / (mean if mean > 0 else 1.0)) for square in squares]


def _laplacian(found, edges):
    flow = np.zeros_like(found)
    pairs = zip(_neighbours(found), _neighbours(flow), edges, strict=True)
    for (near, far), (flow_near, flow_far), weights in pairs:
        difference = weights * (near - far)
        flow_near += difference
        flow_far -= difference
    return flow


def _neighbours(image):
    """Yield views of the pixels and of their neighbours, for each direction."""
    height, width = image.shape
    for down, right in _DIRECTIONS:
        left = max(0, -right)
        near = image[: height - down, left : width - max(0, right)]
        yield near, image[down:, left + right : width + min(0, right)]

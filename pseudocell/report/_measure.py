"""Size and intensity of a cell at each point."""

from typing import NamedTuple

import numpy as np

from pseudocell._geometry._patches import cut_patches

__all__ = ["Measures", "join", "measure_cells"]

# In cell radii: the radii that are tried, the width of the ring over which the image is
# averaged, and the disc whose grey values are the intensity.
RADII = np.arange(0.3, 2.0, 0.02)
WIDTH = 0.1
INNER = 0.5
# Points of an image that are measured; a distribution needs no more.
MOST_POINTS = 500


class Measures(NamedTuple):
    """Of each point: the radius of the cell in pixels, and its mean grey value."""

    radii: np.ndarray
    intensities: np.ndarray


def measure_cells(pixels, points, cell_radius):
    """Measure the cells at points.

    The radius is that of the circle around the point across which the mean grey value
    changes most: the edge of the cell, whether it is bright, dark or a ring.

    Parameters
    ----------
    pixels : ndarray of shape (H, W) or (H, W, C)
        The image.
    points : ndarray of shape (n, 2)
        (row, col) in pixels; of many, 500 spread evenly over the list are measured.
    cell_radius : float
        That of a typical cell, in pixels.

    Returns
    -------
    measures : Measures
        Arrays of shape (m,). Intensities are in grey values of the image, the mean of
        its channels.

    References
    ----------
    Daugman, "High Confidence Visual Recognition of Persons by a Test of Statistical
    Independence", IEEE Transactions on Pattern Analysis and Machine Intelligence 1993,
    doi 10.1109/34.244676.
    """
    if len(points) == 0:
        return Measures(np.zeros(0), np.zeros(0))
    points = points[
        np.linspace(0, len(points) - 1, min(len(points), MOST_POINTS), dtype=int)
    ]
    half = int(np.ceil((RADII[-1] + 2 * WIDTH) * cell_radius))
    patches = cut_patches(pixels, points, 2 * half + 1)
    patches = patches.reshape(len(points), (2 * half + 1) ** 2, -1)
    rows, cols = np.mgrid[-half : half + 1, -half : half + 1]
    distances = np.hypot(rows, cols).ravel() / cell_radius
    rings = np.exp(-(((distances - RADII[:, np.newaxis]) / WIDTH) ** 2) / 2)
    rings /= np.maximum(rings.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    profiles = np.einsum("rp,npc->nrc", rings.astype(np.float32), patches)
    edges = np.linalg.norm(np.gradient(profiles, axis=1), axis=2)
    inner = patches[:, distances <= max(INNER, 0.5 / cell_radius)]
    return Measures(
        RADII[np.argmax(edges, axis=1)] * cell_radius,
        inner.mean(axis=(1, 2)),
    )


def join(measures):
    """Return the measures of several images as one."""
    return Measures(*(np.concatenate(each) for each in zip(*measures, strict=True)))

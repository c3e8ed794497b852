"""Points to a heatmap of cell positions, and to a mask of where it counts."""

import numpy as np

__all__ = ["render_heatmap", "render_mask", "render_weights"]

# exp(-z^2/2) at four standard deviations is 3e-4: invisible to the squared loss.
TRUNCATE = 4.0


def render_heatmap(points, shape, sigma, corner=(0, 0), heights=None):
    """Draw a Gaussian at every point; overlaps merge by maximum.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
        (row, col) in pixels.
    shape : tuple of int
        (H, W) of the heatmap.
    sigma : float
        Standard deviation in pixels.
    corner : tuple of int, default=(0, 0)
        (row, col) of the first pixel, if only a part of an image is drawn. The part
        has the values that it has in the whole.
    heights : ndarray of shape (n,), optional
        The peak of each Gaussian, in [0, 1]; 1 if not given.

    Returns
    -------
    heatmap : float32 ndarray of shape (H, W)
        In [0, 1]; exactly the height at a point with integer coordinates, 0 farther
        than four standard deviations from every point.

    References
    ----------
    Nishimura, Bise, "Weakly Supervised Cell Instance Segmentation by Propagating
    from Detection Response", MICCAI 2019, doi 10.1007/978-3-030-32239-7_72.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell._geometry._heatmap import render_heatmap
    >>> print(render_heatmap(np.array([[1, 2]]), (3, 5), sigma=1.0).round(1))
    [[0.1 0.4 0.6 0.4 0.1]
     [0.1 0.6 1.  0.6 0.1]
     [0.1 0.4 0.6 0.4 0.1]]
    """
    heatmap = np.zeros(shape, dtype=np.float32)
    for number, window, squared in _discs(points, shape, TRUNCATE * sigma, corner):
        value = np.exp(-squared / (2 * sigma**2), dtype=np.float32)
        if heights is not None:
            value *= np.float32(heights[number])
        value[squared > (TRUNCATE * sigma) ** 2] = 0
        np.maximum(heatmap[window], value, out=heatmap[window])
    return heatmap


def render_mask(points, shape, radius, corner=(0, 0)):
    """Mark the pixels within a radius of any point.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
        (row, col) in pixels.
    shape : tuple of int
        (H, W) of the mask.
    radius : float
        Radius in pixels; a pixel at exactly this distance is inside.
    corner : tuple of int, default=(0, 0)
        (row, col) of the first pixel, if only a part of an image is drawn. The part
        has the values that it has in the whole.

    Returns
    -------
    mask : bool ndarray of shape (H, W)
        True inside the discs.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell._geometry._heatmap import render_mask
    >>> print(render_mask(np.array([[1, 2]]), (3, 5), radius=1.0).astype(int))
    [[0 0 1 0 0]
     [0 1 1 1 0]
     [0 0 1 0 0]]
    """
    mask = np.zeros(shape, dtype=bool)
    for _, window, squared in _discs(points, shape, radius, corner):
        mask[window] |= squared <= radius**2
    return mask


def render_weights(points, values, shape, radius, corner=(0, 0)):
    """Fill a disc around every point with its value; overlaps merge by maximum.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
        (row, col) in pixels.
    values : ndarray of shape (n,)
        At least 0.
    shape : tuple of int
        (H, W) of what is drawn.
    radius : float
        Radius in pixels; a pixel at exactly this distance is inside.
    corner : tuple of int, default=(0, 0)
        (row, col) of the first pixel, if only a part of an image is drawn.

    Returns
    -------
    weights : float32 ndarray of shape (H, W)
        0 outside of all discs.
    """
    weights = np.zeros(shape, dtype=np.float32)
    for number, window, squared in _discs(points, shape, radius, corner):
        value = np.where(squared <= radius**2, np.float32(values[number]), 0)
        np.maximum(weights[window], value, out=weights[window])
    return weights


def _discs(points, shape, radius, corner):
    """Yield the number of every point near, a window and squared distances in it."""
    points = np.asarray(points, dtype=float).reshape(-1, 2)
    corner = np.array(corner)
    first = np.maximum(np.ceil(points - radius).astype(int), corner)
    last = np.minimum(np.floor(points + radius).astype(int), corner + shape - 1)
    near = np.flatnonzero((first <= last).all(axis=1))
    # Distances are taken in the whole image: the same rounding wherever the part is.
    for number in near:
        point, begin, end = points[number], first[number], last[number]
        down, across = (
            np.arange(begin[axis], end[axis] + 1, dtype=np.float32)
            - np.float32(point[axis])
            for axis in (0, 1)
        )
        (top, left), (bottom, right) = begin - corner, end - corner + 1
        squared = down[:, np.newaxis] ** 2 + across**2
        yield number, (slice(top, bottom), slice(left, right)), squared

"""Heatmap to points: local maxima, at least a minimum distance apart."""

import numpy as np
from scipy import spatial

__all__ = [
    "are_far",
    "find_peaks",
    "local_maxima",
    "stretch_heights",
    "strongest_apart",
    "thin",
]


def find_peaks(heatmap, min_distance, threshold):
    """Return the local maxima of a heatmap, the strongest first.

    A pixel is a peak when it is above the threshold, no neighbour is higher, and no
    stronger peak lies within `min_distance`. Of equal ones the first in reading order
    stays.

    Parameters
    ----------
    heatmap : float ndarray of shape (H, W)
        The heatmap.
    min_distance : float
        In pixels; two peaks are farther apart than this.
    threshold : float
        Peaks at or below it are left out.

    Returns
    -------
    points : float ndarray of shape (n, 2)
        (row, col) in pixels.
    heights : float32 ndarray of shape (n,)
        The heatmap at the points, decreasing.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell._geometry._peaks import find_peaks
    >>> heatmap = np.zeros((5, 7))
    >>> heatmap[1, 1], heatmap[1, 2], heatmap[3, 5] = 0.6, 0.5, 0.9
    >>> points, heights = find_peaks(heatmap, min_distance=2, threshold=0.1)
    >>> print(points, heights)
    [[3. 5.]
     [1. 1.]] [0.9 0.6]
    """
    return strongest_apart(*local_maxima(heatmap, threshold), min_distance)


def local_maxima(heatmap, threshold):
    """Return the pixels above a threshold of which no neighbour is higher.

    Parameters
    ----------
    heatmap : float ndarray of shape (H, W)
        The heatmap.
    threshold : float
        Pixels at or below it are left out.

    Returns
    -------
    points : float ndarray of shape (n, 2)
        (row, col) in pixels, in reading order.
    heights : float32 ndarray of shape (n,)
        The heatmap at the points.
    """
    heatmap = np.asarray(heatmap, dtype=np.float32)
    padded = np.pad(heatmap, 1, constant_values=-np.inf)
    high = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
    high = np.maximum(np.maximum(high[:, :-2], high[:, 1:-1]), high[:, 2:])
    rows, cols = np.nonzero((heatmap == high) & (heatmap > threshold))
    return np.column_stack([rows, cols]).astype(float), heatmap[rows, cols]


def stretch_heights(heights, low, high):
    """Map the lowest and the highest pixel of a heatmap to 0 and 1.

    Parameters
    ----------
    heights : float32 ndarray
        Pixels of it, in any shape.
    low, high : float32
        The lowest and the highest. What is below 0, which no target is, counts as 0.

    Returns
    -------
    stretched : float32 ndarray
        From 0 to 1; a constant heatmap gives zeros.
    """
    low, high = np.maximum(low, 0), np.maximum(high, 0)
    if low == high:
        return np.zeros_like(heights)
    return (np.maximum(heights, 0) - low) / (high - low)


def strongest_apart(points, heights, min_distance):
    """Sort points by their height and leave out those near a higher one.

    Parameters
    ----------
    points : float ndarray of shape (n, 2)
        (row, col), in any order.
    heights : float ndarray of shape (n,)
        Their heights. Of equal ones the first in reading order counts as higher.
    min_distance : float
        Two points that stay are farther apart than this.

    Returns
    -------
    points : float ndarray of shape (m, 2)
        Those that stay.
    heights : float ndarray of shape (m,)
        Their heights, decreasing.
    """
    order = np.lexsort((points[:, 1], points[:, 0], -heights))
    order = order[thin(points[order], min_distance)]
    return points[order], heights[order]


def thin(points, min_distance):
    """Mark points that are far enough from all marked points before them.

    Parameters
    ----------
    points : float ndarray of shape (n, 2)
        The most important first.
    min_distance : float
        Two marked points are farther apart than this.

    Returns
    -------
    keep : bool ndarray of shape (n,)
        The mark.
    """
    keep = np.ones(len(points), dtype=bool)
    if len(points) < 2:
        return keep
    pairs = spatial.cKDTree(points).query_pairs(min_distance, output_type="ndarray")
    pairs = np.sort(pairs, axis=1)
    before, after = pairs[np.argsort(pairs[:, 0])].T
    important, starts, counts = np.unique(before, return_index=True, return_counts=True)
    for point, start, count in zip(important, starts, counts, strict=True):
        if keep[point]:
            keep[after[start : start + count]] = False
    return keep


def are_far(points, others, radius):
    """Return a mask of the points that are farther than a radius from all others."""
    if len(others) == 0 or len(points) == 0:
        return np.ones(len(points), dtype=bool)
    return spatial.cKDTree(others).query(points)[0] > radius

"""Heatmap to points: local maxima, at least a minimum distance apart."""

import numpy as np
from scipy import ndimage, spatial

__all__ = ["find_peaks", "thin"]


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
    >>> from pseudocell._peaks import find_peaks
    >>> heatmap = np.zeros((5, 7))
    >>> heatmap[1, 1], heatmap[1, 2], heatmap[3, 5] = 0.6, 0.5, 0.9
    >>> points, heights = find_peaks(heatmap, min_distance=2, threshold=0.1)
    >>> print(points, heights)
    [[3. 5.]
     [1. 1.]] [0.9 0.6]
    """
    heatmap = np.asarray(heatmap, dtype=np.float32)
    # Cheap necessary condition first: maximum of its 3 x 3 neighbourhood.
    local = ndimage.maximum_filter(heatmap, size=3, mode="constant", cval=-np.inf)
    rows, cols = np.nonzero((heatmap == local) & (heatmap > threshold))
    heights = heatmap[rows, cols]
    order = np.lexsort((cols, rows, -heights))
    points = np.column_stack([rows, cols]).astype(float)[order]
    keep = thin(points, min_distance)
    return points[keep], heights[order][keep]


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
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    for before, after in pairs:
        if keep[before]:
            keep[after] = False
    return keep

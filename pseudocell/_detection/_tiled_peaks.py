"""Peaks of heatmaps that are drawn one tile after the other, never as a whole."""

import numpy as np

from .._geometry._peaks import (
    are_far,
    local_maxima,
    stretch_heights,
    strongest_apart,
)
from .._geometry._tiling import apply_in_window, cut_windows
from .._threads import map_threads

__all__ = ["find_peaks_in_tiles"]


def find_peaks_in_tiles(
    draw,
    image,
    threshold,
    places=(),
    *,
    distance,
    stride,
    reach,
    stretch=False,
    n_jobs=1,
):
    """Return the peaks of several heatmaps, and the heights at further places.

    Parameters
    ----------
    draw : callable
        Makes heatmaps (k, h, w) of an image (C, h, w).
    image : NominalImage or float32 ndarray of shape (H, W, C)
        The image at the nominal size; windows of it are read.
    threshold : float
        Peaks at or below it are left out.
    places : array-like of shape (m, 2)
        Places (row, col) to return as well, unless a peak is near.
    distance : float
        Least distance of two peaks, and of a place from a peak, in pixels.
    stride, reach : int
        Of the nets behind `draw`.
    stretch : bool, default=False
        Whether the heights of each heatmap are stretched to 0 .. 1, over the whole of
        it; the threshold is one of stretched heights then, and a height of 0 no peak.
    n_jobs : int, default=1
        Number of threads.

    Returns
    -------
    found : list of (points, heights)
        Of each heatmap the peaks, the highest first, and then the places that are not
        near a peak: float ndarray of shape (n, 2) and (n,). Neither depends on the
        tiles.
    """
    places = np.reshape(places, (-1, 2))
    # How high a peak is in a stretched heatmap is known when all of it was drawn.
    lowest = 0.0 if stretch else threshold
    tiles = map_threads(
        lambda window: _look(draw, image, window, lowest, places, stride, reach),
        cut_windows(image.shape[:2]),
        n_jobs,
    )
    lowest = max(threshold, 0.0) if stretch else None
    return [
        _join(looks, places, distance, lowest) for looks in zip(*tiles, strict=True)
    ]


def _join(looks, places, distance, above_when_stretched):
    """Join what was seen in all windows of a heatmap."""
    points, heights, numbers, values, ends = map(
        np.concatenate, zip(*looks, strict=True)
    )
    if above_when_stretched is not None:
        ends = ends.min(), ends.max()
        heights, values = (stretch_heights(each, *ends) for each in (heights, values))
        high = heights > above_when_stretched
        points, heights = points[high], heights[high]
    # Back in the order in which they were given.
    values = values[np.argsort(numbers)]
    points, heights = strongest_apart(points, heights, distance)
    free = are_far(places, points, distance)
    return (
        np.concatenate([points, places[free]]),
        np.concatenate([heights, values[free]]),
    )


def _look(draw, image, window, threshold, places, stride, reach):
    """Return, of each heatmap, the local maxima in a window, and the places in it.

    One pixel more is drawn all around: if that is higher, a pixel at the edge of the
    window is no maximum.
    """
    wide = tuple(
        slice(max(0, part.start - 1), min(part.stop + 1, length))
        for part, length in zip(window, image.shape, strict=False)
    )
    corner = [part.start for part in wide]
    pixels = np.clip(np.round(places).astype(int), 0, np.array(image.shape[:2]) - 1)
    here = np.flatnonzero(_are_in(pixels, window))
    rows, cols = (pixels[here] - corner).T
    looks = []
    for heatmap in apply_in_window(draw, image, wide, stride=stride, reach=reach):
        points, heights = local_maxima(heatmap, threshold)
        points += corner
        inside = _are_in(points, window)
        ends = np.array([heatmap.min(), heatmap.max()])
        looks.append((points[inside], heights[inside], here, heatmap[rows, cols], ends))
    return looks


def _are_in(points, window):
    """Return which points are in a window."""
    start, stop = np.array([(part.start, part.stop) for part in window]).T
    return ((points >= start) & (points < stop)).all(axis=1)

"""Clicks that a net does not see, to learn from them how it rates unknown cells."""

import numpy as np
from scipy.spatial import cKDTree

__all__ = ["deal_clicks", "heights_at", "seen_clicks"]


def deal_clicks(clicks, n_nets, rng):
    """Deal the clicks of each image out among the nets.

    Parameters
    ----------
    clicks : list of ndarray of shape (n_i, 2)
        Clicked cells.
    n_nets : int
        Number of nets.
    rng : numpy.random.RandomState
        Deals them out.

    Returns
    -------
    folds : list of int ndarray of shape (n_i,)
        The number of the net that does not see a click. -1 if all nets see it: there
        is only one, or there are fewer clicks than nets.
    """
    if n_nets == 1 or sum(map(len, clicks)) < n_nets:
        return [np.full(len(array), -1) for array in clicks]
    folds, start = [], 0
    for array in clicks:
        folds.append(rng.permutation(np.arange(start, start + len(array)) % n_nets))
        start += len(array)
    return folds


def seen_clicks(number, clicks, folds):
    """Return the clicks of each image that a net sees.

    Parameters
    ----------
    number : int
        Number of the net.
    clicks : list of ndarray of shape (n_i, 2)
        Clicked cells.
    folds : list of int ndarray of shape (n_i,)
        From `deal_clicks`.

    Returns
    -------
    seen : list of ndarray of shape (m_i, 2)
        Those of other folds.
    """
    return [array[fold != number] for array, fold in zip(clicks, folds, strict=True)]


def heights_at(points, peaks, heights, radius):
    """Return how high points stand in a heatmap.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
        Where to look.
    peaks : ndarray of shape (m, 2)
        The peaks of the heatmap.
    heights : ndarray of shape (m,)
        Their heights.
    radius : float
        In the pixels of both.

    Returns
    -------
    heights : ndarray of shape (n,)
        The height of the highest peak within the radius of each point, or 0.
    """
    if len(points) == 0 or len(peaks) == 0:
        return np.zeros(len(points))
    near = cKDTree(peaks).query_ball_point(points, radius)
    return np.array([max(heights[index], default=0.0) for index in near])

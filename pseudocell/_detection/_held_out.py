"""Clicks that a net does not see, to learn from them how it rates unknown cells."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from .._geometry._peaks import are_far

__all__ = [
    "HeldOut",
    "deal_clicks",
    "heights_at",
    "heights_unseen",
    "off_clicks",
    "pick_images",
    "seen_clicks",
    "weigh",
    "with_clicks",
]

# Images on which is looked at what else is found.
MAX_IMAGES = 5


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What held-out clicks, and what is found besides, say of a detector.

    Attributes
    ----------
    clicked : float ndarray of shape (n,)
        How high each clicked cell stands for a net that has not seen it; empty if a net
        has seen one that it would be judged by.
    found : float ndarray of shape (m,)
        The heights of the peaks in a few of all images.
    others : float ndarray of shape (k,)
        Those of the peaks that are at no click, in a few of the images with clicks.
    n_clicks : int
        Number of clicks in those images.
    threshold : float
        Above it a peak is a cell.
    """

    clicked: np.ndarray
    found: np.ndarray
    others: np.ndarray
    n_clicks: int
    threshold: float


def pick_images(clicks):
    """Pick a few of all images, and a few of those with clicks, evenly spread.

    Parameters
    ----------
    clicks : list of ndarray of shape (n_i, 2)
        Clicked cells.

    Returns
    -------
    of_all, of_clicked : int ndarray of shape (at most 5,)
        Their numbers, increasing. Images without clicks may look otherwise.
    """
    kinds = np.arange(len(clicks)), with_clicks(clicks)
    return [
        kind[np.linspace(0, len(kind) - 1, min(len(kind), MAX_IMAGES)).astype(int)]
        for kind in kinds
    ]


def weigh(detector, clicks, find):
    """Gather what held-out clicks say of a detector.

    Parameters
    ----------
    detector : estimator
        Fitted; has `click_folds_`, `click_heights_`, `threshold_` and `cell_radius_`,
        and maybe `found_heights_` and `other_heights_`, as `HeatmapDetector` does.
    clicks : list of ndarray of shape (n_i, 2)
        The clicks that it was fitted on.
    find : callable
        Called as ``find(indices)``, unless the detector has the heights; returns
        (points, heights) of the peaks of those images.

    Returns
    -------
    held_out : HeldOut
        What `pseudocell._safeguards` judges by.
    """
    of_all, of_clicked = pick_images(clicks)
    folds = np.concatenate(detector.click_folds_)
    clicked = np.concatenate(detector.click_heights_)
    if hasattr(detector, "found_heights_"):
        found, others = detector.found_heights_, detector.other_heights_
    else:
        found = np.concatenate([heights for _, heights in find(of_all)])
        radius = detector.cell_radius_
        others = off_clicks(find(of_clicked), [clicks[i] for i in of_clicked], radius)
    return HeldOut(
        clicked=clicked if (folds >= 0).all() else clicked[:0],
        found=found,
        others=others,
        n_clicks=sum(len(clicks[index]) for index in of_clicked),
        threshold=float(detector.threshold_),
    )


def off_clicks(found, clicks, radius):
    """Return the heights of the peaks that are at no click.

    Parameters
    ----------
    found : list of (points, heights)
        The peaks of some images.
    clicks : list of ndarray of shape (n_i, 2)
        The clicks of the same images.
    radius : float
        A peak within this distance of a click is that cell.

    Returns
    -------
    heights : ndarray of shape (n,)
        Of all images together.
    """
    return np.concatenate(
        [
            heights[are_far(points, clicked, radius)]
            for (points, heights), clicked in zip(found, clicks, strict=True)
        ]
    )


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


def heights_unseen(clicks, fold, found, radius):
    """Return how high each click of an image stands for a net that has not seen it.

    Parameters
    ----------
    clicks : ndarray of shape (n, 2)
        Clicked cells.
    fold : int ndarray of shape (n,)
        From `deal_clicks`.
    found : list of (points, heights)
        The peaks of each net.
    radius : float
        In the pixels of both.

    Returns
    -------
    heights : ndarray of shape (n,)
        As from `heights_at`; of the last net, where all have seen the click.
    """
    heights = np.zeros(len(clicks))
    for number in [*np.unique(fold[fold >= 0]), -1]:
        chosen = fold == number
        if chosen.any():
            heights[chosen] = heights_at(clicks[chosen], *found[number], radius)
    return heights


def with_clicks(clicks):
    """Return the numbers of the images with clicks."""
    return np.flatnonzero([len(array) > 0 for array in clicks])

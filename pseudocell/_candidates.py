"""Candidates for cells: the peaks near labels, and the unlabelled ones."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ._matching import match_points

__all__ = ["Candidates", "drop_near", "sort_candidates"]


@dataclass
class Candidates:
    """X_P and X_U of one iteration, one array an image.

    Attributes
    ----------
    positive : list of float ndarray of shape (n_i, 2)
        Peaks matched to clicked cells and to pseudo positives.
    positive_heights : list of float ndarray of shape (n_i,)
        Their heights; of a clicked cell, in the heatmap of a net that has not seen it.
    fold : list of int ndarray of shape (n_i,)
        Of a clicked cell, the number of that net, or -1 if there is none; -2 of a
        pseudo positive.
    unlabelled : list of float ndarray of shape (m_i, 2)
        The peaks that are not near any label.
    unlabelled_heights : list of float ndarray of shape (m_i,)
        Their heights.
    """

    positive: list
    positive_heights: list
    fold: list
    unlabelled: list
    unlabelled_heights: list


def sort_candidates(peaks, clicks, click_folds, click_heights, labels, radius):
    """Sort the peaks of a detector into those at labels and the unlabelled ones.

    Parameters
    ----------
    peaks : list of (points, heights)
        From `HeatmapDetector.find_candidates`.
    clicks : list of float ndarray of shape (n_i, 2)
        Clicked cells.
    click_folds, click_heights : list of ndarray of shape (n_i,)
        From the detector.
    labels : dict of lists of float ndarray of shape (k_i, 2)
        The pseudo "positives" and "negatives" of the iterations before.
    radius : float
        A peak within this distance of a label, in pixels, belongs to it.

    Returns
    -------
    candidates : Candidates
        Peaks near a label that are not matched one to one are left out.
    """
    sorted_ = Candidates([], [], [], [], [])
    for index, (points, heights) in enumerate(peaks):
        positives, negatives = (labels[k][index] for k in ("positives", "negatives"))
        at_click, click = match_points(points, clicks[index], radius)
        at_pseudo, _ = match_points(points, positives, radius)
        known = np.concatenate([clicks[index], positives, negatives])
        free = drop_near(points, known, radius)
        sorted_.positive.append(points[np.concatenate([at_click, at_pseudo])])
        sorted_.positive_heights.append(
            np.concatenate([click_heights[index][click], heights[at_pseudo]])
        )
        sorted_.fold.append(
            np.concatenate([click_folds[index][click], np.full(len(at_pseudo), -2)])
        )
        sorted_.unlabelled.append(points[free])
        sorted_.unlabelled_heights.append(heights[free])
    return sorted_


def drop_near(points, others, radius):
    """Return a mask of the points that are farther than a radius from all others."""
    if len(others) == 0 or len(points) == 0:
        return np.ones(len(points), dtype=bool)
    return cKDTree(others).query(points)[0] > radius

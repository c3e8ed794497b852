"""TunedThresholdDetector: any detector, with its threshold chosen from the labels."""

import warnings

import numpy as np
from scipy.spatial import cKDTree
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.validation import check_is_fitted

from pseudocell._detection._held_out import heights_at
from pseudocell._detection._mixin import DetectorMixin
from pseudocell._detection._training import MASK
from pseudocell._images import Images, check_clicked
from pseudocell._parameters import CheckedMixin
from pseudocell.metrics import MATCHING_DISTANCE, lee_liu_score

__all__ = ["TunedThresholdDetector"]

# A threshold that misses more of the clicks is never the best one.
MIN_RECALL = 0.5


class TunedThresholdDetector(CheckedMixin, DetectorMixin, BaseEstimator):
    """Fit a detector, then choose its threshold from the labels.

    The detector gives its candidates on the training images once, with their heights.
    Every cut of this list is tried: where all cells are known, the one with the best F1
    is taken; where some are clicked, the one with the best Lee-Liu score, recall on the
    clicks squared over the number of detections, among those that find half of them.

    Parameters
    ----------
    detector : estimator
        A clone of it is fitted. It has ``fit(images, points)``, the attributes
        `cell_radius_` and `threshold_`, and
        ``find_candidates(images, threshold)``, which returns (points, heights) of each
        image above a threshold and without one returns all that could matter. If it has
        `click_heights_`, these tell the recall: it must have them if it learns from the
        clicks, as `HeatmapDetector` does.
    labels : {"clicks", "all"}, default="clicks"
        Whether the points given to `fit` are some of the cells or all of them.

    Attributes
    ----------
    detector_ : estimator
        The fitted detector.
    cell_radius_ : float
        Its cell radius, in pixels of the images.
    threshold_ : float
        The chosen threshold; a candidate is a cell if it is higher.
    thresholds_ : float ndarray of shape (n_thresholds,)
        All thresholds that differ in what they detect on the training images,
        decreasing.
    scores_ : float ndarray of shape (n_thresholds,)
        F1 or Lee-Liu score at each of them, the latter 0 where more than half of the
        clicks are missed.

    Notes
    -----
    Clicks that a net was trained on stand higher than other cells. The recall is then
    too high and the threshold comes out too high as well: use a `HeatmapDetector` with
    ``n_nets=2``, whose `click_heights_` are heights in the net that has not seen the
    click. With ``labels="all"`` the detector has seen all it is measured on, so that
    the F1 of `scores_` is not that of new images.

    References
    ----------
    Lee, Liu, "Learning with Positive and Unlabeled Examples Using Weighted Logistic
    Regression", ICML 2003, pages 448-455.

    Examples
    --------
    After a short training half of the range is too high a threshold:

    >>> from pseudocell import HeatmapDetector
    >>> from pseudocell.baselines import TunedThresholdDetector
    >>> from pseudocell.datasets import make_brightfield
    >>> images, points = make_brightfield(1, (96, 96), n_cells=6, random_state=0)
    >>> detector = HeatmapDetector(cell_radius=8, max_steps=15, random_state=0)
    >>> tuned = TunedThresholdDetector(detector, labels="all").fit(images, points)
    >>> tuned.score(images, points) >= tuned.detector_.score(images, points)
    True
    """

    _parameter_constraints = {
        "detector": [HasMethods(["fit", "find_candidates"])],
        "labels": [StrOptions({"clicks", "all"})],
    }

    def __init__(self, detector, *, labels="clicks"):
        self.detector = detector
        self.labels = labels

    def fit(self, images, partial_points):
        """Fit the detector and choose the threshold.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images; sizes may differ.
        partial_points : sequence of array-like of shape (n_i, 2)
            Cells as (row, col) in pixels: all of them if `labels` is "all".

        Returns
        -------
        self : TunedThresholdDetector

        Raises
        ------
        ValueError
            If `labels` is unknown, no cell is labelled in any image, or the detector
            refuses the images or the points.

        Warns
        -----
        UserWarning
            If no labelled cell is found at any threshold, so that the threshold of the
            detector is kept.
        """
        self._validate_params()
        images = Images(images)
        points = check_clicked(images, partial_points)
        self.detector_ = clone(self.detector).fit(images, points)
        self.cell_radius_ = self.detector_.cell_radius_
        candidates = self.detector_.find_candidates(images)
        score = self._score_clicks if self.labels == "clicks" else self._score_all
        self.thresholds_, n_detected = _cuts([heights for _, heights in candidates])
        self.scores_ = score(candidates, points, n_detected)
        if self.scores_.any():
            self.threshold_ = float(self.thresholds_[np.argmax(self.scores_)])
        else:
            self.threshold_ = float(self.detector_.threshold_)
            warnings.warn(
                "No labelled cell is found at any threshold, so that the threshold of "
                f"the detector, {self.threshold_:g}, is kept. Train it longer, or "
                f"check cell_radius ({self.cell_radius_:g} px).",
                stacklevel=2,
            )
        return self

    def find_candidates(self, images, threshold=None):
        """Return the candidates above any threshold, with their heights.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images.
        threshold : float, default=None
            Candidates at or below it are left out. None takes the lowest threshold of
            the detector.

        Returns
        -------
        candidates : list of (points, heights)
            Points of shape (n_i, 2) as (row, col) in pixels and heights of shape
            (n_i,), the highest first.
        """
        check_is_fitted(self)
        if threshold is None:
            return self.detector_.find_candidates(images)
        return self.detector_.find_candidates(images, threshold)

    def _score_clicks(self, candidates, clicks, n_detected):
        """Return the Lee-Liu score at each threshold."""
        if hasattr(self.detector_, "click_heights_"):
            heights = self.detector_.click_heights_
        else:
            radius = MASK * self.cell_radius_
            heights = [
                heights_at(array, *found, radius)
                for array, found in zip(clicks, candidates, strict=True)
            ]
        heights = np.sort(np.concatenate(heights))
        n_missed = np.searchsorted(heights, self.thresholds_, side="right")
        recall = 1 - n_missed / len(heights)
        # A few clicks above a few detections would be a ratio of chance.
        return lee_liu_score(np.where(recall < MIN_RECALL, 0.0, recall), n_detected)

    def _score_all(self, candidates, cells, n_detected):
        """Return the F1 at each threshold."""
        distance = MATCHING_DISTANCE * self.cell_radius_
        useful = [
            _adds_a_pair(found, array, distance)
            for (found, _), array in zip(candidates, cells, strict=True)
        ]
        heights = np.concatenate([heights for _, heights in candidates])
        best_first = np.argsort(-heights, kind="stable")
        n_matched = np.cumsum(np.concatenate(useful)[best_first])[n_detected - 1]
        return 2 * n_matched / (sum(map(len, cells)) + n_detected)


def _cuts(heights):
    """Return the thresholds between all heights, and how many are above each."""
    heights = np.sort(np.concatenate(heights).astype(float))[::-1]
    if len(heights) == 0:
        return heights, np.zeros(0, dtype=int)
    # Heights may be of single precision: the last cut is below the lowest in that too.
    lowest = np.nextafter(np.float32(heights[-1]), np.float32(-np.inf))
    below = np.append(heights[1:], lowest)
    n_above = np.flatnonzero(below < heights) + 1
    thresholds = (heights[n_above - 1] + below[n_above - 1]) / 2
    thresholds[-1] = lowest
    return thresholds, n_above


def _adds_a_pair(points, cells, max_distance):
    """Tell for each point whether it adds a pair to the matching of those before it.

    The sets of points that can all be matched at once form a matroid: a point that
    adds no pair now adds none later, and one that does is never lost again. So the
    first k points have as many pairs as marks, and one pass serves all thresholds.
    """
    adds = np.zeros(len(points), dtype=bool)
    if len(points) == 0 or len(cells) == 0:
        return adds
    near = cKDTree(cells).query_ball_point(points, max_distance)
    point_of, cell_of = {}, {}
    for start in range(len(points)):
        # Breadth first, along cells that are taken, to one that is free.
        reached_from, queue, free = {}, [start], None
        for point in queue:
            for cell in near[point]:
                if cell not in reached_from:
                    reached_from[cell] = point
                    if cell in point_of:
                        queue.append(point_of[cell])
                    else:
                        free = cell
            if free is not None:
                break
        adds[start] = free is not None
        while free is not None:  # hand the cells over, back to the start
            point = reached_from[free]
            point_of[free], cell_of[point], free = point, free, cell_of.get(point)
    return adds

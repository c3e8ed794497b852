"""ClickTunedDetector: a filter without training, whose settings the clicks choose."""

import numpy as np
from scipy.special import ndtr
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from pseudocell._detection._mixin import DetectorMixin
from pseudocell._geometry._radius import estimate_cell_radius
from pseudocell._geometry._scale import (
    normalise_image,
    points_from_nominal,
    points_to_nominal,
    to_nominal,
)
from pseudocell._images import Images, check_clicked
from pseudocell._parameters import CheckedMixin
from pseudocell.metrics import lee_liu_score

__all__ = ["ClickTunedDetector", "choose_threshold"]

# A detection within one radius of a click has found it.
CLICK_DISTANCE = 1.0
# Tried at most; more do not change the score.
_MAX_THRESHOLDS = 2000
# Of the smoothed recall, in median strengths: one click does not tell the spread.
_LEAST_WIDTH = 0.1


class ClickTunedDetector(CheckedMixin, DetectorMixin, BaseEstimator):
    """Base of the detectors that tune a fixed filter on the clicks.

    A subclass has the parameters `cell_radius` and `nominal_radius`, and says which
    settings there are in `_filters` and `_finders`, what they do in `_filter` and
    `_find`.
    """

    def fit(self, images, partial_points):
        """Choose the settings and the threshold.

        Every setting is tried on the images with clicks. The one that stays has, at its
        best threshold, the largest `pseudocell.metrics.lee_liu_score`. Nothing is
        trained on the clicks, so that recall on them is honest.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images; sizes may differ.
        partial_points : sequence of array-like of shape (n_i, 2)
            Clicked cells as (row, col) in pixels; they need not be all cells, but
            should be drawn from them at random.

        Returns
        -------
        self : ClickTunedDetector
            The fitted detector.

        Raises
        ------
        ValueError
            If an argument is not as described, or no cell is clicked in any image.
        """
        self._validate_params()
        images = Images(images)
        clicks = check_clicked(images, partial_points)
        clicked = np.flatnonzero([len(rows) > 0 for rows in clicks])
        images, clicks = images.take(clicked), [clicks[index] for index in clicked]
        self.n_channels_ = images.n_channels
        self.cell_radius_ = float(
            estimate_cell_radius(images, clicks, "partial_points")
            if self.cell_radius is None
            else self.cell_radius
        )
        nominal = [self._to_nominal(image) for image in images]
        clicks = [
            points_to_nominal(rows, image.shape, self._scale)
            for image, rows in zip(images, clicks, strict=True)
        ]
        best = -np.inf
        for filter_setting in self._filters():
            maps = [self._filter(image, filter_setting) for image in nominal]
            for finder in self._finders(maps):
                found = [self._find(filtered, finder) for filtered in maps]
                threshold, score = self._choose(found, clicks)
                if score > best:
                    best, self.threshold_ = score, threshold
                    self.filter_, self.finder_ = filter_setting, finder
        return self

    def find_candidates(self, images, threshold=-np.inf):
        """Return the peaks above any threshold, with their strengths.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images.
        threshold : float, default=-inf
            Peaks at or below it are left out.

        Returns
        -------
        candidates : list of (points, strengths)
            Points of shape (n_i, 2) as (row, col) in pixels and strengths of shape
            (n_i,) in the filtered image, the strongest first.
        """
        check_is_fitted(self)
        candidates = []
        for image in Images(images, self.n_channels_):
            filtered = self._filter(self._to_nominal(image), self.filter_)
            points, strengths = self._find(filtered, self.finder_)
            kept = strengths > threshold
            found = points_from_nominal(points[kept], image.shape, self._scale)
            candidates.append(image.keep_counting(found, strengths[kept]))
        return candidates

    def __sklearn_is_fitted__(self):
        return hasattr(self, "threshold_")

    @property
    def _scale(self):
        return self.nominal_radius / self.cell_radius_

    def _to_nominal(self, image):
        return to_nominal(normalise_image(image), self._scale)

    def _choose(self, found, clicks):
        """Return the best threshold of one setting, and its score."""
        at_clicks = [
            _strength_at(rows, *candidates, CLICK_DISTANCE * self.nominal_radius)
            for rows, candidates in zip(clicks, found, strict=True)
        ]
        strengths = np.concatenate([strength for _, strength in found])
        return choose_threshold(strengths, np.concatenate(at_clicks))


def choose_threshold(strengths, click_strengths):
    """Choose the threshold with the largest Lee-Liu score.

    The recall of a few clicks falls in steps, and just below a click the score is
    always best. So it is smoothed, with the normal kernel and the width of Silverman
    (1986). Thresholds that lose more than half of the clicks that can be found are left
    out: with few clicks, one lucky click on the strongest cell would win.

    Parameters
    ----------
    strengths : float ndarray of shape (n_candidates,)
        Of all candidates, above 0.
    click_strengths : float ndarray of shape (n_clicks,)
        Of the strongest candidate near each click, -1 if there is none.

    Returns
    -------
    threshold : float
        Halfway between two strengths; candidates above it are detections.
    score : float
        ``recall ** 2 / n_detections`` there; -1 if no click has a candidate.

    Examples
    --------
    No click asks for the five weak candidates; one cell is weaker than all the clicks.

    >>> import numpy as np
    >>> from pseudocell.baselines._click_tuned import choose_threshold
    >>> strengths = np.array([9, 8, 7, 6, 1, 1, 1, 1, 1])
    >>> threshold, score = choose_threshold(strengths, np.array([8.0, 7, 7]))
    >>> threshold
    3.5
    """
    found = click_strengths[click_strengths > 0]
    if len(found) == 0:
        return np.inf, -1.0
    levels = np.unique(strengths)
    thresholds = (levels + np.append(0, levels[:-1])) / 2
    thresholds = thresholds[levels <= np.quantile(found, 0.5, method="lower")]
    thresholds = thresholds[:: max(1, len(thresholds) // _MAX_THRESHOLDS)]
    width = 1.06 * found.std() * len(found) ** -0.2
    width = max(width, _LEAST_WIDTH * np.median(found))
    above = ndtr((found - thresholds[:, np.newaxis]) / width)
    recall = above.sum(axis=1) / len(click_strengths)
    order = np.sort(strengths)
    n_detections = len(order) - np.searchsorted(order, thresholds, side="right")
    scores = lee_liu_score(np.minimum(recall, 1.0), n_detections)
    best = int(np.argmax(scores))
    return float(thresholds[best]), float(scores[best])


def _strength_at(clicks, points, strengths, distance):
    """Return the strength of the strongest point near each click, or -1."""
    if len(points) == 0:
        return np.full(len(clicks), -1.0)
    near = np.linalg.norm(clicks[:, np.newaxis] - points, axis=2) <= distance
    return np.where(near, strengths, -1.0).max(axis=1)

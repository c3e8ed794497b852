"""Score detected points against true points or against clicks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pseudocell._geometry._matching import match_points
from pseudocell._parameters import DISTANCE, as_numbers, check_weights, checked
from pseudocell._validation import HeldOutClicks, ListLike, check_points

__all__ = [
    "ClickScores",
    "DetectionScores",
    "click_scores",
    "detection_f1",
    "detection_scores",
    "lee_liu_score",
]

# So many cell radii from it, a detection is a cell: 15 px at 12, as published.
MATCHING_DISTANCE = 1.25


@dataclass(frozen=True)
class DetectionScores:
    """Precision, recall and F1 of detections, with the counts behind them.

    Attributes
    ----------
    precision : float
        ``n_matched / n_predicted``, 1.0 if nothing was predicted.
    recall : float
        ``n_matched / n_true``, 1.0 if there was nothing to find.
    f1 : float
        ``2 * n_matched / (n_true + n_predicted)``, 1.0 if both are 0.
    n_true : int
        Number of true points of all the images.
    n_predicted : int
        Number of predicted points of all the images.
    n_matched : int
        Number of one-to-one pairs within `max_distance`.
    max_distance : float
        Largest distance of a pair, in pixels.

    Examples
    --------
    >>> from pseudocell.metrics import detection_scores
    >>> detection_scores([[(5, 5), (5, 20)]], [[(5, 6)]], max_distance=3).recall
    0.5
    """

    precision: float
    recall: float
    f1: float
    n_true: int
    n_predicted: int
    n_matched: int
    max_distance: float


@checked(max_distance=[DISTANCE])
def detection_scores(
    points_true: ListLike, points_pred: ListLike, max_distance: float
) -> DetectionScores:
    """Score detections against all the true points, pooled over the images.

    In each image, true and predicted points at most `max_distance` apart are
    matched one to one, as many as possible. The counts are added over the images
    before anything is divided, so an image with many cells counts for more.

    Parameters
    ----------
    points_true : sequence of array-like of shape (n_i, 2)
        True points of each image in pixels, one (row, col) per row.
    points_pred : sequence of array-like of shape (m_i, 2)
        Detected points of each image in pixels, one (row, col) per row.
    max_distance : float
        Largest distance of a matched pair, in pixels. State it with every score:
        a larger one gives higher scores.

    Returns
    -------
    scores : DetectionScores
        Precision, recall, F1 and their counts.

    Raises
    ------
    ValueError
        If the sequences differ in length, a point set is not of shape (n, 2) or not
        finite, the true points are clicks that `split_clicks` held out, or
        `max_distance` is negative or not finite.

    Notes
    -----
    A ratio 0 / 0 counts as 1.0, like ``zero_division=1.0`` in scikit-learn: an
    empty image in which nothing was found is perfectly right. F1 comes from the
    counts, so it is 0.0 as soon as only one side is empty.

    The true points must be complete. Against clicks on some of the cells every
    unclicked cell would count as a false detection; see `click_scores`.

    Examples
    --------
    Two of three cells are found, and two detections are wrong: one has no cell, the
    other a cell that is already taken.

    >>> from pseudocell.metrics import detection_scores
    >>> truth = [[[10, 10], [10, 40], [40, 40]]]
    >>> found = [[[11, 10], [12, 10], [10, 38], [25, 25]]]
    >>> scores = detection_scores(truth, found, max_distance=5)
    >>> scores.n_matched, scores.precision, round(scores.recall, 3)
    (2, 0.5, 0.667)
    """
    counts = _count(points_true, points_pred, max_distance, "points_true")
    n_true, n_predicted, n_matched = counts.sum(axis=1).tolist()
    return DetectionScores(
        precision=_ratio(n_matched, n_predicted),
        recall=_ratio(n_matched, n_true),
        f1=_ratio(2 * n_matched, n_true + n_predicted),
        n_true=n_true,
        n_predicted=n_predicted,
        n_matched=n_matched,
        max_distance=float(max_distance),
    )


def _refuse_clicks(points_true):
    for index, points in enumerate(points_true):
        if isinstance(points, HeldOutClicks):
            raise ValueError(
                f"points_true[{index}] holds clicks that split_clicks held out; "
                "expected all cells of the image, as every other cell would count as "
                "a false detection. Pass scoring=lee_liu_scorer to the search."
            )


def _count(points_true, points_pred, max_distance, name):
    """Count true points, detections and one-to-one pairs of each image."""
    given = points_true
    points_true = check_points(points_true, name=name)
    points_pred = check_points(points_pred, name="points_pred")
    if len(points_true) != len(points_pred):
        raise ValueError(
            f"{name} has {len(points_true)} point sets and points_pred has "
            f"{len(points_pred)}; expected one of each per image. For a single image "
            "wrap each set in a list."
        )
    if name == "points_true":
        _refuse_clicks(given)
    pairs = [
        match_points(true, pred, max_distance)[0]
        for true, pred in zip(points_true, points_pred, strict=True)
    ]
    counts = [[*map(len, lists)] for lists in (points_true, points_pred, pairs)]
    return np.array(counts, dtype=int)


def _ratio(part, whole):
    return part / whole if whole else 1.0


@checked(max_distance=[DISTANCE])
def detection_f1(
    points_true: ListLike,
    points_pred: ListLike,
    max_distance: float,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the F1 score of detections against all the true points.

    Parameters
    ----------
    points_true : sequence of array-like of shape (n_i, 2)
        True points of each image in pixels, one (row, col) per row.
    points_pred : sequence of array-like of shape (m_i, 2)
        Detected points of each image in pixels, one (row, col) per row.
    max_distance : float
        Largest distance of a matched pair, in pixels.
    sample_weight : array-like of shape (n_images,), default=None
        How much each image counts; 2 is the same as the image given twice. None
        counts all alike.

    Returns
    -------
    f1 : float
        ``2 * n_matched / (n_true + n_predicted)`` over all the images, from 0 to 1.

    Raises
    ------
    ValueError
        As `detection_scores`, which also returns the counts; or if a weight is negative
        or not finite, or there is not one an image.

    Examples
    --------
    >>> from pseudocell.metrics import detection_f1
    >>> detection_f1([[[10, 10], [10, 40]]], [[[11, 10], [30, 30]]], max_distance=5)
    0.5
    """
    counts = _count(points_true, points_pred, max_distance, "points_true")
    if sample_weight is not None:
        counts = counts * check_weights(sample_weight, counts.shape[1])
    n_true, n_predicted, n_matched = counts.sum(axis=1).tolist()
    return _ratio(2 * n_matched, n_true + n_predicted)


def lee_liu_score(
    recall: float | np.ndarray, n_predicted: float | np.ndarray
) -> np.ndarray:
    """Compare detectors without full truth: ``recall ** 2 / n_predicted``.

    Clicks on some of the cells tell the recall, but not the precision: a
    detection without a click may be an unclicked cell. Yet among detectors that
    are run on the same images, ``recall ** 2 / n_predicted`` is proportional to
    precision times recall: with N cells of which M are matched, precision * recall
    = M / n_predicted * recall = N * recall ** 2 / n_predicted, and the unknown N is
    the same for all of them.

    Parameters
    ----------
    recall : float or ndarray
        Share of the clicked cells that were detected, from 0 to 1.
    n_predicted : float or ndarray
        Number of detections, in all the images or per image or per click. 0 gives
        the score 0.

    Returns
    -------
    score : float or ndarray
        0 or more, larger is better. An array if one of the arguments is.

    Raises
    ------
    ValueError
        If `recall` is outside 0 to 1 or positive without a detection, or
        `n_predicted` is negative or not finite.

    Notes
    -----
    What it tells: which of several thresholds, settings or iterations is better on
    the same images. It is high only if precision and recall both are, like F1.

    What it does not tell: how good a detector is (the scale is unknown, so scores
    on different images or in different units cannot be compared), nor anything
    if the clicks were part of the training (recall on them is too high; hold some
    out) or were not drawn at random among the cells (clicks on the clearest cells
    give the recall of clear cells). With n held-out clicks the standard error of
    the recall is about ``sqrt(recall * (1 - recall) / n)``; smaller differences
    mean nothing.

    References
    ----------
    Lee, Liu, "Learning with Positive and Unlabeled Examples Using Weighted Logistic
    Regression", ICML 2003, pages 448-455.

    Examples
    --------
    A higher threshold loses 5 % of the clicks and two thirds of the detections: it
    is better.

    >>> import numpy as np
    >>> from pseudocell.metrics import lee_liu_score
    >>> np.round(lee_liu_score(np.array([1.0, 0.95]), np.array([300, 100])), 4)
    array([0.0033, 0.009 ])
    """
    share, number = as_numbers(recall, "recall"), as_numbers(n_predicted, "n_predicted")
    try:
        np.broadcast_shapes(share.shape, number.shape)
    except ValueError as error:
        raise ValueError(
            f"recall has shape {share.shape} and n_predicted {number.shape}; expected "
            "one of each."
        ) from error
    if not ((share >= 0) & (share <= 1)).all():
        raise ValueError(f"recall is {share}; expected values from 0 to 1.")
    if not ((number >= 0) & np.isfinite(number)).all():
        raise ValueError(f"n_predicted is {number}; expected counts of 0 or more.")
    if ((share > 0) & (number == 0)).any():
        raise ValueError(
            "recall is positive where n_predicted is 0; expected 0 there, since no "
            "click is found without a detection."
        )
    # recall is 0 wherever n_predicted is, so the divisor there does not matter.
    return share**2 / np.where(number == 0, 1.0, number)


@dataclass(frozen=True)
class ClickScores:
    """What clicks on some of the cells tell about detections, with the counts.

    Attributes
    ----------
    recall : float
        ``n_matched / n_clicks``: the share of the clicked cells that was found.
    detections_per_click : float
        ``n_predicted / n_clicks``. If one cell in ten has a click, it is 10 for
        detections that are as many as the cells.
    lee_liu : float
        ``recall ** 2 / detections_per_click``, from 0 to 1; 0.0 without a detection.
    n_clicks : int
        Number of clicks in all the images.
    n_predicted : int
        Number of detections in all the images.
    n_matched : int
        Number of one-to-one pairs within `max_distance`.
    max_distance : float
        Largest distance of a pair, in pixels.

    Examples
    --------
    >>> from pseudocell.metrics import click_scores
    >>> click_scores([[(5, 5)]], [[(5, 6), (5, 20)]], 3).detections_per_click
    2.0
    """

    recall: float
    detections_per_click: float
    lee_liu: float
    n_clicks: int
    n_predicted: int
    n_matched: int
    max_distance: float


@checked(max_distance=[DISTANCE])
def click_scores(
    clicks: ListLike, points_pred: ListLike, max_distance: float
) -> ClickScores:
    """Score detections against clicks on some of the cells, pooled over the images.

    The clicks must be held out: `points_pred` must come from a detector that was not
    trained on them. `pseudocell.model_selection` has the ways to do so.

    Parameters
    ----------
    clicks : sequence of array-like of shape (n_i, 2)
        Held-out clicks of each image in pixels, one (row, col) per row. A random
        sample of the cells; at least one in all the images.
    points_pred : sequence of array-like of shape (m_i, 2)
        Detected points of each image in pixels, one (row, col) per row.
    max_distance : float
        Largest distance of a matched pair, in pixels.

    Returns
    -------
    scores : ClickScores
        Recall, detections per click, Lee-Liu score, and their counts.

    Raises
    ------
    ValueError
        If there is no click in any image, or as `detection_scores`.

    Notes
    -----
    Recall estimates the share of **all** cells that is found; a detector that marks
    every pixel has recall 1. Of two detectors with the same recall that with fewer
    detections is more precise.

    The score is that of `lee_liu_score` per click: if a share q of the cells has a
    held-out click, it estimates q * precision * recall, however many cells there are.
    None of the three tells how good a detector is, because q is unknown.

    Examples
    --------
    >>> from pseudocell.metrics import click_scores
    >>> clicks = [[[10, 10], [10, 40]]]
    >>> found = [[[11, 10], [25, 25], [40, 10], [40, 40]]]
    >>> scores = click_scores(clicks, found, max_distance=5)
    >>> scores.recall, scores.detections_per_click, scores.lee_liu
    (0.5, 2.0, 0.125)
    """
    counts = _count(clicks, points_pred, max_distance, "clicks")
    n_clicks, n_predicted, n_matched = counts.sum(axis=1).tolist()
    if n_clicks == 0:
        raise ValueError(
            f"clicks holds no click in any of {len(clicks)} images; expected at least "
            "one held-out click to compute a recall. Take fewer folds, or split by "
            "pseudocell.model_selection.split_clicks, which deals the clicks evenly."
        )
    recall, per_click = n_matched / n_clicks, n_predicted / n_clicks
    return ClickScores(
        recall=recall,
        detections_per_click=per_click,
        lee_liu=float(lee_liu_score(recall, per_click)),
        n_clicks=n_clicks,
        n_predicted=n_predicted,
        n_matched=n_matched,
        max_distance=float(max_distance),
    )

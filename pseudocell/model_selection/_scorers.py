"""Scorers for scikit-learn: how well a detector does, by held-out clicks alone."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline

from pseudocell._parameters import DISTANCE, describe_wrong
from pseudocell._validation import ListLike, check_points
from pseudocell.metrics import MATCHING_DISTANCE, click_scores, detection_f1

__all__ = [
    "click_recall_scorer",
    "click_scorer",
    "detection_count_scorer",
    "detection_f1_scorer",
    "lee_liu_scorer",
]


def lee_liu_scorer(
    estimator: Any,
    images: ListLike,
    clicks: ListLike,
    max_distance: float | None = None,
) -> float:
    """Score by recall on held-out clicks and detections per click together.

    The one to choose settings by when all the labels are clicks: larger is better,
    and proportional to precision times recall on all cells, clicked or not.

    Parameters
    ----------
    estimator : fitted estimator
        Has `predict` and, unless `max_distance` is given, `cell_radius_`; or a pipeline
        that ends in such a one.
    images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
        The images.
    clicks : sequence of array-like of shape (n_i, 2)
        Clicks on some of their cells, held out of training.
    max_distance : float, optional
        Largest distance of a click from its detection, in pixels. None takes 1.25 cell
        radii. Give it if the radius is tuned or left to be estimated, for instance as
        ``functools.partial(lee_liu_scorer, max_distance=15)``: a larger radius
        would match more.

    Returns
    -------
    score : float
        ``recall ** 2 / (detections / clicks)``, from 0 to 1.

    Raises
    ------
    ValueError
        If no image has a click, or no distance is known.

    Notes
    -----
    The score is per click because the scores of the folds are averaged, and a score per
    image or per fold would count most in the folds with the fewest cells; see
    `pseudocell.metrics.click_scores`. It ranks settings and tells nothing about how
    good the best of them is. Two settings whose recalls differ by less than
    ``sqrt(recall * (1 - recall) / n)``, with n clicks in all folds together, are equal.

    Examples
    --------
    >>> from pseudocell.baselines import BlobDetector
    >>> from pseudocell.datasets import drop_points, make_brightfield
    >>> from pseudocell.model_selection import lee_liu_scorer
    >>> images, points = make_brightfield(2, (96, 96), n_cells=10, random_state=0)
    >>> clicks = drop_points(points, 0.3, random_state=0)
    >>> detector = BlobDetector(cell_radius=8).fit(images[:1], clicks[:1])
    >>> 0 <= lee_liu_scorer(detector, images[1:], clicks[1:]) <= 1
    True
    """
    return _scores(estimator, images, clicks, max_distance).lee_liu


def click_recall_scorer(
    estimator: Any,
    images: ListLike,
    clicks: ListLike,
    max_distance: float | None = None,
) -> float:
    """Score by recall on held-out clicks: the share of the clicked cells found.

    It estimates the recall on all cells, if those clicked are a random sample. It knows
    nothing of false detections: the more a detector marks, the higher it is. Choose
    settings by `lee_liu_scorer`.

    Parameters
    ----------
    estimator : fitted estimator
        As for `lee_liu_scorer`.
    images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
        The images.
    clicks : sequence of array-like of shape (n_i, 2)
        Clicks on some of their cells, held out of training.
    max_distance : float, optional
        As for `lee_liu_scorer`.

    Returns
    -------
    recall : float
        From 0 to 1.

    Examples
    --------
    >>> from pseudocell.baselines import BlobDetector
    >>> from pseudocell.datasets import make_brightfield
    >>> from pseudocell.model_selection import click_recall_scorer
    >>> images, points = make_brightfield(1, (96, 96), n_cells=10, random_state=0)
    >>> detector = BlobDetector(cell_radius=8).fit(images, points)
    >>> click_recall_scorer(detector, images, [points[0][:4]])
    1.0
    """
    return _scores(estimator, images, clicks, max_distance).recall


def detection_count_scorer(estimator: Any, images: ListLike, clicks: Any = None) -> int:
    """Count the detections.

    To look at, not to choose by: neither more nor fewer is better, and the number of
    cells is unknown. At equal recall fewer detections are more precise. Needs no
    clicks.

    Parameters
    ----------
    estimator : fitted estimator
        Has `predict`.
    images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
        The images.
    clicks : None
        Not used.

    Returns
    -------
    n_detections : int
        In all the images together.

    Examples
    --------
    >>> from pseudocell.baselines import BlobDetector
    >>> from pseudocell.datasets import make_brightfield
    >>> from pseudocell.model_selection import detection_count_scorer
    >>> images, points = make_brightfield(1, (96, 96), n_cells=10, random_state=0)
    >>> detector = BlobDetector(cell_radius=8).fit(images, points)
    >>> detection_count_scorer(detector, images)
    10
    """
    return sum(map(len, estimator.predict(images)))


def click_scorer(
    estimator: Any,
    images: ListLike,
    clicks: ListLike,
    max_distance: float | None = None,
) -> Any:
    """Compute all that clicks can tell, with a single prediction.

    For a search with several metrics:
    ``GridSearchCV(..., scoring=click_scorer, refit="lee_liu")``.

    Parameters
    ----------
    estimator : fitted estimator
        As for `lee_liu_scorer`.
    images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
        The images.
    clicks : sequence of array-like of shape (n_i, 2)
        Clicks on some of their cells, held out of training.
    max_distance : float, optional
        As for `lee_liu_scorer`.

    Returns
    -------
    scores : dict of str to float
        "lee_liu", "click_recall" and "detection_count", as of the scorers of these
        names.

    Examples
    --------
    >>> from pseudocell.baselines import BlobDetector
    >>> from pseudocell.datasets import make_brightfield
    >>> from pseudocell.model_selection import click_scorer
    >>> images, points = make_brightfield(1, (96, 96), n_cells=10, random_state=0)
    >>> detector = BlobDetector(cell_radius=8).fit(images, points)
    >>> sorted(click_scorer(detector, images, [points[0][:4]]))
    ['click_recall', 'detection_count', 'lee_liu']
    """
    scores = _scores(estimator, images, clicks, max_distance)
    return {
        "lee_liu": scores.lee_liu,
        "click_recall": scores.recall,
        "detection_count": scores.n_predicted,
    }


def detection_f1_scorer(
    estimator: Any,
    images: ListLike,
    points: ListLike,
    max_distance: float | None = None,
) -> float:
    """Compute F1 when **all** cells of the images are known.

    It refuses what `split_clicks` held out, but cannot know of other points whether
    they are all. Against clicks on some of the cells every unclicked cell would count
    as a false detection, and the setting that finds the fewest cells may win. With
    clicks take `lee_liu_scorer`. The method `score` of the detectors, which
    scikit-learn takes without `scoring`, is this F1 too.

    Parameters
    ----------
    estimator : fitted estimator
        As for `lee_liu_scorer`.
    images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
        The images.
    points : sequence of array-like of shape (n_i, 2)
        All their cells as (row, col) in pixels.
    max_distance : float, optional
        As for `lee_liu_scorer`.

    Returns
    -------
    f1 : float
        From 0 to 1, with one-to-one matching.

    Examples
    --------
    >>> from pseudocell.baselines import BlobDetector
    >>> from pseudocell.datasets import make_brightfield
    >>> from pseudocell.model_selection import detection_f1_scorer
    >>> images, points = make_brightfield(1, (96, 96), n_cells=10, random_state=0)
    >>> detector = BlobDetector(cell_radius=8).fit(images, points)
    >>> detection_f1_scorer(detector, images, points)
    1.0
    """
    distance = _matching_distance(estimator, max_distance)
    check_points(points)  # here they are called otherwise than there
    return detection_f1(points, estimator.predict(images), distance)


def _scores(estimator, images, clicks, max_distance):
    distance = _matching_distance(estimator, max_distance)
    return click_scores(clicks, estimator.predict(images), distance)


def _matching_distance(estimator, max_distance):
    allowed = {"max_distance": [DISTANCE]}
    if max_distance is not None:
        if wrong := describe_wrong({"max_distance": max_distance}, allowed):
            raise ValueError(f"{wrong}.")
        return max_distance
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    radius = getattr(last, "cell_radius_", None)
    if radius is None:
        raise ValueError(
            f"max_distance is None and {type(last).__name__} has no cell_radius_; "
            "expected one of the two. Pass for example "
            "functools.partial(lee_liu_scorer, max_distance=15) as scoring."
        )
    return MATCHING_DISTANCE * radius

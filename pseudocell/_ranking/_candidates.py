"""Candidates for cells: the peaks near labels, and the unlabelled ones."""

from dataclasses import dataclass
from itertools import compress

import numpy as np

from .._geometry._matching import match_points
from .._geometry._peaks import are_far
from .._validation import check_shapes

__all__ = [
    "Candidates",
    "choose_images",
    "random_places",
    "search",
    "sort_candidates",
]

# Radius of a cell, in pixels, at which the megapixels to search count.
SEARCH_RADIUS = 6.0


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


def choose_images(images, clicks, radius, max_search, rng):
    """Choose the images to search, those with clicks first.

    Parameters
    ----------
    images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
        The images; none is read.
    clicks : list of ndarray of shape (n_i, 2)
        Clicked cells.
    radius : float
        Radius of a cell in pixels.
    max_search : float or None
        Megapixels, at a radius of 6 pixels, that are enough; None takes all images.
    rng : RandomState
        Draws the order.

    Returns
    -------
    searched : bool ndarray of shape (n_images,)
        True for as many images as `max_search` holds, but at least one.
    """
    area = _areas(images) * (SEARCH_RADIUS / radius) ** 2 / 1e6
    if max_search is None or area.sum() <= max_search:
        return np.ones(len(images), dtype=bool)
    order = rng.permutation(len(images))
    unclicked = np.array([len(clicks[index]) == 0 for index in order])
    order = order[np.argsort(unclicked, kind="stable")]
    before = np.append(0, np.cumsum(area[order])[:-1])
    searched = np.zeros(len(images), dtype=bool)
    searched[order[before < max_search]] = True
    return searched


def random_places(images, clicks, searched, radius, per_click, rng):
    """Draw places off the clicks: where there are few peaks there is background.

    Parameters
    ----------
    images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
        The images; none is read.
    clicks : list of ndarray of shape (n_i, 2)
        Clicked cells.
    searched : bool ndarray of shape (n_images,)
        Images outside it get no place.
    radius : float
        Smallest distance from a click, in pixels.
    per_click : int
        Places to draw for each click.
    rng : RandomState
        Draws them.

    Returns
    -------
    places : list of float ndarray of shape (m_i, 2)
        (row, col) in pixels.
    """
    shapes = check_shapes(images)
    area = _areas(images) * searched
    n_clicks = sum(map(len, compress(clicks, searched)))
    counts = rng.multinomial(per_click * n_clicks, area / area.sum())
    places = []
    for shape, count, clicked in zip(shapes, counts, clicks, strict=True):
        points = rng.uniform(-0.5, np.array(shape[:2]) - 0.5, size=(count, 2))
        places.append(points[are_far(points, clicked, radius)])
    return places


def search(detector, images, threshold, known, searched):
    """Return the candidates of the images to search, and none of the others.

    Parameters
    ----------
    detector : estimator
        Has `find_candidates`.
    images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
        The images.
    threshold : float
        Peaks at or below it are left out.
    known : list of ndarray of shape (m_i, 2), or None
        Places that are candidates in any case.
    searched : bool ndarray of shape (n_images,)
        The images to search.

    Returns
    -------
    found : list of (points, heights)
        One of each image.
    """
    if searched.all():
        return detector.find_candidates(images, threshold, known)
    some = [images[index] for index in np.flatnonzero(searched)]
    known = known and list(compress(known, searched))
    found = iter(detector.find_candidates(some, threshold, known))
    nothing = np.zeros((0, 2)), np.zeros(0)
    return [next(found) if asked else nothing for asked in searched]


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
        free = are_far(points, known, radius)
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


def _areas(images):
    return np.array([height * width for height, width, *_ in check_shapes(images)])

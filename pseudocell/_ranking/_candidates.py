"""Candidates for cells: the peaks near labels, and the unlabelled ones."""

from dataclasses import dataclass
from itertools import compress

import numpy as np

from .._geometry._matching import match_points
from .._geometry._peaks import are_far

__all__ = [
    "Candidates",
    "Fold",
    "choose_images",
    "pair_folds",
    "random_places",
    "search",
    "sort_candidates",
]

# Radius of a cell, in pixels, at which the megapixels to search count.
SEARCH_RADIUS = 6.0


@dataclass(frozen=True, eq=False)
class Fold:
    """What a ranker learns from, and what it is asked about.

    Attributes
    ----------
    seen, asked : int ndarray
        Numbers of positives, counted over all images. They are different ones, unless
        too few clicks are at peaks to hold some out.
    learnt, ranked : bool ndarray of shape (n_unlabelled,)
        Which of the unlabelled candidates of all images. They are different ones where
        the nets were kept off places, and else all.
    """

    seen: np.ndarray
    asked: np.ndarray
    learnt: np.ndarray
    ranked: np.ndarray


@dataclass
class Candidates:
    """What is ranked in a round, one array an image.

    Attributes
    ----------
    positive : list of float ndarray of shape (n_i, 2)
        Peaks matched to clicked cells, and then those at pseudo positives.
    positive_heights : list of float ndarray of shape (n_i,)
        Their heights; of a clicked cell, in the heatmap of a net that has not seen it.
    is_clicked : bool ndarray of shape (n,)
        Which of the positives of all images are clicked cells.
    folds : list of Fold
        What each ranker learns from, and what it is asked about.
    unlabelled : list of float ndarray of shape (m_i, 2)
        The peaks that are not near any label.
    unlabelled_heights : list of float ndarray of shape (m_i,)
        Their heights.
    """

    positive: list
    positive_heights: list
    is_clicked: np.ndarray
    folds: list
    unlabelled: list
    unlabelled_heights: list

    def can_be_ranked(self):
        """Return whether there are one at a click and an unlabelled one."""
        n_asked = sum(self.is_clicked[fold.asked].sum() for fold in self.folds)
        n_learnt = min(
            min(len(fold.seen) for fold in self.folds),
            min(fold.learnt.sum() for fold in self.folds),
        )
        return n_asked > 0 and n_learnt > 0

    @property
    def are_by_place(self):
        """Whether each is ranked by what has learnt from other places alone."""
        return not all(fold.learnt.all() for fold in self.folds)


def choose_images(images, clicks, radius, max_search, rng):
    """Choose the images to search, those with clicks first.

    Parameters
    ----------
    images : Images
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
    area = images.areas * (SEARCH_RADIUS / radius) ** 2 / 1e6
    if max_search is None or area.sum() <= max_search:
        return np.ones(len(images), dtype=bool)
    order = rng.permutation(len(images))
    unclicked = np.array([len(clicks[index]) == 0 for index in order])
    order = order[np.argsort(unclicked, kind="stable")]
    before = np.append(0, np.cumsum(area[order])[:-1])
    searched = np.zeros(len(images), dtype=bool)
    searched[order[before < max_search]] = True
    return searched


def random_places(images, clicks, radius, searched, per_click, rng):
    """Draw places off the clicks: where there are few peaks there is background.

    Parameters
    ----------
    images : Images
        The images; none is read.
    clicks : list of ndarray of shape (n_i, 2)
        Clicked cells.
    radius : float
        Smallest distance from a click, in pixels.
    searched : bool ndarray of shape (n_images,)
        Images outside it get no place.
    per_click : int
        Places to draw for each click.
    rng : RandomState
        Draws them.

    Returns
    -------
    places : list of float ndarray of shape (m_i, 2)
        (row, col) in pixels.
    """
    area = images.areas * searched
    n_clicks = sum(map(len, compress(clicks, searched)))
    counts = rng.multinomial(per_click * n_clicks, area / area.sum())
    places = []
    for shape, count, clicked in zip(images.shapes, counts, clicks, strict=True):
        points = rng.uniform(-0.5, np.array(shape[:2]) - 0.5, size=(count, 2))
        places.append(points[are_far(points, clicked, radius)])
    return places


def search(detector, images, threshold, known, searched):
    """Return the candidates of the images to search, and none of the others.

    Parameters
    ----------
    detector : estimator
        Has `find_candidates`, and maybe `find_unseen` as `HeatmapDetector` does.
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
    indices = np.flatnonzero(searched)
    if hasattr(detector, "find_unseen"):
        found = iter(detector.find_unseen(images, threshold, known, indices))
    else:
        known = known and list(compress(known, searched))
        found = iter(detector.find_candidates(images.take(indices), threshold, known))
    nothing = np.zeros((0, 2)), np.zeros(0)
    return [next(found) if asked else nothing for asked in searched]


def sort_candidates(peaks, labels, detector, shapes, radius):
    """Sort the peaks of a detector into those at labels and the unlabelled ones.

    Parameters
    ----------
    peaks : list of (points, heights)
        From `search`.
    labels : Labels
        What the detector was trained on.
    detector : estimator
        Has `click_folds_` and `click_heights_`, of the clicks among the labels, and
        maybe `fold_of` as `HeatmapDetector` does.
    shapes : list of tuple of int
        Shapes of the images.
    radius : float
        A peak within this distance of a label, in pixels, belongs to it.

    Returns
    -------
    candidates : Candidates
        Peaks near a label that are not matched one to one are left out.
    """
    positive, positive_heights, unlabelled, unlabelled_heights = [], [], [], []
    numbers, is_clicked, places = [], [], []
    for index, (points, heights) in enumerate(peaks):
        clicks, positives = labels.clicks[index], labels.positives[index]
        at_click, click = match_points(points, clicks, radius)
        at_pseudo, _ = match_points(points, positives, radius)
        known = np.concatenate([clicks, positives, labels.negatives[index]])
        free = are_far(points, known, radius)
        positive.append(points[np.concatenate([at_click, at_pseudo])])
        unseen = detector.click_heights_[index][click]
        positive_heights.append(np.concatenate([unseen, heights[at_pseudo]]))
        its = _fold_of(detector, index, points, shapes[index])
        numbers += [detector.click_folds_[index][click], its[at_pseudo]]
        places.append(its[free])
        is_clicked += [np.full(len(at_click), True), np.full(len(at_pseudo), False)]
        unlabelled.append(points[free])
        unlabelled_heights.append(heights[free])
    is_clicked = np.concatenate(is_clicked)
    folds = pair_folds(np.concatenate(numbers), is_clicked, np.concatenate(places))
    return Candidates(
        positive, positive_heights, is_clicked, folds, unlabelled, unlabelled_heights
    )


def _fold_of(detector, index, points, shape):
    """Return which net was not trained at each point, -1 if all were."""
    if hasattr(detector, "fold_of"):
        return detector.fold_of(index, points, shape)
    return np.full(len(points), -1)


def pair_folds(numbers, is_clicked, places):
    """Return what each ranker learns from, and what it is asked about.

    Parameters
    ----------
    numbers : int ndarray of shape (n,)
        Of each positive the number of the net that has not seen it, negative if there
        is none.
    is_clicked : bool ndarray of shape (n,)
        False for pseudo positives. Where no net was kept off their places, all rankers
        learn from them.
    places : int ndarray of shape (m,)
        Of each unlabelled candidate the number of the net that was not trained there,
        negative if all were.

    Returns
    -------
    folds : list of Fold
        A single one, with every click in both, where holding out one would leave no
        click.
    """
    held_out = np.unique(numbers[is_clicked & (numbers >= 0)])
    everywhere = np.ones(len(places), dtype=bool)
    if len(held_out) < 2:
        seen, asked = np.arange(len(numbers)), np.flatnonzero(is_clicked)
        return [Fold(seen, asked, everywhere, everywhere)]
    folds = []
    for number in held_out:
        asked = numbers == number
        learnt = places != number
        ranked = ~learnt if (places >= 0).any() else everywhere
        folds.append(
            Fold(np.flatnonzero(~asked), np.flatnonzero(asked), learnt, ranked)
        )
    return folds

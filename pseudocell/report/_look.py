"""What a detector finds in images, and what is kept of each for a page."""

from dataclasses import dataclass, field

import numpy as np
from joblib import effective_n_jobs

from pseudocell.report._measure import Measures, measure_cells

__all__ = ["MOST_IMAGES", "Look", "choose_images", "count_all", "look_at"]

# So many images are looked at, so that a page of a plate takes minutes, not hours, and
# cells are measured in so many.
MOST_IMAGES, MOST_MEASURED = 200, 50


@dataclass(eq=False)
class Look:
    """What was found in one image.

    Attributes
    ----------
    index : int
        Number of the image.
    name : str
        Its name.
    points : ndarray of shape (n, 2)
        The cells found, (row, col) in pixels, the highest first.
    heights : ndarray of shape (n,)
        Their heights.
    chances : ndarray of shape (n,) or None
        How probably each is a cell, if that is known.
    candidates : (points, heights)
        All candidates, below the threshold too.
    number : (float, float, float) or None
        How many cells there are, and where that number is in 9 cases of 10, if that is
        known.
    measures : dict of str to Measures
        Of the cells "found" and "clicked".
    """

    index: int
    name: str
    points: np.ndarray
    heights: np.ndarray
    candidates: tuple
    chances: np.ndarray | None = None
    number: tuple | None = None
    measures: dict[str, Measures] = field(default_factory=dict)


def choose_images(n_images, wanted):
    """Choose the images to look at: wanted ones first, others spread evenly.

    Parameters
    ----------
    n_images : int
        Number of images.
    wanted : sequence of int
        Those with clicks.

    Returns
    -------
    indices : list of int
        200 at most, in ascending order.
    """
    chosen = _spread(np.asarray(wanted, dtype=int), MOST_IMAGES // 2)
    others = np.setdiff1d(np.arange(n_images), chosen)
    return sorted([*chosen, *_spread(others, MOST_IMAGES - len(chosen))])


def look_at(detector, images, indices, names, clicks):
    """Find the cells in images, a few at a time.

    Parameters
    ----------
    detector : estimator
        A fitted detector.
    images : Images
        The images.
    indices : list of int
        Which of them.
    names : list of str
        Names of all of them.
    clicks : list of ndarray of shape (n_i, 2) or None
        Clicks on all of them.

    Returns
    -------
    looks : list of Look
        One of each image that could be used.
    failed : list of (str, str)
        Names of the others, and why.
    """
    looks, failed = [], []
    measured = set(_spread(np.asarray(indices), MOST_MEASURED))
    size = effective_n_jobs(getattr(detector, "n_jobs", None) or -1)
    for start in range(0, len(indices), size):
        batch = [int(index) for index in indices[start : start + size]]
        for index, found in _find(detector, images, batch, names, failed):
            one = _new_look(detector, index, names[index], *found)
            if index in measured:
                groups = {"found": one.points}
                if clicks is not None:
                    groups["clicked"] = clicks[index]
                pixels = np.asarray(images[index])
                for kind, points in groups.items():
                    one.measures[kind] = measure_cells(
                        pixels, points, detector.cell_radius_
                    )
            looks.append(one)
    return looks, failed


def count_all(calibration, looks):
    """Return how many cells all images have together, from where to where.

    Parameters
    ----------
    calibration : Calibration
        Has `count`.
    looks : list of Look
        Of the images.

    Returns
    -------
    number, low, high : float
    """
    heights = [heights for look in looks for heights in look.candidates[1:]]
    return tuple(map(float, calibration.count(np.concatenate([*heights, np.zeros(0)]))))


def _find(detector, images, indices, names, failed):
    """Return (index, candidates) of the images that can be used."""
    try:
        found = detector.find_candidates(images.take(indices))
    except ValueError as error:
        if len(indices) == 1:
            failed.append((names[indices[0]], str(error)))
            return []
        each = [_find(detector, images, [one], names, failed) for one in indices]
        return [pair for pairs in each for pair in pairs]
    return list(zip(indices, found, strict=True))


def _new_look(detector, index, name, points, heights):
    cells = heights > detector.threshold_
    one = Look(index, name, points[cells], heights[cells], (points, heights))
    calibration = getattr(detector, "calibration_", None)
    if calibration is not None:
        one.chances = np.asarray(calibration.probability(one.heights), dtype=float)
        one.number = tuple(map(float, calibration.count(heights)))
    return one


def _spread(indices, most):
    """Return at most so many of the indices, evenly spread, as integers."""
    at = np.linspace(0, len(indices) - 1, min(len(indices), most))
    return [int(index) for index in indices[at.astype(int)]]

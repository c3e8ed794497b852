"""What a model finds in an image, and how probably each place is a cell."""

from dataclasses import dataclass

import numpy as np

from pseudocell._geometry._matching import match_points

__all__ = ["Found", "combine", "rate"]


@dataclass(frozen=True, eq=False)
class Found:
    """All places of an image that may be cells, the likeliest first.

    Attributes
    ----------
    points : float ndarray of shape (n, 2)
        (row, col) in pixels.
    heights : float ndarray of shape (n,)
        Scores: a place is a cell if its height is above the threshold.
    probabilities : float ndarray of shape (n,)
        The chance that it is a cell.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell.session import Found
    >>> found = Found(np.array([[4.0, 9.0]]), np.array([0.8]), np.array([0.95]))
    >>> found.points[found.heights > 0.5]
    array([[4., 9.]])
    """

    points: np.ndarray
    heights: np.ndarray
    probabilities: np.ndarray


def rate(detector, heights):
    """Return the chance that a find of each height is a cell.

    Parameters
    ----------
    detector : estimator
        Has `threshold_`, and maybe `calibration_`.
    heights : ndarray of shape (n,)
        Of its finds.

    Returns
    -------
    probabilities : ndarray of shape (n,)
        Where no click was held out, one half at the threshold, and in proportion to the
        height.
    """
    calibration = getattr(detector, "calibration_", None)
    if calibration is not None:
        return calibration.probability(heights)
    return np.clip(heights / max(2 * detector.threshold_, 1e-9), 0, 1)


def combine(found, threshold, annotations, radius):
    """Return the cells of an image: what was found, corrected by what a person said.

    Parameters
    ----------
    found : Found
        All that was found.
    threshold : float
        What is higher is a cell.
    annotations : Annotations
        Clicks are cells, and the find at a mark is none.
    radius : float
        A find within it may be that of a click or a mark, one each, in pixels.

    Returns
    -------
    points : float ndarray of shape (n, 2)
        The clicks first, in place of the finds at them.
    probabilities : float ndarray of shape (n,)
        1 for clicks.
    """
    clicks = annotations.clicks
    known = np.concatenate([clicks, annotations.not_cells])
    taken = found.heights > threshold
    taken[match_points(found.points, known, radius)[0]] = False
    points = np.concatenate([clicks, found.points[taken]])
    return points, np.append(np.ones(len(clicks)), found.probabilities[taken])

"""How probably a peak is a cell, by its height alone, and what follows from that."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm
from sklearn.isotonic import IsotonicRegression

__all__ = ["Calibration", "calibrate"]

# Of the intervals.
LEVEL = 0.9


@dataclass(frozen=True, eq=False)
class Calibration:
    """What the heights of peaks mean, learnt where no net was trained.

    Attributes
    ----------
    knots : float ndarray of shape (2, k)
        Heights, increasing, and the probability that a peak of that height is a cell.
    heights : float ndarray of shape (m,)
        The heights of the peaks that it was learnt from.
    n_cells : float
        Number of cells there.
    n_clicks : int
        Number of clicks there.
    """

    knots: np.ndarray
    heights: np.ndarray
    n_cells: float
    n_clicks: int

    def probability(self, heights):
        """Return the probability that a peak is a cell.

        Parameters
        ----------
        heights : array-like of shape (n,)
            Its height in the heatmap.

        Returns
        -------
        probability : float ndarray of shape (n,)
        """
        return np.interp(np.asarray(heights, dtype=float), *self.knots)

    def precision(self, threshold):
        """Return the expected share of cells among the peaks above a threshold.

        Parameters
        ----------
        threshold : float
            Height in the heatmap.

        Returns
        -------
        precision : float
            1 if there is no peak above.
        """
        above = self.heights[self.heights > threshold]
        return float(self.probability(above).mean()) if len(above) else 1.0

    def recall(self, threshold):
        """Return the expected share of the cells that stand above a threshold.

        Parameters
        ----------
        threshold : float
            Height in the heatmap.

        Returns
        -------
        recall : float
        """
        above = self.heights[self.heights > threshold]
        return float(self.probability(above).sum() / max(self.n_cells, 1e-9))

    def threshold(self, *, precision=None, recall=None):
        """Return the threshold for a precision or a recall, or the best expected F1.

        Parameters
        ----------
        precision : float, optional
            The lowest threshold with at least this expected precision.
        recall : float, optional
            The highest threshold with at least this expected recall.

        Returns
        -------
        threshold : float
            With neither, that of the largest expected F1; one half without any peak.

        Raises
        ------
        ValueError
            If both are given, one is outside (0, 1], or no threshold reaches it.
        """
        _check_goal(precision, recall)
        high = np.sort(self.heights)[::-1]
        if len(high) == 0:
            return 0.5
        cells = np.cumsum(self.probability(high))
        number = np.arange(1, len(high) + 1)
        # Peaks of one height are taken together.
        last = np.append(high[1:] < high[:-1], True)
        lower = np.append(high[1:], 0.0)
        between = (high + lower) / 2
        if precision is not None:
            good = np.flatnonzero(last & (cells / number >= precision))
            return _reached(between, good[-1:], "precision", precision)
        if recall is not None:
            good = np.flatnonzero(last & (cells / self.n_cells >= recall))
            return _reached(between, good[:1], "recall", recall)
        expected = np.where(last, 2 * cells / (number + self.n_cells), -1)
        return float(between[np.argmax(expected)])

    def count(self, heights):
        """Return the number of cells of an image, with an interval.

        Parameters
        ----------
        heights : array-like of shape (n,)
            The heights of all its peaks, also of those below the threshold.

        Returns
        -------
        number, low, high : float
            What is expected, and the ends of a 90 % interval: each peak may be a cell
            or not, and the number of all cells is known as well as the clicks tell.
        """
        its = self.probability(heights)
        seen = self.recall(-np.inf)
        number = its.sum() / min(1.0, max(seen, 0.1))
        missed = max(0.0, number - its.sum())
        by_clicks = number / np.sqrt(max(self.n_clicks, 1))
        spread = np.sqrt((its * (1 - its)).sum() + missed + by_clicks**2)
        margin = norm.ppf((1 + LEVEL) / 2) * spread
        return float(number), float(max(0.0, number - margin)), float(number + margin)


def calibrate(heights, n_clicks, chances, n_cells):
    """Learn what heights mean from what the labels of a round say of each peak.

    Parameters
    ----------
    heights : ndarray of shape (m,)
        Of peaks, by nets that were not trained there.
    n_clicks : int
        Number of clicks there.
    chances : ndarray of shape (m,)
        The probability that each is a cell.
    n_cells : float
        The number of cells.

    Returns
    -------
    calibration : Calibration
        The probability rises with the height: isotonic regression.
    """
    if len(heights) == 0:
        return Calibration(np.zeros((2, 1)), heights, float(n_cells), n_clicks)
    rising = IsotonicRegression(y_min=0, y_max=1).fit_transform(heights, chances)
    knots, first = np.unique(heights, return_index=True)
    values = rising[first]
    # Where neighbours are alike, the middle ones say nothing.
    needed = np.ones(len(knots), dtype=bool)
    needed[1:-1] = (np.diff(values)[:-1] > 0) | (np.diff(values)[1:] > 0)
    knots = np.array([knots[needed], values[needed]])
    return Calibration(knots, heights, float(n_cells), n_clicks)


def _check_goal(precision, recall):
    if precision is not None and recall is not None:
        raise ValueError(
            "precision and recall are both given; expected one: the other one follows."
        )
    for name, value in (("precision", precision), ("recall", recall)):
        if value is not None and not 0 < value <= 1:
            raise ValueError(f"{name} is {value}; expected a share in (0, 1].")


def _reached(thresholds, index, name, goal):
    if len(index) == 0:
        raise ValueError(
            f"{name} {goal:g} is expected at no threshold of this detector; expected "
            "a lower one."
        )
    return float(thresholds[index[0]])

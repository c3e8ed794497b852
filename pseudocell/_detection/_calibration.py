"""How probably a peak is a cell, by its height alone, and what follows from that."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm
from sklearn.isotonic import IsotonicRegression

__all__ = ["Calibration", "LEVEL", "calibrate", "two_groups"]

# Of the intervals.
LEVEL = 0.9
# Heights are counted in so many bins, and in so many steps the two densities settle.
N_BINS, N_STEPS = 60, 300


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


def calibrate(heights, is_clicked, chances, n_cells):
    """Learn what heights mean from two estimates that err in different ways.

    One says what the labels of the round say of each peak; the other one what heights
    alone say, see `two_groups`. The mean of both is taken.

    Parameters
    ----------
    heights : ndarray of shape (m,)
        Of peaks, by nets that were not trained there.
    is_clicked : bool ndarray of shape (m,)
        Which are at clicked cells.
    chances : ndarray of shape (m,)
        The probability that each is a cell, by the labels.
    n_cells : float
        The number of cells, by the labels.

    Returns
    -------
    calibration : Calibration
    """
    n_clicks = int(np.sum(is_clicked))
    if len(heights) == 0:
        return Calibration(np.zeros((2, 1)), heights, float(n_cells), n_clicks)
    by_labels = _rising(heights, chances)
    by_heights, number = two_groups(heights, is_clicked)
    rising = (by_labels + _rising(heights, by_heights)) / 2
    knots, first = np.unique(heights, return_index=True)
    values = rising[first]
    # Where neighbours are alike, the middle ones say nothing.
    needed = np.ones(len(knots), dtype=bool)
    needed[1:-1] = (np.diff(values)[:-1] > 0) | (np.diff(values)[1:] > 0)
    knots = np.array([knots[needed], values[needed]])
    return Calibration(knots, heights, (n_cells + number) / 2, n_clicks)


def two_groups(heights, is_clicked):
    r"""Split peaks into cells and background by the shape of their heights.

    Cells become more with the height, background fewer: heights have the density
    :math:`\pi f_1 + (1 - \pi) f_0` with an increasing f_1 and a decreasing f_0. Both
    are found by expectation and maximisation; clicked peaks are cells for sure. Each
    density is that of Grenander, by isotonic regression of a histogram.

    Parameters
    ----------
    heights : ndarray of shape (m,)
        Of peaks.
    is_clicked : bool ndarray of shape (m,)
        Which are at clicked cells.

    Returns
    -------
    chances : ndarray of shape (m,)
        The probability that an unclicked peak of that height is a cell.
    n_cells : float
        Number of cells, clicked ones included.

    References
    ----------
    Efron, "Microarrays, Empirical Bayes and the Two-Groups Model", Statistical Science
    2008, doi 10.1214/07-STS236. Grenander, "On the theory of mortality measurement",
    Scandinavian Actuarial Journal 1956, doi 10.1080/03461238.1956.10414944.
    """
    if not np.any(is_clicked):
        return np.zeros(len(heights)), 0.0
    top = max(1.0, float(np.median(heights[is_clicked])))
    edges = np.linspace(min(0.0, heights.min()), top, N_BINS + 1)
    bins = np.clip(np.searchsorted(edges, heights, "right") - 1, 0, N_BINS - 1)
    clicked, others = (
        np.bincount(bins[some], minlength=N_BINS).astype(float)
        for some in (is_clicked, ~is_clicked)
    )
    n_others = others.sum()
    cells = _density(clicked + 0.5, increasing=True)
    background = _density(others + 0.5, increasing=False)
    number = min(0.9 * n_others, others[edges[:-1] > top / 2].sum() + 1)
    for _ in range(N_STEPS):
        ours, theirs = number * cells, (n_others - number) * background
        chances = ours / np.maximum(ours + theirs, np.finfo(float).tiny)
        number = float((chances * others).sum())
        cells = _density(clicked + chances * others, increasing=True)
        background = _density((1 - chances) * others, increasing=False)
    return chances[bins], number + float(clicked.sum())


def _density(counts, *, increasing):
    where = np.arange(len(counts))
    fitted = IsotonicRegression(increasing=increasing).fit_transform(where, counts)
    return fitted / max(fitted.sum(), np.finfo(float).tiny)


def _rising(heights, chances):
    """Return the chances as they rise with the height."""
    return IsotonicRegression(y_min=0, y_max=1).fit_transform(heights, chances)


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

"""Labels: what a detector learns from in a round, and what the next one adds."""

from dataclasses import dataclass

import numpy as np

from ._geometry._peaks import thin

__all__ = ["Labels"]

# A candidate above this quantile of the clicked cells may be one: "undecided".
UNDECIDED = 0.1
# One that is less probable than this counts as background.
LEAST_PROBABLE = 0.1


@dataclass(frozen=True, eq=False)
class Labels:
    """What a detector learns from: four lists of points, one array an image each.

    Attributes
    ----------
    clicks : list of float ndarray of shape (n_i, 2)
        Clicked cells.
    positives, negatives : list of float ndarray of shape (m_i, 2)
        Pseudo labels: cells, and what is none.
    undecided : list of float ndarray of shape (k_i, 2)
        Candidates that may be cells, but were not chosen.
    probabilities : list of float ndarray of shape (k_i,) or None
        How probable that is, if it is known.
    """

    clicks: list
    positives: list
    negatives: list
    undecided: list
    probabilities: list | None = None

    @classmethod
    def from_clicks(cls, clicks):
        """Return labels that are the clicks alone."""
        return cls(clicks, *([np.zeros((0, 2)) for _ in clicks] for _ in range(3)))

    def add(self, candidates, ranking, choice, chances, radius):
        """Return new labels, with the chosen candidates besides.

        Parameters
        ----------
        candidates : Candidates
            What was ranked.
        ranking : Ranking
            The scores.
        choice : int ndarray of shape (n_unlabelled,)
            From a selector.
        chances : ndarray of shape (n_unlabelled,) or None
            The probability that each is a cell, if it is known.
        radius : float
            Of two chosen on the same cell the better one is taken, in pixels.

        Returns
        -------
        labels : Labels
        """
        if chances is None:
            limit = np.quantile(ranking.clicked_top, UNDECIDED)
            maybe = (choice == 0) & (ranking.top >= limit)
        else:
            # Two labels on one cell would be learnt as two cells.
            choice = np.where((choice == 1) & (chances == 0), 0, choice)
            maybe = (choice == 0) & (chances >= LEAST_PROBABLE)
        ends = np.cumsum([len(array) for array in candidates.unlabelled])[:-1]
        masks = [np.split(mask, ends) for mask in (choice == 1, choice == -1, maybe)]
        new = [
            (
                _best_apart(points[cell], score[cell], radius),
                points[none],
                points[open_],
            )
            for points, score, cell, none, open_ in zip(
                candidates.unlabelled, np.split(ranking.top, ends), *masks, strict=True
            )
        ]
        cells, others, undecided = map(list, zip(*new, strict=True))
        if chances is not None:
            parts = zip(np.split(chances, ends), masks[2], strict=True)
            chances = [each[mask] for each, mask in parts]
        return Labels(
            self.clicks,
            [*map(np.concatenate, zip(self.positives, cells, strict=True))],
            [*map(np.concatenate, zip(self.negatives, others, strict=True))],
            undecided,
            chances,
        )

    def to_fit(self):
        """Return the arguments of a detector's `fit` besides the clicks."""
        more = {"positives": self.positives, "negatives": self.negatives}
        if self.probabilities is not None:
            more |= {"undecided": self.undecided, "probabilities": self.probabilities}
        return more


def _best_apart(points, score, radius):
    """Return points, the best first, of two on the same cell the better one."""
    points = points[np.argsort(-score, kind="stable")]
    return points[thin(points, radius)]

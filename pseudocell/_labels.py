"""Labels: what a detector learns from in a round, and what the next one adds."""

from dataclasses import dataclass

import numpy as np

from ._geometry._peaks import thin

__all__ = ["Labels"]

# A candidate above this quantile of the clicked cells may be one: "undecided".
UNDECIDED = 0.1


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
    """

    clicks: list
    positives: list
    negatives: list
    undecided: list

    @classmethod
    def from_clicks(cls, clicks):
        """Return labels that are the clicks alone."""
        return cls(clicks, *([np.zeros((0, 2)) for _ in clicks] for _ in range(3)))

    def add(self, candidates, ranking, choice, radius):
        """Return new labels, with the chosen candidates besides.

        Parameters
        ----------
        candidates : Candidates
            What was ranked.
        ranking : Ranking
            The scores.
        choice : int ndarray of shape (n_unlabelled,)
            From a selector.
        radius : float
            Of two chosen on the same cell the better one is taken, in pixels.

        Returns
        -------
        labels : Labels
        """
        limit = np.quantile(ranking.clicked_top, UNDECIDED)
        maybe = (choice == 0) & (ranking.top >= limit)
        ends = np.cumsum([len(array) for array in candidates.unlabelled])[:-1]
        new = [
            _sort(*each, radius)
            for each in zip(
                candidates.unlabelled,
                *(np.split(array, ends) for array in (ranking.top, choice, maybe)),
                strict=True,
            )
        ]
        cells, others, undecided = map(list, zip(*new, strict=True))
        return Labels(
            self.clicks,
            [*map(np.concatenate, zip(self.positives, cells, strict=True))],
            [*map(np.concatenate, zip(self.negatives, others, strict=True))],
            undecided,
        )


def _sort(points, score, choice, maybe, radius):
    """Return the new positives, the best first, the new negatives, and the rest."""
    best_first = np.argsort(-score, kind="stable")
    cells = points[best_first][choice[best_first] == 1]
    return cells[thin(cells, radius)], points[choice == -1], points[maybe]

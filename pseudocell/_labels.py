"""Labels: what a detector learns from in a round, and what the next one adds."""

from dataclasses import dataclass, replace

import numpy as np

from ._geometry._peaks import are_far, thin
from ._images import check_clicked

__all__ = ["Labels"]

# A candidate above this quantile of the clicked cells may be one: "undecided".
UNDECIDED = 0.1
# One that is less probable than this counts as background.
LEAST_PROBABLE = 0.1
# A cell and what is none cannot be so near, in pixels.
SAME_PLACE = 1.0


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
    sure : list of float ndarray of shape (s_i, 2) or None
        Those of the positives and negatives that a person has given, if there are any.
    """

    clicks: list
    positives: list
    negatives: list
    undecided: list
    probabilities: list | None = None
    sure: list | None = None

    @classmethod
    def from_clicks(cls, clicks, positives=None, negatives=None):
        """Return labels that are the clicks, and what else a person has said."""
        nothing = [np.zeros((0, 2)) for _ in clicks]
        positives, negatives = positives or nothing, negatives or nothing
        sure = [*map(np.concatenate, zip(positives, negatives, strict=True))]
        if not any(map(len, sure)):
            sure = None
        return cls(clicks, positives, negatives, nothing, sure=sure)

    @classmethod
    def check(cls, images, partial_points, positives=None, negatives=None):
        """Return the labels of `from_clicks`, checked as arguments of a `fit`.

        Raises
        ------
        ValueError
            If they are not points in the images, nothing is clicked, or a place is said
            to be a cell and none.
        """
        clicks = check_clicked(images, partial_points)
        more = {"positives": positives, "negatives": negatives}
        for name, given in more.items():
            given = [()] * len(images) if given is None else given
            more[name] = check_clicked(images, given, name, needed=False)
        cells = {"partial_points": clicks, "positives": more["positives"]}
        for index, places in enumerate(more["negatives"]):
            for name, points in cells.items():
                near = ~are_far(places, points[index], SAME_PLACE)
                if near.any():
                    where = ", ".join(f"{x:g}" for x in places[near][0])
                    raise ValueError(
                        f"negatives[{index}] has the place ({where}), which is a cell "
                        f"in {name}[{index}]; leave one of the two out."
                    )
        return cls.from_clicks(clicks, **more)

    def with_open_negatives(self):
        """Return them without the negatives, so that these stay candidates."""
        return replace(self, negatives=[np.zeros((0, 2)) for _ in self.clicks])

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
        pairs = zip(candidates.unlabelled, self.negatives, strict=True)
        is_open = np.concatenate([are_far(*pair, radius) for pair in pairs])
        choice = np.where(is_open, choice, 0)
        if chances is None:
            limit = np.quantile(ranking.clicked_top, UNDECIDED)
            maybe = (choice == 0) & (ranking.top >= limit) & is_open
        else:
            chances = np.where(is_open, chances, 0)
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
            self.sure,
        )

    def to_fit(self, with_centres=False):
        """Return the arguments of a detector's `fit` besides the clicks.

        Those that are sure are centres, if it takes them.
        """
        more = {"positives": self.positives, "negatives": self.negatives}
        if self.probabilities is not None:
            more |= {"undecided": self.undecided, "probabilities": self.probabilities}
        if with_centres and self.sure is not None:
            more["centres"] = self.sure
        return more


def _best_apart(points, score, radius):
    """Return points, the best first, of two on the same cell the better one."""
    points = points[np.argsort(-score, kind="stable")]
    return points[thin(points, radius)]

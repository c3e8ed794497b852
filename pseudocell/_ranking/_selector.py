"""Selectors: from the scores of candidates to pseudo labels."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import StrOptions

from .._parameters import CheckedMixin, Number, as_numbers

__all__ = ["CalibratedSelector", "ShareSelector"]

# Of the paper.
SHARE = 0.05


class ShareSelector(CheckedMixin, BaseEstimator):
    """Choose a fixed share of the unlabelled candidates at both ends of the ranking.

    The rule of the paper. It has to be told how many cells and how much background
    there are: where few candidates are background, the bottom share holds cells, and
    the detector becomes worse. `CalibratedSelector` guards against that.

    Parameters
    ----------
    alpha : float, default=None
        Share of the candidates, from the top, that become pseudo positives; in [0, 1].
        None takes 0.05, or what the whole says of which the selector is a part.
    beta : float, default=None
        Share, from the bottom, that become pseudo negatives; in [0, 1]. None as above.
    rounding : {"up", "down"}, default="up"
        "down", as in the published code, chooses none where a share is less than one.

    References
    ----------
    Fujii, Suehiro, Nishimura, Bise, "Cell Detection from Imperfect Annotation by
    Pseudo Label Selection Using P-classification", MICCAI 2021,
    doi 10.1007/978-3-030-87237-3_41.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell import ShareSelector
    >>> scores = np.array([0.1, 0.9, 0.5, 0.7, 0.3])
    >>> print(ShareSelector(alpha=0.4, beta=0.2).select(scores, scores))
    [-1  1  0  1  0]
    """

    _parameter_constraints = {
        "alpha": [Number(low=0, high=1), None],
        "beta": [Number(low=0, high=1), None],
        "rounding": [StrOptions({"up", "down"})],
    }

    def __init__(self, alpha=None, beta=None, *, rounding="up"):
        self.alpha = alpha
        self.beta = beta
        self.rounding = rounding

    def select(self, top, bottom, clicked_top=None, clicked_bottom=None):
        """Choose pseudo labels.

        Parameters
        ----------
        top : array-like of shape (n_candidates,)
            Scores; larger is more like a cell, trusted at the top.
        bottom : array-like of shape (n_candidates,)
            Scores; larger is more like a cell, trusted at the bottom.
        clicked_top, clicked_bottom : array-like of shape (n_clicks,), optional
            The two scores of the clicked cells, from rankers that have not seen them.
            Not used here.

        Returns
        -------
        labels : int ndarray of shape (n_candidates,)
            1 positive, -1 negative, 0 undecided. A candidate at both ends is
            undecided.

        Raises
        ------
        ValueError
            If a share is not in [0, 1].
        """
        self._validate_params()
        alpha, beta = (SHARE if x is None else x for x in (self.alpha, self.beta))
        top, bottom = _check_scores(top=top, bottom=bottom)
        if len(top) != len(bottom):
            raise ValueError(
                f"top has {len(top)} scores and bottom {len(bottom)}; expected one of "
                "each candidate."
            )
        round_ = np.ceil if self.rounding == "up" else np.floor
        n_best, n_worst = (int(round_(x * len(top))) for x in (alpha, beta))
        labels = np.zeros(len(top), dtype=int)
        labels[np.argsort(-top, kind="stable")[:n_best]] += 1
        labels[np.argsort(bottom, kind="stable")[:n_worst]] -= 1
        return labels


class CalibratedSelector(ShareSelector):
    """Choose at both ends, but nothing that the clicked cells speak against.

    The scores of clicked cells, by a ranker that has not seen them, are a sample of the
    scores of all cells. So a new positive must be among the top share `alpha` **and**
    score above seven of ten clicked cells, and a new negative must be among the bottom
    share `beta` **and** score below 19 of 20 clicked cells. However few
    cells or however little background is left, neither share digs too deep.

    Parameters
    ----------
    alpha : float, default=None
        Largest share of the candidates that become pseudo positives; in [0, 1]. None
        takes 0.05, or what the whole says of which the selector is a part.
    beta : float, default=None
        Largest share that become pseudo negatives; in [0, 1]. None as above.

    References
    ----------
    The shares: Fujii, Suehiro, Nishimura, Bise, "Cell Detection from Imperfect
    Annotation by Pseudo Label Selection Using P-classification", MICCAI 2021,
    doi 10.1007/978-3-030-87237-3_41. The clicked cells as spies among the unlabelled:
    Liu, Lee, Yu, Li, "Partially Supervised Classification of Text Documents",
    ICML 2002.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell import CalibratedSelector
    >>> scores, clicked = np.array([0.1, 0.9, 0.5, 0.7, 0.3]), np.array([0.2, 0.6, 0.8])
    >>> selector = CalibratedSelector(alpha=0.6, beta=0.6)
    >>> print(selector.select(scores, scores, clicked, clicked))
    [-1  1  0  1  0]
    """

    # Quantiles of the scores of clicked cells.
    _HIGH, _LOW = 0.7, 0.05
    rounding = "up"

    def __init__(self, alpha=None, beta=None):
        self.alpha = alpha
        self.beta = beta

    def select(self, top, bottom, clicked_top, clicked_bottom):
        """Choose pseudo labels.

        Parameters
        ----------
        top : array-like of shape (n_candidates,)
            Scores; larger is more like a cell, trusted at the top.
        bottom : array-like of shape (n_candidates,)
            Scores; larger is more like a cell, trusted at the bottom.
        clicked_top, clicked_bottom : array-like of shape (n_clicks,)
            The two scores of the clicked cells, from rankers that have not seen them.

        Returns
        -------
        labels : int ndarray of shape (n_candidates,)
            1 positive, -1 negative, 0 undecided.

        Raises
        ------
        ValueError
            If a share is not in [0, 1], or there is no clicked cell.
        """
        names = ("clicked_top", "clicked_bottom")
        clicked = _check_scores(clicked_top=clicked_top, clicked_bottom=clicked_bottom)
        for name, scores in zip(names, clicked, strict=True):
            if len(scores) == 0:
                raise ValueError(
                    f"{name} is empty; expected the score of at least one clicked cell."
                )
        labels = super().select(top, bottom)
        high = np.quantile(clicked[0], self._HIGH)
        low = np.quantile(clicked[1], self._LOW)
        labels[(labels == 1) & (np.asarray(top) < high)] = 0
        labels[(labels == -1) & (np.asarray(bottom) > low)] = 0
        return labels


def _check_scores(**scores):
    """Return arrays of finite scores."""
    arrays = []
    for name, given in scores.items():
        array = as_numbers(given, name)
        if array.ndim != 1 or not np.isfinite(array).all():
            raise ValueError(
                f"{name} has shape {array.shape} or values that are NaN or infinite; "
                "expected finite scores of shape (n,)."
            )
        arrays.append(array)
    return arrays

"""The ranker of the published code: its scale of features and penalty, its bottom."""

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from .._parameters import Number
from ._ranker import PUSH, PClassificationRanker, check_target

__all__ = ["PublishedRanker"]


class PublishedRanker(PClassificationRanker):
    r"""Rank as the published code of the method does, to compare with.

    It differs from `PClassificationRanker` in three ways. Features are not
    standardised but all divided by the largest of their values. The penalty
    stands beside the sum of the loss and not its mean, ``sum + l2 * norm**2``, so that
    it weighs less the more samples there are. And before the bottom of the list is
    ranked, the best unlabelled samples of the top ranker may count as positive.

    Parameters
    ----------
    p : float, default=None
        Push exponent, at least 1; None takes 4, or what the whole says of which the
        ranker is a part.
    l2 : float, default=0.1
        Weight of the squared norm of the coefficients, above 0.
    loss : {"ertekin-rudin", "printed"}, default="ertekin-rudin"
        As in `PClassificationRanker`.
    promoted : float, default=0.0
        Share of the unlabelled samples, in [0, 1), rounded down, that count as positive
        where the bottom of the list is ranked. The published code has 0.2; the paper
        says nothing of it.
    concentrate : {"top", "bottom"}, default="top"
        Which end of the list should be pure.
    max_iter : int, default=1000
        Largest number of L-BFGS iterations.
    tol : float, default=1e-8
        As in `PClassificationRanker`.

    Attributes
    ----------
    classes_ : array of shape (2,)
        The two labels, sorted; the second one is the positive class.
    ranker_ : PClassificationRanker
        The fitted ranker of the scaled features.
    scale_ : float
        What features are divided by.
    n_iter_ : int
        Number of L-BFGS iterations.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : array of shape (`n_features_in_`,)
        Names of the features, when `X` has some.

    References
    ----------
    Fujii, Suehiro, Nishimura, Bise, "Cell Detection from Imperfect Annotation by
    Pseudo Label Selection Using P-classification", MICCAI 2021,
    doi 10.1007/978-3-030-87237-3_41, and github.com/FujiiKazuma/CDFIAPLSUP.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell import PublishedRanker
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]])
    >>> y = np.array([0, 0, 0, 1, 0, 1])
    >>> ranker = PublishedRanker().fit(X, y)
    >>> np.argsort(-ranker.decision_function(X)).tolist()
    [5, 4, 3, 2, 1, 0]
    """

    # `pseudocell` puts no scaler in front of it.
    scales_features = True
    _parameter_constraints = {
        **PClassificationRanker._parameter_constraints,
        "l2": [Number(low=0, closed="neither")],
        "promoted": [Number(low=0, high=1, closed="left")],
    }

    def __init__(
        self,
        p=None,
        *,
        l2=0.1,
        loss="ertekin-rudin",
        promoted=0.0,
        concentrate="top",
        max_iter=1000,
        tol=1e-8,
    ):
        super().__init__(
            p, l2=l2, loss=loss, concentrate=concentrate, max_iter=max_iter, tol=tol
        )
        self.promoted = promoted

    def fit(self, X, y):
        """Find the ranking of two labelled classes.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Finite features.
        y : array of shape (n_samples,)
            Two different labels; the larger one is the positive class.

        Returns
        -------
        self : PublishedRanker
            The fitted ranker.

        Raises
        ------
        ValueError
            If a parameter is out of range, or `y` does not hold exactly two classes.
        """
        self._validate_params()
        X, y = validate_data(self, X, y, dtype=np.float64)
        self.classes_, codes, _ = check_target(y, None)
        self.scale_ = float(np.abs(X).max()) or 1.0
        X = X / self.scale_
        if self.concentrate == "bottom":
            codes = self._promote(X, codes)
        self.ranker_ = self._fit(X, codes, self.concentrate)
        self.n_iter_ = self.ranker_.n_iter_
        return self

    def decision_function(self, X):
        """Return the score of each sample.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Finite features.

        Returns
        -------
        scores : array of shape (n_samples,)
            Larger means more like the positive class, for both values of `concentrate`.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return self.ranker_.decision_function(X / self.scale_)

    def _promote(self, X, codes):
        """Count the best unlabelled samples as positive; at least one stays."""
        unlabelled = np.flatnonzero(codes == 0)
        n_promoted = int(self.promoted * len(unlabelled))
        if n_promoted == 0:
            return codes
        scores = self._fit(X, codes, "top").decision_function(X[unlabelled])
        best = np.argsort(-scores, kind="stable")[:n_promoted]
        codes = codes.copy()
        codes[unlabelled[best]] = 1
        return codes

    def _fit(self, X, codes, end):
        """Fit the ranker whose penalty is `l2` of the sum of the loss."""
        p = PUSH if self.p is None else self.p
        n_negative, n_positive = np.bincount(codes)
        if end == "bottom":
            n_negative, n_positive = n_positive, n_negative
        # The loss of PClassificationRanker is this sum over its value at equal scores.
        q = 1.0 if self.loss == "printed" else p
        size = n_positive ** (q / (1 + q)) * (n_negative * q / p) ** (1 / (1 + q))
        return PClassificationRanker(
            p,
            l2=2 * self.l2 / size,
            loss=self.loss,
            concentrate=end,
            max_iter=self.max_iter,
            tol=self.tol,
        ).fit(X, codes)

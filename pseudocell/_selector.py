"""ShareSelector: the top share becomes pseudo positives, the bottom one negatives."""

import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["ShareSelector"]


class ShareSelector(BaseEstimator):
    """Choose a fixed share of the unlabelled candidates at both ends of the ranking.

    Parameters
    ----------
    alpha : float, default=0.05
        Share of the candidates, from the top, that become pseudo positives; in [0, 1].
    beta : float, default=0.05
        Share, from the bottom, that become pseudo negatives; in [0, 1].

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

    def __init__(self, alpha=0.05, beta=0.05):
        self.alpha = alpha
        self.beta = beta

    def select(self, top_scores, bottom_scores):
        """Choose pseudo labels.

        Parameters
        ----------
        top_scores : array-like of shape (n_candidates,)
            Larger is more like a cell; trusted at the top.
        bottom_scores : array-like of shape (n_candidates,)
            Larger is more like a cell; trusted at the bottom.

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
        for name in ("alpha", "beta"):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise ValueError(f"{name} is {share!r}; expected a share in [0, 1].")
        n_candidates = len(top_scores)
        labels = np.zeros(n_candidates, dtype=int)
        best = np.argsort(-np.asarray(top_scores), kind="stable")
        worst = np.argsort(np.asarray(bottom_scores), kind="stable")
        labels[best[: int(np.ceil(self.alpha * n_candidates))]] += 1
        labels[worst[: int(np.ceil(self.beta * n_candidates))]] -= 1
        return labels

"""How probable it is that a candidate is a cell, and how many cells there are."""

import numpy as np
from sklearn.isotonic import IsotonicRegression

from .._geometry._peaks import thin

__all__ = ["cell_probabilities", "estimate_n_cells", "rate_candidates"]

# Of best bin estimation: the confidence of its bound, and the published slack.
DELTA, GAMMA = 0.1, 0.01


def estimate_n_cells(unlabelled, clicked):
    r"""Estimate how many of the unlabelled candidates are cells.

    Clicked cells are a sample of all cells. With the share :math:`q_P(t)` of them that
    score at least t, and the share :math:`q_U(t)` of the unlabelled that do, at most a
    share :math:`q_U(t) / q_P(t)` of the unlabelled are cells, and exactly that share
    where nothing but cells scores so high. It is taken where an upper confidence bound
    is lowest:

    .. math:: \hat t = \arg\min_t \frac{q_U(t)}{q_P(t)} + \frac{1 + \gamma}{q_P(t)}
              \Big( \sqrt{\tfrac{\log(4 / \delta)}{2 n_U}}
                  + \sqrt{\tfrac{\log(4 / \delta)}{2 n_P}} \Big)

    Parameters
    ----------
    unlabelled : ndarray of shape (n,)
        Scores, larger = more like a cell.
    clicked : ndarray of shape (m,)
        Scores of clicked cells, made in the same way: by what has seen neither.

    Returns
    -------
    n_cells : float
        In [0, n].

    References
    ----------
    Garg, Wu, Smola, Balakrishnan, Lipton, "Mixture Proportion Estimation and PU
    Learning: A Modern Approach", NeurIPS 2021, arXiv 2111.00980.
    """
    if len(unlabelled) == 0 or len(clicked) == 0:
        return 0.0
    at = np.unique(clicked)
    share_clicked = _share_above(clicked, at)
    share_unlabelled = _share_above(unlabelled, at)
    slack = sum(
        np.sqrt(np.log(4 / DELTA) / (2 * len(each))) for each in (unlabelled, clicked)
    )
    bound = (share_unlabelled + (1 + GAMMA) * slack) / share_clicked
    best = np.argmin(bound)
    share = share_unlabelled[best] / share_clicked[best]
    return float(min(1.0, share) * len(unlabelled))


def cell_probabilities(unlabelled, clicked, n_cells):
    r"""Return the probability that each unlabelled candidate is a cell.

    The clicked cells are put among the unlabelled candidates. That a candidate of
    score s is a clicked one has a probability g(s), which grows with s and is found by
    isotonic regression. Of n clicked cells and N unclicked ones among the candidates,
    all alike in their scores,

    .. math:: w(s) = \frac{N}{n} \frac{g(s)}{1 - g(s)}

    is the probability that an unlabelled candidate is a cell, at most 1.

    Parameters
    ----------
    unlabelled : ndarray of shape (n,)
        Scores, larger = more like a cell.
    clicked : ndarray of shape (m,)
        Scores of clicked cells, made in the same way.
    n_cells : float
        How many of the unlabelled are cells.

    Returns
    -------
    probabilities : ndarray of shape (n,)

    References
    ----------
    Elkan, Noto, "Learning classifiers from only positive and unlabeled data", KDD 2008,
    doi 10.1145/1401890.1401920, their second method.
    """
    if len(unlabelled) == 0 or len(clicked) == 0:
        return np.zeros(len(unlabelled))
    is_clicked = np.repeat([0.0, 1.0], [len(unlabelled), len(clicked)])
    scores = np.concatenate([unlabelled, clicked])
    regression = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    g = regression.fit(scores, is_clicked).predict(unlabelled)
    odds = g / np.maximum(1 - g, np.finfo(float).tiny)
    return np.minimum(1.0, odds * n_cells / len(clicked))


def _share_above(scores, at):
    """Return the share of scores that are at least each of some values."""
    return 1 - np.searchsorted(np.sort(scores), at, "left") / len(scores)


def rate_candidates(candidates, ranking, radius):
    """Return the probability that each unlabelled candidate is a cell.

    Parameters
    ----------
    candidates : Candidates
        Ranked by what has learnt from other places alone.
    ranking : Ranking
        Their scores.
    radius : float
        Of two candidates nearer than this, only the better one may be a cell, in
        pixels: the other one has the probability 0.

    Returns
    -------
    probabilities : ndarray of shape (n_unlabelled,)
        The number of cells is the smaller one of what scores and heights say: both
        are upper bounds.
    """
    score = (ranking.top + ranking.bottom) / 2
    ends = np.cumsum([*map(len, candidates.unlabelled)])[:-1]
    apart = []
    best = np.split(ranking.top, ends)
    for points, its in zip(candidates.unlabelled, best, strict=True):
        best_first = np.argsort(-its, kind="stable")
        kept = np.zeros(len(points), dtype=bool)
        kept[best_first] = thin(points[best_first], radius)
        apart.append(kept)
    apart = np.concatenate(apart) & np.isfinite(score)
    clicked = (ranking.clicked_top + ranking.clicked_bottom) / 2
    heights = np.concatenate(candidates.unlabelled_heights)
    # Pseudo positives are cells that nobody clicked, as far as the sample goes.
    pseudo, pseudo_heights = ranking.pseudo.T
    scores = np.concatenate([score[apart], pseudo])
    n_cells = min(
        estimate_n_cells(scores, clicked),
        estimate_n_cells(
            np.concatenate([heights[apart], pseudo_heights]), ranking.clicked_heights
        ),
    )
    probabilities = np.zeros(len(score))
    rated = cell_probabilities(scores, clicked, n_cells)
    probabilities[apart] = rated[: apart.sum()]
    return probabilities

"""Checks of a ranker: features to scores."""

import numpy as np
from sklearn.base import clone

from ._contract import contract, require
from ._kind import Kind
from ._problem import fit

__all__ = ["RANKER_CHECKS"]


def _draw(seed):
    """Return a table, wider for other seeds than 0, and PU labels."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 3 + seed))
    X[:30, 0] += 2
    return X, np.repeat([1, 0], [15, 45])


def _score(part, X):
    return np.asarray(part.decision_function(X))


@contract
def check_scores_are_one_a_sample(part):
    """`decision_function` gives finite scores of shape (n,)."""
    X, y = _draw(0)
    scores = _score(fit(part, X, y), X)
    require(scores.shape == (len(X),), f"of {len(X)} they have shape {scores.shape}.")
    require(np.isfinite(scores).all(), "some are not finite.")


@contract
def check_larger_is_more_positive(part):
    """At both values of `concentrate`, "top" and "bottom", larger = more positive."""
    X, y = _draw(0)
    for end in ("top", "bottom"):
        ranker = clone(part).set_params(concentrate=end)
        scores = _score(fit(ranker, X, y), X)
        higher = scores[y == 1].mean() > scores[y == 0].mean()
        require(higher, f"with {end!r} positive samples score lower than others.")


RANKER_CHECKS = (
    *Kind(
        draw=_draw,
        methods=("decision_function",),
        refused={
            "NaN": ("X", lambda X, y: [(X * np.nan, y)]),
            "No positive sample": ("y ", lambda X, y: [(X, 0 * y)]),
        },
    ).checks(),
    check_scores_are_one_a_sample,
    check_larger_is_more_positive,
)

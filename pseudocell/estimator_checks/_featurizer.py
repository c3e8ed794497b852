"""Checks of a featurizer: patches to features."""

import numpy as np

from ._contract import contract, require
from ._kind import Kind
from ._problem import fit

__all__ = ["FEATURIZER_CHECKS"]

# By how much the features of a patch may depend on what is transformed with it.
CLOSE = 1e-4


def _draw(seed):
    """Return patches, grey ones for seed 0 and else of 3 channels, and PU labels."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(40, 9, 9, 3) if seed else (40, 9, 9)).astype(np.float32)
    X[:20, 3:6, 3:6] += 3
    return X, np.repeat([1, 0], [10, 30])


def _transform(part, X):
    # Of any container, such as the data frames of `set_output`.
    return np.asarray(part.transform(X))


@contract
def check_features_are_a_table(part):
    """`transform` gives finite features of shape (n, n_features)."""
    X, y = _draw(0)
    features = _transform(fit(part, X, y), X)
    require(
        features.ndim == 2 and len(features) == len(X),
        f"of {len(X)} patches they have shape {features.shape}.",
    )
    require(np.isfinite(features).all(), "some are not finite.")


@contract
def check_patches_do_not_mix(part):
    """Features of a patch do not depend on those that are transformed with it."""
    X, y = _draw(0)
    fitted = fit(part, X, y)
    together, alone = _transform(fitted, X)[:5], _transform(fitted, X[:5])
    require(np.allclose(together, alone, CLOSE, CLOSE), "they do.")


FEATURIZER_CHECKS = (
    *Kind(
        draw=_draw,
        methods=("transform",),
        refused={
            "NaN": ("X ", lambda X, y: [(X * np.nan, y)]),
            "Bad labels": ("y ", lambda X, y: [(X, y[1:]), (X, 2 * y), (X, 0 * y)]),
        },
    ).checks(),
    check_features_are_a_table,
    check_patches_do_not_mix,
)

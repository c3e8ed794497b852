"""Checks of an extractor: images and points to one row a point."""

import numpy as np
from sklearn.base import clone

from ._contract import contract, require
from ._kind import Kind, require_same
from ._problem import SHAPE, add_channels, draw_problem, fit

__all__ = ["EXTRACTOR_CHECKS"]


def _draw(seed):
    """Return the pairs of two images, grey ones for seed 0 and else of 3 channels."""
    images, points = draw_problem([SHAPE, (80, 48)])
    return (
        list(zip(add_channels(images, 3) if seed else images, points, strict=True)),
    )


def _transform(part, X):
    return np.asarray(part.transform(X))


@contract
def check_rows_are_points(part):
    """There is one row a point, in the order of the images and of their points."""
    (pairs,) = _draw(0)
    fitted = fit(part, pairs)
    rows = _transform(fitted, pairs)
    n_points = sum(len(points) for _, points in pairs)
    require(len(rows) == n_points, f"{n_points} points gave {len(rows)} rows.")
    backwards = [(image, points[::-1]) for image, points in pairs[::-1]]
    require_same(_transform(fitted, backwards), rows[::-1], "the order is another.")
    other = clone(fitted).fit_transform(pairs)
    require_same(other, rows, "fit_transform gave others than transform.")


@contract
def check_image_without_points(part):
    """Images may have no point: shape (0, 2)."""
    (pairs,) = _draw(0)
    fitted = fit(part, pairs)
    bare = [pairs[0], (pairs[1][0], np.zeros((0, 2)))]
    require_same(
        _transform(fitted, bare),
        _transform(fitted, pairs[:1]),
        "it changed the rows of the other image.",
    )


@contract
def check_has_cell_radius(part):
    """There is a parameter `cell_radius`, which the loop sets where it is None."""
    require("cell_radius" in part.get_params(), "there is none.")


EXTRACTOR_CHECKS = (
    *Kind(
        draw=_draw,
        methods=("transform",),
        refused={
            "No pair": ("X[0]", lambda X: [([image for image, _ in X],)]),
            "NaN": ("images[1]", lambda X: [([X[0], (X[1][0] * np.nan, X[1][1])],)]),
            "Points outside": (
                "points[1]",
                lambda X: [([X[0], (X[1][0], X[1][1] + 99)],)],
            ),
        },
    ).checks(),
    check_rows_are_points,
    check_image_without_points,
    check_has_cell_radius,
)

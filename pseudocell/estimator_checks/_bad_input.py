"""Checks that bad input is refused by a message that names argument and index."""

import inspect

import numpy as np

from ._contract import contract, require
from ._problem import SHAPE, add_channels, draw_problem, fit, prepare


@contract
def check_nan_is_named(detector):
    """Images with NaN are a ValueError that names the image, in `fit` and `predict`."""
    images, points = draw_problem()
    bad = [images[0], images[1].astype(float)]
    bad[1][3, 4] = np.nan
    _require_refusal(lambda: fit(detector, bad, points), "images[1]")
    fitted = fit(detector, images, points)
    _require_refusal(lambda: fitted.predict(bad), "images[1]")


@contract
def check_other_channels_are_named(detector):
    """Other channels than before are a ValueError that names the image."""
    images, points = draw_problem()
    mixed = [images[0], *add_channels(images[1:], 3)]
    _require_refusal(lambda: fit(detector, mixed, points), "images[1]")
    fitted = fit(detector, images, points)
    _require_refusal(lambda: fitted.predict(mixed), "images[1]")


@contract
def check_no_sequence_is_named(detector):
    """One bare image, or none at all, is a ValueError that names `images`."""
    images, points = draw_problem()
    fitted = fit(detector, images, points)
    _require_refusal(lambda: fit(detector, images[0], points), "images")
    _require_refusal(lambda: fit(detector, [], []), "images")
    _require_refusal(lambda: fitted.predict(images[0]), "images")
    _require_refusal(lambda: fitted.predict([]), "images")


@contract
def check_number_of_point_lists_is_named(detector):
    """One list of points too few or too many is a ValueError that names `points`."""
    images, points = draw_problem()
    for bad in (points[:1], [*points, points[0]]):
        _require_points_refused(detector, images, bad)


@contract
def check_bad_points_are_named(detector):
    """Points that are no finite (n, 2) are a ValueError that names the list."""
    images, points = draw_problem()
    for bad in (np.full((2, 3), 5.0), np.array([[5.0, np.nan]])):
        _require_points_refused(detector, images, [points[0], bad], "[1]")


@contract
def check_points_outside_are_named(detector):
    """Points outside their image are a ValueError that names the list."""
    images, points = draw_problem()
    for bad in ([-1.0, 5.0], [SHAPE[0] - 0.4, 5.0], [5.0, SHAPE[1] + 9.0]):
        outside = np.vstack([points[1], bad])
        _require_points_refused(detector, images, [points[0], outside], "[1]")


@contract
def check_no_click_is_named(detector):
    """No click in any image is a ValueError that names `points`."""
    images, _ = draw_problem()
    _require_points_refused(detector, images, [[], []])


def _require_points_refused(detector, images, points, index=""):
    """Require that `fit` names the points, by its own word for them or by ours."""
    own = list(inspect.signature(prepare(detector).fit).parameters)[1]
    names = [f"{own}{index}", f"points{index}"]
    _require_refusal(lambda: fit(detector, images, points), *names)


def _require_refusal(call, *names):
    """Require a ValueError with one of the names in its message."""
    try:
        call()
    except ValueError as error:
        named = any(name in str(error) for name in names)
        require(named, f"this does not name {' or '.join(names)}: {error}")
    else:
        raise AssertionError(f"it was accepted ({names[0]}).")

"""Checks of the loop's own detector: pseudo labels in, candidates and heights out."""

import numpy as np
from scipy.spatial.distance import cdist

from ._contract import contract, require
from ._problem import RADIUS, SHAPE, draw_image, draw_problem, fit

__all__ = ["LOOP_DETECTOR_CHECKS"]

# What the loop sets.
PARAMETERS = ("cell_radius", "masked", "background_weight")


@contract
def check_has_parameters_of_the_loop(detector):
    """Parameters that the loop sets are there: `cell_radius`, `masked` and so on."""
    missing = sorted(set(PARAMETERS) - set(detector.get_params()))
    require(not missing, f"it has no {', '.join(missing)}.")


@contract
def check_pseudo_labels_teach(detector):
    """Places that `fit` has as `negatives` score lower than as `positives`."""
    images, points = draw_problem()
    others = [draw_image(seed=seed)[1][3:] for seed in range(2)]
    none = [[], []]
    scored = fit(detector, images, points, positives=others, negatives=none)
    dropped = fit(detector, images, points, positives=none, negatives=others)
    high, low = (_heights(each, images, others) for each in (scored, dropped))
    require(high > low, f"as positives the mean is {high:g}, as negatives {low:g}.")


def _heights(detector, images, places):
    """Return the mean height of the candidates nearest to some places."""
    found = detector.find_candidates(images, known=places)
    return np.mean(
        [
            scores[cdist(rows, points).argmin(axis=1)]
            for (points, scores), rows in zip(found, places, strict=True)
        ]
    )


@contract
def check_bad_pseudo_labels_are_named(detector):
    """Pseudo labels outside their image are a ValueError that names the list."""
    images, points = draw_problem()
    outside = [[], [[SHAPE[0] + 9.0, 5.0]]]
    for name in ("positives", "negatives"):
        try:
            fit(detector, images, points, **{name: outside})
        except ValueError as error:
            named = f"{name}[1]" in str(error)
            require(named, f"this does not name {name}[1]: {error}")
        else:
            raise AssertionError(f"it was accepted ({name}[1]).")


@contract
def check_candidates_go_down_to_the_threshold(detector):
    """`find_candidates` gives all above a threshold, those above a higher one first."""
    images, points = draw_problem()
    detector = fit(detector, images, points)
    limit = detector.threshold_
    require(np.ndim(limit) == 0 and np.isfinite(limit), f"threshold_ is {limit!r}.")
    above = detector.find_candidates(images, limit)
    for index, (few, many, predicted) in enumerate(
        zip(
            above,
            detector.find_candidates(images, limit / 2),
            detector.predict(images),
            strict=True,
        )
    ):
        where = f"find_candidates(images, threshold)[{index}]"
        require((few[1] > limit).all(), f"{where} has scores at or below it.")
        same = all(map(np.array_equal, few, (each[: len(few[1])] for each in many)))
        require(same, f"{where} is not the beginning of those at half the threshold.")
        same = np.array_equal(few[0], predicted)
        require(same, f"{where} at `threshold_` is not predict(images)[{index}].")


@contract
def check_known_places_stay_candidates(detector):
    """Places that are `known` are candidates, or one within a radius of them is."""
    images, points = draw_problem()
    detector = fit(detector, images, points)
    rows, cols = np.mgrid[RADIUS : SHAPE[0] : 16, RADIUS : SHAPE[1] : 16]
    known = [np.column_stack([rows.ravel(), cols.ravel()]) + 0.0, np.zeros((0, 2))]
    found = detector.find_candidates(images, detector.threshold_, known)
    gaps = cdist(known[0], found[0][0]).min(axis=1)
    far = int((gaps > detector.cell_radius_).sum())
    require(far == 0, f"{far} of {len(gaps)} are not.")
    (alone, _), *_ = detector.find_candidates(images[1:], detector.threshold_)
    same = np.array_equal(found[1][0], alone)
    require(same, "they changed the candidates of an image without any.")


@contract
def check_clicks_are_held_out(detector):
    """`click_folds_` and `click_heights_` hold a net and a height for each click."""
    images, points = draw_problem()
    detector = fit(detector, images, [points[0], points[1][:0]])
    for name, kind in (("click_folds_", "i"), ("click_heights_", "f")):
        arrays = [np.asarray(array) for array in getattr(detector, name)]
        shapes = [array.shape for array in arrays]
        require(shapes == [(3,), (0,)], f"of 3 clicks and none, {name} has {shapes}.")
        require(arrays[0].dtype.kind == kind, f"{name} is of {arrays[0].dtype}.")
    folds, heights = detector.click_folds_[0], detector.click_heights_[0]
    require((folds >= -1).all(), f"click_folds_[0] is {folds}; -1 is of no net.")
    require(
        np.isfinite(heights).all() and (heights >= 0).all(),
        f"click_heights_[0] is {heights}, not finite or below 0.",
    )


LOOP_DETECTOR_CHECKS = (
    check_has_parameters_of_the_loop,
    check_pseudo_labels_teach,
    check_bad_pseudo_labels_are_named,
    check_candidates_go_down_to_the_threshold,
    check_known_places_stay_candidates,
    check_clicks_are_held_out,
)

"""Checks of a detector: images and clicks to points."""

import numpy as np

from ._contract import contract, require
from ._kind import Kind, ask, lock, require_same
from ._problem import SHAPE, add_channels, draw_image, draw_problem, fit

__all__ = ["DETECTOR", "DETECTOR_CHECKS"]

# Pixels by which the same values in another type may move a point.
CLOSE = 0.5


@contract
def check_finds_something(detector):
    """Points are predicted on the images of `fit`: with none, no check says much."""
    images, points = draw_problem()
    found = fit(detector, images, points).predict(images)
    require(sum(map(len, found)) > 0, "there were none. Train it for longer.")


@contract
def check_predicted_points(detector):
    """`predict` gives a list of float (n, 2) on the images, the strongest first."""
    images, points = draw_problem()
    detector = fit(detector, images, points)
    images.append(np.full(SHAPE, 40, dtype=np.uint8))
    _require_points(detector, images)
    predicted = detector.predict(images)
    for name in ("predict_scored", "find_candidates"):
        if hasattr(detector, name):
            scored = getattr(detector, name)(images)
            _require_strongest_first(predicted, scored, name)


@contract
def check_one_image(detector):
    """One image is enough for `fit` and for `predict`."""
    images, points = draw_problem()
    _require_points(fit(detector, images[:1], points[:1]), images[:1])


@contract
def check_image_without_clicks(detector):
    """Images may have no click: an empty list, or shape (0, 2)."""
    images, points = draw_problem()
    for clicks in ([points[0], []], [np.zeros((0, 2)), points[1]]):
        _require_points(fit(detector, images, clicks), images)


@contract
def check_mixed_sizes(detector):
    """Images may differ in size, in `fit` and in `predict`."""
    images, points = draw_problem([SHAPE, (80, 48)])
    fitted = fit(detector, images, points)
    _require_points(fitted, [*images, draw_image((52, 96))[0]])


@contract
def check_any_sequence(detector):
    """Images come in any sequence, of lazy items too, with the same result."""
    images, points = draw_problem()
    expected = fit(detector, images, points)
    for kind, given in (("an array", np.stack(images)), ("lazy items", _Lazy(images))):
        try:
            found = fit(detector, given, points)
            one, other = (ask(each, given, DETECTOR) for each in (found, expected))
            require_same(one, other, f"{kind} gave other points or scores.")
        except Exception as error:
            raise AssertionError(f"with {kind} there was {error!r}.") from error


class _Lazy:
    """A sequence whose items only ``numpy.asarray`` can read."""

    class _Item:
        def __init__(self, image):
            self.image = image

        def __array__(self, dtype=None, copy=None):
            return np.array(self.image, dtype=dtype)

    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self._Item(self.images[index])


@contract
def check_grey_and_colour(detector):
    """Images are grey, (H, W), or have channels, (H, W, C)."""
    images, points = draw_problem()
    for given in (images, add_channels(images, 1), add_channels(images, 3)):
        try:
            _require_points(fit(detector, given, points), given)
        except Exception as error:
            shape = given[0].shape
            raise AssertionError(f"with {shape} there was {error!r}.") from error


@contract
def check_pixel_types(detector):
    """Pixels of another type with the same values give the same points."""
    images, points = draw_problem()
    expected = fit(detector, images, points).predict(images)
    for dtype in (np.uint16, np.float32):
        given = [image.astype(dtype) for image in images]
        found = fit(detector, given, points).predict(given)
        for one, other in zip(found, expected, strict=True):
            same = len(one) == len(other) and np.allclose(one, other, 0, CLOSE)
            require(same, f"{dtype.__name__} gave other points than uint8.")


def _require_points(detector, images):
    """Require predictions of the right form, on their images."""
    predicted = detector.predict(images)
    require(
        isinstance(predicted, list) and len(predicted) == len(images),
        f"predict gave a {type(predicted).__name__} of {len(predicted)} items for "
        f"{len(images)} images.",
    )
    for index, (points, image) in enumerate(zip(predicted, images, strict=True)):
        name = f"predict(images)[{index}]"
        require(
            isinstance(points, np.ndarray) and points.dtype.kind == "f",
            f"{name} is not an array of floats.",
        )
        require(
            points.ndim == 2 and points.shape[1] == 2,
            f"{name} has shape {points.shape}.",
        )
        inside = (points >= -0.5) & (points < np.array(image.shape[:2]) - 0.5)
        require(inside.all(), f"{name} has points outside its image.")


def _require_strongest_first(predicted, scored, name):
    """Require that scores fall, and that predicted points are in their order."""
    for index, (found, (points, scores)) in enumerate(
        zip(predicted, scored, strict=True)
    ):
        require(
            np.shape(scores) == (len(points),) and (np.diff(scores) <= 0).all(),
            f"the scores of {name}(images)[{index}] do not fall, one a point.",
        )
        if len(found) == 0:
            continue
        same = (found[:, np.newaxis] == points).all(axis=2)
        require(
            same.any(axis=1).all() and (np.diff(same.argmax(axis=1)) > 0).all(),
            f"predict(images)[{index}] is not in the order of {name}(images).",
        )


def _draw(seed):
    """Return images and clicks; for seed 1 other ones, of 3 channels and bright."""
    images, points = draw_problem()
    if seed:
        bright = [100.0 * image for image in add_channels(images[:1], 3)]
        return bright, points[:1]
    return images, points


def _as_lists(data):
    return [image.copy() for image in data[0]], [rows.tolist() for rows in data[1]]


def _with_infinity(images, points):
    bad = images[1].astype(float)
    bad[3, 4] = np.inf
    return [([images[0], bad], points)]


def _outside(images, points):
    places = [-1.0, 5.0], [SHAPE[0] - 0.4, 5.0], [5.0, SHAPE[1] + 9.0]
    return [(images, [points[0], np.vstack([points[1], bad])]) for bad in places]


DETECTOR = Kind(
    draw=_draw,
    methods=("predict", "predict_scored", "find_candidates"),
    fit_refuses=True,
    forms={"lists": _as_lists, "read-only arrays": lock},
    refused={
        "Infinity": ("images[1]", _with_infinity),
        "Other channels": (
            "images[1]",
            lambda images, points: [
                ([images[0], *add_channels(images[1:], 3)], points)
            ],
        ),
        "A bare image or none": (
            "images",
            lambda images, points: [(images[0], points), ([], [])],
        ),
        "Another number of lists": (
            "points",
            lambda images, points: [(images, points[:1]), (images, [*points, []])],
        ),
        "Bad points": (
            "points[1]",
            lambda images, points: [
                (images, [points[0], bad])
                for bad in (np.full((2, 3), 5.0), np.array([[5.0, np.nan]]))
            ],
        ),
        "Points outside": ("points[1]", _outside),
        "No click": ("points", lambda images, points: [(images, [[], []])]),
    },
)

DETECTOR_CHECKS = (
    *DETECTOR.checks(),
    check_finds_something,
    check_predicted_points,
    check_one_image,
    check_image_without_clicks,
    check_mixed_sizes,
    check_any_sequence,
    check_grey_and_colour,
    check_pixel_types,
)

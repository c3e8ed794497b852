"""The images and clicks that the checks use, and an estimator as they use it."""

import numpy as np
from sklearn.base import clone

from pseudocell._geometry._heatmap import render_heatmap

__all__ = [
    "RADIUS",
    "SHAPE",
    "add_channels",
    "draw_image",
    "draw_problem",
    "fit",
    "prepare",
]

# Not square, so that swapped coordinates show.
SHAPE = (64, 80)
RADIUS = 6
# Of the grid that the cells are drawn on: they never touch, nor leave the image.
SPACING = 16


def draw_image(shape=SHAPE, seed=0):
    """Draw six bright cells on a noisy ground; return a uint8 image and the cells."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.mgrid[: shape[0] // SPACING, : shape[1] // SPACING], axis=-1)
    places = rng.permutation(grid.reshape(-1, 2))[:6]
    cells = (places + 0.5) * SPACING + rng.integers(-1, 2, size=(6, 2))
    image = 40 + 150 * render_heatmap(cells, shape, RADIUS / 2)
    return (image + rng.normal(scale=5, size=shape)).astype(np.uint8), cells


def draw_problem(shapes=(SHAPE, SHAPE)):
    """Return one image of each shape, and clicks on half of its cells."""
    drawn = [draw_image(shape, seed) for seed, shape in enumerate(shapes)]
    return [image for image, _ in drawn], [cells[:3] for _, cells in drawn]


def add_channels(images, n_channels):
    """Return images of shape (H, W, n_channels) with the same values in each."""
    return [np.repeat(image[..., np.newaxis], n_channels, axis=2) for image in images]


def prepare(estimator):
    """Clone an estimator, with a seed, and such that `fit` starts anew."""
    estimator = clone(estimator)
    values = {"random_state": 0, "warm_start": False}
    names = {name: name.rpartition("__")[2] for name in estimator.get_params()}
    return estimator.set_params(
        **{name: values[last] for name, last in names.items() if last in values}
    )


def fit(estimator, *data, **more):
    """Fit a prepared clone, and return it whatever `fit` returns."""
    estimator = prepare(estimator)
    estimator.fit(*data, **more)
    return estimator

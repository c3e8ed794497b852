"""Folds that hold out tiles: a strip of each image."""

from __future__ import annotations

from numbers import Integral

import numpy as np

from pseudocell._parameters import Number, checked
from pseudocell._validation import (
    ListLike,
    check_axes,
    check_image,
    check_images,
    check_points,
    check_points_inside,
)

from ._folded_list import N_SPLITS, FoldedList, fold

__all__ = ["split_tiles"]


@checked(
    margin=[Number(Integral, 0, words="a whole number of pixels, 0 or more")],
    n_splits=[N_SPLITS],
)
def split_tiles(
    images: ListLike, clicks: ListLike, margin: int, n_splits: int = 5
) -> tuple[FoldedList, FoldedList, list[tuple[np.ndarray, np.ndarray]]]:
    """Hold out tiles: a strip of each image, with a margin that nothing is trained on.

    For one image or a few, when the detector is meant for other places: as in
    `split_images` nothing around a held-out click was seen in training. Each image is
    cut across its longer side into as many strips as there are folds.

    Parameters
    ----------
    images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
        The images; those that are read when touched are not read now if they have a
        `shape`.
    clicks : sequence of array-like of shape (n_i, 2)
        Clicked cells of each image as (row, col) in pixels.
    margin : int
        Pixels between the strip that is held out and what is trained on, on both sides.
        With a cell diameter no cell is in both.
    n_splits : int, default=5
        Number of folds and of strips of an image, at least 2.

    Returns
    -------
    images : FoldedList
        The images, to be passed to `fit` of the search. The tiles are views of them.
    clicks : FoldedList
        The clicks, to be passed to `fit` of the search.
    cv : list of (train, test)
        Two int arrays of indices a fold, for the parameter `cv` of scikit-learn.

    Raises
    ------
    ValueError
        If a fold has no click to train on or none to hold out, a strip is narrower
        than two margins, or an argument is not as described.

    Notes
    -----
    Fold k holds out strip k of every image and trains on the parts before and behind
    it. Clicks move with their tile: they are in pixels of the tile. Cells that a cut
    runs through are harder to find, so that recall is a little lower than on
    whole images, for all settings alike. Clicks are dealt out by place and not evenly:
    where they are few, `split_clicks` has less noise.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell.model_selection import split_tiles
    >>> images, clicks, cv = split_tiles(
    ...     [np.zeros((30, 60))], [[[9, 5], [9, 29], [9, 50]]], margin=4, n_splits=3
    ... )
    >>> train, test = cv[1]
    >>> [images[i].shape for i in train], [clicks[i].tolist() for i in train]
    ([(30, 16), (30, 16)], [[[9.0, 5.0]], [[9.0, 6.0]]])
    >>> images[test[0]].shape, clicks[test[0]].tolist()
    ((30, 20), [[9.0, 9.0]])
    """
    images = list(check_images(images))
    clicks = check_points(clicks, len(images), name="clicks")
    shapes = [_shape_of(image, index) for index, image in enumerate(images)]
    for index, (rows, shape) in enumerate(zip(clicks, shapes, strict=True)):
        check_points_inside(rows, shape, index, name="clicks")
        _check_width(shape, index, n_splits, margin)
    folds: list[tuple[list, list]] = [([], []) for _ in range(n_splits)]
    for image, rows, shape in zip(images, clicks, shapes, strict=True):
        for sides, strips in zip(
            folds, _cut(max(shape[:2]), n_splits, margin), strict=True
        ):
            for side, spans in zip(sides, strips, strict=True):
                side.extend(_take(image, rows, shape, span) for span in spans)
    _check_folds(folds)
    return fold(images, clicks, folds)


def _shape_of(image, index):
    """Return the shape of an image, without reading one that knows it."""
    shape = getattr(image, "shape", None)
    if not isinstance(shape, tuple):
        return check_image(image, index).shape
    check_axes(shape, f"images[{index}]")
    return shape


def _check_width(shape, index, n_splits, margin):
    width = max(shape[:2]) // n_splits
    if width < max(1, 2 * margin):
        raise ValueError(
            f"images[{index}] of {shape[0]} x {shape[1]} pixels has strips of {width} "
            f"pixels with n_splits={n_splits}; expected at least 1, and two margins of "
            f"{margin}. Take fewer folds, or split_clicks."
        )


def _check_folds(folds):
    for number, sides in enumerate(folds):
        for side, purpose in zip(sides, ("to train on", "to hold out"), strict=True):
            if not any(len(rows) for _, rows in side):
                raise ValueError(
                    f"clicks leaves fold {number} of {len(folds)} without a click "
                    f"{purpose}: none is in "
                    + (
                        "the other strips beyond the margin"
                        if purpose == "to train on"
                        else f"strip {number} of any image"
                    )
                    + ". Take fewer folds, or split_clicks, which deals clicks evenly."
                )


def _cut(length, n_splits, margin):
    """Return for each fold the spans to train on, and the one to hold out."""
    edges = np.linspace(0, length, n_splits + 1).round().astype(int).tolist()
    cuts = []
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        around = (0, start - margin), (stop + margin, length)
        cuts.append(([span for span in around if span[0] < span[1]], [(start, stop)]))
    return cuts


def _take(image, clicks, shape, span):
    """Return a tile across the longer side of an image, and its clicks."""
    axis = int(shape[1] > shape[0])
    slices = (slice(None),) * axis + (slice(*span),)
    # A pixel reaches half a pixel to both sides of its centre.
    place = clicks[:, axis] + 0.5
    kept = clicks[(place >= span[0]) & (place < span[1])]
    offset = np.eye(2)[axis] * span[0]
    if isinstance(image, np.ndarray):
        return image[slices], kept - offset
    return _LazyTile(image, shape, slices), kept - offset


class _LazyTile:
    """A tile of an image that is read when it is touched.

    Parameters
    ----------
    image : object that ``numpy.asarray`` turns into an array
        The whole image.
    shape : tuple of int
        Its shape.
    slices : tuple of slice
        Where the tile is.
    """

    def __init__(self, image, shape, slices):
        self.image = image
        self.slices = slices
        lengths = [len(range(n)[part]) for n, part in zip(shape, slices, strict=False)]
        self.shape = (*lengths, *shape[len(slices) :])

    @property
    def ndim(self):
        """Number of axes: 2 for a grey image, 3 with channels."""
        return len(self.shape)

    def __array__(self, dtype=None, copy=None):
        # A copy, so that the rest of the image does not stay in memory.
        return np.array(np.asarray(self.image)[self.slices], dtype=dtype)

"""The data contracts: what images, points, patches and labels must look like."""

import os
import reprlib
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from ._data_frames import in_order, points_by_column

__all__ = [
    "ListLike",
    "HeldOutClicks",
    "check_axes",
    "check_channels",
    "check_image",
    "check_images",
    "check_patches",
    "check_points",
    "check_points_inside",
    "check_pu_target",
    "count_channels",
    "row_bands",
]

# Pixels that are looked at in one go.
BAND = 8_000_000


def check_images(images):
    """Check that `images` is a non-empty sequence, without reading any of them.

    Parameters
    ----------
    images : sequence of array-like, or ndarray of shape (n_images, ...)
        Each item is an image of shape (H, W) or (H, W, C). Items may be lazy:
        anything that ``numpy.asarray`` turns into an array.

    Returns
    -------
    images : sequence
        The same object; a list in place of a pandas Series, whose labels need not be
        positions.

    Raises
    ------
    ValueError
        If it is empty, a data frame, or one bare image instead of a sequence of images.
    """
    if isinstance(images, np.ndarray):
        if images.dtype != object and images.ndim < 3:
            raise ValueError(
                f"images has shape {images.shape}; expected a sequence of images, "
                "each (H, W) or (H, W, C). For one image pass [image]."
            )
        _refuse_one_in_colour(images)
    elif not _is_sequence(images):
        raise ValueError(
            f"images is a {type(images).__name__}; expected a sequence of images, "
            "such as a list. Turn a generator into a list first."
        )
    if isinstance(images, (str, bytes)):
        raise ValueError(
            "images is a string; expected a sequence of images. Read files with "
            "pseudocell.io.read_images first."
        )
    images = in_order(images, "images")
    if len(images) == 0:
        raise ValueError("images is empty; expected at least one image.")
    return images


def _is_sequence(items):
    """Whether these have a number and an order; a class only says how."""
    has_both = hasattr(items, "__len__") and hasattr(items, "__getitem__")
    if not has_both or isinstance(items, type):
        return False
    try:
        len(items)
    except TypeError:  # an array without axes
        return False
    return True


def _refuse_one_in_colour(images):
    """Refuse an array of one image in colour, whose rows would be taken for images."""
    shape = images.shape
    if images.dtype == object or len(shape) != 3:
        return
    if shape[2] in (3, 4) and min(shape[:2]) > 4:
        raise ValueError(
            f"images has shape {shape}, which reads as {shape[0]} images of "
            f"{shape[1]} x {shape[2]} pixels; expected a sequence of images. For one "
            "image in colour pass [image]."
        )


class HeldOutClicks(np.ndarray):
    """Clicks held out of an image of which others were trained on: never all cells."""


def check_image(image, index, n_channels=None, *, read=True, finite=True):
    """Read one image and check it.

    Parameters
    ----------
    image : array-like of shape (H, W) or (H, W, C)
        Real and not infinite; NaN and masked pixels do not count.
    index : int
        Its position in `images`, for the error message.
    n_channels : int, optional
        Number of channels that it must have; a grey image has one.
    read : bool, default=True
        False leaves an image that gives arrays when it is sliced, such as one of Zarr
        or Dask, on its disk.
    finite : bool, default=True
        False takes the pixels for finite: they were looked at before.

    Returns
    -------
    image : ndarray of shape (H, W) or (H, W, C)
        The pixel values as they are, never rescaled; a masked array stays one.

    Raises
    ------
    ValueError
        If the shape or the pixel values are not those of an image.
    """
    if isinstance(image, str | os.PathLike):
        raise ValueError(
            f"images[{index}] is the path {os.fspath(image)!r}; expected pixels. Open "
            "files with pseudocell.io.read_images, which reads each when it is needed."
        )
    name = f"images[{index}]"
    if read or not _can_be_sliced(image):
        image = _read_pixels(image, name)
    check_axes(image.shape, name)
    if not (np.issubdtype(image.dtype, np.number) or image.dtype == bool):
        raise ValueError(f"{name} has dtype {image.dtype}; expected real numbers.")
    if np.iscomplexobj(image):
        raise ValueError(f"{name} is complex; expected real pixel values.")
    bad = _count_infinite(image) if finite else 0
    if bad:
        raise ValueError(
            f"{name} has {bad} infinite pixels; expected finite values. Make them NaN, "
            "or mask them (numpy.ma.masked_invalid), if they should not count."
        )
    check_channels(image.shape, name, n_channels)
    return image


def _read_pixels(image, name):
    try:
        # A lazy image may be masked, too, once it is read.
        image = np.asanyarray(image)
        return image if isinstance(image, np.ma.MaskedArray) else np.asarray(image)
    except Exception as error:
        # What a lazy image says of its file names that.
        if type(error) not in (ValueError, TypeError, RuntimeError, OverflowError):
            raise
        lines = str(error).splitlines() or [type(error).__name__]
        raise ValueError(
            f"{name} is no array of pixels ({lines[0].rstrip('.')}); expected (H, W) "
            "or (H, W, C)."
        ) from error


def count_channels(shape):
    """Return the number of channels of an image of this shape; a grey one has one."""
    return 1 if len(shape) == 2 else shape[2]


def check_axes(shape, name):
    """Check that a shape is that of an image with pixels."""
    if len(shape) not in (2, 3):
        raise ValueError(
            f"{name} has shape {shape}; expected (H, W) or (H, W, C). "
            "Pass the frames of a stack as separate images."
        )
    if 0 in shape:
        raise ValueError(f"{name} has shape {shape}; it holds no pixel.")


def check_channels(shape, name, n_channels):
    """Check the number of channels of an image, None for any that is one."""
    channels = count_channels(shape)
    if len(shape) == 3 and channels > 32:
        raise ValueError(
            f"{name} has shape {shape}, which reads as {channels} channels; "
            "expected the channels last, (H, W, C). Pass the frames of a stack as "
            "separate images."
        )
    if n_channels is not None and channels != n_channels:
        raise ValueError(
            f"{name} has {channels} channel(s); expected {n_channels} as in the "
            "other images. Convert them all to grey or all to colour."
        )


def _can_be_sliced(image):
    has_dtype = isinstance(getattr(image, "dtype", None), np.dtype)
    is_array = isinstance(image, np.ndarray)
    return has_dtype and hasattr(image, "__getitem__") and not is_array


def row_bands(image):
    """Yield the slice of rows and the pixels of an image, some rows at a time."""
    height = max(1, BAND // image.shape[1])
    for top in range(0, image.shape[0], height):
        rows = slice(top, min(top + height, image.shape[0]))
        yield rows, np.asanyarray(image[rows])


def _count_infinite(image):
    """Count pixels that are infinite, without a copy of the whole image."""
    if not np.issubdtype(image.dtype, np.floating):
        return 0
    return sum(int(np.ma.filled(np.isinf(x), False).sum()) for _, x in row_bands(image))


def check_points(points, n_images=None, name="points"):
    """Check lists of points, one list an image.

    Parameters
    ----------
    points : sequence of array-like of shape (n_i, 2)
        (row, col) in pixels, an integer is the centre of a pixel. An empty list
        stands for an image without points. Of a data frame the columns count by name.
    n_images : int, optional
        Number of lists expected.
    name : str
        Name of the argument, for the error message.

    Returns
    -------
    points : list of float ndarray of shape (n_i, 2)
        Copies; the input stays unchanged.

    Raises
    ------
    ValueError
        If a list has another shape, or coordinates that are not finite.
    """
    points = in_order(points, name)
    if not _is_sequence(points) or isinstance(points, str | bytes):
        raise ValueError(
            f"{name} is {reprlib.repr(points)}; expected one list of points an image, "
            "each (row, col) in pixels. Turn a generator or a set into a list first."
        )
    if n_images is not None and len(points) != n_images:
        raise ValueError(
            f"{name} has {len(points)} lists of points for {n_images} images; "
            "expected one list an image (an empty one for an image without points)."
        )
    checked = []
    for index, item in enumerate(points):
        item = points_by_column(item, f"{name}[{index}]")
        if isinstance(item, np.ma.MaskedArray) and np.ma.is_masked(item):
            raise ValueError(
                f"{name}[{index}] has masked coordinates; expected numbers. Leave out "
                "the points that do not count."
            )
        try:
            array = np.array(item, dtype=float)
        except Exception as error:  # a tensor has errors of its own
            raise ValueError(
                f"{name}[{index}] is no table of numbers ({error}); expected (n, 2), "
                "one (row, col) per row."
            ) from error
        if array.size == 0:
            array = np.zeros((0, 2))
        if array.ndim != 2 or array.shape[1] != 2:
            raise ValueError(
                f"{name}[{index}] has shape {array.shape}; expected (n, 2), one "
                "(row, col) per row."
            )
        if not np.isfinite(array).all():
            raise ValueError(
                f"{name}[{index}] has coordinates that are NaN or infinite; "
                "expected finite (row, col) in pixels."
            )
        checked.append(array)
    return checked


def check_points_inside(points, shape, index, name="points"):
    """Check that the points of one image lie on it.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
        (row, col) in pixels.
    shape : tuple of int
        Shape of the image, (H, W) or (H, W, C).
    index : int
        Position of the image, for the error message.
    name : str
        Name of the argument, for the error message.

    Raises
    ------
    ValueError
        If a point lies outside; says so when swapping row and col would mend it.
    """
    height, width = shape[:2]
    size = np.array([height, width])
    outside = ((points < -0.5) | (points >= size - 0.5)).any(axis=1)
    if not outside.any():
        return
    swapped = points[:, ::-1]
    first = points[outside][0]
    hint = "Are they in pixels of this image, and in its order of images?"
    if ((swapped >= -0.5) & (swapped < size - 0.5)).all():
        hint = "Swapped they would fit: are they (x, y)? Expected (row, col)."
    raise ValueError(
        f"{name}[{index}] has {int(outside.sum())} of {len(points)} points outside "
        f"its image of {height} x {width} pixels, for example "
        f"({first[0]:g}, {first[1]:g}). {hint}"
    )


def check_patches(X):
    """Check patches.

    Parameters
    ----------
    X : array-like of shape (n, size, size) or (n, size, size, C)
        Size is odd, the point is on the centre pixel.

    Returns
    -------
    X : float32 ndarray of the same shape
        The patches.

    Raises
    ------
    ValueError
        If they are not square, not odd, none, or not finite.
    """
    X = np.asarray(X, dtype=np.float32)
    if X.ndim not in (3, 4) or X.shape[1] != X.shape[2] or X.shape[1] % 2 == 0:
        raise ValueError(
            f"X has shape {X.shape}; expected patches of shape (n, size, size) or "
            "(n, size, size, C) with an odd size."
        )
    if len(X) == 0:
        raise ValueError(f"X has shape {X.shape}; it holds no patch.")
    if not np.isfinite(X).all():
        raise ValueError("X has NaN or infinite values; expected finite patches.")
    return X


def check_pu_target(y, n_samples):
    """Check labels of positive-unlabelled learning.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        1 is positive, 0 is unlabelled.
    n_samples : int
        Number of samples.

    Returns
    -------
    y : int ndarray of shape (n_samples,)
        The labels.

    Raises
    ------
    ValueError
        If there is another value, another length, or one of the two is missing.
    """
    y = np.asarray(y)
    if y.shape != (n_samples,):
        raise ValueError(f"y has shape {y.shape}; expected ({n_samples},).")
    values = set(np.unique(y).tolist())
    if not values <= {0, 1}:
        raise ValueError(
            f"y has the values {sorted(values)}; expected 1 (positive) and 0 "
            "(unlabelled)."
        )
    if values != {0, 1}:
        missing = "positive (1)" if 1 not in values else "unlabelled (0)"
        raise ValueError(
            f"y has no {missing} sample; PU learning needs some of both kinds."
        )
    return y.astype(int)


class ListLike(Protocol):
    """Images or points: a list, an array, or anything that is read on index."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Any]: ...

    def __getitem__(self, index: Any, /) -> Any: ...

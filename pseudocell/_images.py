"""Images at the door: checked and measured once, read when touched, handed on."""

from collections.abc import Sequence
from functools import partial
from operator import getitem
from reprlib import repr as shorten

import numpy as np

from ._grey import grey_range
from ._mask import find_mask
from ._parameters import as_numbers, is_list
from ._validation import (
    check_axes,
    check_channels,
    check_image,
    check_images,
    check_points,
    check_points_inside,
    count_channels,
)

__all__ = [
    "Image",
    "Images",
    "check_clicked",
    "check_probabilities",
    "measure",
]


class Image(np.lib.mixins.NDArrayOperatorsMixin):
    """One image, which is in memory only while someone holds its pixels.

    NumPy takes it for an array, so that parts that know nothing of it may be given it.

    Parameters
    ----------
    read : callable
        Returns the image, anything that ``numpy.asarray`` turns into an array.
    index : int
        Its position in `images`, for error messages.
    n_channels : int, optional
        Number of channels that it must have.
    shape : tuple of int, optional
        (H, W) or (H, W, C), where it is known without reading.
    """

    def __init__(self, read, index, n_channels=None, shape=None):
        self._read, self.n_channels = read, n_channels
        self.index, self.name = index, f"images[{index}]"
        self._shape, self._grey, self._is_checked = shape, None, False
        self._mask, self._clicks = None, []

    @property
    def shape(self):
        """(H, W) or (H, W, C)."""
        if self._shape is None:
            self._shape = self.open().shape
        return self._shape

    @property
    def ndim(self):
        """Number of axes."""
        return len(self.shape)

    @property
    def dtype(self):
        """Type of the pixels."""
        return self.open().dtype

    def open(self):
        """Return the pixels, checked when they come first.

        Returns
        -------
        pixels : array of shape (H, W) or (H, W, C)
            One that gives arrays when it is sliced, as those of Zarr and Dask do, stays
            on its disk. Pixels that do not count, see `mask`, have the median of the
            others.

        Raises
        ------
        ValueError
            If the shape or the pixel values are not those of an image, no pixel counts,
            or clicks are on some that do not.
        """
        pixels = check_image(
            self._read(),
            self.index,
            self.n_channels,
            read=False,
            finite=not self._is_checked,
        )
        if not self._is_checked:
            self._mask = find_mask(pixels, self.name)
        self._is_checked, self._shape = True, pixels.shape
        while self._clicks:
            self.refuse_masked(*self._clicks.pop())
        if self._mask is not None:
            return self._mask.filled(pixels)
        return np.ma.getdata(pixels) if isinstance(pixels, np.ndarray) else pixels

    @property
    def mask(self):
        """Which pixels do not count: a Mask, None if all do."""
        if not self._is_checked:
            self.open()
        return self._mask

    def measure(self):
        """Return the pixels as from `open`, and their grey range, found once."""
        pixels = self.open()
        if self._grey is None:
            self._grey = grey_range(pixels, self._mask)
        return pixels, self._grey

    def refuse_masked(self, points, name):
        """Refuse clicks on pixels that do not count, once the image is read.

        Parameters
        ----------
        points : ndarray of shape (n, 2)
            (row, col) in pixels.
        name : str
            Of the clicks, for the error message.

        Raises
        ------
        ValueError
            Here, or from `open` if the image has not been read yet.
        """
        if not self._is_checked:
            self._clicks.append((points, name))
            return
        masked = np.zeros(1, bool) if self._mask is None else self._mask.at(points)
        if masked.any():
            row, col = points[masked][0]
            raise ValueError(
                f"{name} has {int(masked.sum())} of {len(points)} points on pixels "
                f"that are masked or NaN, for example ({row:g}, {col:g}); expected "
                "clicks on pixels that count. Is it the mask of another image, or the "
                "wrong way round?"
            )

    def keep_counting(self, points, values):
        """Leave out points, (row, col) in pixels, on pixels that do not count."""
        mask = self.mask
        if mask is None:
            return points, values
        counts = ~mask.at(points)
        return points[counts], values[counts]

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.open(), dtype=dtype)

    def __getitem__(self, window):
        return np.asarray(self.open()[window])

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        arrays = [np.asarray(x) if isinstance(x, Image) else x for x in inputs]
        return getattr(ufunc, method)(*arrays, **keywords)

    def __len__(self):
        return self.shape[0]


class Images(Sequence):
    """A sequence of images of which each is checked, and its grey range found, once.

    It is made at the door of every public method, and handed on from there.

    Parameters
    ----------
    images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
        The images, or a stack of them; nothing is read yet. What has come through a
        door before keeps what is known of it.
    n_channels : int, optional
        Number of channels that they must have.

    Raises
    ------
    ValueError
        If it is empty, or no sequence.
    """

    def __init__(self, images, n_channels=None):
        images = check_images(images)
        self._n_channels, self._shapes = n_channels, None
        if isinstance(images, Images):
            self._items = images._items
            for image in self._items:
                image.n_channels = image.n_channels or n_channels
            return
        stack = getattr(images, "shape", ())
        if len(stack) > 1:
            # The item of a stack is read anew each time: it is nowhere else in memory.
            self._items = [
                Image(partial(getitem, images, index), index, n_channels, stack[1:])
                for index in range(len(images))
            ]
        else:
            self._items = [
                _wrap(images[index], index, n_channels) for index in range(len(images))
            ]

    def __len__(self):
        return len(self._items)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self.take(range(len(self))[index])
        return self._items[index]

    @property
    def shapes(self):
        """(H_i, W_i) or (H_i, W_i, C) of each; all have as many channels."""
        if self._shapes is None:
            n_channels = self._n_channels
            shapes = []
            for image in self._items:
                shape = tuple(image.shape)
                check_axes(shape, image.name)
                check_channels(shape, image.name, n_channels)
                n_channels = count_channels(shape)
                shapes.append(shape)
            self._shapes = shapes
        return self._shapes

    @property
    def n_channels(self):
        """Number of channels of all of them."""
        return count_channels(self.shapes[0])

    @property
    def areas(self):
        """Number of pixels of each, of shape (n_images,)."""
        return np.array([height * width for height, width, *_ in self.shapes])

    def take(self, indices):
        """Return some of the images, with what is known of them."""
        taken = object.__new__(type(self))
        taken._items = [self._items[index] for index in indices]
        taken._n_channels, taken._shapes = self._n_channels, None
        return taken


def _wrap(item, index, n_channels):
    if isinstance(item, Image):
        return item
    shape = getattr(item, "shape", None)
    return Image(lambda: item, index, n_channels, shape and tuple(shape))


def check_clicked(images, points, name="partial_points", *, needed=True):
    """Check the points of all images.

    Parameters
    ----------
    images : Images
        The images.
    points : sequence of array-like of shape (n_i, 2)
        (row, col) in pixels; an image may have none.
    name : str, default="partial_points"
        Name of the argument, for the error message.
    needed : bool, default=True
        Whether there must be a point in some image.

    Returns
    -------
    points : list of float ndarray of shape (n_i, 2)
        Copies; the input stays unchanged.

    Raises
    ------
    ValueError
        If a list is not as described, a point is outside its image, or there is none.
    """
    points = check_points(points, len(images), name)
    if needed and sum(map(len, points)) == 0:
        raise ValueError(
            f"{name} holds no click in any image; expected at least one clicked cell "
            "to learn from."
        )
    for index, array in enumerate(points):
        if len(array):
            check_axes(images[index].shape, f"images[{index}]")
            check_points_inside(array, images[index].shape, index, name)
            if needed:
                images[index].refuse_masked(array, f"{name}[{index}]")
    return points


def check_probabilities(probabilities, points):
    """Check the probabilities of points, one array an image.

    Parameters
    ----------
    probabilities : sequence of array-like of shape (n_i,), or None
        In [0, 1]; None where there are no points.
    points : list of ndarray of shape (n_i, 2)
        The points.

    Returns
    -------
    probabilities : list of float ndarray of shape (n_i,)

    Raises
    ------
    ValueError
        If there is not one of each point, or one is not in [0, 1].
    """
    if probabilities is None:
        probabilities = [()] * len(points)
    if not is_list(probabilities):
        raise ValueError(
            f"probabilities is {shorten(probabilities)}; expected one list an image."
        )
    if len(probabilities) != len(points):
        raise ValueError(
            f"probabilities has {len(probabilities)} lists for {len(points)} images; "
            "expected one list an image."
        )
    checked = []
    for index, (chances, places) in enumerate(zip(probabilities, points, strict=True)):
        chances = as_numbers(chances, f"probabilities[{index}]").copy()
        if chances.shape != (len(places),):
            raise ValueError(
                f"probabilities[{index}] has shape {chances.shape}; expected "
                f"({len(places)},), one for each row of undecided[{index}]."
            )
        if not ((chances >= 0) & (chances <= 1)).all():
            raise ValueError(
                f"probabilities[{index}] has values outside of [0, 1] or NaN; expected "
                "how probable it is that each point is a cell."
            )
        checked.append(chances)
    return checked


def measure(image):
    """Return the pixels of an `Image` or an array, and their grey range."""
    if isinstance(image, Image):
        return image.measure()
    return image, grey_range(image)

"""Images at the door: checked and measured once, read when touched, handed on."""

from collections.abc import Sequence
from functools import partial
from operator import getitem

import numpy as np

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
    "grey_range",
    "measure",
]

# Percentiles that are mapped to -1 and 1: robust against dead and hot pixels.
LOW, HIGH = 1.0, 99.0
# Pixels looked at for the percentiles; more change the third digit only.
MAX_SAMPLES = 250_000
# So many equal pixels in a row or column are no picture of anything. In real images of
# 8 bits some smooth background is left out by that, too: it has company.
RUN = 16
# Share of the pixels below which the constant ones are the image.
LEAST_SPECIMEN = 0.05
# Pixels of the image that are looked at in one go.
BAND = 8_000_000


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
            on its disk.

        Raises
        ------
        ValueError
            If the shape or the pixel values are not those of an image.
        """
        pixels = check_image(
            self._read(),
            self.index,
            self.n_channels,
            read=False,
            finite=not self._is_checked,
        )
        self._is_checked, self._shape = True, pixels.shape
        return pixels

    def measure(self):
        """Return the pixels as from `open`, and their grey range, found once."""
        pixels = self.open()
        if self._grey is None:
            self._grey = grey_range(pixels)
        return pixels, self._grey

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
            check_points_inside(array, images[index].shape, index, name)
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
    if len(probabilities) != len(points):
        raise ValueError(
            f"probabilities has {len(probabilities)} lists for {len(points)} images; "
            "expected one list an image."
        )
    checked = []
    for index, (chances, places) in enumerate(zip(probabilities, points, strict=True)):
        chances = np.array(chances, dtype=float)
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


def grey_range(image):
    """Return where the grey values of an image lie.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, C)
        Any real dtype; anything with a shape that gives arrays when it is sliced.

    Returns
    -------
    middle, gain : float32 ndarray of shape (C,)
        The middle between the 1st and the 99th percentile of each channel, and 2 over
        their distance. A constant channel has the gain 2. Pixels in long constant runs
        do not count, unless there are hardly others: frames, scale bars and what was
        not scanned are no specimen.
    """
    n_pixels = image.shape[0] * image.shape[1]
    step = max(1, n_pixels // MAX_SAMPLES)
    samples, counts, n_before = [], [], 0
    for band in _bands(image):
        pixels = band.reshape(-1, band.shape[2])
        part = slice(-n_before % step, None, step)
        samples.append(pixels[part].astype(np.float32))
        counts.append(~_in_constant_runs(band).ravel()[part])
        n_before += len(pixels)
    samples, counts = np.concatenate(samples), np.concatenate(counts)
    if counts.mean() > LEAST_SPECIMEN:
        samples = samples[counts]
    low, high = np.percentile(samples, (LOW, HIGH), axis=0)
    # A channel with a few bright spots on nothing has equal percentiles.
    flat = high <= low
    if flat.any():
        ends = [
            (band.min(axis=(0, 1)), band.max(axis=(0, 1))) for band in _bands(image)
        ]
        least, most = zip(*ends, strict=True)
        low = np.where(flat, np.float32(np.min(least, axis=0)), low)
        high = np.where(flat, np.float32(np.max(most, axis=0)), high)
    span = np.where(high > low, high - low, 1.0)
    middle = np.where(high > low, (high + low) / 2, low)
    return middle.astype(np.float32), (2 / span).astype(np.float32)


def _in_constant_runs(band):
    """Return which pixels (h, W) are in a row or column of many equal ones."""
    constant = np.zeros(band.shape[:2], dtype=bool)
    for axis in (0, 1):
        length = band.shape[axis]
        if length < RUN:
            continue
        lines = np.moveaxis(band, axis, 1)
        equal = (lines[:, 1:] == lines[:, :-1]).all(axis=2)
        # RUN pixels are RUN - 1 equal neighbours: twice as many in each step.
        begins, reach = equal, 1
        while reach < RUN - 1:
            step = min(reach, RUN - 1 - reach)
            begins = begins[:, :-step] & begins[:, step:]
            reach += step
        if not begins.any():
            continue
        inside, reach = np.pad(begins, ((0, 0), (RUN - 1, RUN - 1))), 1
        while reach < RUN:
            step = min(reach, RUN - reach)
            inside = inside[:, :-step] | inside[:, step:]
            reach += step
        constant |= np.moveaxis(inside, 1, axis)
    return constant


def _bands(image):
    """Yield the image in bands of rows, as arrays (h, W, C)."""
    height = max(1, BAND // image.shape[1])
    for top in range(0, image.shape[0], height):
        band = np.asarray(image[top : top + height])
        yield band[..., np.newaxis] if band.ndim == 2 else band

"""Read the next images while the ones before are worked on."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from numbers import Integral

import numpy as np

from pseudocell._validation import check_images

__all__ = ["read_ahead"]


def read_ahead(images, n_ahead=1):
    """Go through images, and read the next ones while you work on one.

    A thread reads, so that the disk and the decoder are busy while a net is. However
    many images there are, only `n_ahead` are in memory besides those that you hold.

    Parameters
    ----------
    images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
        Lazy images, such as those of `read_images`, or a sequence that reads an image
        when it is indexed, such as a zarr array of shape (n_images, H, W).
    n_ahead : int, default=1
        Number of images that are read ahead. 0 reads each when its turn comes.

    Returns
    -------
    images : iterator of array-like
        One for each image, in order, that every estimator takes. ``numpy.asarray``
        waits for its pixels, and raises what was raised when they were read, so that
        one damaged image does not end the loop.

    Raises
    ------
    ValueError
        If `images` is not a sequence of images, or `n_ahead` is negative.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell.io import read_ahead
    >>> frames = np.arange(3)[:, np.newaxis, np.newaxis] * np.ones((3, 4, 4))
    >>> [float(np.mean(frame)) for frame in read_ahead(frames)]
    [0.0, 1.0, 2.0]
    """
    if not isinstance(n_ahead, Integral) or n_ahead < 0:
        raise ValueError(f"n_ahead is {n_ahead!r}; expected an integer of at least 0.")
    return _in_order(check_images(images), n_ahead)


class _ComingImage:
    """An image that is being read, or is in memory already."""

    def __init__(self, pixels):
        self._pixels = pixels

    def __array__(self, dtype=None, copy=None):
        return np.array(self._pixels.result(), dtype=dtype, copy=copy, subok=True)


def _in_order(images, n_ahead):
    reader = ThreadPoolExecutor(1, thread_name_prefix="read_ahead")
    coming = deque()
    try:
        for index in range(len(images)):
            coming.append(_ComingImage(reader.submit(_read, images, index)))
            if len(coming) > n_ahead:
                yield coming.popleft()
        while coming:
            yield coming.popleft()
    finally:
        # After Ctrl-C nobody waits for images that nobody will look at.
        reader.shutdown(wait=False, cancel_futures=True)


def _read(images, index):
    return np.asanyarray(images[index])

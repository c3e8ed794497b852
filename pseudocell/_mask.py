"""Pixels of an image that do not count: which they are, and what stands for them."""

import numpy as np

from ._validation import row_bands

__all__ = ["Mask", "find_mask"]

# Pixels looked at for the grey value that is filled in.
MAX_SAMPLES = 250_000


class Mask:
    """The pixels of an image that do not count, a bit each.

    Parameters
    ----------
    masked : bool ndarray of shape (H, W)
        Which they are.
    pixels : array of shape (H, W) or (H, W, C)
        The image. Its median, where pixels count, is what nets see for the others:
        they are then background, whose edge is low.

    Attributes
    ----------
    shape : tuple of int
        (H, W).
    fill : ndarray of shape () or (C,)
        That median.
    """

    def __init__(self, masked, pixels):
        self.shape = masked.shape
        self._bits = np.packbits(masked, axis=1)
        samples, step, n_before = [], max(1, masked.size // MAX_SAMPLES), 0
        for rows, band in row_bands(pixels):
            counting = np.ma.getdata(band)[~masked[rows]]
            samples.append(counting[-n_before % step :: step])
            n_before += len(counting)
        self.fill = np.median(np.concatenate(samples), axis=0).astype(pixels.dtype)

    def __getitem__(self, window):
        """Return which pixels of two slices, of rows and of columns, do not count."""
        rows, cols = window
        masked = np.unpackbits(self._bits[rows], axis=1, count=self.shape[1])
        return masked[:, cols].astype(bool)

    def at(self, points):
        """Return which points, (row, col) in pixels, are on one that does not count."""
        last = np.array(self.shape) - 1
        rows, cols = np.clip(np.round(points).astype(int), 0, last).reshape(-1, 2).T
        return (self._bits[rows, cols >> 3] << (cols & 7) & 128).astype(bool)

    def resampled(self, corner, part, shape):
        """Return which pixels of a part do not count, at another size of the image.

        Parameters
        ----------
        corner, part : tuple of int
            First pixel of the part, and its height and width.
        shape : tuple of int
            (H', W') of the image at that size.

        Returns
        -------
        masked : bool ndarray of shape `part`
            Of the nearest pixel each.
        """
        rows, cols = (
            ((start + np.arange(length) + 0.5) * before / after).astype(int)
            for start, length, before, after in zip(
                corner, part, self.shape, shape, strict=True
            )
        )
        here = self[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
        return here[np.ix_(rows - rows[0], cols - cols[0])]

    def filled(self, pixels):
        """Return the pixels with the grey value for those that do not count."""
        if isinstance(pixels, np.ndarray):
            return self._filled(pixels, slice(None), slice(None))
        return _Filled(pixels, self)

    def _filled(self, pixels, rows, cols):
        masked = self[rows, cols]
        if not masked.any():
            return np.asarray(pixels)
        pixels = np.array(pixels, subok=False)
        pixels[masked] = self.fill
        return pixels


class _Filled:
    """An image on disk, filled where it is looked at."""

    def __init__(self, pixels, mask):
        self._pixels, self._mask = pixels, mask
        self.shape, self.dtype, self.ndim = pixels.shape, pixels.dtype, pixels.ndim

    def __getitem__(self, window):
        window = window if isinstance(window, tuple) else (window,)
        rows, cols, *rest = (*window, slice(None))[: max(2, len(window))]
        band = self._mask._filled(np.asarray(self._pixels[rows, cols]), rows, cols)
        return band[(slice(None), slice(None), *rest)] if rest else band

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:, :], dtype=dtype)


def find_mask(pixels, name):
    """Find the pixels of an image that do not count.

    Parameters
    ----------
    pixels : array of shape (H, W) or (H, W, C)
        Masked arrays of NumPy say which; NaN does not count either. A pixel counts if
        all its channels do.
    name : str
        Of the image, for the error message.

    Returns
    -------
    mask : Mask or None
        None if all pixels count.

    Raises
    ------
    ValueError
        If none does.
    """
    known = getattr(pixels, "_meta", pixels)  # of Dask, an empty array like its pieces
    is_masked = isinstance(known, np.ma.MaskedArray)
    if not (is_masked or np.issubdtype(pixels.dtype, np.floating)):
        return None
    bands = [_masked(band) for _, band in row_bands(pixels)]
    if not any(band.any() for band in bands):
        return None
    masked = np.concatenate(bands)
    if masked.all():
        raise ValueError(
            f"{name} has no pixel that counts: all are masked or NaN. Is the mask the "
            "wrong way round? In a mask file 0 does not count, in a masked array of "
            "NumPy True does not."
        )
    return Mask(masked, pixels)


def _masked(band):
    masked = np.ma.getmaskarray(band)
    if np.issubdtype(band.dtype, np.floating):
        masked = masked | np.isnan(np.ma.getdata(band))
    return masked.any(axis=2) if masked.ndim == 3 else masked

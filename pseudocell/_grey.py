"""The grey range of an image: where the values of its specimen lie."""

import numpy as np

from ._validation import row_bands

__all__ = ["grey_range"]

# Percentiles that are mapped to -1 and 1: robust against dead and hot pixels.
LOW, HIGH = 1.0, 99.0
# Pixels looked at for the percentiles; more change the third digit only.
MAX_SAMPLES = 250_000
# So many equal pixels in a row or column are no picture of anything. In real images of
# 8 bits some smooth background is left out by that, too: it has company.
RUN = 16
# Share of the pixels below which the constant ones are the image.
LEAST_SPECIMEN = 0.05


def grey_range(image, mask=None):
    """Return where the grey values of an image lie.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, C)
        Any real dtype; anything with a shape that gives arrays when it is sliced.
    mask : Mask, optional
        Pixels that do not count.

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
    for rows, band in _bands(image):
        pixels, runs = band.reshape(-1, band.shape[2]), _in_constant_runs(band).ravel()
        part = slice(-n_before % step, None, step)
        n_before += len(pixels)
        pixels, counting = pixels[part].astype(np.float32), ~runs[part]
        if mask is not None:
            inside = ~mask[rows, :].ravel()[part]
            pixels, counting = pixels[inside], counting[inside]
        samples.append(pixels)
        counts.append(counting)
    samples, counts = np.concatenate(samples), np.concatenate(counts)
    if counts.mean() > LEAST_SPECIMEN:
        samples = samples[counts]
    low, high = np.percentile(samples, (LOW, HIGH), axis=0)
    # A channel with a few bright spots on nothing has equal percentiles.
    flat = high <= low
    if flat.any():
        ends = [
            (band.min(axis=(0, 1)), band.max(axis=(0, 1))) for _, band in _bands(image)
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
    """Yield the image in bands of rows, and them as arrays (h, W, C)."""
    for rows, band in row_bands(image):
        yield rows, band[..., np.newaxis] if band.ndim == 2 else band

"""Cell radius: estimate it, work at a nominal cell size and come back to pixels."""

import numpy as np
from skimage.transform import resize

__all__ = [
    "nominal_shape",
    "normalise_image",
    "points_from_nominal",
    "points_to_nominal",
    "to_nominal",
]

# Percentiles that are mapped to -1 and 1: robust against dead and hot pixels.
LOW, HIGH = 1.0, 99.0
# Pixels looked at for the percentiles; more change the third digit only.
MAX_SAMPLES = 250_000


def normalise_image(image):
    """Map the grey values of an image to a common range, whatever the camera.

    The 1st and the 99th percentile of each channel go to -1 and 1; beyond them
    values are compressed smoothly, so that a saturated speck in a 16-bit image
    does not dwarf the cells.

    Parameters
    ----------
    image : ndarray of shape (H, W) or (H, W, C)
        Any real dtype.

    Returns
    -------
    normalised : float32 ndarray of shape (H, W, C)
        A constant channel gives zeros.
    """
    image = np.asarray(image)
    if image.ndim == 2:
        image = image[..., np.newaxis]
    image = image.astype(np.float32)
    pixels = image.reshape(-1, image.shape[2])
    pixels = pixels[:: max(1, len(pixels) // MAX_SAMPLES)]
    low, high = np.percentile(pixels, (LOW, HIGH), axis=0)
    # A channel with a few bright spots on nothing has equal percentiles.
    flat = high <= low
    low = np.where(flat, image.min(axis=(0, 1)), low)
    high = np.where(flat, image.max(axis=(0, 1)), high)
    span = np.where(high > low, high - low, 1.0)
    middle = np.where(high > low, (high + low) / 2, low)
    scaled = (image - middle.astype(np.float32)) * (2 / span).astype(np.float32)
    beyond = np.abs(scaled) > 1
    scaled[beyond] = np.sign(scaled[beyond]) * (1 + np.log(np.abs(scaled[beyond])))
    return scaled


def nominal_shape(shape, scale):
    """Return the height and width of an image after resampling by `scale`."""
    return tuple(max(1, round(length * scale)) for length in shape[:2])


def to_nominal(image, scale):
    """Resample an image so that its cells have the nominal radius.

    Parameters
    ----------
    image : float32 ndarray of shape (H, W, C)
        The image.
    scale : float
        Nominal radius over the cell radius in pixels.

    Returns
    -------
    resampled : float32 ndarray of shape (H', W', C)
        Low-pass filtered first when it becomes smaller.
    """
    shape = nominal_shape(image.shape, scale)
    if shape == image.shape[:2]:
        return image
    return resize(
        image,
        (*shape, image.shape[2]),
        order=1,
        mode="reflect",
        anti_aliasing=scale < 1,
    ).astype(np.float32, copy=False)


def points_to_nominal(points, shape, scale):
    """Map points in pixels of an image to the resampled image.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
        (row, col) in pixels of the image.
    shape : tuple of int
        Shape of the image, (H, W) or (H, W, C).
    scale : float
        The scale given to `to_nominal`.

    Returns
    -------
    points : ndarray of shape (n, 2)
        (row, col) in pixels of the resampled image.
    """
    return (np.asarray(points, dtype=float) + 0.5) * _ratio(shape, scale) - 0.5


def points_from_nominal(points, shape, scale):
    """Map points in the resampled image back to pixels of the image.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
        (row, col) in pixels of the resampled image.
    shape : tuple of int
        Shape of the image, (H, W) or (H, W, C).
    scale : float
        The scale given to `to_nominal`.

    Returns
    -------
    points : ndarray of shape (n, 2)
        (row, col) in pixels of the image.
    """
    return (np.asarray(points, dtype=float) + 0.5) / _ratio(shape, scale) - 0.5


def _ratio(shape, scale):
    # The true ratio of the sizes: rounding them makes it differ from `scale`.
    return np.array(nominal_shape(shape, scale)) / np.array(shape[:2])

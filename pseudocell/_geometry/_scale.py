"""Grey values and cells of any size to nominal ones, and points there and back."""

import numpy as np
from scipy import sparse

from .._images import measure

__all__ = [
    "NominalImage",
    "nominal_shape",
    "normalise_image",
    "points_from_nominal",
    "points_to_nominal",
    "to_nominal",
]

# Pixels of the image that are looked at in one go.
BAND = 8_000_000
# Standard deviations at which the low-pass filter ends.
TRUNCATE = 4.0


class NominalImage:
    """An image with nominal grey values and cells, computed where it is looked at.

    A window of it is the window of ``to_nominal(normalise_image(image), scale)``, to
    the last bit, and costs no more memory and work than its own pixels. Only the
    percentiles of the grey values are computed beforehand.

    Parameters
    ----------
    image : Image or array-like of shape (H, W) or (H, W, C)
        Any real dtype; anything with a shape that gives arrays when it is sliced.
    scale : float
        Nominal radius over the cell radius in pixels.

    Attributes
    ----------
    shape : tuple of int
        (H', W', C).
    ndim : int
        3.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell._geometry._scale import NominalImage
    >>> image = NominalImage(np.arange(2400).reshape(40, 60), 0.5)
    >>> image.shape
    (20, 30, 1)
    >>> image[3:7, :10].shape
    (4, 10, 1)
    """

    ndim = 3

    def __init__(self, image, scale):
        self.image, self.grey = measure(image)
        self.mask = getattr(image, "mask", None)
        self.scale = scale
        self.filters = _filters(image.shape, scale)
        self.shape = (*nominal_shape(image.shape, scale), len(self.grey[0]))

    def __getitem__(self, window):
        """Return float32 (h, w, C) of two slices, of rows and of columns."""
        (top, bottom, _), (left, right, _) = (
            part.indices(length)
            for part, length in zip(window, self.shape, strict=False)
        )
        # Bands keep cells that are much larger than the nominal ones in bounds.
        height = max(8, int(BAND * self.scale**2 / (right - left)))
        bands = [
            self._compute(slice(start, min(start + height, bottom)), slice(left, right))
            for start in range(top, bottom, height)
        ]
        return bands[0] if len(bands) == 1 else np.concatenate(bands)

    def keep_counting(self, points, values):
        """Leave out points, at the nominal size, on pixels that do not count."""
        if self.mask is None:
            return points, values
        there = points_from_nominal(points, self.mask.shape, self.scale)
        counts = ~self.mask.at(there)
        return points[counts], values[counts]

    def _compute(self, rows, cols):
        row_filter, rows = _cut(self.filters[0], rows)
        col_filter, cols = _cut(self.filters[1], cols)
        pixels = _stretch(_with_channels(self.image[rows, cols]), *self.grey)
        return _resample(pixels, row_filter, col_filter)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:, :], dtype=dtype)


def normalise_image(image):
    """Map the grey values of an image to a common range, whatever the camera.

    The 1st and the 99th percentile of each channel go to -1 and 1; beyond them
    values are compressed smoothly, so that a saturated speck in a 16-bit image
    does not dwarf the cells.

    Parameters
    ----------
    image : Image or array-like of shape (H, W) or (H, W, C)
        Any real dtype.

    Returns
    -------
    normalised : float32 ndarray of shape (H, W, C)
        A constant channel gives zeros.
    """
    pixels, grey = measure(image)
    return _stretch(_with_channels(pixels), *grey)


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
    return _resample(image, *_filters(image.shape, scale))


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


def _with_channels(image):
    image = np.asarray(image)
    return image[..., np.newaxis] if image.ndim == 2 else image


def _stretch(pixels, middle, gain):
    """Map grey values to [-1, 1] and compress them beyond."""
    scaled = (pixels.astype(np.float32) - middle) * gain
    beyond = np.abs(scaled) > 1
    outer = scaled[beyond]
    scaled[beyond] = np.sign(outer) * (1 + np.log(np.abs(outer)))
    return scaled


def _filters(shape, scale):
    """Return the resampling of rows and of columns; None leaves them as they are."""
    return [
        None if before == after else _resampling(before, after, low_pass=scale < 1)
        for before, after in zip(shape[:2], nominal_shape(shape, scale), strict=True)
    ]


def _resampling(before, after, low_pass):
    """Return the matrix that makes a row of `before` pixels one of `after` pixels.

    Linear interpolation between pixel centres, of pixels that a Gaussian has filtered
    if there are fewer afterwards; its width of (factor - 1) / 2 is that of
    `skimage.transform.resize`. The image is reflected about its outer pixels.
    """
    factor = before / after
    place = (np.arange(after) + 0.5) * factor - 0.5
    left = np.floor(place).astype(int)
    share = place - left
    sigma = max(0.0, (factor - 1) / 2) if low_pass else 0.0
    reach = int(TRUNCATE * sigma + 0.5)
    offsets = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (offsets / sigma) ** 2) if reach else np.ones(1)
    kernel /= kernel.sum()
    taps = [(left, 1 - share), (left + 1, share)]
    cols = np.concatenate([tap[:, np.newaxis] + offsets for tap, _ in taps], axis=1)
    weights = np.concatenate(
        [weight[:, np.newaxis] * kernel for _, weight in taps], axis=1
    )
    rows = np.repeat(np.arange(after), cols.shape[1])
    entries = weights.ravel(), (rows, _reflect(cols.ravel(), before))
    # Sums the entries of the same pixel, and sorts: sums are always made in one order.
    matrix = sparse.coo_matrix(entries, (after, before)).tocsr()
    return matrix.astype(np.float32)


def _reflect(index, length):
    """Fold any index into 0 .. length - 1 about the outer pixels."""
    index = np.abs(index) % max(1, 2 * (length - 1))
    return np.minimum(index, 2 * (length - 1) - index)


def _cut(matrix, part):
    """Return the rows of a resampling, on the pixels that they take, and these."""
    if matrix is None:
        return None, part
    matrix = matrix[part]
    taken = slice(matrix.indices.min(), matrix.indices.max() + 1)
    return matrix[:, taken], taken


def _resample(image, row_filter, col_filter):
    """Apply a resampling to the rows and one to the columns."""
    for matrix in (row_filter, col_filter):
        # What was rows becomes columns, and comes back in the second round.
        if matrix is not None:
            rest = image.shape[1:]
            image = (matrix @ image.reshape(len(image), -1)).reshape(-1, *rest)
        image = np.swapaxes(image, 0, 1)
    return image

"""Square patches around points of an image."""

import numpy as np

__all__ = ["cut_patches"]


def cut_patches(image, points, size):
    """Cut one square patch around each point.

    A point falls on the centre pixel of its patch. Fractions are rounded to the nearest
    pixel and a half is rounded up, as pixel ``k`` covers ``k - 0.5 <= x < k + 0.5``;
    so a shift of image and points by whole pixels leaves the patches as they are, which
    rounding half to even does not. Beyond the border the image is reflected without
    repeating the border pixel, as often as it takes: the patch may be larger than the
    image.

    Parameters
    ----------
    image : ndarray of shape (H, W) or (H, W, C)
        One image with at least one pixel; not modified.
    points : ndarray of shape (n, 2)
        Centres as (row, col) in pixels; an integer is the centre of a pixel.
    size : int
        Side of a patch in pixels, odd.

    Returns
    -------
    ndarray of shape (n, size, size) or (n, size, size, C), float32
        The patches in the order of the points.

    Raises
    ------
    ValueError
        If `size` is not an odd number of at least 1.

    Examples
    --------
    The corner of an image, reflected:

    >>> import numpy as np
    >>> from pseudocell._geometry._patches import cut_patches
    >>> image = np.arange(12).reshape(3, 4)
    >>> image
    array([[ 0,  1,  2,  3],
           [ 4,  5,  6,  7],
           [ 8,  9, 10, 11]])
    >>> cut_patches(image, np.array([[0, 0]]), size=3)[0]
    array([[5., 4., 5.],
           [1., 0., 1.],
           [5., 4., 5.]], dtype=float32)
    """
    if size < 1 or size % 2 != 1:
        raise ValueError(
            f"size is {size!r}; expected an odd number of pixels, so that the point "
            "falls on the centre pixel."
        )
    offsets = np.arange(size) - size // 2
    pixels = np.floor(np.asarray(points, dtype=float) + 0.5).astype(np.intp)
    pixels = pixels.reshape(-1, 2)
    rows = _reflect(pixels[:, :1] + offsets, image.shape[0])
    cols = _reflect(pixels[:, 1:] + offsets, image.shape[1])
    patches = image[rows[:, :, np.newaxis], cols[:, np.newaxis, :]]
    return patches.astype(np.float32, copy=False)


def _reflect(index, length):
    """Fold any index into 0 .. length - 1, like numpy.pad(mode="reflect")."""
    if length == 1:
        return np.zeros_like(index)
    period = 2 * (length - 1)
    index = index % period
    return np.minimum(index, period - index)

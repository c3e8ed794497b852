"""Large image -> overlapping tiles -> one result, in bounded memory."""

import numpy as np

__all__ = ["apply_in_window", "cut_windows", "map_tiles"]

# Largest height and width of a tile without its halo, in pixels. With the halo of the
# default net, 16 maps of 720 x 720 pixels are just below 32 MiB: the memory of larger
# arrays goes back to the system at once, and to get it anew costs more than the halo.
TILE = 592


def map_tiles(function, image, *, stride, reach, tile=TILE):
    """Apply a function to an image tile by tile, as if it had been applied at once.

    Parameters
    ----------
    function : callable
        Takes float32 (C, h, w), with h and w multiples of `stride`, and returns
        (h, w).
    image : float32 array-like of shape (H, W, C)
        The image; anything with a shape of which two slices give an array.
    stride : int
        Tiles begin at multiples of it.
    reach : int
        No input farther away than this changes an output, in pixels. Every tile is
        extended by it.
    tile : int, default=592
        Largest height and width of a tile without its halo, in pixels.

    Returns
    -------
    result : float32 ndarray of shape (H, W)
        The result.
    """
    result = np.empty(image.shape[:2], dtype=np.float32)
    for window in cut_windows(result.shape, tile):
        result[window] = apply_in_window(
            function, image, window, stride=stride, reach=reach
        )
    return result


def cut_windows(shape, tile=TILE):
    """Cut an image into windows of about the same size.

    Parameters
    ----------
    shape : tuple of int
        (H, W) of the image.
    tile : int, default=592
        Largest height and width of a window, in pixels.

    Returns
    -------
    windows : list of (slice, slice)
        Rows and columns; each pixel is in one of them.
    """
    rows, cols = (
        [
            slice(part[0], part[-1] + 1)
            for part in np.array_split(range(length), -(-length // tile))
        ]
        for length in shape
    )
    return [(row, col) for row in rows for col in cols]


def apply_in_window(function, image, window, *, stride, reach):
    """Return a window of what a function makes of a whole image.

    Parameters
    ----------
    function, image, stride, reach
        As for `map_tiles`.
    window : (slice, slice)
        Rows and columns.

    Returns
    -------
    result : float32 ndarray of shape (..., h, w)
        What the function returns for the image, in the window. The image is reflected
        at the bottom and on the right up to a multiple of the stride.
    """
    needed, inner = [], []
    for part, length in zip(window, image.shape, strict=False):
        start = max(0, (part.start - reach) // stride * stride)
        stop = -(-min(part.stop + reach, length) // stride) * stride
        needed.append(np.arange(start, stop))
        inner.append(slice(part.start - start, part.stop - start))
    tile = np.moveaxis(_read(image, *needed), 2, 0)
    return function(tile)[(..., *inner)]


def _read(image, rows, cols):
    """Return rows and columns of an image, reflected beyond its end."""
    height, width = image.shape[:2]
    if rows[-1] < height and cols[-1] < width:
        return image[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    rows, cols = _fold(rows, height), _fold(cols, width)
    top, left = rows.min(), cols.min()
    part = image[top : rows.max() + 1, left : cols.max() + 1]
    return part[np.ix_(rows - top, cols - left)]


def _fold(index, length):
    """Fold an index into 0 .. length - 1, like numpy.pad(mode="symmetric")."""
    index = index % (2 * length)
    return np.minimum(index, 2 * length - 1 - index)

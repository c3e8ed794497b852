"""Large image -> overlapping tiles -> one result, in bounded memory."""

import numpy as np

__all__ = ["map_tiles"]


def map_tiles(function, image, *, stride, halo, tile=1024):
    """Apply a function to an image tile by tile, as if it had been applied at once.

    Parameters
    ----------
    function : callable
        Takes float32 (C, h, w), with h and w multiples of `stride`, and returns
        (h, w).
    image : float32 ndarray of shape (H, W, C)
        The image.
    stride : int
        Tiles begin at multiples of it.
    halo : int
        Reach of the function in pixels: no input farther away than this changes
        an output. Every tile is extended by it.
    tile : int, default=1024
        Largest height and width of a tile without its halo, in pixels.

    Returns
    -------
    result : float32 ndarray of shape (H, W)
        The result.
    """
    height, width = image.shape[:2]
    bottom, right = (-height % stride, -width % stride)
    padded = np.pad(image, ((0, bottom), (0, right), (0, 0)), mode="symmetric")
    padded = np.moveaxis(padded, 2, 0)
    result = np.empty(padded.shape[1:], dtype=np.float32)
    tile = max(stride, tile // stride * stride)
    halo = -(-halo // stride) * stride
    for top in range(0, result.shape[0], tile):
        for left in range(0, result.shape[1], tile):
            core = (
                (top, min(top + tile, result.shape[0])),
                (
                    left,
                    min(left + tile, result.shape[1]),
                ),
            )
            outer = [
                (max(0, start - halo), min(length, stop + halo))
                for (start, stop), length in zip(core, result.shape, strict=True)
            ]
            value = function(padded[:, slice(*outer[0]), slice(*outer[1])])
            inner = tuple(
                slice(start - begin, stop - begin)
                for (start, stop), (begin, _) in zip(core, outer, strict=True)
            )
            result[slice(*core[0]), slice(*core[1])] = value[inner]
    return result[:height, :width]

"""A pick: the pixels of a file that make one image, upright and with its mask."""

from dataclasses import dataclass
from functools import reduce

import numpy as np

__all__ = ["PROJECTIONS", "Pick", "spread", "upright"]

PROJECTIONS = {"max": np.maximum, "mean": np.add}


@dataclass(frozen=True)
class Pick:
    """What to read for one image, and how to put it together."""

    parts: tuple
    axes: str
    projection: str | None
    channels: tuple | None
    orientation: int
    n_alpha: int = 0

    def read(self, path):
        """Read the image: (H, W), or (H, W, C) with several channels.

        It is a masked array if pixels are transparent.
        """
        planes = (part.read(path) for part in self.parts)
        if self.projection == "mean":
            planes = (plane.astype(np.float32) for plane in planes)
        image = (
            reduce(PROJECTIONS.get(self.projection), planes)
            if (len(self.parts) > 1)
            else next(planes)
        )
        if self.projection == "mean":
            image = image.astype(np.float32) / np.float32(len(self.parts))
        if self.axes != "YX":
            order = [self.axes.index(axis) for axis in "YXCS" if axis in self.axes]
            image = image.transpose(order)
            image = image.reshape(*image.shape[:2], -1)
            clear = _transparent(image[..., -1]) if self.n_alpha else None
            if self.channels is not None:
                image = image[..., list(self.channels)]
            image = image[..., 0] if image.shape[2] == 1 else image
            if clear is not None:
                image = np.ma.masked_array(image, spread(clear, image.shape))
        return upright(image, self.orientation)


def _transparent(alpha):
    """Return where an image is transparent, None if nowhere or if that is no alpha.

    A fourth channel of a microscope may be marked as alpha. Alpha is 0 or full, but at
    soft edges; if it is 0 throughout, the program that wrote it did not mean it.
    """
    clear, full = (
        alpha == 0,
        np.iinfo(alpha.dtype).max if alpha.dtype.kind == "u" else 1,
    )
    n_clear, n_full = np.count_nonzero(clear), np.count_nonzero(alpha == full)
    return clear if n_clear and n_full > (alpha.size - n_clear) / 2 else None


def spread(mask, shape):
    """Return a mask (H, W) for all channels of an image."""
    return np.broadcast_to(mask.reshape(mask.shape + (1,) * (len(shape) - 2)), shape)


def upright(image, orientation):
    """Turn an image as TIFF and EXIF say (TIFF 6.0, Orientation)."""
    if orientation in (5, 6, 7, 8):
        image = np.swapaxes(image, 0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return image if orientation == 1 else image.copy()

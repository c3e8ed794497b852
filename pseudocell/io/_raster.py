"""PNG and JPEG files: what is in them, without reading the pixels, and the pixels."""

from contextlib import contextmanager

import imagecodecs
import numpy as np
from PIL import Image

__all__ = ["describe_raster", "read_raster"]

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Channels without alpha for each PNG colour type (PNG specification, table 11.1).
PNG_CHANNELS = {0: 1, 2: 3, 4: 1, 6: 3}
# Pillow's modes of one channel that are read as they are.
GREY_MODES = {"L": np.uint8, "I;16": np.uint16, "I": np.int32, "F": np.float32}


def describe_raster(path):
    """Read shape and dtype of a PNG or JPEG file from its header.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    shape : tuple of int
        (H, W) or (H, W, 3); alpha does not count, a palette counts as its colours.
    dtype : numpy.dtype
        Type of the pixels.

    Raises
    ------
    OSError
        If the file is truncated or damaged. The pixels are decoded only if its last
        bytes are not those of a complete file.
    """
    if not _has_end(path):
        read_raster(path)
    deep = _deep_png_channels(path)
    with _any_size(), Image.open(path) as image:
        width, height = image.size
        mode = image.mode if deep else _target_mode(image)
    channels = deep or (1 if mode in GREY_MODES else 3)
    dtype = np.uint16 if deep else GREY_MODES.get(mode, np.uint8)
    shape = (height, width) if channels == 1 else (height, width, channels)
    return shape, np.dtype(dtype)


def read_raster(path):
    """Read the pixels of a PNG or JPEG file.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    image : ndarray of shape (H, W) or (H, W, 3)
        8-bit values as 8 bit and 16-bit values as 16 bit, alpha dropped, a palette
        expanded to its colours.
    """
    channels = _deep_png_channels(path)
    if channels:
        # Pillow would cut 16-bit colour down to 8 bit.
        with open(path, "rb") as file:
            image = imagecodecs.png_decode(file.read())
        return image if image.ndim == 2 else np.squeeze(image[..., :channels])
    with _any_size(), Image.open(path) as image:
        mode = _target_mode(image)
        if image.mode == "P":  # by way of RGBA, because a palette may hold alpha
            image = image.convert("RGBA")
        return np.array(image if image.mode == mode else image.convert(mode))


def _has_end(path):
    """Tell whether a file ends as its format wants; a few complete ones do not."""
    with open(path, "rb") as file:
        is_png = file.read(8) == PNG_SIGNATURE
        size = file.seek(0, 2)
        file.seek(max(0, size - 12))
        end = file.read()
    return end[4:8] == b"IEND" if is_png else end.endswith(b"\xff\xd9")


def _deep_png_channels(path):
    """Channels without alpha of a PNG of 16 bits a channel, 0 for other files."""
    with open(path, "rb") as file:
        header = file.read(26)
    if not header.startswith(PNG_SIGNATURE) or len(header) < 26 or header[24] != 16:
        return 0
    return PNG_CHANNELS[header[25]]


def _target_mode(image):
    if image.mode in GREY_MODES:
        return image.mode
    if image.mode in ("1", "LA", "La") or (
        image.mode in ("P", "PA") and _is_grey_palette(image)
    ):
        return "L"
    return "RGB"


def _is_grey_palette(image):
    colours = np.reshape(image.getpalette("RGB"), (-1, 3))
    return (colours == colours[:, :1]).all()


@contextmanager
def _any_size():
    """Let Pillow open images of any size: microscope mosaics are large."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit

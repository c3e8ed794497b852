"""PNG, JPEG, BMP and JPEG 2000 files: their header as a scene, and the pixels."""

import os
from contextlib import contextmanager
from dataclasses import dataclass

import imagecodecs
import numpy as np
from PIL import Image

from pseudocell.io._pixel_size import from_dots
from pseudocell.io._scene import Scene, check_memory

__all__ = ["describe_raster", "read_raster"]

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG2000_SIGNATURES = (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")
SIZE_MARKER = b"\xff\x4f\xff\x51"
HEAD = 4096
# Channels without alpha for each PNG colour type (PNG specification, table 11.1).
PNG_CHANNELS = {0: 1, 2: 3, 4: 1, 6: 3}
PNG_ALPHA = (4, 6)
# Pillow's modes of one channel that are read as they are.
GREY_MODES = {"L": np.uint8, "I;16": np.uint16, "I": np.int32, "F": np.float32}
# How complete files of a format end.
ENDS = {"JPEG": b"\xff\xd9", "JPEG2000": b"\xff\xd9"}
ORIENTATION = 0x0112  # EXIF
INCH = 25400.0


def describe_raster(path):
    """Read from the header of a file what it holds.

    Parameters
    ----------
    path : str
        A PNG, JPEG, BMP or JPEG 2000 file.

    Returns
    -------
    scenes : list of Scene
        The one: alpha comes last, a palette counts as its colours.

    Raises
    ------
    OSError
        If the file is truncated or damaged. The pixels are decoded only if its last
        bytes are not those of a complete file.
    """
    deep, n_alpha = _deep_channels(path)
    with _any_size(), Image.open(path) as image:
        width, height = image.size
        mode = image.mode if deep else _target_mode(image)
        n_alpha = n_alpha if deep else int(mode.endswith("A"))
        orientation = _orientation(image)
        dots = image.info.get("dpi", (0, 0))
        kind = image.format
        n_frames = 1 if kind == "MPO" else getattr(image, "n_frames", 1)
    channels = deep or (1 if mode in GREY_MODES or mode == "LA" else 3)
    channels += n_alpha
    dtype = np.uint16 if deep else GREY_MODES.get(mode, np.uint8)
    scene = Scene(
        axes="YX" if channels == 1 else "YXS",
        shape=(height, width) if channels == 1 else (height, width, channels),
        dtype=np.dtype(dtype),
        locate=_Locator(),
        kind=kind,
        n_alpha=n_alpha,
        orientation=orientation,
        pixel_size=from_dots(*map(float, dots), INCH),
        notes=(f"only the first of its {n_frames} pictures is read",) * (n_frames > 1),
    )
    if not _has_end(path, kind):
        scene = _checked(scene, path)
    return [scene]


def read_raster(path):
    """Read the pixels of a file.

    Parameters
    ----------
    path : str
        A PNG, JPEG, BMP or JPEG 2000 file.

    Returns
    -------
    image : ndarray of shape (H, W) or (H, W, 3)
        As they are stored, not turned. 8-bit values as 8 bit and 16-bit values as
        16 bit, alpha last, a palette expanded to its colours.
    """
    if _deep_channels(path)[0]:
        # Pillow would cut 16-bit colour down to 8 bit.
        with open(path, "rb") as file:
            return imagecodecs.imread(file.read(), codec=["png", "jpeg2k"])
    with _any_size(), Image.open(path) as image:
        mode = _target_mode(image)
        if image.mode == "P" or mode.endswith("A"):  # a palette may hold alpha
            image = image.convert("RGBA")
        return np.array(image if image.mode == mode else image.convert(mode))


@dataclass(frozen=True)
class _Locator:
    index: tuple = ()

    def __call__(self, index):
        return _Locator(index)

    def read(self, path):
        return read_raster(path)[self.index]


def _has_end(path, kind):
    """Tell whether a file ends as its format wants; a few complete ones do not."""
    with open(path, "rb") as file:
        head = file.read(8)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 12))
        end = file.read()
    if kind == "PNG":
        return end[4:8] == b"IEND"
    if kind == "BMP":
        return int.from_bytes(head[2:6], "little") == size
    return end.endswith(ENDS.get(kind, b"\xff\xd9"))


def _checked(scene, path):
    check_memory(scene.shape, scene.dtype, os.path.getsize(path))
    pixels = read_raster(path)
    if pixels.shape != scene.shape:
        raise ValueError(
            f"its pixels have the shape {pixels.shape}, its header says {scene.shape}"
        )
    return scene


def _orientation(image):
    """How the camera was held, by what stands before the pixels."""
    # In a PNG Pillow would go through all the pixels to look behind them.
    is_known = image.format != "PNG" or {"exif", "Raw profile type exif"} & set(
        image.info
    )
    orientation = image.getexif().get(ORIENTATION, 1) if is_known else 1
    return orientation if orientation in range(1, 9) else 1


def _deep_channels(path):
    """Channels, and of alpha, of PNG and JPEG 2000 of 9 to 16 bits; 0 for others."""
    with open(path, "rb") as file:
        header = file.read(HEAD)
    size = header.find(SIZE_MARKER)
    if size >= 0 and header.startswith(JPEG2000_SIGNATURES):
        n_channels, bits = header[size + 41 : size + 43]
        # Components and bits of the first (ISO/IEC 15444-1, the size marker).
        if bits & 0x7F < 8:
            return 0, 0
        return (0, 1, 1, 3, 3)[min(n_channels, 4)], int(n_channels in (2, 4))
    if not header.startswith(PNG_SIGNATURE) or len(header) < 26 or header[24] != 16:
        return 0, 0
    return PNG_CHANNELS[header[25]], int(header[25] in PNG_ALPHA)


def _target_mode(image):
    if image.mode in GREY_MODES and not image.has_transparency_data:
        return image.mode
    mode = "RGB"
    if image.mode in ("1", "L", "LA", "La") or (
        image.mode in ("P", "PA") and _is_grey_palette(image)
    ):
        mode = "L"
    return mode + "A" * image.has_transparency_data


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

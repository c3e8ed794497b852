"""TIFF files: which images are in them, without reading the pixels, and the pixels."""

import logging
import os
import struct
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import tifffile

__all__ = ["TiffContents", "describe_tiff", "read_tiff"]

PALETTE = tifffile.PHOTOMETRIC.PALETTE
# TIFF 6.0, ExtraSamples: associated and unassociated alpha.
ALPHA_SAMPLES = (1, 2)
# Places and sizes of the pixels, description, colour map, and ImageJ's metadata.
NEEDED_TAGS = (258, 270, 273, 279, 320, 324, 325, 50838, 50839)
# Bytes of a value of each type of tag, 0 for types that do not exist.
VALUE_SIZES = np.array([0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8])
TRUNCATED = "the file is truncated"


@dataclass(frozen=True)
class TiffContents:
    """The images of a TIFF file, without their pixels.

    Attributes
    ----------
    frames : list of tuple of int
        For each frame, where the pages of its channels are in the file.
    is_block : bool
        True if the pages are places of plain numbers, False if of page tags.
    is_stack : bool
        False for one image without an axis of frames.
    shape : tuple of int
        Shape of each image, (H, W) or (H, W, C), alpha not counted.
    dtype : numpy.dtype
        Type of the pixels.
    n_skipped : int
        Number of images in the file that do not belong to the first series;
        lower resolutions do not count.
    """

    frames: list
    is_block: bool
    is_stack: bool
    shape: tuple
    dtype: np.dtype
    n_skipped: int


def describe_tiff(path):
    """Read from its tags which images a TIFF file holds.

    The first series of the file counts. Along its axes, C and S are channels, Y and
    X the image, and every other one (T, Z, pages without a name) counts frames.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    contents : TiffContents
        Its images.

    Raises
    ------
    ValueError
        If the file is truncated or its axes are not those of images.
    """
    _check_chain(path)
    with _opened(path) as tif:
        series = tif.series[0]
        _check_data(tif, series)
        page = series.keyframe
        grid = _page_grid(series)
        n_channels = grid.shape[1] * _n_channels(page)
        sizes = dict(zip(page.axes, page.shape, strict=True))
        others = [one for one in tif.series[1:] if not one.keyframe.is_reduced]
        is_byte = page.dtype == bool or page.photometric == PALETTE
        return TiffContents(
            frames=_page_places(series, grid),
            is_block=series.dataoffset is not None,
            is_stack=not set(series.axes) <= set("CSYX"),
            shape=(sizes["Y"], sizes["X"]) + (n_channels,) * (n_channels > 1),
            dtype=np.dtype(np.uint8) if is_byte else page.dtype,
            n_skipped=sum(len(one.pages) for one in others),
        )


def read_tiff(path, places, is_block):
    """Read one image of a TIFF file.

    Parameters
    ----------
    path : str
        The file.
    places : tuple of int
        Item of `TiffContents.frames`. Going there directly makes reading a long
        stack frame by frame linear in its length.
    is_block : bool
        The attribute of `TiffContents`.

    Returns
    -------
    image : ndarray of shape (H, W) or (H, W, C)
        Channels last, alpha dropped, a palette expanded to its colours.
    """
    with _opened(path) as tif:
        read = _read_block if is_block else _read_page
        channels = [read(tif, place) for place in places]
    image = channels[0] if len(channels) == 1 else np.dstack(channels)
    return image.astype(np.uint8) if image.dtype == bool else image


def _check_chain(path):
    """Follow the offsets from page to page (TIFF 6.0, section 2, and BigTIFF).

    Readers take a chain that breaks for one that ends, and a description that is cut
    off for none, and then lose frames or mistake their axes silently.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        order = "<" if file.read(2) == b"II" else ">"
        is_big = struct.unpack(order + "H", file.read(2))[0] == 43
        count_format, place_format = "QQ" if is_big else "HI"
        tag_type = _tag_type(order, order + place_format)
        file.seek(8 if is_big else 4)
        seen = set()
        try:
            (place,) = _unpack(file, order + place_format)
            while place and place not in seen:
                seen.add(place)
                file.seek(place)
                (n_tags,) = _unpack(file, order + count_format)
                tags = np.frombuffer(file.read(n_tags * tag_type.itemsize), tag_type)
                (place,) = _unpack(file, order + place_format)
                if _tags_end(tags) > size:
                    raise ValueError(TRUNCATED)
        except struct.error as error:
            raise ValueError(TRUNCATED) from error
        if not seen:
            raise ValueError(TRUNCATED)


def _unpack(file, form):
    return struct.unpack(form, file.read(struct.calcsize(form)))


def _tag_type(order, place_format):
    short, place = np.dtype(order + "u2"), np.dtype(place_format)
    return np.dtype(
        [("code", short), ("type", short), ("count", place), ("place", place)]
    )


def _tags_end(tags):
    """Return where the values of the tags end that are not in the table itself."""
    tags = tags[np.isin(tags["code"], NEEDED_TAGS)]
    n_bytes = tags["count"].astype(float) * VALUE_SIZES[np.minimum(tags["type"], 18)]
    outside = n_bytes > tags.dtype["place"].itemsize
    return (tags["place"] + n_bytes)[outside].max(initial=0)


def _check_data(tif, series):
    """Check that the pixels that the tags promise lie within the file."""
    size = tif.filehandle.size
    if series.dataoffset is not None:
        end = series.dataoffset + series.nbytes
    else:
        if any(page is None or page.parent is not tif for page in series.pages):
            raise ValueError("its frames are spread over several files")
        end = max(
            offset + count
            for page in series.pages
            for offset, count in zip(
                page.dataoffsets, page.databytecounts, strict=False
            )
        )
    if end > size:
        raise ValueError(TRUNCATED)


def _page_grid(series):
    """Index of the page of each frame and channel, of shape (frames, channels)."""
    page_axes = series.keyframe.axes
    leading = series.axes[: len(series.axes) - len(page_axes)]
    if set(page_axes) - set("SYX") or not set("YX") <= set(page_axes):
        raise ValueError(f"its pages have the axes {page_axes}; expected Y and X")
    sizes = series.shape[: len(leading)]
    grid = np.arange(int(np.prod(sizes))).reshape(sizes)
    channel_axes = [axis for axis, name in enumerate(leading) if name == "C"]
    grid = np.moveaxis(grid, channel_axes, range(-len(channel_axes), 0))
    n_channels = int(np.prod([sizes[axis] for axis in channel_axes]))
    return grid.reshape(-1, n_channels)


def _page_places(series, grid):
    if series.dataoffset is not None:
        # One block of plain numbers; ImageJ leaves out the tags of later pages.
        n_bytes = series.keyframe.size * series.keyframe.dtype.itemsize
        places = series.dataoffset + n_bytes * grid
    else:
        places = np.array([page.offset for page in series.pages])[grid]
    return [tuple(frame) for frame in places.tolist()]


def _read_block(tif, place):
    page = tif.pages.first
    pixels = tif.filehandle.read_array(
        page.dtype.newbyteorder(tif.byteorder), count=page.size, offset=place
    )
    pixels = pixels.reshape(page.shape).astype(page.dtype, copy=False)
    return _channels_last(pixels, page)


def _read_page(tif, place):
    tif.filehandle.seek(place)
    page = tifffile.TiffPage(tif, index=0)
    return _channels_last(page.asarray(), page)


def _n_channels(page):
    """Count the channels of one page, without alpha."""
    if page.photometric == PALETTE:
        return 1 if _is_grey_palette(page) else 3
    samples = dict(zip(page.axes, page.shape, strict=True)).get("S", 1)
    return max(1, samples - sum(one in ALPHA_SAMPLES for one in page.extrasamples))


def _channels_last(pixels, page):
    """Return the pixels of one page as (H, W) or (H, W, C), without alpha."""
    if page.photometric == PALETTE:
        # The colours of a palette have 16 bits (TIFF 6.0, ColorMap); 8 are in use.
        colours = (page.colormap >> 8).astype(np.uint8)
        if _is_grey_palette(page):
            return colours[0][pixels]
        return np.moveaxis(colours[:, pixels], 0, -1)
    if "S" in page.axes:
        n_channels = _n_channels(page)
        pixels = np.moveaxis(pixels, page.axes.index("S"), -1)[..., :n_channels]
        return pixels[..., 0] if n_channels == 1 else pixels
    return pixels


def _is_grey_palette(page):
    return bool((page.colormap == page.colormap[:1]).all())


@contextmanager
def _opened(path):
    """Open a TIFF file; what tifffile would log becomes our own message."""
    logger = logging.getLogger("tifffile")
    disabled, logger.disabled = logger.disabled, True
    try:
        with tifffile.TiffFile(path) as tif:
            yield tif
    finally:
        logger.disabled = disabled

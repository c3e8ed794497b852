"""TIFF files: which scenes are in them, without reading the pixels, and the pixels."""

import logging
import math
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import tifffile

from pseudocell.io._ome import parse_ome
from pseudocell.io._scene import Scene
from pseudocell.io._tiff_chain import TRUNCATED, check_chain
from pseudocell.io._tiff_page import n_alpha, page_dtype, page_shape, to_picture
from pseudocell.io._tiff_size import tiff_pixel_size

__all__ = ["describe_tiff"]

PLAIN = (tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.RGB)
# What slide scanners put beside the picture.
NO_SCENES = ("thumbnail", "label", "macro", "map", "overview")
TRANSPARENCY_MASK = 4  # NewSubfileType


def describe_tiff(path):
    """Read from its tags which scenes a TIFF file holds.

    Reduced copies, thumbnails, labels and masks are none.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    scenes : list of Scene
        In the order of the file.

    Raises
    ------
    ValueError
        If the file is truncated or contradicts itself.
    """
    check_chain(path)
    with _opened(path) as tif:
        ome, unsure = None, ""
        first = tif.pages.first
        if tif.is_ome:
            try:
                samples = page_shape(first, False)[1].get("S", 1)
                ome = parse_ome(first.description, path, len(tif.pages), samples)
            except ValueError as error:
                if len(tif.pages) > 1 or "several files" in str(error):
                    unsure = str(error)
        if ome is not None:
            parts = [_ome_part(tif, image) for image in ome]
        elif unsure:
            pages = list(tif.pages)
            grid = np.array([page.offset for page in pages])
            parts = [("I", grid, first, False, None)]
        else:
            parts = [_series_part(tif, one) for one in _wanted_series(tif)]
        notes = _left_out(tif, parts) if ome is None and not unsure else ()
        return [_scene(tif, *part, unsure, notes) for part in parts]


def _wanted_series(tif):
    """Return the series that are scenes, none that is a smaller copy of another."""
    series = [
        one
        for one in tif.series
        if not one.keyframe.is_reduced
        and not one.keyframe.subfiletype & TRANSPARENCY_MASK
        and one.name.lower() not in NO_SCENES
        and one.kind != "lsm"
        or one is tif.series[0]
    ]
    series = [one for one in series if not one.keyframe.is_reduced] or tif.series[:1]
    sizes = [(one.keyframe.imagelength, one.keyframe.imagewidth) for one in series]
    largest = int(np.argmax([height * width for height, width in sizes]))
    return [
        one
        for index, one in enumerate(series)
        if index == largest
        or one.kind == "ome"
        or not _is_smaller_copy(one, sizes[index], series[largest], sizes[largest])
    ]


def _is_smaller_copy(one, size, other, other_size):
    """Tell whether a picture looks like a smaller copy of another, to its pixel."""
    if len(one.pages) > 1 or len(other.pages) > 1:
        return False
    factor = other_size[0] / size[0]
    expected = other_size[1] / factor
    return factor >= 1.9 and abs(expected - size[1]) <= 1 + expected / size[0]


def _left_out(tif, parts):
    """Say which pictures are taken for copies though the file does not say so."""
    kept = {id(part[2]) for part in parts}
    copies = [
        one
        for one in tif.series
        if id(one.keyframe) not in kept
        and not one.keyframe.is_reduced
        and one.name.lower() not in NO_SCENES
        and one.kind != "lsm"
        and not one.keyframe.subfiletype & TRANSPARENCY_MASK
    ]
    if not copies:
        return ()
    sizes = ", ".join(
        f"{one.keyframe.imagelength} x {one.keyframe.imagewidth}" for one in copies
    )
    return (f"pictures of {sizes} pixels in it are left out as smaller copies",)


def _ome_part(tif, image):
    keyframe = tif.pages[int(image.pages.flat[0])].aspage()
    height, width = keyframe.imagelength, keyframe.imagewidth
    if (height, width) != image.size:
        raise ValueError(
            f"its OME-XML says {image.size[0]} x {image.size[1]} pixels and its page "
            f"{height} x {width}"
        )
    pages = [tif.pages[int(index)] for index in image.pages.flat]
    grid, is_block = _places(pages, keyframe)
    return image.axes, grid.reshape(image.pages.shape), keyframe, is_block, image


def _series_part(tif, series):
    page = series.keyframe
    page_axes = page_shape(page, False)[0]
    leading = series.axes[: len(series.axes) - len(page.axes)]
    sizes = series.shape[: len(leading)]
    count = math.prod(sizes)
    if series.dataoffset is not None:
        # One block of plain numbers; ImageJ leaves out the tags of later pages.
        n_bytes = page.size * page.dtype.itemsize
        places, is_block = series.dataoffset + n_bytes * np.arange(count), True
        if places[-1] + n_bytes > tif.filehandle.size:
            raise ValueError(TRUNCATED)
    else:
        if any(one is None or one.parent is not tif for one in series.pages):
            raise ValueError("its frames are spread over several files")
        places, is_block = _places(list(series.pages), page)
    if not {"Y", "X"} <= set(page_axes):
        raise ValueError(f"its pages have the axes {page_axes}; expected Y and X")
    return leading, places.reshape(sizes), page, is_block, None


def _places(pages, keyframe):
    """Return where each page is: its numbers if they are plain, or else its tags."""
    size = keyframe.parent.filehandle.size
    for page in pages:
        ends = [
            offset + count
            for offset, count in zip(
                page.dataoffsets, page.databytecounts, strict=False
            )
        ]
        if max(ends, default=size + 1) > size:
            raise ValueError(TRUNCATED)
        if keyframe.compression == 1 and keyframe.bitspersample % 8 == 0:
            stored = sum(page.databytecounts)
            if stored < keyframe.nbytes and not keyframe.is_tiled:
                raise ValueError(
                    f"its header says {keyframe.nbytes} bytes of pixels and "
                    f"{stored} are there"
                )
    n_bytes = keyframe.nbytes
    if keyframe.is_contiguous and all(_in_one_piece(one, n_bytes) for one in pages):
        return np.array([page.dataoffsets[0] for page in pages]), True
    return np.array([page.offset for page in pages]), False


def _in_one_piece(page, n_bytes):
    offsets, counts = page.dataoffsets, page.databytecounts
    ends = [offset + count for offset, count in zip(offsets, counts, strict=False)]
    return sum(counts) == n_bytes and list(offsets[1:]) == ends[:-1]


def _scene(tif, leading, grid, page, is_block, image, unsure, notes):
    axes, sizes = page_shape(page, tif.is_imagej)
    size = image.pixel_size if image is not None else None
    if unsure:
        unsure += "; name its axes, such as --axes TYX, to read its pages as they are"
    return Scene(
        axes=leading + axes,
        shape=grid.shape + tuple(sizes[axis] for axis in axes),
        dtype=page_dtype(page),
        locate=_Locator(
            grid,
            len(axes),
            page.offset,
            is_block,
            bool(tif.is_imagej),
            _numbers(tif, page) if is_block else None,
        ),
        kind=_kind(tif),
        n_alpha=n_alpha(page),
        orientation=int(page.tags.valueof(274, 1)),
        pixel_size=size or tiff_pixel_size(tif, page),
        notes=tuple(notes),
        unsure=unsure,
    )


def _numbers(tif, page):
    """Return shape and type of pages whose numbers are those of the picture."""
    is_plain = page.photometric in PLAIN and page.dtype != bool
    dtype = page.dtype.newbyteorder(tif.byteorder)
    return (page.shape, dtype) if is_plain and page.bitspersample >= 8 else None


def _kind(tif):
    flavour = next(
        (
            name
            for name in ("OME", "ImageJ", "LSM", "SVS", "NDPI", "STK")
            if getattr(tif, f"is_{name.lower()}")
        ),
        "",
    )
    return f"TIFF ({flavour})" if flavour else "TIFF"


@dataclass(frozen=True)
class _Locator:
    """Where the pages of a scene are; called with an index, those that it needs."""

    grid: np.ndarray
    n_page_axes: int
    keyframe: int
    is_block: bool
    is_imagej: bool
    numbers: tuple | None

    def __call__(self, index):
        split = len(index) - self.n_page_axes
        places = self.grid[index[:split]]
        within = None
        if any(one != slice(None) for one in index[split:]):
            within = (slice(None),) * np.ndim(places) + index[split:]
        about = self.keyframe, self.is_block, self.is_imagej, self.numbers
        return _Pages(places, within, *about)


@dataclass(frozen=True)
class _Pages:
    """The pages of one image. Going there directly keeps a long stack linear."""

    places: np.ndarray
    within: tuple | None
    keyframe: int
    is_block: bool
    is_imagej: bool
    numbers: tuple | None

    def read(self, path):
        """Read them, along their own axes and then those of each page."""
        places = np.ravel(self.places).tolist()
        if self.numbers is not None:
            pixels = _read_numbers(path, places, *self.numbers)
        else:
            pixels = self._read_pages(path, places)
        pixels = pixels.reshape(np.shape(self.places) + pixels.shape[1:])
        return pixels if self.within is None else pixels[self.within]

    def _read_pages(self, path, places):
        with _opened(path) as tif:
            if self.is_block:
                page = tif.pages.first
                if page.offset != self.keyframe:
                    page = _page_at(tif, self.keyframe)
                shape, dtype = page.shape, page.dtype.newbyteorder(tif.byteorder)
                numbers = _read_numbers(path, places, shape, dtype)
                pixels = to_picture(numbers, page, self.is_imagej)
            else:
                pages = [_page_at(tif, place) for place in places]
                pixels = [
                    to_picture(page.asarray(), page, self.is_imagej) for page in pages
                ]
                pixels = pixels[0][np.newaxis] if len(pages) == 1 else np.stack(pixels)
        return pixels


def _page_at(tif, place):
    tif.filehandle.seek(place)
    return tifffile.TiffPage(tif, index=0)


def _read_numbers(path, places, shape, dtype):
    """Read pages of plain numbers, in one go if they lie one after the other."""
    size = math.prod(shape)
    runs = [(place, size) for place in places]
    if len(places) > 1 and not np.any(np.diff(places) != size * dtype.itemsize):
        runs = [(places[0], size * len(places))]
    pixels = [np.fromfile(path, dtype, count, offset=place) for place, count in runs]
    pixels = pixels[0] if len(pixels) == 1 else np.concatenate(pixels)
    if pixels.size < size * len(places):
        raise ValueError(TRUNCATED)
    return pixels.reshape(-1, *shape).astype(dtype.newbyteorder("="), copy=False)


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

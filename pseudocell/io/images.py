"""Image files as lazy images: TIFF with its stacks, PNG and JPEG."""

import glob
import os
import re
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pseudocell.io._names import printable, shorten
from pseudocell.io._raster import describe_raster, read_raster
from pseudocell.io._tiff import describe_tiff, read_tiff

__all__ = ["ImageFile", "UnreadableImageError", "find_images", "read_images"]

SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
RASTER_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff")


class UnreadableImageError(ValueError):
    """An image file cannot be read.

    Parameters
    ----------
    path : str
        The file.
    reason : str
        What is wrong with it.
    """

    def __init__(self, path, reason):
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self):
        return f"The image {self.path} cannot be read: {self.reason}."


@dataclass(frozen=True)
class ImageFile:
    """An image in a file, read each time that its pixels are asked for.

    A list of them is a sequence of images for every estimator: a folder of ten
    thousand files need not fit in memory.

    Attributes
    ----------
    path : str
        The file.
    name : str
        Name of the file for tables: with folders only where these are needed to
        tell files apart.
    frame : int or None
        Which frame of a stack, from 0; None if the file is not a stack.
    shape : tuple of int
        (H, W) or (H, W, C).
    dtype : numpy.dtype
        Type of the pixels.
    """

    path: str
    name: str
    frame: int | None
    shape: tuple
    dtype: np.dtype
    _places: tuple | None = field(default=None, repr=False)
    _is_block: bool = field(default=False, repr=False)

    @property
    def label(self):
        """Name of the image: that of the file, and ``name[frame]`` in a stack."""
        return self.name if self.frame is None else f"{self.name}[{self.frame}]"

    @property
    def ndim(self):
        """Number of axes: 2 for a grey image, 3 with channels."""
        return len(self.shape)

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("An image file is read into a new array; copy=False.")
        try:
            if self._places is None:
                image = read_raster(self.path)
            else:
                image = read_tiff(self.path, self._places, self._is_block)
        except MemoryError:
            raise
        except Exception as error:  # each decoder has errors of its own
            reason = _reason(error)
        else:
            return image if dtype is None else image.astype(dtype, copy=False)
        # Out here, as an error keeps what it was raised in the handling of, Dask sends
        # that along from its workers, and errors of some decoders cannot be pickled.
        raise UnreadableImageError(self.path, reason)


def read_images(source):
    """Open images as a list of lazy images, in natural order.

    Only headers are read, not pixels. Files that are truncated or cannot be read
    are left out, with one warning that names them.

    Parameters
    ----------
    source : str, path or list of them
        Folders, files, and patterns such as ``"plate/*_phase.tif"`` (``**`` stands
        for folders in folders). Of folders and patterns, TIFF, PNG and JPEG files
        are taken.

    Returns
    -------
    images : list of ImageFile
        One a file; of a stack, one a frame. A colour image is one image.

    Raises
    ------
    ValueError
        If there is no image, or none can be read.

    Warns
    -----
    UserWarning
        If files were left out.

    Notes
    -----
    Axes of TIFF files are told apart by their metadata (ImageJ, OME, tifffile):
    channels stay together, and time, depth and unnamed pages are frames. An image
    damaged in the middle is found when its pixels are read, with
    `UnreadableImageError`.
    """
    paths = find_images(source)
    names = _short_names(paths)
    images, problems = [], []
    for path, name in zip(paths, names, strict=True):
        try:
            images += _open(path, printable(name))
        except Exception as error:  # each decoder has errors of its own
            problems.append(f"{path} ({_reason(error)})")
    if not images:
        raise ValueError(f"No image can be read: {shorten(problems)}.")
    if problems:
        files = (
            "1 file cannot be read and is"
            if len(problems) == 1
            else (f"{len(problems)} files cannot be read and are")
        )
        warnings.warn(f"{files} left out: {shorten(problems)}.", stacklevel=2)
    return images


def find_images(source):
    """List the image files of folders, patterns and files, in natural order.

    Parameters
    ----------
    source : str, path or list of them
        As in `read_images`.

    Returns
    -------
    paths : list of str
        Each file once; "image 2" comes before "image 10".

    Raises
    ------
    ValueError
        If one of the sources holds no image.
    """
    sources = [source] if isinstance(source, str | os.PathLike) else list(source)
    if not sources:
        raise ValueError("No images are given; expected a folder, files or a pattern.")
    found = {}
    for one in map(os.fspath, sources):
        for path in _expand(one):
            found.setdefault(os.path.abspath(path), path)
    return sorted(found.values(), key=_natural_key)


def _expand(source):
    if os.path.isfile(source):
        return [source]
    kinds = "TIFF, PNG or JPEG"
    if os.path.isdir(source):
        paths = [os.path.join(source, name) for name in os.listdir(source)]
        message = f"The folder {source} holds no {kinds} image."
    elif glob.has_magic(source):
        paths = glob.glob(source, recursive=True)
        message = f"No {kinds} image matches {source!r}."
    else:
        raise ValueError(f"{source} is neither a file, a folder nor a pattern.")
    paths = [path for path in paths if _is_image_name(path) and os.path.isfile(path)]
    if not paths:
        raise ValueError(message)
    return paths


def _is_image_name(path):
    name = os.path.basename(path)
    # macOS leaves hidden "._name.tif" files that are no images.
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def _natural_key(path):
    return [
        int(part) if part.isdigit() else part.lower()
        for part in re.split(r"([0-9]+)", path)
    ]


def _short_names(paths):
    """File names, with folders below their common one if names come twice."""
    names = [Path(path).name for path in paths]
    if max(Counter(names).values()) == 1:
        return names
    absolute = [os.path.abspath(path) for path in paths]
    common = os.path.commonpath([os.path.dirname(path) for path in absolute])
    return [Path(os.path.relpath(path, common)).as_posix() for path in absolute]


def _open(path, name):
    """Open the images of one file."""
    with open(path, "rb") as file:
        start = file.read(4)
    if not start:
        raise ValueError("the file is empty")
    if start.startswith(RASTER_SIGNATURES):
        shape, dtype = describe_raster(path)
        return [ImageFile(path, name, None, shape, dtype)]
    if start not in TIFF_SIGNATURES:
        raise ValueError("it is not a TIFF, PNG or JPEG file")
    contents = describe_tiff(path)
    if contents.n_skipped:
        warnings.warn(
            f"{path} holds images of different shapes; only the first "
            f"{len(contents.frames)} are used and {contents.n_skipped} left out.",
            stacklevel=3,
        )
    return [
        ImageFile(
            path,
            name,
            frame if contents.is_stack else None,
            contents.shape,
            contents.dtype,
            places,
            contents.is_block,
        )
        for frame, places in enumerate(contents.frames)
    ]


def _reason(error):
    text = " ".join(str(error).split()) or type(error).__name__
    return text.rstrip(".")

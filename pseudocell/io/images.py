"""Image files as lazy images."""

import hashlib
import os
import warnings
from dataclasses import dataclass, field

import numpy as np

from pseudocell._parameters import File
from pseudocell.io._formats import describe
from pseudocell.io._mask_files import give_masks
from pseudocell.io._names import shorten
from pseudocell.io._pick import Pick, spread
from pseudocell.io._scene import Reading, pick_images
from pseudocell.io._search import find_images, short_names

__all__ = ["ImageFile", "Reading", "UnreadableImageError", "open_images", "read_images"]


class UnreadableImageError(ValueError):
    """An image file cannot be read.

    Parameters
    ----------
    path : str
        The file.
    reason : str
        What is wrong with it.

    Examples
    --------
    >>> from pseudocell.io import UnreadableImageError
    >>> print(UnreadableImageError("a.tif", "it ends after 10 bytes"))
    The image a.tif cannot be read: it ends after 10 bytes.
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
    pixel_size : float or None
        Width of a pixel in micrometres, if the file says so.
    mask : ImageFile or None
        Where it is 0, pixels do not count.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from skimage.io import imsave
    >>> from pseudocell.io import read_images
    >>> with TemporaryDirectory() as folder:
    ...     pixels = np.eye(9, dtype=np.uint8)
    ...     imsave(Path(folder, "a.png"), pixels, check_contrast=False)
    ...     (image,) = read_images(folder)
    ...     image.name, image.shape, int(np.asarray(image).sum())  # read here
    ('a.png', (9, 9), 9)
    """

    path: str
    name: str
    frame: int | None
    shape: tuple
    dtype: np.dtype
    pixel_size: float | None = None
    mask: "ImageFile | None" = None
    _pick: Pick | None = field(default=None, repr=False)

    @property
    def how(self):
        """How the file is read, short: two readings of a file differ in it."""
        mask = self.mask and self.mask.how
        what = repr((self.shape, self._pick, mask))
        return hashlib.sha256(what.encode()).hexdigest()[:12]

    @property
    def label(self):
        """Name of the image: that of the file, and ``name[frame]`` in a stack."""
        return self.name if self.frame is None else f"{self.name}[{self.frame}]"

    @property
    def ndim(self):
        """Number of axes: 2 for a grey image, 3 with channels."""
        return len(self.shape)

    def __array__(self, dtype=None, copy=None):
        """Return the pixels, as a masked array if some of them do not count."""
        if copy is False:
            raise ValueError("An image file is read into a new array; copy=False.")
        try:
            image = self._pick.read(self.path)
            if (image.shape, image.dtype) != (self.shape, self.dtype):
                raise ValueError(
                    f"its pixels are {image.dtype} of the shape {image.shape}, its "
                    f"header says {self.dtype} of the shape {self.shape}"
                )
        except MemoryError:
            raise
        except Exception as error:  # each decoder has errors of its own
            reason = _reason(error)
        else:
            image = image if self.mask is None else self._masked(image)
            return image if dtype is None else image.astype(dtype, copy=False)
        # Out here, as an error keeps what it was raised in the handling of, Dask sends
        # that along from its workers, and errors of some decoders cannot be pickled.
        raise UnreadableImageError(self.path, reason)

    def _masked(self, image):
        counts = np.asarray(self.mask) != 0
        counts = counts.any(axis=2) if counts.ndim == 3 else counts
        clear = np.ma.getmaskarray(image) | spread(~counts, image.shape)
        return np.ma.masked_array(np.ma.getdata(image), clear)


def read_images(source, reading=None):
    """Open images as a list of lazy images, in natural order.

    Only headers are read, not pixels. Files that are truncated or cannot be read
    are left out, with one warning that names them.

    Parameters
    ----------
    source : str, path or list of them
        Folders, files, and patterns such as ``"plate/*_phase.tif"`` (``**`` stands
        for folders in folders). Of folders and patterns, files with the suffix of an
        image are taken, but none that this package has drawn.
    reading : Reading, optional
        How files are read that leave it open: axes, channels, scenes and depth.

    Returns
    -------
    images : list of ImageFile
        One a file; of a stack, one a frame, and of several scenes, one each. A colour
        image is one image.

    Raises
    ------
    ValueError
        If there is no image, or none can be read.

    Warns
    -----
    UserWarning
        If files were left out, or it was open how to read them.

    Notes
    -----
    Axes are told apart by what the file says (ImageJ, OME, tifffile and others):
    channels stay together, times and unnamed pages are frames, and a stack in depth is
    refused without a projection. An image damaged in the middle is found when its
    pixels are read, with `UnreadableImageError`.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from skimage.io import imsave
    >>> from pseudocell.io import read_images
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("b10.png", "b9.png"):
    ...         pixels = np.eye(9, dtype=np.uint8)
    ...         imsave(Path(folder, name), pixels, check_contrast=False)
    ...     [image.name for image in read_images(folder)]
    ['b9.png', 'b10.png']
    """
    given = [source] if isinstance(source, str | os.PathLike) else source
    if not isinstance(given, list | tuple):
        raise ValueError(
            f"source is {source!r:.80}; expected a path or a list of them."
        )
    for index, one in enumerate(given):
        if not File().is_satisfied_by(one):
            raise ValueError(f"source[{index}] is {one!r:.80}; expected a path.")
    paths, left_out = find_images(source)
    images, problems, notes = [], [], {}
    for path, name in zip(paths, short_names(paths), strict=True):
        try:
            found, said = open_images(path, name, reading)
        except Exception as error:  # each decoder has errors of its own
            problems.append(f"{path} ({_reason(error)})")
        else:
            images += found
            for note in said:
                notes.setdefault(note, []).append(path)
    if images and reading is not None and reading.mask is not None:
        masks = read_images(reading.mask)
        images, unfit, said = give_masks(images, masks, str(reading.mask))
        problems += unfit
        for note in said:
            warnings.warn(note, stacklevel=2)
    if not images:
        raise ValueError(f"No image can be read: {shorten(problems)}.")
    if left_out:
        files = "1 file is" if len(left_out) == 1 else f"{len(left_out)} files are"
        warnings.warn(
            f"{files} no image and left out: {shorten(left_out)}.", stacklevel=2
        )
    if problems:
        files = (
            "1 file cannot be read and is"
            if len(problems) == 1
            else (f"{len(problems)} files cannot be read and are")
        )
        warnings.warn(f"{files} left out: {shorten(problems)}.", stacklevel=2)
    for note, files in notes.items():
        warnings.warn(f"{shorten(files)}: {note}.", stacklevel=2)
    return images


def open_images(path, name, reading=None):
    """Open the images of one file.

    Parameters
    ----------
    path : str
        The file.
    name : str
        Its name in tables.
    reading : Reading, optional
        As in `read_images`.

    Returns
    -------
    images : list of ImageFile
        The images.
    notes : list of str
        How the file was read where that is open, and what was left out.

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    reading = Reading() if reading is None else reading
    scenes = describe(path)
    numbers = range(len(scenes))
    if reading.scene is not None:
        if reading.scene not in numbers:
            raise ValueError(
                f"it has no scene {reading.scene}; it has {len(scenes)}, from 0"
            )
        numbers = [reading.scene]
    n_bytes = _size_of(path)
    found, notes, is_stack = [], {}, len(numbers) > 1
    for number in numbers:
        scene = scenes[number]
        picks, shape, dtype, is_long, said = pick_images(scene, reading, n_bytes)
        found += [(shape, dtype, scene.pixel_size, pick) for pick in picks]
        is_stack |= is_long
        notes.update(dict.fromkeys(said))
    if len(numbers) > 1:
        notes[
            f"its {len(numbers)} scenes are read as frames, one after the other; "
            "--scene 0 reads the first alone"
        ] = None
    return [
        ImageFile(path, name, frame if is_stack else None, *one, _pick=pick)
        for frame, (*one, pick) in enumerate(found)
    ], list(notes)


def _size_of(path):
    """Return the bytes of a file, or of all files in a folder."""
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(
        os.path.getsize(os.path.join(folder, file))
        for folder, _, files in os.walk(path)
        for file in files
    )


def _reason(error):
    text = " ".join(str(error).split()) or type(error).__name__
    return text.rstrip(".")

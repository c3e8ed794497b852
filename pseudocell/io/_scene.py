"""A scene: pixels with named axes, and the images that are in it."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from pseudocell.io._pick import PROJECTIONS, Pick

__all__ = ["Reading", "Scene", "check_memory", "pick_images"]

CHANNELS = "CS"
# Frames without a word: time, and pages that the file gives no name.
FRAMES, UNNAMED = "T", "IQ"
MAX_CHANNELS = 32
# A plane narrower than that, in a pile of many, is no image but channels that lie last.
NARROW, SLENDER = 32, 4
MEMORY, RATIO = 2**27, 1100  # bytes; the most that deflate packs into one byte is 1032


@dataclass(frozen=True)
class Reading:
    """How files are read where they leave it open.

    Parameters
    ----------
    axes : str, optional
        The axes of the file in its own order, a letter each, such as ``"TCYX"``: T is
        time, Z depth, C channels, Y rows and X columns. Instead of what the file says;
        axes of length 1 may be left out.
    channel : int or sequence of int, optional
        Channels to read, from 0. All of them but alpha by default.
    scene : int, optional
        The scene to read, from 0, of files with several. All of them by default, one
        after the other.
    projection : {"max", "mean", "frames"} or int, optional
        What becomes of the planes of a stack in depth: their largest or mean value,
        an image each, or the one plane of this number, from 0. Without it such a stack
        is refused.
    mask : str or path, optional
        File, folder or pattern of masks: where one is 0, pixels of the image do not
        count. A single file is for all images; others have the names of theirs, to
        which "_mask" may be added.

    Raises
    ------
    ValueError
        If one of them is none of these.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from skimage.io import imsave
    >>> from pseudocell.io import Reading, read_images
    >>> with TemporaryDirectory() as folder:
    ...     np.save(Path(folder, "a.npy"), np.zeros((5, 40, 50)))
    ...     (image,) = read_images(folder, Reading(axes="CYX", channel=(0, 2)))
    >>> image.shape
    (40, 50, 2)
    """

    axes: str | None = None
    channel: int | tuple | None = None
    scene: int | None = None
    projection: str | int | None = None
    mask: str | os.PathLike | None = None

    def __post_init__(self):
        axes = self.axes
        if axes is not None and (
            len(set(axes)) < len(axes) or not {"Y", "X"} <= set(axes)
        ):
            raise ValueError(
                f"axes is {axes!r}; expected one letter an axis with Y and X among "
                "them, such as TYX or YXC."
            )
        one = self.channel
        channels = () if one is None else (one,) if np.isscalar(one) else tuple(one)
        if any(int(index) != index or index < 0 for index in channels):
            raise ValueError(f"channel is {one!r}; expected numbers from 0.")
        object.__setattr__(self, "channel", tuple(map(int, channels)) or None)
        chosen = self.projection
        if isinstance(chosen, str) and chosen not in (*PROJECTIONS, "frames"):
            raise ValueError(
                f"projection is {chosen!r}; expected max, mean, frames or the number "
                "of a plane, from 0."
            )


@dataclass(frozen=True)
class Scene:
    """Pixels of a file with named axes.

    Attributes
    ----------
    axes : str
        A letter for each axis, as in tifffile: C and S are channels, Z is depth.
    shape : tuple of int
        Length of each axis.
    dtype : numpy.dtype
        Type of the pixels.
    locate : callable
        ``locate(index)`` with an int, a list or a slice for each axis returns an
        object whose ``read(path)`` gives these pixels.
    kind : str
        The format, in words.
    n_alpha : int
        So many of the last channels are alpha.
    orientation : int
        How the picture is turned, as in TIFF and EXIF; 1 is upright.
    pixel_size : float or None
        Micrometres.
    notes : tuple of str
        How it was read where the file leaves that open, or what was left out.
    unsure : str
        Why the axes cannot be known without `Reading.axes`, or nothing.
    """

    axes: str
    shape: tuple
    dtype: np.dtype
    locate: Callable = field(repr=False)
    kind: str = ""
    n_alpha: int = 0
    orientation: int = 1
    pixel_size: float | None = None
    notes: tuple = ()
    unsure: str = ""


def pick_images(scene, reading, n_bytes):
    """List the images of a scene.

    Parameters
    ----------
    scene : Scene
        Of a file.
    reading : Reading
        What the user has asked for.
    n_bytes : int
        Size of the file.

    Returns
    -------
    picks : list of Pick
        One an image, in order.
    shape : tuple of int
        Shape of each.
    dtype : numpy.dtype
        Type of their pixels.
    is_stack : bool
        Whether they are frames.
    notes : list of str
        How the file was read where that is open.

    Raises
    ------
    ValueError
        If the scene holds no image, or it is open which.
    """
    scene = _named(scene, reading)
    sizes = dict(zip(scene.axes, scene.shape, strict=True))
    if not {"Y", "X"} <= set(sizes):
        raise ValueError(f"its pixels have the axes {scene.axes}; expected Y and X")
    channels, n_channels, at_once = _channels(scene, sizes, reading)
    planes = _planes(scene, sizes, reading)
    frames = [
        axis
        for axis in scene.axes
        if axis not in "YX" + CHANNELS and (axis != "Z" or planes == "frames")
    ]
    is_stack = any(sizes[axis] > 1 for axis in frames)
    height, width = sizes["Y"], sizes["X"]
    if scene.orientation >= 5:
        height, width = width, height
    shape = (height, width) + (n_channels,) * (n_channels > 1)
    dtype = np.dtype(np.float32) if reading.projection == "mean" else scene.dtype
    check_memory(shape, dtype, n_bytes)
    fixed = {axis: slice(None) for axis in scene.axes}
    if at_once is not None:
        fixed[at_once] = list(channels)
    depths = planes if isinstance(planes, tuple) else (None,)
    picks = []
    for place in np.ndindex(*(sizes[axis] for axis in frames)):
        chosen = fixed | dict(zip(frames, place, strict=True))
        parts = []
        for depth in depths:
            chosen |= {} if depth is None else {"Z": depth}
            parts.append(scene.locate(tuple(chosen[axis] for axis in scene.axes)))
        picks.append(
            Pick(
                tuple(parts),
                "".join(axis for axis in scene.axes if axis in "YX" + CHANNELS),
                reading.projection if len(parts) > 1 else None,
                None if at_once else channels,
                scene.orientation,
                scene.n_alpha if channels is not None and not reading.channel else 0,
            )
        )
    return picks, shape, dtype, is_stack, list(scene.notes) + _doubts(scene, reading)


def check_memory(shape, dtype, n_bytes):
    """Check that a file can hold an image of this shape, before memory is asked for."""
    needed = math.prod(shape) * dtype.itemsize
    if needed > MEMORY + RATIO * n_bytes:
        raise ValueError(
            f"it is said to hold an image of {_times(shape)} values, {needed} bytes, "
            f"in a file of {n_bytes} bytes; its header is damaged"
        )


def _named(scene, reading):
    """Give the axes the names that the user has for them, or that must be theirs."""
    axes, shape = scene.axes, scene.shape
    if reading.axes is not None:
        long = [index for index, size in enumerate(shape) if size > 1]
        if len(reading.axes) == len(axes):
            axes = reading.axes
        elif len(reading.axes) == len(long):
            names = dict(zip(long, reading.axes, strict=True))
            spare = iter("ABDEFGHIJK")
            axes = "".join(
                names.get(index) or next(spare) for index in range(len(axes))
            )
        else:
            raise ValueError(
                f"--axes {reading.axes} names {len(reading.axes)} axes; it has "
                f"{len(long)}, of the lengths {_times(shape)}"
            )
        return replace(scene, axes=axes, notes=())
    if scene.unsure:
        raise ValueError(scene.unsure)
    if _is_channels_last(axes, shape):
        # Programs that pile up the planes of an array take its last axis for X.
        last = [index for index, size in enumerate(shape) if size > 1][-3:]
        names = dict(zip(last, "YXC", strict=True))
        spare = iter("ABDEFGHIJK")
        axes = "".join(names.get(index) or next(spare) for index in range(len(axes)))
        note = (
            f"its {_times(shape)} values are read as {shape[last[2]]} channels of "
            f"{shape[last[0]]} x {shape[last[1]]} pixels; --axes {scene.axes[-3:]} "
            "reads them as the file says"
        )
        return replace(scene, axes=axes, notes=(*scene.notes, note))
    return scene


def _is_channels_last(axes, shape):
    long = [(axis, size) for axis, size in zip(axes, shape, strict=True) if size > 1]
    if len(long) != 3 or [axis for axis, _ in long[1:]] != ["Y", "X"]:
        return False
    n_pages, height, width = (size for _, size in long)
    return width <= NARROW and min(n_pages, height) >= SLENDER * width


def _channels(scene, sizes, reading):
    """Return the channels to read, their number, and the axis to pick them on."""
    total = math.prod(sizes.get(axis, 1) for axis in CHANNELS)
    chosen = reading.channel
    if chosen is None:
        n_channels = max(1, total - scene.n_alpha)
        if n_channels > MAX_CHANNELS:
            raise ValueError(
                f"it is said to have {n_channels} channels; name its {len(sizes)} "
                "axes, such as --axes TYX if they are frames, or choose with --channel"
            )
        kept = None if n_channels == total else tuple(range(n_channels))
        return kept, n_channels, None
    if max(chosen) >= total:
        raise ValueError(
            f"it has no channel {max(chosen)}; it has {total}, counted from 0"
        )
    return chosen, len(chosen), "C" if sizes.get("C") == total > 1 else None


def _planes(scene, sizes, reading):
    """Return the depths to read for an image, or "frames"."""
    n_planes = sizes.get("Z", 1)
    chosen = reading.projection
    if n_planes == 1:
        return (0,) if "Z" in sizes else None
    if chosen is None:
        raise ValueError(
            f"it is a stack of {n_planes} planes in depth (Z); combine them with "
            f"--projection max, or choose one, such as --projection {n_planes // 2}; "
            "if they are times, say --axes "
            + "".join("T" if axis == "Z" else axis for axis in scene.axes)
        )
    if chosen == "frames":
        return "frames"
    if chosen in PROJECTIONS:
        return tuple(range(n_planes))
    if not 0 <= chosen < n_planes:
        raise ValueError(f"it has no plane {chosen}; it has {n_planes}, from 0")
    return (int(chosen),)


def _doubts(scene, reading):
    """Say how an open question was decided."""
    notes = []
    if scene.n_alpha and reading.channel is None and scene.kind.startswith("TIFF"):
        total = math.prod(
            size
            for axis, size in zip(scene.axes, scene.shape, strict=True)
            if axis in CHANNELS
        )
        every = ",".join(map(str, range(total)))
        notes.append(
            "its last channel is marked as alpha and no channel; where it is "
            f"transparent no pixel counts; --channel {every} reads it"
        )
    if reading.axes is not None:
        return notes
    long = [
        (axis, size)
        for axis, size in zip(scene.axes, scene.shape, strict=True)
        if size > 1 and axis not in "YXZ" + CHANNELS + FRAMES
    ]
    pages = math.prod(size for _, size in long)
    named = [axis for axis, _ in long if axis not in UNNAMED]
    if named:
        notes.append(f"its axis {named[0]} is read as frames")
    elif long and (pages <= 4 or len(long) > 1):
        notes.append(
            f"its {_times([size for _, size in long])} pages have no names and are "
            "read as frames; if they are channels or depths, say so, such as --axes CYX"
        )
    return notes


def _times(shape):
    return " x ".join(str(size) for size in shape if size > 1)

"""Points of several images, and whose they are."""

import re
import warnings
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np

from pseudocell.io._names import NameFinder, may_be_same, printable, shorten
from pseudocell.io._point_formats import PointUnit
from pseudocell.io._units import check_places, to_pixels

__all__ = [
    "PointTable",
    "join_label",
    "label_columns",
    "points_for_images",
    "refuse_two_for_one",
    "resolve_labels",
    "split_label",
]


@dataclass(frozen=True)
class PointTable:
    """Points of several images, by the labels of the images.

    Attributes
    ----------
    source : str
        The file or folder that they come from.
    points : dict of str to float ndarray of shape (n, 2)
        (row, col) for each label, in pixels if it is not among `units`. The label is
        the name of the image, and ``name[frame]`` in a stack.
    has_names : bool
        False for a single file without a column of image names, as napari saves:
        its points belong to one image, and the label is the name of the file.
    units : dict of str to PointUnit
        Unit of the labels whose points are not in pixels; `points_for_images`
        converts them, as only the image knows its size and that of its pixels.
    is_stated : bool
        Whether somebody has said that the unit is right.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell.io import PointTable
    >>> PointTable("clicks.csv", {"movie.tif[3]": np.array([[4.0, 30.5]])}).points
    {'movie.tif[3]': array([[ 4. , 30.5]])}
    """

    source: str
    points: dict
    has_names: bool = True
    units: dict = field(default_factory=dict)
    is_stated: bool = False


def points_for_images(table, images, pixel_size=None):
    """Sort points by the images that they belong to.

    Parameters
    ----------
    table : PointTable
        From `read_points`. Its image names may be with or without folders and
        suffix, as long as they are clear.
    images : sequence of ImageFile or str
        The images; points are then converted to pixels and checked against them. Or
        the label of each, see `ImageFile.label`, which takes points as they are.
    pixel_size : float, optional
        Micrometres of a pixel, where the image files do not say.

    Returns
    -------
    points : list of float ndarray of shape (n_i, 2)
        (row, col) in pixels, one array an image; (0, 2) for an image without points.

    Raises
    ------
    ValueError
        If no image of the table is among the images, a name stands for several, two
        names stand for one, points of a stack have no frame or one that is not
        there, or points contradict the images: outside, in another unit, or all in
        one pixel.

    Warns
    -----
    UserWarning
        If some images of the table are not among the images, and for what is doubtful.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell.io import PointTable, points_for_images
    >>> table = PointTable("clicks.csv", {"b": np.array([[4.0, 30.5]])})
    >>> points_for_images(table, ["a.tif", "b.tif"])
    [array([], shape=(0, 2), dtype=float64), array([[ 4. , 30.5]])]
    """
    labels = [one if isinstance(one, str) else one.label for one in images]
    positions = {label: position for position, label in enumerate(labels)}
    found = _resolve_for(table, labels)
    refuse_two_for_one(table, found)
    points = [np.zeros((0, 2)) for _ in labels]
    unknown, notes = [], []
    for label, some in table.points.items():
        position = _position(positions, found[label], table.source)
        if position is None:
            unknown.append(label)
            continue
        some, note = to_pixels(
            some,
            table.units.get(label, PointUnit()),
            images[position],
            labels[position],
            table.source,
            pixel_size,
        )
        points[position] = np.concatenate([points[position], some])
        notes += [note] if note else []
    _report_unknown(unknown, table, labels)
    in_doubt = not table.is_stated and not table.units
    doubts = check_places(
        points, images, labels, table.source, pixel_size, in_doubt=in_doubt
    )
    # One file of a kind stands for all.
    for note in notes[:1] + doubts:
        warnings.warn(note, stacklevel=2)
    return points


def resolve_labels(table, names):
    """Find out which images the labels of a table mean.

    Parameters
    ----------
    table : PointTable
        From `read_points`.
    names : set of str
        Names of the images, without frames.

    Returns
    -------
    found : dict of str to (str or None)
        For each label of the table the name of the image, with the frame of the
        label; None if it is not among the names.

    Raises
    ------
    ValueError
        If a name stands for several images.
    """
    finder = NameFinder(names, table.source)
    found = {}
    for label in table.points:
        # A name may itself end in brackets.
        written, frame = (label, None) if finder.find(label) else split_label(label)
        name = finder.find(written)
        if name is None and not table.has_names and len(names) == 1:
            (name,) = names
        if name is not None and frame is not None:
            name = f"{name}[{frame}]"
        found[label] = name
    return found


def split_label(label):
    """Split the label of an image into its name and its frame, an int or None."""
    match = re.fullmatch(r"(.*)\[(\d+)\]", label)
    return (match[1], int(match[2])) if match else (label, None)


def join_label(name, frame):
    """Return the label of an image by its name and frame, an int or None."""
    return name if frame is None else f"{name}[{frame}]"


def label_columns(labels):
    """Split labels into columns of a table.

    Parameters
    ----------
    labels : sequence of str
        Label of each image.

    Returns
    -------
    columns : list of str
        ``image`` and, if there are stacks, ``frame``.
    cells : list of list
        The cells of each label in these columns.
    """
    parts = [split_label(printable(label)) for label in labels]
    if all(frame is None for _, frame in parts):
        return ["image"], [[name] for name, _ in parts]
    return ["image", "frame"], [
        [name, "" if frame is None else frame] for name, frame in parts
    ]


def _resolve_for(table, labels):
    """Find the images of the labels of a table among the images that are here."""
    found = resolve_labels(table, {split_label(label)[0] for label in labels})
    frames = [split_label(label)[1] for label in table.points]
    alone = all(split_label(label)[1] is None for label in labels)
    if (
        table.has_names
        or len(labels) < 2
        or not alone
        or any(found.values())
        or any(frame is None or frame >= len(labels) for frame in frames)
    ):
        return found
    # napari shows a folder of images as a stack, in natural order.
    warnings.warn(
        f"{table.source} names no image and has several frames: frame 0 is taken for "
        f"{labels[0]}, frame 1 for {labels[1]}, and so on.",
        stacklevel=3,
    )
    pairs = zip(table.points, frames, strict=True)
    return {label: labels[frame] for label, frame in pairs}


def refuse_two_for_one(table, found):
    """Refuse two names for one image: they may have meant two images.

    Parameters
    ----------
    table : PointTable
        For the message.
    found : dict of str to (str or None)
        From `resolve_labels`.

    Raises
    ------
    ValueError
        If two labels of the table stand for the same image or frame.
    """
    meant = {}
    for label, name in found.items():
        if name is not None:
            meant.setdefault(name, []).append(label)
    # In one table a name may be spelled in two ways; two files are two tables.
    is_folder = Path(table.source).is_dir()
    for name, labels in meant.items():
        pairs = combinations([split_label(label)[0] for label in labels], 2)
        if any(is_folder or not may_be_same(*pair) for pair in pairs):
            raise ValueError(
                f"{table.source} has points of {shorten(labels)}, and both may be "
                f"{name}; leave one of them out, or write the whole names."
            )


def _position(positions, label, source):
    """Position of a label among the images, None if it is not there."""
    if label is None or label in positions:
        return positions.get(label)
    name, frame = split_label(label)
    if frame is None and any(split_label(one)[0] == name for one in positions):
        raise ValueError(
            f"{source} has points of the stack {name} without a frame; expected a "
            "column frame (or napari's axis-0, axis-1, axis-2)."
        )
    n_frames = sum(split_label(one)[0] == name for one in positions)
    if n_frames and name not in positions:
        hint = " Do the frames count from 1?" if frame == n_frames else ""
        raise ValueError(
            f"{source} has points in frame {frame} of {name}, which has the frames 0 "
            f"to {n_frames - 1}.{hint}"
        )
    # napari puts a single image on frame 0 of a view with three axes.
    if name in positions and frame:
        raise ValueError(
            f"{source} has points in frame {frame} of {name}, which is no stack."
        )
    return positions.get(name)


def _report_unknown(unknown, table, labels):
    if not unknown:
        return
    here = f"the images here are {shorten(list(labels))}"
    if len(unknown) == len(table.points):
        what = "names no image that is here"
        if not table.has_names:
            what = "is not named after an image that is here, nor has an image column"
        raise ValueError(f"{table.source} {what}: {shorten(unknown)}; {here}.")
    warnings.warn(
        f"{table.source} has points of images that are not here; they are left out: "
        f"{shorten(unknown)}.",
        stacklevel=3,
    )

"""Points of several images, and whose they are."""

import re
import warnings
from dataclasses import dataclass

import numpy as np

from pseudocell.io._names import NameFinder, shorten

__all__ = [
    "PointTable",
    "label_columns",
    "points_for_images",
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
        (row, col) in pixels for each label. The label is the name of the image, and
        ``name[frame]`` in a stack.
    has_names : bool
        False for a single file without a column of image names, as napari saves:
        its points belong to one image, and the label is the name of the file.
    """

    source: str
    points: dict
    has_names: bool = True


def points_for_images(table, labels):
    """Sort points by the images that they belong to.

    Parameters
    ----------
    table : PointTable
        From `read_points`. Its image names may be with or without folders and
        suffix, as long as they are clear.
    labels : sequence of str
        Label of each image, see `ImageFile.label`.

    Returns
    -------
    points : list of float ndarray of shape (n_i, 2)
        (row, col) in pixels, one array an image; (0, 2) for an image without points.

    Raises
    ------
    ValueError
        If no image of the table is among the labels, a name stands for several
        images, or points of a stack have no frame.

    Warns
    -----
    UserWarning
        If some images of the table are not among the labels.
    """
    positions = {label: position for position, label in enumerate(labels)}
    found = resolve_labels(table, {split_label(label)[0] for label in labels})
    points = [np.zeros((0, 2)) for _ in labels]
    unknown = []
    for label, some in table.points.items():
        position = _position(positions, found[label], table.source)
        if position is None:
            unknown.append(label)
        else:
            points[position] = np.concatenate([points[position], some])
    _report_unknown(unknown, table, labels)
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
    parts = [split_label(label) for label in labels]
    if all(frame is None for _, frame in parts):
        return ["image"], [[name] for name, _ in parts]
    return ["image", "frame"], [
        [name, "" if frame is None else frame] for name, frame in parts
    ]


def _position(positions, label, source):
    """Position of a label among the images, None if it is not there."""
    if label is None or label in positions:
        return positions.get(label)
    name, frame = split_label(label)
    if frame is None:
        raise ValueError(
            f"{source} has points of the stack {name} without a frame; expected a "
            "column frame (or napari's axis-0, axis-1, axis-2)."
        )
    # napari puts a single image on frame 0 of a view with three axes.
    return positions.get(name) if frame == 0 else None


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

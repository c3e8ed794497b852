"""Write points for other programs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pseudocell.io._imagej_points import write_roi_set
from pseudocell.io._json_writers import (
    write_coco,
    write_geojson,
    write_label_studio,
    write_labelme,
)
from pseudocell.io._output import prepare_folder
from pseudocell.io._point_formats import FORMATS, PointUnit
from pseudocell.io._table_writers import (
    write_napari,
    write_qupath_table,
    write_table_px,
    write_table_um,
    write_trackmate,
)
from pseudocell.io._units import pixel_size_of
from pseudocell.io._xml_writers import (
    write_cell_counter,
    write_cellfinder,
    write_cvat,
)
from pseudocell.io.points import split_label

__all__ = ["WRITERS", "Sheet", "Writer", "write_files"]


@dataclass(frozen=True)
class Sheet:
    """The points of an image or a frame, as a program counts.

    Attributes
    ----------
    name : str
        Of the image.
    frame : int or None
        Its number, from the first one of the format; None if there are no frames.
    points : ndarray of shape (n, 2)
        (row, col) in the unit of the format.
    shape : tuple of int or None
        Of the image, if it is known.
    """

    name: str
    frame: int | None
    points: np.ndarray
    shape: tuple | None


@dataclass(frozen=True)
class Writer:
    """How a kind of file is written.

    Attributes
    ----------
    write : callable
        Called as ``write(path, sheets)``.
    name : str
        Of its conventions in `FORMATS`.
    suffix : str
        Of its files.
    is_one : bool
        Whether one file holds all images; else each image or stack has its own.
    unit : PointUnit or None
        Instead of that of the format.
    is_sized : bool
        Whether it holds the size of each image, and no stacks.
    needs_frame : bool
        Whether an image that is no stack is the first frame.
    """

    write: Callable
    name: str
    suffix: str
    is_one: bool = False
    unit: PointUnit | None = None
    is_sized: bool = False
    needs_frame: bool = False


WRITERS = {
    "csv": Writer(write_table_px, "csv", ".csv", is_one=True),
    "csv-um": Writer(write_table_um, "csv", ".csv", is_one=True, unit=PointUnit("um")),
    "napari": Writer(write_napari, "napari", ".csv"),
    "roi": Writer(write_roi_set, "roi", ".zip"),
    "cellcounter": Writer(write_cell_counter, "cellcounter", ".xml", needs_frame=True),
    "cellfinder": Writer(write_cellfinder, "cellfinder", ".xml", needs_frame=True),
    "geojson": Writer(write_geojson, "qupath", ".geojson"),
    "qupath": Writer(write_qupath_table, "qupath", ".tsv"),
    "trackmate": Writer(write_trackmate, "trackmate", ".csv"),
    "labelme": Writer(write_labelme, "labelme", ".json", is_sized=True),
    "cvat": Writer(write_cvat, "cvat", ".xml", is_one=True, is_sized=True),
    "coco": Writer(write_coco, "coco", ".json", is_one=True, is_sized=True),
    "labelstudio": Writer(
        write_label_studio, "labelstudio", ".json", is_one=True, is_sized=True
    ),
}


def write_files(output, kind, labels, points, images=None, pixel_size=None):
    """Write points of all images in one file, or in one for each image or stack.

    Parameters
    ----------
    output : str or path
        The file; a folder where there are several images and `kind` takes one a file.
    kind : str
        What to write, a key of `WRITERS`.
    labels : sequence of str
        Label of each image.
    points : sequence of ndarray of shape (n_i, 2)
        (row, col) in pixels.
    images : sequence of image, optional
        With their `pixel_size`, for the kinds in micrometres, and `shape`, for those
        that hold it.
    pixel_size : float, optional
        Micrometres of a pixel, instead.

    Returns
    -------
    paths : list of pathlib.Path
        What was written.

    Raises
    ------
    ValueError
        If the kind is unknown or cannot hold a stack, or the size of an image or its
        pixels is needed and not known.
    """
    if kind not in WRITERS:
        raise ValueError(
            f"The format {kind!r} is not known; expected one of {', '.join(WRITERS)}."
        )
    writer, output = WRITERS[kind], Path(output)
    images = images or [None] * len(labels)
    sheets = [
        _sheet(kind, writer, *one, pixel_size)
        for one in zip(labels, points, images, strict=True)
    ]
    if writer.is_one:
        prepare_folder(output.parent)
        writer.write(output, sheets)
        return [output]
    groups = {}
    for sheet in sheets:
        groups.setdefault(sheet.name, []).append(sheet)
    is_folder = output.suffix.lower() != writer.suffix
    if len(groups) > 1 and not is_folder:
        raise ValueError(
            f"{output} would be one file, and a file of the format {kind} holds one "
            f"image; there are {len(groups)}. Give the name of a folder."
        )
    paths = []
    for name, group in groups.items():
        path = _path_in(output, name, writer.suffix) if is_folder else output
        prepare_folder(path.parent)
        writer.write(path, sorted(group, key=lambda sheet: sheet.frame or 0))
        paths.append(path)
    return paths


def _sheet(kind, writer, label, points, image, pixel_size):
    """Return the points of an image as the program counts."""
    form = FORMATS[writer.name]
    unit = writer.unit or form.unit
    name, frame = split_label(label)
    shape, size = getattr(image, "shape", None), pixel_size_of(image, pixel_size)
    if frame is not None and writer.is_sized:
        raise ValueError(
            f"The format {kind} is for images, and {name} is a stack; write it as "
            "geojson, roi or csv, or save its frames as images."
        )
    if writer.is_sized and shape is None:
        raise ValueError(
            f"The format {kind} holds the size of each image, and that of {label} is "
            "not known; give the images by --images."
        )
    if unit.name == "um" and size is None:
        raise ValueError(
            f"The format {kind} is in micrometres, and the pixel size of {label} is "
            "not known; give images that hold it, or --pixel-size."
        )
    if frame is not None or writer.needs_frame:
        frame = (frame or 0) + form.first_frame
    return Sheet(name, frame, unit.from_pixels(points, shape, size), shape)


def _path_in(folder, name, suffix):
    """Return the file of an image: whole names, as "a.tif" and "a.png" are two."""
    path = folder.joinpath(*Path(name.lstrip("/")).parts)
    path = path.with_name(path.name + suffix)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"The image name {name} leads out of {folder}.")
    return path

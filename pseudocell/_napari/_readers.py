"""What napari opens by itself: files of points, and projects."""

from pathlib import Path

import numpy as np

from pseudocell._napari._canvas import CLICKS, NOT_CELLS, STYLES
from pseudocell._napari._project import PROJECT
from pseudocell.io import read_points
from pseudocell.io.points import split_label
from pseudocell.session import Session

__all__ = ["point_reader", "project_reader", "read_point_file", "read_project"]


def point_reader(path):
    """Return what reads a file of points; None for several files.

    Parameters
    ----------
    path : str or list of str
        What is opened.

    Returns
    -------
    read : callable or None
        As napari wants it.
    """
    return read_point_file if isinstance(path, str) else None


def read_point_file(path):
    """Read a file of points of any program as layers.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    layers : list of tuple
        A layer of points for each image; (frame, row, col) for a stack.

    Raises
    ------
    ValueError
        If it cannot be read, or its points are not in pixels: only the panel, which
        knows the images, can convert them.
    """
    table = read_points(path)
    if table.units:
        unit = next(iter(table.units.values())).name
        raise ValueError(
            f"The points {path} are in {unit}; open the image and take them in by the "
            "button Import clicks of the Pseudocell panel, which converts them."
        )
    return [_layer(name, parts) for name, parts in _by_image(table).items()]


def _by_image(table):
    """Return (frame or None, points) by the name of the image."""
    images = {}
    for label, points in table.points.items():
        name, frame = split_label(label)
        images.setdefault(name, []).append((frame, points))
    return images


def _layer(name, parts):
    if any(frame is None for frame, _ in parts):
        points = np.concatenate([some for _, some in parts])
    else:
        points = np.concatenate(
            [np.insert(some, 0, frame, axis=1) for frame, some in parts]
        )
    return points, {"name": f"points of {Path(name).name}"}, "points"


def project_reader(path):
    """Return what reads a project; None for several.

    Parameters
    ----------
    path : str or list of str
        What is opened.

    Returns
    -------
    read : callable or None
        As napari wants it.
    """
    return read_project if isinstance(path, str) else None


def read_project(path):
    """Read the image of a project that has most clicks, with its points.

    The panel, when it is open, goes on with the whole project.

    Parameters
    ----------
    path : str
        The folder.

    Returns
    -------
    layers : list of tuple
        An image, clicks, and what is no cell.

    Raises
    ------
    ValueError
        If it is no project, or cannot be opened.
    """
    if Path(path).is_file():
        raise ValueError(
            f"{path} is a model; expected the folder of a project. In the panel, Run "
            "on a folder finds cells with the model of a project."
        )
    with Session.open(path) as session:
        number = int(np.argmax([len(some) for some in session.clicks]))
        pixels, name = np.asarray(session.images[number]), session.names[number]
        points = {CLICKS: session.clicks[number], NOT_CELLS: session.not_cells[number]}
    of_project = {"metadata": {PROJECT: str(path)}}
    is_channels = pixels.ndim == 3 and not (
        pixels.shape[2] == 3 and pixels.dtype == np.uint8
    )
    channels = {"channel_axis": 2} if is_channels else {}
    return [
        (pixels, {"name": name, **channels, **of_project}, "image"),
        *(
            (some, {"name": name, "size": 5, **STYLES[name], **of_project}, "points")
            for name, some in points.items()
        ),
    ]

"""Which project belongs to layers, and which of its images they are."""

import os
import warnings
from pathlib import Path

import numpy as np

from pseudocell._napari._pictures import LARGE, Picture, part_seen, plane_shown
from pseudocell.io import read_images
from pseudocell.session import Session

__all__ = ["PROJECT", "SUFFIX", "file_of", "find_number", "open_project", "pictures_of"]

SUFFIX = ".pseudocell"
# The metadata of a layer name the project that it was opened from by this key.
PROJECT = "pseudocell project"
# A folder with that file is a project.
STATE = "project.json"


def pictures_of(group, viewer):
    """Return the pictures of the channels of an image, and the file that has them.

    Parameters
    ----------
    group : tuple of napari.layers.Image
        Its channels.
    viewer : napari.Viewer
        That shows them.

    Returns
    -------
    pictures : list of Picture
        One of each plane if a file has them as the layers do. If not, one of the plane
        that is seen, and of a very large plane the part that is seen.
    path : str or None
        The file.
    """
    layer = group[0]
    whole = [Picture(group, plane) for plane in np.ndindex(*_planes(layer))]
    if np.prod(whole[0].shape) <= LARGE:
        path = file_of(whole)
        if path is not None:
            return whole, path
    plane = plane_shown(layer, viewer)
    return [Picture(group, plane, *part_seen(layer))], None


def file_of(pictures):
    """Return the file whose images are these pictures; None if there is none."""
    path = pictures[0].layer.source.path
    if not isinstance(path, str | os.PathLike) or not os.path.isfile(path):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            images = read_images([path])
        if len(images) != len(pictures):
            return None
        # Programs turn, stretch and reorder images when they read them.
        is_same = all(
            np.array_equal(np.asarray(images[i]), pictures[i].pixels())
            for i in {1 % len(images), len(images) - 1}
        )
    except (ValueError, OSError):
        return None
    return str(path) if is_same else None


def open_project(picture, path):
    """Open or make the project of an image, beside its file or in the home folder.

    Parameters
    ----------
    picture : Picture
        The first image of it.
    path : str or None
        Its file, if it has one.

    Returns
    -------
    session : Session
    note : str
        What was not as usual; empty if all was.
    """
    note = ""
    for folder in _folders(picture, path):
        if not (folder / STATE).exists():
            images = [path] if path else {picture.name: picture.pixels()}
            return Session.create(folder, images), note
        try:
            session = Session.open(folder)
        except ValueError as error:
            note = f"{error} A new project was begun beside it."
            continue
        if find_number(session, picture, path) is not None:
            return session, note
        session.close()
    raise ValueError("No folder for a project can be found; open one by its button.")


def find_number(session, picture, path, frame=0):
    """Return which image of a session a picture is; None if it is none.

    Parameters
    ----------
    session : Session
        The session.
    picture : Picture
        The picture.
    path : str or None
        The file that has it.
    frame : int, default=0
        Which of the images of the file it is.
    """
    if path is not None:
        path = os.path.realpath(path)
        numbers = [
            i
            for i, image in enumerate(session.images)
            if os.path.realpath(image.path) == path
        ]
        return numbers[frame] if frame < len(numbers) else None
    pixels = None
    for i, image in enumerate(session.images):
        if Path(image.path).stem == picture.name and image.shape[:2] == picture.shape:
            pixels = picture.pixels() if pixels is None else pixels
            if np.array_equal(np.asarray(image), pixels):
                return i
    return None


def _folders(picture, path):
    """Yield where the project may be, the likeliest place first."""
    name = picture.layer.name if path is None else Path(path).name
    name = "".join(c if c.isalnum() or c in " ._-()[]" else "_" for c in name).strip()
    parent = Path.home() / "pseudocell"
    if path is not None and os.access(Path(path).parent, os.W_OK):
        parent = Path(path).parent
    yield parent / f"{name}{SUFFIX}"
    for number in range(2, 1000):
        yield parent / f"{name} {number}{SUFFIX}"


def _planes(layer):
    shape = (layer.data[0] if layer.multiscale else layer.data).shape
    return shape[: layer.ndim - 2]

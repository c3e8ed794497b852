"""Arrays in files: NumPy, OME-Zarr, and the formats ND2 and CZI by their libraries."""

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from xml.etree import ElementTree

import numpy as np

from pseudocell.io._pixel_size import one_size
from pseudocell.io._scene import Scene

__all__ = ["describe_czi", "describe_nd2", "describe_npy", "describe_zarr"]

# Axes of a plain array by their number; more are to be named.
PLAIN_AXES = {2: "YX", 3: "IYX"}


def describe_npy(path):
    """Read from the header of an npy file what it holds.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    scenes : list of Scene
        The one: (H, W), (H, W, C) with few channels, or frames.

    Raises
    ------
    ValueError
        If the axes cannot be known without a name.
    """
    pixels = np.load(path, mmap_mode="r", allow_pickle=False)
    axes, unsure = PLAIN_AXES.get(pixels.ndim), ""
    if pixels.ndim == 3 and pixels.shape[2] <= 4:
        axes = "YXC"
    if axes is None:
        axes = "ABDEFGH"[: max(0, pixels.ndim - 2)] + "YX"[-pixels.ndim :]
        unsure = f"it is an array of the shape {pixels.shape}; name its --axes"
    return [_scene(axes, pixels, "npy", _opened_npy, unsure=unsure)]


def describe_zarr(path):
    """Read the metadata of an OME-Zarr image, version 0.4 or 0.5.

    Parameters
    ----------
    path : str
        The folder.

    Returns
    -------
    scenes : list of Scene
        One for each multiscale image, at its full size.

    Raises
    ------
    ValueError
        If it is no OME-Zarr image.
    """
    about = {}
    for name in (".zattrs", "zarr.json"):
        if os.path.exists(os.path.join(path, name)):
            with open(os.path.join(path, name), encoding="utf-8") as file:
                about = json.load(file)
            about = about.get("attributes", about)
            about = about.get("ome", about)
            break
    images = about.get("multiscales")
    if not images:
        raise ValueError("it is no OME-Zarr image: it has no multiscales")
    scenes = []
    for one in images:
        level = one["datasets"][0]
        opener = _Zarr(level["path"])
        axes = "".join(axis["name"][0].upper() for axis in one["axes"])
        scale = _scale(level, len(axes)) if "Y" in axes and "X" in axes else None
        unit = next((a.get("unit") for a in one["axes"] if a["name"] == "x"), None)
        size = (
            unit
            and scale
            and one_size(scale[axes.index("X")], scale[axes.index("Y")], unit)
        )
        with opener(path) as pixels:
            scenes.append(_scene(axes, pixels, "OME-Zarr", opener, size or None))
    return scenes


def _scale(level, n_axes):
    for one in level.get("coordinateTransformations", ()):
        if one.get("type") == "scale" and len(one["scale"]) == n_axes:
            return one["scale"]
    return None


def describe_nd2(path):
    """Read from the header of an ND2 file of Nikon what it holds.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    scenes : list of Scene
        The one; positions are frames.
    """
    with _library("nd2").ND2File(path) as file:
        size = file.voxel_size()
        sizes = dict(file.sizes)
        return [
            Scene(
                axes="".join(sizes),
                shape=tuple(sizes.values()),
                dtype=np.dtype(file.dtype),
                locate=_Locator(_opened_nd2),
                kind="ND2",
                pixel_size=one_size(size.x, size.y),
            )
        ]


def describe_czi(path):
    """Read from the header of a CZI file of Zeiss what it holds.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    scenes : list of Scene
        The one.

    Raises
    ------
    ValueError
        If it has several scenes: its library puts them on one canvas.
    """
    with _library("czifile").CziFile(path) as file:
        axes, shape = file.axes, file.shape
        if dict(zip(axes, shape, strict=True)).get("S", 1) > 1:
            raise ValueError(
                "it holds several scenes; export each into a file of its own"
            )
        # "0" are the samples of a pixel, and S are scenes, as P is elsewhere.
        axes = axes.replace("S", "P").replace("0", "S")
        distances = {}
        for one in ElementTree.fromstring(file.metadata()).iter("Distance"):
            distances[one.get("Id")] = one.findtext("Value")
        return [
            Scene(
                axes=axes,
                shape=tuple(shape),
                dtype=np.dtype(file.dtype),
                locate=_Locator(_opened_czi),
                kind="CZI",
                pixel_size=one_size(distances.get("X"), distances.get("Y"), "m"),
            )
        ]


def _scene(axes, pixels, kind, opener, pixel_size=None, unsure=""):
    return Scene(
        axes=axes,
        shape=tuple(pixels.shape),
        dtype=np.dtype(pixels.dtype).newbyteorder("="),
        locate=_Locator(opener),
        kind=kind,
        pixel_size=pixel_size,
        unsure=unsure,
    )


@dataclass(frozen=True)
class _Locator:
    """Where pixels are: an opener of the array, and an index."""

    opener: object
    index: tuple = ()

    def __call__(self, index):
        return _Locator(self.opener, index)

    def read(self, path):
        """Read what the index stands for, and nothing else."""
        listed = [slice(None) if isinstance(i, list) else i for i in self.index]
        kept = [i for i in self.index if not isinstance(i, int | np.integer)]
        with self.opener(path) as pixels:
            image = np.asarray(pixels[tuple(listed)])
        image = image[tuple(kept)] if kept else image
        return np.array(image, dtype=image.dtype.newbyteorder("="))


@contextmanager
def _opened_npy(path):
    yield np.load(path, mmap_mode="r", allow_pickle=False)


@contextmanager
def _opened_nd2(path):
    with _library("nd2").ND2File(path) as file:
        yield file.to_dask()


@contextmanager
def _opened_czi(path):
    with _library("czifile").CziFile(path) as file:
        yield file.asarray()


@dataclass(frozen=True)
class _Zarr:
    level: str

    @contextmanager
    def __call__(self, path):
        yield _library("zarr").open_array(os.path.join(path, self.level), mode="r")


def _library(name):
    try:
        return import_module(name)
    except ImportError as error:
        extra = {"czifile": "czi"}.get(name, name)
        raise ValueError(
            f'reading it needs {name}: pip install "pseudocell[{extra}]"'
        ) from error

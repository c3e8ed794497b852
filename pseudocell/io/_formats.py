"""The formats of images: which one a file has, by its first bytes."""

import os

from pseudocell.io._arrays import (
    describe_czi,
    describe_nd2,
    describe_npy,
    describe_zarr,
)
from pseudocell.io._raster import describe_raster
from pseudocell.io._tiff import describe_tiff

__all__ = ["SUFFIXES", "describe"]

SUFFIXES = (
    *(".tif", ".tiff", ".lsm", ".stk", ".png", ".jpg", ".jpeg", ".bmp"),
    *(".jp2", ".j2k", ".jpx", ".npy", ".nd2", ".czi"),
)
TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
RASTER_SIGNATURES = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"BM",
    b"\0\0\0\x0cjP  ",
    b"\xff\x4f\xff\x51",
)

ARRAYS = {
    b"\x93NUMPY": describe_npy,
    b"\xda\xce\xbe\x0a": describe_nd2,
    b"ZISRAWFILE": describe_czi,
}


def describe(path):
    """Read from the header of a file which scenes it holds.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    scenes : list of Scene
        The scenes.

    Raises
    ------
    ValueError
        If it is no image file, or none that can be read.
    """
    if os.path.isdir(path):
        return describe_zarr(path)
    with open(path, "rb") as file:
        start = file.read(16)
    if not start:
        raise ValueError("the file is empty")
    if start.startswith(RASTER_SIGNATURES):
        return describe_raster(path)
    if start.startswith(TIFF_SIGNATURES):
        return describe_tiff(path)
    for signature, describe_array in ARRAYS.items():
        if start.startswith(signature):
            return describe_array(path)
    raise ValueError("it is not an image of a format that is read")

"""OME-XML: which planes of a TIFF file belong to which image."""

import math
import os
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np

from pseudocell.io._pixel_size import one_size

__all__ = ["OmeImage", "parse_ome"]


@dataclass(frozen=True)
class OmeImage:
    """An image that OME-XML describes, of which all planes are in this file.

    Attributes
    ----------
    axes : str
        Of its planes, the one that changes last first, such as "TZC".
    pages : int ndarray
        Page of each plane, along these axes.
    size : tuple of int
        Rows and columns.
    pixel_size : float or None
        Micrometres.
    """

    axes: str
    pages: np.ndarray
    size: tuple
    pixel_size: float | None


def parse_ome(text, path, n_pages, n_samples):
    """Read which images of a set are in this file, and where.

    The XML of each file of a set names the images of all: each plane has the page and
    the file that it is in (OME-TIFF specification, TiffData).

    Parameters
    ----------
    text : str
        The XML.
    path : str
        The file.
    n_pages : int
        Number of its pages.
    n_samples : int
        Channels in one page.

    Returns
    -------
    images : list of OmeImage
        Those that are in this file.

    Raises
    ------
    ValueError
        If an image is in this file in part only, or the XML is none.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("its OME-XML has a DOCTYPE, which OME-XML has not")
    try:
        root = ElementTree.fromstring(text.encode())
    except ElementTree.ParseError as error:
        raise ValueError(f"its OME-XML cannot be read: {error}") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    own = _own_files(root, path)
    found = []
    for pixels in root.iterfind("Image/Pixels"):
        image = _image(pixels, own, n_pages, n_samples)
        if image is not None:
            found.append(image)
    if not found:
        raise ValueError("its OME-XML describes no image of this file")
    return found


def _own_files(root, path):
    """Return how the planes of this file name it."""
    named = {(one.text, one.get("FileName")) for one in root.iter("UUID")}
    mine = {pair for pair in named if pair[0] and pair[0] == root.get("UUID")}
    if not mine:
        here = os.path.basename(path)
        mine = {pair for pair in named if pair[1] and os.path.basename(pair[1]) == here}
    # A file that was renamed, alone.
    return mine or (named if len(named) == 1 else set())


def _image(pixels, own, n_pages, n_samples):
    sizes = {axis: int(pixels.get(f"Size{axis}", 1)) for axis in "XYCZT"}
    axes = pixels.get("DimensionOrder", "XYCZT")[:1:-1]
    sizes["C"] = max(1, sizes["C"] // max(1, n_samples))
    shape = tuple(sizes[axis] for axis in axes)
    if min(*shape, sizes["X"], sizes["Y"]) < 1 or math.prod(shape) > 10**7:
        raise ValueError(f"its OME-XML describes an image of {shape} planes")
    pages = np.full(math.prod(shape), -1)
    elsewhere = False
    for data in pixels.iterfind("TiffData"):
        uuid = data.find("UUID")
        if uuid is not None and (uuid.text, uuid.get("FileName")) not in own:
            elsewhere = True
            continue
        place = tuple(int(data.get(f"First{axis}", 0)) for axis in axes)
        try:
            first = int(np.ravel_multi_index(place, shape))
        except ValueError as error:
            raise ValueError("its OME-XML names a plane that is not there") from error
        ifd = int(data.get("IFD", 0))
        rest = min(n_pages - ifd, len(pages) - first)
        alone = data.get("IFD") is not None
        count = int(data.get("PlaneCount", 1 if alone else rest))
        if count > rest or ifd < 0:
            raise ValueError("its OME-XML names a page that is not there")
        pages[first : first + count] = ifd + np.arange(count)
    if (pages < 0).all() and elsewhere:
        return None
    if (pages < 0).any():
        raise ValueError(
            "its frames are spread over several files"
            if elsewhere
            else "some planes that its OME-XML describes are not in it"
        )
    size = one_size(
        pixels.get("PhysicalSizeX"),
        pixels.get("PhysicalSizeY"),
        pixels.get("PhysicalSizeXUnit", "µm"),
    )
    return OmeImage(axes, pages.reshape(shape), (sizes["Y"], sizes["X"]), size)

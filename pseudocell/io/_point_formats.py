"""How each program writes a point: unit, origin, first frame. The one table of it."""

from dataclasses import dataclass

import numpy as np

__all__ = ["FORMATS", "UNITS", "PointFormat", "PointUnit"]

UNITS = ("px", "um", "fraction", "percent", "calibrated")


@dataclass(frozen=True)
class PointUnit:
    """What a coordinate of 1 means, and where 0 lies.

    Attributes
    ----------
    name : {"px", "um", "fraction", "percent", "calibrated"}
        Fraction and percent are of the size of the image; calibrated means
        micrometres if the image has a pixel size, and pixels if not.
    half : float
        Coordinate of the centre of the first pixel, in pixels: 0, or 0.5 where 0 is
        the outer corner of the image.
    """

    name: str = "px"
    half: float = 0.0

    def scale(self, shape, pixel_size):
        """Pixels for each unit, for row and col.

        Parameters
        ----------
        shape : tuple of int
            Shape of the image.
        pixel_size : ndarray of shape (2,)
            Micrometres.

        Returns
        -------
        scale : ndarray of shape (2,)
            Coordinates in pixels are those in this unit times the scale, less a half.
        """
        if self.name in ("um", "calibrated"):
            return 1 / pixel_size
        if self.name in ("fraction", "percent"):
            return np.array(shape[:2]) / (100 if self.name == "percent" else 1)
        return np.ones(2)


@dataclass(frozen=True)
class PointFormat:
    """The conventions of a file format for points.

    Attributes
    ----------
    title : str
        What people call it.
    unit : PointUnit
        Of its coordinates, where a header does not say otherwise.
    first_frame : int
        Number of the first frame or slice in it.
    source : str
        Where that is documented.
    """

    title: str
    unit: PointUnit
    first_frame: int
    source: str


CENTRE, CORNER = PointUnit("px", 0.0), PointUnit("px", 0.5)

# ImageJ: integers are centres for points and lines, corners for areas
# (Roi.useLineSubpixelConvention). QuPath, LabelMe and CVAT draw pixel 0 from 0 to 1.
# COCO key points are zero-based indices of pixels, boxes and outlines have corners.
# TrackMate draws spots at x / pixel size + 0.5 of corners, so integers are centres.
FORMATS = {
    "csv": PointFormat("plain table", CENTRE, 0, "docs/formats.md"),
    "napari": PointFormat("napari layer", CENTRE, 0, "napari.org, Points layer"),
    "fiji": PointFormat(
        "Fiji Results table",
        PointUnit("calibrated", 0.0),
        1,
        "imagej.net, Analyzer.savePoints",
    ),
    "fiji-area": PointFormat(
        "Fiji Results table of areas",
        PointUnit("calibrated", 0.5),
        1,
        "imagej.net, Roi.useLineSubpixelConvention",
    ),
    "roi": PointFormat("ImageJ points", CENTRE, 1, "imagej.net, RoiDecoder"),
    "roi-area": PointFormat("ImageJ areas", CORNER, 1, "imagej.net, RoiDecoder"),
    "cellcounter": PointFormat("Cell Counter", CENTRE, 1, "imagej.net, Cell Counter"),
    "cellfinder": PointFormat("cellfinder", CENTRE, 0, "brainglobe-utils, IO.cells"),
    "qupath": PointFormat("QuPath", CORNER, 0, "QuPath, PointIO and GsonTools"),
    "trackmate": PointFormat(
        "TrackMate", PointUnit("um", 0.0), 0, "imagej.net, TrackMate, SpotOverlay"
    ),
    "labelme": PointFormat("LabelMe", CORNER, 0, "labelme, LabelFile"),
    "cvat": PointFormat("CVAT", CORNER, 0, "docs.cvat.ai, XML annotation format"),
    "coco": PointFormat("COCO key points", CENTRE, 0, "cocodataset.org, format-data"),
    "coco-area": PointFormat("COCO boxes", CORNER, 0, "cocodataset.org, format-data"),
    "labelstudio": PointFormat(
        "Label Studio",
        PointUnit("percent", 0.5),
        0,
        "labelstud.io, Task format",
    ),
}

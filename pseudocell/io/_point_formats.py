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

    def from_pixels(self, points, shape, pixel_size):
        """Convert points, (row, col) in pixels, into this unit."""
        points = np.reshape(points, (-1, 2)).astype(float)
        return (points + self.half) / self.scale(shape, pixel_size)


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

# Coordinates are (x, y) everywhere but in tables that name their columns otherwise, and
# of the unit and origin that stands here. How it is known where 0 lies:
# ImageJ: integers are centres for points and lines, corners for areas
# (Roi.useLineSubpixelConvention). Cell Counter takes whole pixels from the mouse.
# QuPath draws pixel 0 from 0 to 1 (its ROIs are java.awt shapes on the image).
# LabelMe paints the picture from 0, and points in the same coordinates of Qt
# (labelme/widgets/canvas.py, paintEvent and transformPos).
# CVAT: the last corner of 1920 x 1080 pixels is (1920, 1080) (cvat-ai/cvat, issue
# 9973).
# COCO: outlines and boxes in [0, W], key points are whole numbers in [0, W - 1], so
# that half a pixel lies between them (facebookresearch/detectron2, pull request 175).
# Label Studio: "snap to pixel" puts key points at floor(x) + 1/2 (Image.js,
# snapPointToPixel), in percent of the size (labelstud.io/tags/keypointlabels).
# TrackMate: "0.5, so that spot centers are displayed on the pixel centers" is added to
# x / pixel size before drawing (SpotOverlay.java): integers are centres.
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
        "TrackMate", PointUnit("um", 0.0), 0, "TrackMate, SpotOverlay.java"
    ),
    "labelme": PointFormat("LabelMe", CORNER, 0, "labelme, canvas.py"),
    "cvat": PointFormat("CVAT", CORNER, 0, "docs.cvat.ai, XML 1.1"),
    "coco": PointFormat("COCO key points", CENTRE, 0, "cocodataset.org, format-data"),
    "coco-area": PointFormat("COCO boxes", CORNER, 0, "cocodataset.org, format-data"),
    "labelstudio": PointFormat(
        "Label Studio",
        PointUnit("percent", 0.5),
        0,
        "labelstud.io, KeyPointLabels",
    ),
}

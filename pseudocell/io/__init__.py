"""Read images and points, write points and models."""

from pseudocell.io._read_ahead import read_ahead
from pseudocell.io.csv_points import (
    write_counts,
    write_layer,
    write_points,
)
from pseudocell.io.images import (
    ImageFile,
    Reading,
    UnreadableImageError,
    read_images,
)
from pseudocell.io.models import load_model, save_model
from pseudocell.io.point_files import read_points
from pseudocell.io.points import PointTable, points_for_images

__all__ = [
    "ImageFile",
    "PointTable",
    "Reading",
    "UnreadableImageError",
    "load_model",
    "points_for_images",
    "read_ahead",
    "read_images",
    "read_points",
    "save_model",
    "write_counts",
    "write_layer",
    "write_points",
]

"""pseudocell convert: points of one program for another."""

from pathlib import Path

import click
import numpy as np

from pseudocell.cli._terminal import counted
from pseudocell.io import points_for_images, read_images, read_points
from pseudocell.io.point_writers import WRITERS, write_files

__all__ = ["run_convert"]

KINDS = {".csv": "csv", ".zip": "roi", ".geojson": "geojson", ".tsv": "qupath"}


def run_convert(source, output, kind, images, unit, pixel_size):
    """Read points of any kind and write them as another.

    Parameters
    ----------
    source : str
        File or folder of points.
    output : str
        File or folder to write.
    kind : str or None
        What to write; by the suffix of the output if None.
    images : sequence of str
        Folders, files and patterns of the images; none if empty.
    unit : str or None
        Unit of the points, instead of what their file says.
    pixel_size : float or None
        Micrometres of a pixel, instead of what the images say.
    """
    kind = kind or KINDS.get(Path(output).suffix.lower())
    if kind is None:
        raise ValueError(
            f"It is not clear what to write to {output}; give --format "
            f"({', '.join(WRITERS)}), or a name that ends in {', '.join(KINDS)}."
        )
    if Path(output).exists() and Path(output).samefile(source):
        raise ValueError(f"{output} is the file to read; give another name to write.")
    table = read_points(source, unit)
    pictures = read_images(images) if images else _unseen(table, pixel_size)
    points = points_for_images(table, pictures, pixel_size)
    labels = [one.label for one in pictures]
    paths = write_files(output, kind, labels, points, pictures, pixel_size)
    n_points = sum(map(len, points))
    where = paths[0] if len(paths) == 1 else f"{len(paths)} files in {output}"
    click.echo(
        f"{counted(n_points, 'point')} of {counted(len(labels), 'image')}: {where}"
    )


class _Unseen:
    """An image of which only the label and perhaps the pixel size are known."""

    shape = None

    def __init__(self, label, pixel_size):
        self.label, self.pixel_size = label, pixel_size


def _unseen(table, pixel_size):
    """Take the names in a table for those of images."""
    if not table.points:
        raise ValueError(f"{table.source} holds no points.")
    size = None if pixel_size is None else np.array([pixel_size, pixel_size])
    return [_Unseen(label, size) for label in table.points]

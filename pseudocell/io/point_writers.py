"""Write points for other programs."""

from pathlib import Path

import numpy as np

from pseudocell.io._imagej_points import write_roi_set
from pseudocell.io._json_points import write_geojson
from pseudocell.io._output import prepare_folder, write_table
from pseudocell.io._units import pixel_size_of
from pseudocell.io.csv_points import write_layer
from pseudocell.io.points import label_columns, split_label

__all__ = ["WRITERS", "write_files"]

# The header of a table of TrackMate: keys, names, short names and units.
TRACKMATE = (
    ("LABEL", "Label", "Label", ""),
    ("ID", "Spot ID", "Spot ID", ""),
    ("TRACK_ID", "Track ID", "Track ID", ""),
    ("QUALITY", "Quality", "Quality", "(quality)"),
    ("POSITION_X", "X", "X", "(micron)"),
    ("POSITION_Y", "Y", "Y", "(micron)"),
    ("POSITION_Z", "Z", "Z", "(micron)"),
    ("POSITION_T", "T", "T", "(sec)"),
    ("FRAME", "Frame", "Frame", ""),
)


def write_files(output, kind, labels, points, images=None, pixel_size=None):
    """Write points of all images in one file, or in one for each image or stack.

    Parameters
    ----------
    output : str or path
        The file; a folder where there are several images and `kind` takes one a file.
    kind : {"csv", "csv-um", "napari", "roi", "geojson", "trackmate"}
        What to write.
    labels : sequence of str
        Label of each image.
    points : sequence of ndarray of shape (n_i, 2)
        (row, col) in pixels.
    images : sequence of image, optional
        With their `pixel_size`, for the kinds in micrometres.
    pixel_size : float, optional
        Micrometres of a pixel, instead.

    Returns
    -------
    paths : list of pathlib.Path
        What was written.

    Raises
    ------
    ValueError
        If the kind is unknown, or a pixel size is needed and not known.
    """
    if kind not in WRITERS:
        raise ValueError(
            f"The format {kind!r} is not known; expected one of {', '.join(WRITERS)}."
        )
    write, suffix, is_physical = WRITERS[kind]
    output = Path(output)
    scales = [np.ones(2)] * len(labels)
    if is_physical:
        sizes = [
            pixel_size_of(image, pixel_size) for image in images or [None] * len(labels)
        ]
        missing = [x for x, size in zip(labels, sizes, strict=True) if size is None]
        if missing:
            raise ValueError(
                f"The format {kind} is in micrometres, and the pixel size of "
                f"{missing[0]} is not known; give images that hold it, or --pixel-size."
            )
        scales = sizes
    points = [some * scale for some, scale in zip(points, scales, strict=True)]
    if suffix is None:
        prepare_folder(output.parent)
        write(output, labels, points)
        return [output]
    groups = {}
    for label, some in zip(labels, points, strict=True):
        name, frame = split_label(label)
        groups.setdefault(name, []).append((frame, some))
    is_folder = output.suffix.lower() != suffix
    if len(groups) > 1 and not is_folder:
        raise ValueError(
            f"{output} would be one file, and a file of the format {kind} holds one "
            f"image; there are {len(groups)}. Give the name of a folder."
        )
    paths = []
    for name, group in groups.items():
        path = output
        if is_folder:
            # Whole names: "a.tif" and "a.png" are two images.
            path = output.joinpath(*Path(name.lstrip("/")).parts)
            path = path.with_name(path.name + suffix)
            if not path.resolve().is_relative_to(output.resolve()):
                raise ValueError(f"The image name {name} leads out of {output}.")
        frames, some = zip(*sorted(group, key=lambda one: one[0] or 0), strict=True)
        prepare_folder(path.parent)
        write(path, some, None if frames == (None,) else frames)
        paths.append(path)
    return paths


def _write_table(path, labels, points):
    _write_rows(path, labels, points, ["row", "col"])


def _write_table_um(path, labels, points):
    _write_rows(path, labels, points, ["row [um]", "col [um]"])


def _write_rows(path, labels, points, titles):
    columns, cells = label_columns(labels)
    rows = (
        [*its, _number(row), _number(col)]
        for its, some in zip(cells, points, strict=True)
        for row, col in some
    )
    write_table(path, [*columns, *titles], rows)


def _number(value):
    # The sixth digit is below a thousandth of a pixel in all but the largest images.
    return f"{float(value):.10g}"


def _write_layer(path, points, frames):
    # All alike: what a person has clicked has no score.
    scores = [np.ones(len(some)) for some in points]
    write_layer(path, points, scores, frames)


def _write_trackmate(path, points, frames):
    rows = [
        list(one) for one in zip(*(column[1:] for column in TRACKMATE), strict=True)
    ]
    number = 0
    for place, some in enumerate(points):
        frame = 0 if frames is None else frames[place]
        for row, col in some:
            name = f"ID{number}"
            rows.append([name, number, "", 1, _number(col), _number(row), 0, 0, frame])
            number += 1
    write_table(path, [column[0] for column in TRACKMATE], rows)


# Function, suffix of a file for each image (None: one for all), whether in micrometres.
WRITERS = {
    "csv": (_write_table, None, False),
    "csv-um": (_write_table_um, None, True),
    "napari": (_write_layer, ".csv", False),
    "roi": (write_roi_set, ".zip", False),
    "geojson": (write_geojson, ".geojson", False),
    "trackmate": (_write_trackmate, ".csv", True),
}

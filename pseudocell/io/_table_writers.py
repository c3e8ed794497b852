"""Tables of points for other programs."""

import numpy as np

from pseudocell.io._output import write_table
from pseudocell.io.csv_points import write_layer
from pseudocell.io.points import join_label, label_columns

__all__ = [
    "write_napari",
    "write_qupath_table",
    "write_table_um",
    "write_table_px",
    "write_trackmate",
]

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


def write_table_px(path, sheets):
    """Write a table of all images in pixels."""
    _write_rows(path, sheets, ["row", "col"])


def write_table_um(path, sheets):
    """Write a table of all images in micrometres."""
    _write_rows(path, sheets, ["row [um]", "col [um]"])


def write_napari(path, sheets):
    """Write a layer of napari, all points with the score of what a person clicked."""
    points = [sheet.points for sheet in sheets]
    scores = [np.ones(len(some)) for some in points]
    frames = [sheet.frame for sheet in sheets]
    write_layer(path, points, scores, None if frames == [None] else frames)


def write_trackmate(path, sheets):
    """Write a table of spots of TrackMate, all on the first slice of their frame."""
    rows = [
        list(one) for one in zip(*(column[1:] for column in TRACKMATE), strict=True)
    ]
    for sheet in sheets:
        for row, col in sheet.points:
            number = len(rows) - 3
            place = [_number(col), _number(row), 0, 0, sheet.frame or 0]
            rows.append([f"ID{number}", number, "", 1, *place])
    write_table(path, [column[0] for column in TRACKMATE], rows)


def write_qupath_table(path, sheets):
    """Write a table of points of QuPath, a tab behind each cell as it does."""
    is_stack = sheets[0].frame is not None
    rows = (
        [_number(col), _number(row), *([sheet.frame] * is_stack), ""]
        for sheet in sheets
        for row, col in sheet.points
    )
    write_table(path, ["x", "y", *["t"] * is_stack, ""], rows, separator="\t")


def _write_rows(path, sheets, titles):
    labels = [join_label(sheet.name, sheet.frame) for sheet in sheets]
    columns, cells = label_columns(labels)
    rows = (
        [*its, _number(row), _number(col)]
        for its, sheet in zip(cells, sheets, strict=True)
        for row, col in sheet.points
    )
    write_table(path, [*columns, *titles], rows)


def _number(value):
    # The sixth digit is below a thousandth of a pixel in all but the largest images.
    return f"{float(value):.10g}"

"""Points in CSV files: napari's, and plain ones with named columns."""

import csv
import warnings
from collections import Counter
from itertools import repeat
from pathlib import Path

import numpy as np

from pseudocell.io._names import shorten
from pseudocell.io._output import write_table
from pseudocell.io.points import PointTable, label_columns

__all__ = ["read_points", "write_counts", "write_layer", "write_points"]

EXPECTED = (
    "expected image and row, col (or y, x), or the columns axis-0, axis-1 of a "
    "points file saved by napari"
)
# The columns of row and col, tried in this order; the frame may stand before them.
COORDINATES = (
    ("frame", "row", "col"),
    ("axis-0", "axis-1", "axis-2"),
    ("frame", "axis-0", "axis-1"),
    ("frame", "y", "x"),
)


def read_points(source):
    r"""Read points from CSV files.

    Parameters
    ----------
    source : str or path
        A CSV file with the columns ``image``, ``row`` and ``col`` (or ``y`` and
        ``x``) and, for stacks, ``frame``; or a points file saved by napari
        (``axis-0``, ``axis-1`` and, with a leading frame axis, ``axis-2``), which
        belongs to one image; or a folder of such files, each with the name of its
        image. Columns are found by their names, in any order and case; others are
        ignored. Frames count from 0.

    Returns
    -------
    table : PointTable
        The points by image.

    Raises
    ------
    ValueError
        If the file cannot be read, lacks a column, or holds something that is not
        a finite number.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from pseudocell.io import read_points
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "clicks.csv"
    ...     _ = file.write_text("image,x,y\na.tif,30,4\na.tif,9.5,6\n")
    ...     read_points(file).points["a.tif"]
    array([[ 4. , 30. ],
           [ 6. ,  9.5]])
    """
    source = Path(source)
    if not source.is_dir():
        points, has_names = _read_file(source)
        return PointTable(str(source), points, has_names)
    files = sorted(source.glob("*.csv"))
    if not files:
        raise ValueError(f"The folder {source} holds no .csv file of points.")
    points, foreign = {}, []
    for file in files:
        try:
            points.update(_read_file(file)[0])
        except _NoPointColumnsError:
            foreign.append(file.name)
    if not points:
        raise ValueError(f"No .csv file in {source} holds points; {EXPECTED}.")
    if foreign:
        warnings.warn(
            f"Left out, because they hold no points: {shorten(foreign)}.",
            stacklevel=2,
        )
    return PointTable(str(source), points)


def write_points(path, labels, points, scores):
    """Write detected points as a CSV file, whole or not at all.

    Parameters
    ----------
    path : str or path
        The file. Its columns are ``image``, ``row``, ``col`` and ``score``, and
        ``frame`` after ``image`` if there are stacks; `read_points` reads it.
    labels : sequence of str
        Label of each image.
    points : sequence of ndarray of shape (n_i, 2)
        (row, col) in pixels.
    scores : sequence of ndarray of shape (n_i,)
        Score of each point, larger is more cell-like.
    """
    columns, cells = label_columns(labels)
    rows = (
        [*its_cells, f"{row:.2f}", f"{col:.2f}", f"{score:.5g}"]
        for its_cells, some, their in zip(cells, points, scores, strict=True)
        for (row, col), score in zip(some, their, strict=True)
    )
    write_table(path, [*columns, "row", "col", "score"], rows)


def write_counts(path, labels, points):
    """Write the number of points of each image as a CSV file, whole or not at all.

    Parameters
    ----------
    path : str or path
        The file. Its columns are ``image`` and ``count``, and ``frame`` after
        ``image`` if there are stacks.
    labels : sequence of str
        Label of each image.
    points : sequence of ndarray of shape (n_i, 2)
        Its points.
    """
    columns, cells = label_columns(labels)
    rows = ([*one, len(some)] for one, some in zip(cells, points, strict=True))
    write_table(path, [*columns, "count"], rows)


def write_layer(path, points, scores, frames=None):
    """Write the points of an image or a stack as a layer that napari opens.

    Parameters
    ----------
    path : str or path
        The file, written whole or not at all. Its columns are ``index``, ``axis-0``,
        ``axis-1`` and ``score``; for a stack ``axis-0`` is the frame, and row and col
        are ``axis-1`` and ``axis-2``. `read_points` reads it.
    points : iterable of ndarray of shape (n_i, 2)
        (row, col) in pixels, one array an image or frame.
    scores : iterable of ndarray of shape (n_i,)
        Score of each point; napari shows it as a property.
    frames : iterable of int, optional
        Number of each frame, from 0. None for an image that is not in a stack.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from pseudocell.io import write_layer
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "movie.csv"
    ...     write_layer(file, [np.array([[4, 30.5]])], [np.array([0.9])], frames=[7])
    ...     print(file.read_text())
    index,axis-0,axis-1,axis-2,score
    0,7,4.00,30.50,0.9
    """
    is_stack = frames is not None
    axes = [f"axis-{number}" for number in range(2 + is_stack)]
    starts = ([frame] for frame in frames) if is_stack else repeat([])
    found = zip(points, scores, strict=True)
    cells = (
        [*start, f"{row:.2f}", f"{col:.2f}", f"{score:.5g}"]
        for start, (some, their) in zip(starts, found, strict=is_stack)
        for (row, col), score in zip(some, their, strict=True)
    )
    rows = ([index, *one] for index, one in enumerate(cells))
    write_table(path, ["index", *axes, "score"], rows)


class _NoPointColumnsError(ValueError):
    """A CSV file is not one of points."""


def _read_file(path):
    """Points by label of one file, and whether it names images itself."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ValueError(f"The points {path} cannot be read: {reason}.") from error
    header, _, _ = text.partition("\n")
    # Spreadsheets of some countries separate by semicolons and write decimal commas.
    separator = next((mark for mark in ",;\t" if mark in header), ",")
    lines = csv.reader(text.splitlines(), delimiter=separator)
    lists = {}
    try:
        columns = [name.strip().lower() for name in next(lines, [])]
        places = _find_columns(columns, path)
        for cells in lines:
            if any(cell.strip() for cell in cells):
                where = f"{path}, line {lines.line_num}"
                label, point = _read_row(cells, places, path, where)
                lists.setdefault(label, []).append(point)
    except csv.Error as error:
        raise ValueError(f"The points {path} cannot be read: {error}.") from error
    points = {label: np.array(rows, dtype=float) for label, rows in lists.items()}
    return points, "image" in places


def _find_columns(columns, path):
    """Position of each column that is used: image, frame, row and col."""
    if not any(columns):
        raise _NoPointColumnsError(f"The points {path} are an empty file; {EXPECTED}.")
    twice = [name for name, count in Counter(columns).items() if name and count > 1]
    if "axis-3" in columns:
        raise ValueError(
            f"The points {path} have more than one axis before row and col; expected "
            "at most one, the frame."
        )
    places = {"image": columns.index("image")} if "image" in columns else {}
    for frame, row, col in COORDINATES:
        if row in columns and col in columns and (frame in columns or frame == "frame"):
            if {"image", frame, row, col} & set(twice):
                raise ValueError(f"The points {path} have a column twice: {twice[0]}.")
            if frame in columns:
                places["frame"] = columns.index(frame)
            return places | {"row": columns.index(row), "col": columns.index(col)}
    shown = ", ".join(columns[:8])
    raise _NoPointColumnsError(
        f"The points {path} have the columns {shown}; {EXPECTED}."
    )


def _read_row(cells, places, path, where):
    """Label and (row, col) of one line."""
    if len(cells) <= max(places.values()):
        raise ValueError(f"{where} has {len(cells)} cells; some columns are missing.")
    label = cells[places["image"]].strip() if "image" in places else path.stem
    if not label:
        raise ValueError(f"{where} has no image name.")
    if "frame" in places and cells[places["frame"]].strip():
        frame = _read_number(cells[places["frame"]], "frame", where)
        if frame != round(frame) or frame < 0:
            raise ValueError(f"{where} has the frame {frame:g}; expected 0, 1, 2, ...")
        label = f"{label}[{round(frame)}]"
    return label, [_read_number(cells[places[n]], n, where) for n in ("row", "col")]


def _read_number(cell, name, where):
    try:
        number = float(cell.replace(",", "."))
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise ValueError(f"{where} has {name} {cell.strip()!r}; expected a number.")
    return number

"""Points in tables: plain ones, and those of napari, Fiji, QuPath and TrackMate."""

import re
from collections import Counter
from dataclasses import replace

import numpy as np

from pseudocell.io._marks import Marks, NotPointsError
from pseudocell.io._point_formats import PointUnit
from pseudocell.io._table_text import decode, parse_numbers, split_rows

__all__ = ["EXPECTED", "centre_of_outline", "read_table_points"]

EXPECTED = (
    "expected image and row, col (or y, x), or the columns axis-0, axis-1 of a "
    "points file saved by napari"
)
NAMES = (
    *("image", "image name", "image_name", "filename", "file name", "file_name"),
    *("file", "path", "image_path", "image path"),
)
# The columns of row and col, tried in this order; the frame may stand before them.
COORDINATES = (
    ("frame", "row", "col"),
    ("axis-0", "axis-1", "axis-2"),
    ("frame", "axis-0", "axis-1"),
    ("frame", "y", "x"),
    ("frame", "centroid y", "centroid x"),
    ("frame", "position_y", "position_x"),
)
FRAMES = ("frame", "t", "timepoint", "slice", "z")
# What Fiji measures; any of them beside a capital X and Y tells its table.
OF_FIJI = {" ", "Label", "Area", "Mean", "Min", "Max", "Ch", "Slice", "Counter"}
UNIT_NAMES = {
    "px": "px pixel pixels",
    "um": "um µm μm micron microns micrometer micrometers micrometre micrometres",
    "percent": "% percent",
    "fraction": "fraction normalized relative",
}
UNIT_OF = {word: unit for unit, words in UNIT_NAMES.items() for word in words.split()}
LIKE_A_FILE = re.compile(
    r".*\.(tiff?|png|jpe?g|bmp|lsm|czi|nd2|lif|jp2|npy|zarr)\b.*", re.I
)


def read_table_points(path, content):
    """Read points from a table of text.

    Parameters
    ----------
    path : pathlib.Path
        The file, for names and messages.
    content : bytes
        What is in it.

    Returns
    -------
    marks : Marks
        The points in the unit of the table.

    Raises
    ------
    ValueError
        If a column is missing or a cell is not what it must be.
    """
    rows, separator = split_rows(decode(content, path), _has_points)
    rows = list(rows)
    header = rows[0][1] if rows else []
    body = [row for row in rows[1:] if any(cell.strip() for cell in row[1])]
    return _Table(path, header, body, separator).read()


def _has_points(header):
    names = {_split_unit(one)[0] for one in header}
    return any({row, col} <= names for _, row, col in COORDINATES)


def _split_unit(title):
    """Name of a column in lower case, and the unit that it ends in, or None."""
    title = title.strip().lower()
    match = re.fullmatch(r"(.*?)\s*[\[(]\s*([^\])]+?)\s*[\])]", title)
    match = match or re.fullmatch(r"(.*?)[\s_]+(\S+)", title)
    if match and match[2] in UNIT_OF:
        return match[1], UNIT_OF[match[2]]
    return title, None


class _Table:
    """A table, and what its columns mean."""

    def __init__(self, path, header, rows, separator):
        self.path, self.rows, self.separator = path, rows, separator
        self.header = header
        pairs = [_split_unit(title) for title in header]
        self.columns = [name for name, _ in pairs]
        self.axes = self._find_axes()
        row, col = self.axes[-2:]
        self.units = {dict(pairs)[row], dict(pairs)[col]}

    def read(self):
        """Return the points as marks."""
        marks = self._begin()
        if "position_x" in self.axes:
            self._drop_titles(marks)
        for line, cells in self.rows:
            if len(cells) < len(self.columns) and len(cells) <= self._last():
                raise ValueError(
                    f"{self.path}, line {line} has {len(cells)} cells; some columns "
                    "are missing."
                )
        labels = self._labels(marks)
        frames = self._frames(marks)
        places = self._places(marks)
        kinds = self._kinds(marks)
        if "shape-type" in self.columns:
            return self._add_shapes(marks, labels, frames, places)
        items = zip(self.rows, labels, frames, places, kinds, strict=True)
        for (line, _), label, frame, place, kind in items:
            marks.add(label, frame, *place, kind, f"{self.path}, line {line}")
        return marks

    def _find_axes(self):
        """Names of the columns of frame (or none), row and col."""
        if not any(self.columns):
            raise NotPointsError(
                f"The points {self.path} are an empty file; {EXPECTED}."
            )
        if "axis-3" in self.columns:
            raise ValueError(
                f"The points {self.path} have more than one axis before row and col; "
                "expected at most one, the frame."
            )
        counts = Counter(self.columns)
        for frame, row, col in COORDINATES:
            if not {row, col} <= set(counts):
                continue
            if frame == "axis-0" and frame not in counts:
                continue
            twice = [one for one in ("image", frame, row, col) if counts[one] > 1]
            if twice:
                raise ValueError(
                    f"The points {self.path} have a column twice: {twice[0]}."
                )
            return [frame, row, col] if frame == "axis-0" else [row, col]
        shown = ", ".join(one.strip() for one in self.header[:8])
        raise NotPointsError(
            f"The points {self.path} have the columns {shown}; {EXPECTED}."
        )

    def _begin(self):
        """Return marks with the conventions of the program that wrote the table."""
        titles, names = set(self.header), set(self.columns)
        program = "csv"
        if "position_x" in names:
            program = "trackmate"
        elif {"X", "Y"} <= titles and titles & OF_FIJI:
            area = self._cells("area") if "area" in names else []
            has_area = any(cell.strip(" 0.") for cell in area)
            program = "fiji-area" if has_area else "fiji"
        elif "centroid x" in names or self._is_qupath():
            program = "qupath"
        self.program = program
        marks = Marks.of(self.path, program)
        if self.units != {None}:
            if len(self.units) > 1:
                raise ValueError(
                    f"The points {self.path} have row and col in different units; "
                    "expected the same."
                )
            marks.unit = replace(marks.unit, name=self.units.pop())
        return marks

    def _is_qupath(self):
        """Tell a table of points of QuPath, with x and y first and a tab at the end."""
        names = self.columns
        is_marked = names[-1] == "" or {"class", "name", "color"} & set(names)
        return self.separator == "\t" and names[:2] == ["x", "y"] and bool(is_marked)

    def _drop_titles(self, marks):
        """Take away the three further header rows of TrackMate; the last has units."""
        x = self.columns.index("position_x")
        n_titles = 0
        while n_titles < min(3, len(self.rows)):
            cell = self.rows[n_titles][1][x].strip()
            if re.fullmatch(r"[-+.,\deE]+", cell):
                break
            word = cell.strip("()[] ").lower()
            marks.unit = PointUnit(UNIT_OF.get(word, marks.unit.name), marks.unit.half)
            if cell.startswith("(") and word not in UNIT_OF:
                raise ValueError(
                    f"The points {self.path} are in {cell}; expected micrometres or "
                    "pixels."
                )
            n_titles += 1
        self.rows = self.rows[n_titles:]

    def _cells(self, name):
        place = self.columns.index(name)
        return [cells[place] if place < len(cells) else "" for _, cells in self.rows]

    def _last(self):
        return max(self.columns.index(one) for one in self.axes)

    def _labels(self, marks):
        """Name of the image of each row; that of the file where there is no column."""
        column = next((one for one in NAMES if one in self.columns), None)
        if column is None and "label" in self.columns and self.program != "trackmate":
            cells = self._cells("label")
            if self.program.startswith("fiji") or any(map(LIKE_A_FILE.match, cells)):
                column = "label"
        marks.has_names = column is not None
        self.names = column
        if column is None:
            return [self.path.stem] * len(self.rows)
        labels = [cell.strip() for cell in self._cells(column)]
        for label, (line, _) in zip(labels, self.rows, strict=True):
            if not label:
                raise ValueError(f"{self.path}, line {line} has no image name.")
        if column == "label":
            # ImageJ writes "title", "title:region" or "title:slice".
            labels = [re.sub(r"(?<=.{2}):.*", "", label) for label in labels]
        return labels

    def _frames(self, marks):
        """Frame of each row, None where there is none."""
        names = [self.axes[0]] if len(self.axes) == 3 else []
        if not names:
            names = [one for one in FRAMES if one in self.columns]
            if self.program == "csv" and "frame" in names:
                names = ["frame"]
        if not names:
            return [None] * len(self.rows)
        columns = {one: self._numbers([one], empty=True)[:, 0] for one in names}
        if "slice" in columns and np.nanmin(columns["slice"], initial=1) >= 1:
            marks.first_frame = 1
        moving = [
            one
            for one, numbers in columns.items()
            if (numbers[np.isfinite(numbers)] != marks.first_frame).any()
        ]
        if len(moving) > 1:
            raise ValueError(
                f"The points {self.path} lie on several frames of two axes, "
                f"{' and '.join(moving)}; expected one, the frame."
            )
        numbers = columns[(moving or names)[0]]
        # What this package writes has scores, and counts from 0.
        if names == ["frame"] and self.program == "csv" and "score" not in self.columns:
            if np.nanmin(numbers, initial=np.inf) == 1:
                marks.notes.append(
                    f"{self.path} has no frame 0, and its frames are taken to count "
                    "from 0; if they count from 1, name the column slice."
                )
        return [None if np.isnan(one) else one for one in numbers]

    def _places(self, marks):
        return self._numbers(self.axes[-2:], marks=marks)

    def _numbers(self, names, empty=False, marks=None):
        """Columns as numbers; an empty cell is NaN where that may be."""
        cells = [self._cells(one) for one in names]
        flat = [cell for column in cells for cell in column]
        try:
            numbers, note = parse_numbers(flat, self.separator)
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}.") from error
        if note and marks is not None:
            marks.notes.append(f"{self.path}: {note}")
        numbers = np.reshape(numbers, (len(names), -1)).T
        for (line, _), values, texts in zip(
            self.rows, numbers, zip(*cells, strict=True), strict=True
        ):
            for name, value, text in zip(names, values, texts, strict=True):
                if not np.isfinite(value) and not (empty and not text.strip()):
                    raise ValueError(
                        f"{self.path}, line {line} has {name} {text.strip()!r}; "
                        "expected a number."
                    )
        return numbers

    def _kinds(self, marks):
        for name in ("counter", "classification", "class", "label"):
            if name in self.columns and name != self.names:
                if name != "label" or self.program == "csv":
                    return [cell.strip() for cell in self._cells(name)]
        return [""] * len(self.rows)

    def _add_shapes(self, marks, labels, frames, places):
        """Take the centre of each shape of a layer of napari."""
        types = {cell.strip().lower() for cell in self._cells("shape-type")}
        if not types <= {"ellipse", "rectangle", "polygon"}:
            raise ValueError(
                f"{self.path} is a Shapes layer with {', '.join(sorted(types))}; "
                "expected points, or ellipses, rectangles and polygons around cells."
            )
        shapes = {}
        for number, cell in enumerate(self._cells("index")):
            shapes.setdefault(cell.strip(), []).append(number)
        for numbers in shapes.values():
            first = numbers[0]
            marks.add(labels[first], frames[first], *centre_of_outline(places[numbers]))
        marks.notes.append(
            f"{self.path} is a Shapes layer; the centres of its {len(shapes)} shapes "
            "are taken for points."
        )
        return marks


def centre_of_outline(corners):
    """Return the centre of mass of the area in an outline.

    Parameters
    ----------
    corners : array-like of shape (n, 2)
        Of a polygon, closed or not.

    Returns
    -------
    centre : ndarray of shape (2,)
        By the shoelace formula; the mean of the corners where there is no area.
    """
    corners = np.asarray(corners, dtype=float)
    # Large coordinates would cancel out.
    start = corners[0]
    here = corners - start
    after = np.roll(here, -1, axis=0)
    cross = here[:, 0] * after[:, 1] - after[:, 0] * here[:, 1]
    if abs(cross.sum()) < 1e-9:
        return corners.mean(axis=0)
    return start + ((here + after) * cross[:, None]).sum(axis=0) / (3 * cross.sum())

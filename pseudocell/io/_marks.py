"""Points of one file as a reader hands them on, and how they become labelled ones."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from pseudocell.io._names import shorten
from pseudocell.io._point_formats import FORMATS, PointUnit

__all__ = ["Marks", "NotPointsError"]


class NotPointsError(ValueError):
    """A file is not one of points."""


@dataclass
class Marks:
    """Points of one file, in its own unit and numbering.

    Attributes
    ----------
    source : str
        The file.
    points : dict of str to list of (row, col)
        By label, in the unit of the file.
    has_names : bool
        Whether the file names its images.
    unit : PointUnit
        Of the coordinates.
    first_frame : int
        Number of the first frame.
    kinds : Counter
        Points of each class or counter.
    notes : list of str
        What was doubtful and how it was taken.
    """

    source: str
    has_names: bool = False
    unit: PointUnit = field(default_factory=PointUnit)
    first_frame: int = 0
    points: dict = field(default_factory=dict)
    kinds: Counter = field(default_factory=Counter)
    notes: list = field(default_factory=list)

    @classmethod
    def of(cls, path, name, **others):
        """Begin with the conventions of a format of the table."""
        its = FORMATS[name]
        return cls(str(path), unit=its.unit, first_frame=its.first_frame, **others)

    def add(self, name, frame, row, col, kind="", where=None):
        """Add a point; frame is as the file counts, None if it has none."""
        if frame is not None:
            number = frame - self.first_frame
            if number != round(number) or number < 0:
                first = self.first_frame
                raise ValueError(
                    f"{where or self.source} has the frame {frame:g}; expected "
                    f"{first}, {first + 1}, {first + 2}, ..."
                )
            name = f"{name}[{round(number)}]"
        self.points.setdefault(name, []).append((float(row), float(col)))
        if kind not in ("", None):
            self.kinds[str(kind)] += 1

    def finish(self):
        """Return arrays by label, their units where these are not pixels, and notes."""
        points, units = {}, {}
        for label, some in self.points.items():
            array = np.array(some, dtype=float).reshape(-1, 2)
            if not np.isfinite(array).all():
                raise ValueError(
                    f"{self.source} has coordinates that are NaN or infinite."
                )
            if self.unit.name == "px":
                array = array - self.unit.half
            else:
                units[label] = self.unit
            points[label] = array
        if len(self.kinds) > 1:
            counts = shorten([f"{k} ({n})" for k, n in sorted(self.kinds.items())])
            self.notes.append(
                f"{self.source} has points of several kinds, and all of them are "
                f"taken for cells: {counts}."
            )
        return points, units, self.notes

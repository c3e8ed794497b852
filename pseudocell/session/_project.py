"""The folder of a project: plain files, each of them whole at any moment."""

import csv
import json
import os
import warnings
from pathlib import Path

import numpy as np

from pseudocell._locks import lock
from pseudocell.io._output import prepare_folder, whole_file, write_table
from pseudocell.io.points import label_columns
from pseudocell.session._annotations import Annotations

__all__ = ["Project"]

FORMAT = 1
STATE, CLICKS, NOT_CELLS = "project.json", "clicks.csv", "not_cells.csv"
MODEL, LOCK = "model.pseudocell", "project.lock"


class Project:
    """The files of a project, which one process at a time can write.

    ``project.json`` holds the number of the format, path and SHA-256 of each image
    file, and the settings; ``clicks.csv`` and ``not_cells.csv`` the points, as every
    command reads them; ``model.pseudocell`` the model.

    Parameters
    ----------
    folder : str or path
        The folder; it is made if it is not there.

    Raises
    ------
    ValueError
        If it cannot be written, or another process has it.
    """

    def __init__(self, folder):
        self.folder = prepare_folder(folder).resolve()
        self._lock = open(self.folder / LOCK, "ab")
        try:
            is_ours = lock(self._lock)
        except OSError as error:
            is_ours = True
            warnings.warn(
                f"The file system of {self.folder} has no locks ({error.strerror}); do "
                "not open the project in two windows at a time.",
                stacklevel=4,
            )
        if not is_ours:
            self._lock.close()
            raise ValueError(
                f"The project {self.folder} is open in another window; close it there."
            )

    def close(self):
        """Let others have the project."""
        self._lock.close()

    @property
    def model(self):
        """Path of the model, which need not be there."""
        return self.folder / MODEL

    def exists(self):
        """Tell whether there is a project in the folder."""
        return (self.folder / STATE).exists()

    def write_state(self, files, labels, settings):
        """Write what is no point and no model.

        Parameters
        ----------
        files : dict of str to str
            SHA-256 for the path of each image file.
        labels : list of str
            Label of each image.
        settings : dict
            Further plain values.
        """
        record = {
            "format": FORMAT,
            "files": [[self._shorten(path), digest] for path, digest in files.items()],
            "images": labels,
            **settings,
        }
        with whole_file(self.folder / STATE) as temporary:
            text = json.dumps(record, indent=1, ensure_ascii=False)
            temporary.write_text(text + "\n", encoding="utf-8")

    def read_state(self):
        """Return files, labels and settings, as they were written.

        Raises
        ------
        ValueError
            If there is no project, it is damaged, or of a newer version.
        """
        path = self.folder / STATE
        if not path.exists():
            raise ValueError(
                f"The folder {self.folder} holds no project: {STATE} is not there."
            )
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            number = int(record.pop("format"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"The project {self.folder} is damaged: {path} is not as pseudocell "
                f"writes it. Its points are still in {CLICKS} and {NOT_CELLS}."
            ) from error
        if number != FORMAT:
            raise ValueError(
                f"The project {self.folder} was written by a newer pseudocell (format "
                f"{number}; this one knows {FORMAT}); install the newest one. Nothing "
                "was changed."
            )
        files = {self._lengthen(path): digest for path, digest in record.pop("files")}
        return files, record.pop("images"), record

    def write_points(self, labels, annotations, before=None):
        """Write the clicks and the marks, if they are not as before.

        Parameters
        ----------
        labels : list of str
            Label of each image.
        annotations : list of Annotations
            Those of each image.
        before : list of Annotations, optional
            What is on the disk.
        """
        columns, cells = label_columns(labels)
        before = before or [None] * len(labels)
        pairs = list(zip(annotations, before, strict=True))
        if any(_differ(*pair, "clicks") for pair in pairs):
            rows = (
                [*its, *map(_number, point), int(kind)]
                for its, one in zip(cells, annotations, strict=True)
                for point, kind in zip(one.clicks, one.is_correction, strict=True)
            )
            columns_ = [*columns, "row", "col", "correction"]
            write_table(self.folder / CLICKS, columns_, rows)
        if any(_differ(*pair, "not_cells") for pair in pairs):
            rows = (
                [*its, *map(_number, point)]
                for its, one in zip(cells, annotations, strict=True)
                for point in one.not_cells
            )
            write_table(self.folder / NOT_CELLS, [*columns, "row", "col"], rows)

    def read_points(self, labels):
        """Return the annotations of each image."""
        columns, cells = label_columns(labels)
        index = {tuple(map(str, its)): i for i, its in enumerate(cells)}
        clicks, kinds, marks = ([[] for _ in labels] for _ in range(3))
        for name in (CLICKS, NOT_CELLS):
            for number, row in self._rows(name):
                try:
                    image = index[tuple(row[column] for column in columns)]
                    point = float(row["row"]), float(row["col"])
                    kind = bool(int(row.get("correction") or 0))
                    if not np.isfinite(point).all():
                        raise ValueError
                except (KeyError, ValueError, TypeError) as error:
                    raise ValueError(
                        f"{self.folder / name}, line {number}, is not a point of an "
                        "image of this project; mend the line or remove it."
                    ) from error
                if name == CLICKS:
                    clicks[image].append(point)
                    kinds[image].append(kind)
                else:
                    marks[image].append(point)
        return [
            Annotations.make(*three) for three in zip(clicks, kinds, marks, strict=True)
        ]

    def _rows(self, name):
        """Yield number and cells of each line of a table, if it is there."""
        path = self.folder / name
        if not path.exists():
            return
        with open(path, newline="", encoding="utf-8-sig") as file:
            yield from enumerate(csv.DictReader(file), start=2)

    def _shorten(self, path):
        """Write a path as from the folder of the project, if they move together."""
        path = Path(path)
        if path.is_relative_to(self.folder.parent):
            path = Path(os.path.relpath(path, self.folder))
        return path.as_posix()

    def _lengthen(self, path):
        return os.path.normpath(self.folder / path)


def _differ(new, old, name):
    if new is old:
        return False
    return old is None or not np.array_equal(getattr(new, name), getattr(old, name))


def _number(value):
    # As it was clicked, to the last digit.
    return repr(float(value))

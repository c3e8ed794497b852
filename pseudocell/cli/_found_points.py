"""Points of one image after another, in a file that outlives a crash."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np

__all__ = ["FoundPoints"]

FORMAT = 1
FIX = "give another folder to --output, or --restart to find everything anew"


class FoundPoints:
    """Keep what was found in each image on disk, as soon as it is found.

    The file has a line of JSON for the model and one for each image. A line is added
    when an image is done, so that a crash costs the images in work and no others: half
    a line is cut off when the file is opened again. Only places in the file are in
    memory, not the points.

    Parameters
    ----------
    path : str or path
        The file. What the same model has found before is gone on with.
    model : str or path
        File of the model.
    restart : bool, default=False
        Whether to forget what is in the file.

    Raises
    ------
    ValueError
        If the file holds points of another model, or is none of this kind.
    """

    def __init__(self, path, model, restart=False):
        self.path = Path(path)
        digest = hashlib.sha256(Path(model).read_bytes()).hexdigest()
        self._places = {}
        if restart or not self._read_places(digest):
            header = {"format": FORMAT, "model": digest, "name": Path(model).name}
            self.path.write_text(json.dumps(header) + "\n", encoding="utf-8")
        self._file = open(self.path, "r+b")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()

    def has(self, image, state):
        """Tell whether an image is done.

        Parameters
        ----------
        image : str
            Its label.
        state : str
            Size and time of its file: another file of the same name is to be done.

        Returns
        -------
        is_done : bool
            Whether its points are there.
        """
        return self._places.get(image, (None,))[0] == state

    def add(self, image, state, points, scores):
        """Write the points of an image, and wait until they are on the disk.

        Parameters
        ----------
        image : str
            Its label.
        state : str
            As in `has`.
        points : ndarray of shape (n, 2)
            (row, col) in pixels; kept to a hundredth, as in points.csv.
        scores : ndarray of shape (n,)
            Their scores.
        """
        found = [
            [round(float(row), 2), round(float(col), 2), float(f"{score:.5g}")]
            for (row, col), score in zip(points, scores, strict=True)
        ]
        line = json.dumps({"image": image, "state": state, "found": found})
        place = self._file.seek(0, os.SEEK_END)
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._places[image] = (state, place, len(found))

    def count(self, image):
        """Return the number of points of an image that is done."""
        return self._places[image][2]

    def read(self, image):
        """Return the points of an image that is done, and their scores.

        Parameters
        ----------
        image : str
            Its label.

        Returns
        -------
        points : ndarray of shape (n, 2)
            (row, col) in pixels.
        scores : ndarray of shape (n,)
            Their scores.
        """
        self._file.seek(self._places[image][1])
        found = np.reshape(json.loads(self._file.readline())["found"], (-1, 3))
        return found[:, :2], found[:, 2]

    def _read_places(self, digest):
        """Find the images that are done; return whether there is any."""
        if not self.path.exists():
            return False
        with open(self.path, "rb") as file:
            first = file.readline()
            end = file.tell()
            for line in iter(file.readline, b""):
                record = _parse(line, ("image", "state", "found"))
                if record is None:
                    break
                n_points = len(record["found"])
                self._places[record["image"]] = (record["state"], end, n_points)
                end = file.tell()
        header = _parse(first, ("format", "model", "name"))
        if header is None and first.endswith(b"\n"):
            raise ValueError(f"{self.path} is not a list of points found; {FIX}.")
        if self._places and (header["format"], header["model"]) != (FORMAT, digest):
            raise ValueError(
                f"The folder {self.path.parent} holds what another model has found, "
                f"{header['name']} as it was then; {FIX}."
            )
        os.truncate(self.path, end)
        return bool(self._places)


def _parse(line, keys):
    """Return the record of a line, None for half a line or anything else."""
    try:
        record = json.loads(line) if line.endswith(b"\n") else {}
    except ValueError:
        return None
    return record if isinstance(record, dict) and set(keys) <= set(record) else None

"""Points of one image after another, in a file that outlives a crash."""

import json
import os
import time
import warnings
from pathlib import Path
from zlib import crc32

import numpy as np

from pseudocell._locks import lock
from pseudocell.io._content import hash_file

__all__ = ["FoundPoints"]

FORMAT = 2
START = b'{"format": '
FIX = "give another folder to --output, or --restart to find everything anew"
# Seconds of work that a crash of the machine, not of the process, can cost.
SYNC_INTERVAL = 1.0


class FoundPoints:
    """Keep what was found in each image on disk, as soon as it is found.

    The file has a line of JSON for the model and one for each image, with a checksum. A
    line is added when an image is done, so that a crash costs the images in work and no
    others; a line that is damaged costs its image. Only places in the file are in
    memory, not the points. One process at a time can have the file: the system takes
    it back when the process ends, in whatever way.

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
        If the file holds points of another model, or is none of this kind, or another
        process is writing it.
    """

    def __init__(self, path, model, restart=False):
        self.path = Path(path)
        self._places = {}
        self._synced = time.monotonic()
        self._file = open(self.path, "a+b")
        try:
            self._take()
            digest = hash_file(model)
            if restart or not self._read_places(digest):
                header = {"format": FORMAT, "model": digest, "name": Path(model).name}
                self._places = {}
                self._file.truncate(0)
                self._file.write(json.dumps(header).encode() + b"\n")
                self._file.flush()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *error):
        try:
            self._sync()
        finally:
            self._file.close()

    def state(self, image):
        """Return the state of an image when it was done.

        Parameters
        ----------
        image : str
            Its label.

        Returns
        -------
        state : str or None
            As given to `add`; None if the image is not done.
        """
        return self._places.get(image, (None,))[0]

    def add(self, image, state, points, scores):
        """Write the points of an image, so that they outlive this process.

        Parameters
        ----------
        image : str
            Its label.
        state : str
            What tells its file from another of the same name, see `hash_file`.
        points : ndarray of shape (n, 2)
            (row, col) in pixels; kept to a hundredth, as in points.csv.
        scores : ndarray of shape (n,)
            Their scores.
        """
        found = [
            [round(float(row), 2), round(float(col), 2), float(f"{score:.5g}")]
            for (row, col), score in zip(points, scores, strict=True)
        ]
        place = self._file.seek(0, os.SEEK_END)
        self._file.write(_to_line({"image": image, "state": state, "found": found}))
        self._file.flush()
        self._places[image] = (state, place, len(found))
        if time.monotonic() - self._synced > SYNC_INTERVAL:
            self._sync()

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
        record = _from_line(self._file.readline())
        if record is None or record["image"] != image:
            raise ValueError(
                f"{self.path} was changed by another program; run predict again."
            )
        found = np.reshape(record["found"], (-1, 3))
        return found[:, :2], found[:, 2]

    def _take(self):
        try:
            is_ours = lock(self._file)
        except OSError as error:
            warnings.warn(
                f"The file system of {self.path.parent} has no locks ({error.strerror})"
                "; do not let two runs write to that folder at a time.",
                stacklevel=4,
            )
            return
        if not is_ours:
            raise ValueError(
                f"Another run is writing to the folder {self.path.parent}; wait until "
                "it has ended, or give another folder to --output."
            )

    def _sync(self):
        self._file.flush()
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def _read_places(self, digest):
        """Find the images that are done; return whether there is any."""
        self._file.seek(0)
        first = self._file.readline()
        end = self._file.tell()
        for line in iter(self._file.readline, b""):
            record = _from_line(line)
            if record is not None:
                n_points = len(record["found"])
                self._places[record["image"]] = (record["state"], end, n_points)
            if line.endswith(b"\n"):
                end += len(line)
        header = _read_header(first)
        # Half a header is that of a run that was killed at its start.
        is_half = not first.endswith(b"\n") and first[: len(START)] in (START, b"")
        if header is None and not is_half:
            raise ValueError(f"{self.path} is not a list of points found; {FIX}.")
        has_lines = header is not None and end > len(first)
        if has_lines and header["format"] != FORMAT:
            raise ValueError(
                f"{self.path} was written by another version of pseudocell; {FIX}."
            )
        if self._places and header["model"] != digest:
            raise ValueError(
                f"The folder {self.path.parent} holds what another model has found, "
                f"{header['name']} as it was then; {FIX}."
            )
        if self._places:
            self._file.truncate(end)
        return bool(self._places)


def _read_header(line):
    try:
        header = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    keys = {"format", "model", "name"}
    return header if isinstance(header, dict) and keys <= set(header) else None


def _to_line(record):
    """Return a line of JSON that ends with the checksum of what is before it."""
    text = json.dumps(record)[:-1].encode()
    return text + b', "crc": %d}\n' % crc32(text)


def _from_line(line):
    """Return the record of a line, None if it is not as it was written."""
    text, _, check = line.rpartition(b', "crc": ')
    if check != b"%d}\n" % crc32(text):
        return None
    return json.loads(text + b"}")

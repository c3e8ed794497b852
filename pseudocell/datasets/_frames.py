"""Numbered image files of a data set, read when their pixels are asked for."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile

__all__ = ["Frame", "label_centroids", "numbered_files", "pick_frames"]

# So many missing files are spelled out in a message.
MAX_NAMES = 5


@dataclass(frozen=True)
class Frame:
    """A TIFF image in a file, read each time that its pixels are asked for.

    A list of them is a sequence of images for every estimator, and a whole film need
    not fit in memory.

    Attributes
    ----------
    path : str
        The file.
    """

    path: str

    @property
    def label(self):
        """Name of the file."""
        return Path(self.path).name

    @property
    def shape(self):
        """Height and width in pixels, from the header of the file."""
        return self._read(lambda file: file.series[0].shape)

    @property
    def dtype(self):
        """Type of the pixels, from the header of the file."""
        return self._read(lambda file: file.series[0].dtype)

    @property
    def ndim(self):
        """Number of axes."""
        return len(self.shape)

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("An image file is read into a new array; copy=False.")
        image = self._read(lambda file: file.asarray())
        return image if dtype is None else image.astype(dtype, copy=False)

    def _read(self, what):
        try:
            with tifffile.TiffFile(self.path) as file:
                return what(file)
        except MemoryError:
            raise
        except Exception as error:  # each decoder has errors of its own
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ValueError(
                f"The image {self.path} cannot be read ({reason}); it is empty or "
                "damaged. Unpack or download it again."
            ) from error


def numbered_files(folder, pattern):
    """Map numbers to files of a folder, by the first group of a pattern of names."""
    if not folder.is_dir():
        raise FileNotFoundError(
            f"There is no folder {folder}. Pass the folder as it was unpacked."
        )
    matches = [(re.fullmatch(pattern, path.name), path) for path in folder.iterdir()]
    paths = {int(match[1]): path for match, path in matches if match}
    if not paths:
        raise FileNotFoundError(
            f"The folder {folder} holds no file with a name like {pattern}. Pass the "
            "folder as it was unpacked."
        )
    return paths


def pick_frames(paths, frames, what, folder):
    """Return the files of frames; `what` they are and their folder are for an error."""
    missing = [frame for frame in frames if frame not in paths]
    if missing:
        names = ", ".join(map(str, missing[:MAX_NAMES]))
        more = len(missing) - MAX_NAMES
        names += f" and {more} more" if more > 0 else ""
        raise FileNotFoundError(
            f"{folder} has no {what} of frame {names}; it holds frames {min(paths)} to "
            f"{max(paths)}. Unpack it again, or pass frames= without them."
        )
    return [paths[frame] for frame in frames]


def label_centroids(labels):
    """Return the mean (row, col) of the pixels of each label but 0, by rising label."""
    places = np.nonzero(labels)
    _, index, counts = np.unique(
        labels[places], return_inverse=True, return_counts=True
    )
    sums = [np.bincount(index, weights=axis) for axis in places]
    return np.column_stack(sums) / counts[:, np.newaxis]

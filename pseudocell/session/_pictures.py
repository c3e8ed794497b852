"""The images of a project: files, or arrays that become files of it."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tifffile

from pseudocell.io import Reading, read_images
from pseudocell.io._content import hash_content, stamp
from pseudocell.io._output import prepare_folder, whole_file

__all__ = ["Pictures", "compare"]

FOLDER = "images"


class Pictures:
    """Lazy images, and what tells whether their files are still the same.

    Parameters
    ----------
    source : str, path or list of them
        As for `pseudocell.io.read_images`.
    reading : Reading, optional
        How files are read that leave it open.
    """

    def __init__(self, source, reading=None):
        self.reading = Reading() if reading is None else reading
        self.images = read_images(source, self.reading)
        self.labels = [image.label for image in self.images]
        paths = dict.fromkeys(image.path for image in self.images)
        self._stamps = {path: stamp(path) for path in paths}
        self.digests = {path: hash_content(path) for path in paths}

    @classmethod
    def of(cls, images, folder, reading=None, taken=()):
        """Return those of files, or of arrays, which are saved in a folder first.

        Parameters
        ----------
        images : str, path, list of them or of arrays, or dict of str to array
            Arrays have the shape (H, W) or (H, W, C).
        folder : pathlib.Path
            That of the project.
        reading : Reading, optional
            As above.
        taken : collection of str
            Files that arrays must not replace.
        """
        if isinstance(images, str | Path):
            return cls(os.path.abspath(images), reading)
        if not isinstance(images, Mapping):
            images = list(images)
            if all(isinstance(one, str | Path) for one in images):
                return cls([os.path.abspath(one) for one in images], reading)
            images = {f"image_{i:03d}": one for i, one in enumerate(images)}
        paths = _save_arrays(images, prepare_folder(folder / FOLDER), taken)
        return cls(paths, reading)

    def and_also(self, images, folder):
        """Return those of these files and of further images.

        Parameters
        ----------
        images : str, path, list of them or of arrays, or dict of str to array
            As for `of`.
        folder : pathlib.Path
            That of the project.
        """
        more = Pictures.of(images, folder, self.reading, self.digests)
        known = {os.path.realpath(path) for path in self.digests}
        new = [one for one in more.digests if os.path.realpath(one) not in known]
        return Pictures([*self.digests, *new], self.reading)

    def check_same(self, only=None):
        """Check that no file was written since the images were opened.

        Parameters
        ----------
        only : str, optional
            Path of the file to check; all if not given.

        Raises
        ------
        ValueError
            If one was.
        """
        for path in [only] if only else self._stamps:
            if stamp(path) != self._stamps[path]:
                raise ValueError(
                    f"The image {path} was changed or removed while the project is "
                    "open; close it, and open it again when the file is back."
                )


def compare(digests, pictures):
    """Return the paths of the files that are not as they were.

    Parameters
    ----------
    digests : dict of str to str
        SHA-256 for each path, as they were.
    pictures : Pictures
        As they are.
    """
    return [path for path, one in digests.items() if pictures.digests.get(path) != one]


def _save_arrays(images, folder, taken=()):
    """Write arrays as TIFF files that are read again as they are."""
    paths = []
    for name, array in images.items():
        array = np.asarray(array)
        if array.ndim not in (2, 3) or array.dtype.kind not in "uif":
            raise ValueError(
                f"The image {name} is an array of {array.dtype} of the shape "
                f"{array.shape}; expected numbers of the shape (H, W) or (H, W, C)."
            )
        path = folder / f"{Path(name).name}.tif"
        if str(path) in [*paths, *taken]:
            raise ValueError(f"Two images have the name {name}; give them two names.")
        axes = "YX"
        if array.ndim == 3:
            array, axes = np.moveaxis(array, 2, 0), "CYX"
        with whole_file(path) as temporary:
            tifffile.imwrite(
                temporary, array, photometric="minisblack", metadata={"axes": axes}
            )
        paths.append(str(path))
    return paths

"""The sets of a benchmark: images, clicks and truth, from a folder or made."""

import hashlib
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np

from pseudocell._geometry._matching import check_distance
from pseudocell._validation import check_images, check_points, check_points_inside
from pseudocell.datasets import drop_points
from pseudocell.io import points_for_images, read_images, read_points
from pseudocell.metrics import MATCHING_DISTANCE

__all__ = ["DetectionSet", "as_detection_set", "read_set"]

# The share that the clicks of a set stand for.
CLICKED_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class DetectionSet:
    """Images to learn from and images to be judged on.

    Attributes
    ----------
    name : str
        What it is called in tables.
    train_images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
        They may be lazy.
    train_clicks : list of ndarray of shape (n_i, 2), or None
        Some of the cells, as a user clicked them, (row, col) in pixels. None draws
        them from `train_points`.
    train_points : list of ndarray of shape (n_i, 2), or None
        All the cells, None where that is not known.
    test_images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
        Unseen images; there may be none.
    test_points : list of ndarray of shape (n_i, 2), or None
        All their cells, None where that is not known.
    cell_radius : float
        Radius of a cell in pixels.
    max_distance : float
        Largest distance in pixels of a cell and the point that finds it.
    """

    name: str
    train_images: object
    train_clicks: list | None
    train_points: list | None
    test_images: object
    test_points: list | None
    cell_radius: float
    max_distance: float

    def __post_init__(self):
        if not (np.isfinite(self.cell_radius) and self.cell_radius > 0):
            raise ValueError(
                f"cell_radius of the set {self.name} is {self.cell_radius!r}; expected "
                "a number of pixels above 0."
            )
        check_distance(self.max_distance)
        check_images(self.train_images)
        if self.train_clicks is None and self.train_points is None:
            raise ValueError(
                f"The set {self.name} has neither clicks nor points for its training "
                "images; expected train/clicks.csv, train/points.csv or both."
            )
        for part in ("train_clicks", "train_points", "test_points"):
            self._check_part(part)

    def _check_part(self, part):
        images = getattr(self, part.split("_")[0] + "_images")
        if getattr(self, part) is None:
            return
        name = f"{part} of the set {self.name}"
        points = check_points(getattr(self, part), len(images), name)
        for index, (image, some) in enumerate(zip(images, points, strict=True)):
            check_points_inside(some, np.shape(image), index, name)
        object.__setattr__(self, part, points)

    def labels(self, share, seed, redraw=False):
        """Return the labelled cells, and how they came about.

        Parameters
        ----------
        share : float
            Share of the cells of each image, in [0, 1].
        seed : int
            Seed of the draw.
        redraw : bool, default=False
            Whether to draw a share of 0.1 even if the set has clicks.

        Returns
        -------
        labels : list of ndarray of shape (n_i, 2), or None
            None if they would have to be drawn and the cells are not known.
        origin : {"given", "drawn", "all"}
            Clicks of the set, a draw from all the cells, or all of them.
        """
        if share == 1:
            return self.train_points, "all"
        given = self.train_clicks is not None and share == CLICKED_SHARE
        if given and not (redraw and self.train_points is not None):
            return self.train_clicks, "given"
        if self.train_points is None:
            return None, "drawn"
        return drop_points(self.train_points, share, random_state=seed), "drawn"

    @cached_property
    def fingerprint(self):
        """Digest of all pixels, points and lengths: same content, same digest.

        Returns
        -------
        digest : str
            Hexadecimal.
        """
        digest = hashlib.blake2b(digest_size=16)
        digest.update(f"{self.cell_radius:g}".encode())
        for part in ("train_images", "test_images"):
            _add_arrays(digest, getattr(self, part))
        for part in ("train_clicks", "train_points", "test_points"):
            _add_arrays(digest, getattr(self, part))
        return digest.hexdigest()


def _add_arrays(digest, arrays):
    digest.update(b"none" if arrays is None else str(len(arrays)).encode())
    for item in () if arrays is None else arrays:
        array = np.ascontiguousarray(item)
        digest.update(f"{array.shape}{array.dtype.str}".encode())
        digest.update(array.tobytes())


def as_detection_set(data):
    """Return anything with the attributes of a set as a set.

    Parameters
    ----------
    data : object
        For example a Bunch of scikit-learn.

    Returns
    -------
    detection_set : DetectionSet
        The set.

    Raises
    ------
    ValueError
        If an attribute is missing or not as described.
    """
    if isinstance(data, DetectionSet):
        return data
    names = [field.name for field in fields(DetectionSet)]
    missing = [name for name in names if not hasattr(data, name)]
    if missing:
        raise ValueError(
            f"A set of type {type(data).__name__} lacks {', '.join(missing)}; expected "
            "the attributes of pseudocell.benchmark.DetectionSet. Read a folder with "
            "pseudocell.benchmark.read_set."
        )
    return DetectionSet(**{name: getattr(data, name) for name in names})


def read_set(folder, cell_radius, max_distance=None, *, name=None):
    """Read a set from a folder.

    The folder holds ``train/images``, ``train/clicks.csv`` (some of the cells) and,
    where known, ``train/points.csv`` (all of them), ``test/images`` and
    ``test/points.csv``. What is not there cannot be reported; one of the two files
    in ``train`` must be there. Images are read when they are needed.

    Parameters
    ----------
    folder : str or path
        The folder.
    cell_radius : float
        Radius of a cell in pixels.
    max_distance : float, optional
        Largest distance in pixels of a cell and the point that finds it; 1.25 cell
        radii if not given.
    name : str, optional
        What it is called in tables; the name of the folder if not given.

    Returns
    -------
    detection_set : DetectionSet
        The set.

    Raises
    ------
    ValueError
        If the folder is not laid out like that, or a file in it cannot be read.
    """
    folder = Path(folder)
    if not (folder / "train" / "images").is_dir():
        raise ValueError(
            f"The set {folder} has no folder train/images; expected train/images, "
            "train/clicks.csv, test/images and test/points.csv."
        )
    train_images = read_images(folder / "train" / "images")
    has_test = (folder / "test" / "images").is_dir()
    test_images = read_images(folder / "test" / "images") if has_test else []
    if max_distance is None:
        max_distance = MATCHING_DISTANCE * cell_radius
    return DetectionSet(
        name=folder.resolve().name if name is None else name,
        train_images=train_images,
        train_clicks=_read_points(folder / "train" / "clicks.csv", train_images),
        train_points=_read_points(folder / "train" / "points.csv", train_images),
        test_images=test_images,
        test_points=_read_points(folder / "test" / "points.csv", test_images),
        cell_radius=float(cell_radius),
        max_distance=float(max_distance),
    )


def _read_points(path, images):
    if not path.is_file() or not images:
        return None
    return points_for_images(read_points(path), [image.label for image in images])


def synthetic_sets(name=None):
    """Make the synthetic counterparts of the conditions of the paper.

    Parameters
    ----------
    name : str, optional
        One of them, such as "control"; all of them if not given.

    Returns
    -------
    sets : list of DetectionSet
        Always the same images.

    Raises
    ------
    ValueError
        If the name is not known.
    """
    from pseudocell.datasets import CONDITIONS, make_condition

    if name is not None and name not in CONDITIONS:
        raise ValueError(
            f"The synthetic set {name} is not known; expected one of "
            f"{', '.join(CONDITIONS)}."
        )
    names = CONDITIONS if name is None else [name]
    return [as_detection_set(make_condition(one, random_state=0)) for one in names]

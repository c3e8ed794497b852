"""Images, clicks and truth in one object."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pseudocell._parameters import DISTANCE, RADIUS, describe_wrong
from pseudocell._validation import check_images, check_points, check_points_inside
from pseudocell.datasets._annotation import drop_points

__all__ = ["DetectionSet"]

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

    Examples
    --------
    >>> from pseudocell.datasets import make_condition
    >>> drawn = make_condition("hsc", random_state=0)
    >>> drawn.name, drawn.cell_radius, drawn.max_distance
    ('drawn HSC', 12.0, 15.0)
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
        sizes = {"cell_radius": self.cell_radius, "max_distance": self.max_distance}
        allowed = {"cell_radius": [RADIUS], "max_distance": [DISTANCE]}
        if wrong := describe_wrong(sizes, allowed):
            raise ValueError(f"The set {self.name}: {wrong}.")
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

"""What a person has said of the images, step by step, so that it can be undone."""

from collections import deque
from dataclasses import dataclass

import numpy as np

__all__ = ["Annotations", "History"]

# Edits that can be undone; each holds the points of an image twice.
MOST_EDITS = 1000


@dataclass(frozen=True, eq=False)
class Annotations:
    """What a person has said of one image; it never changes.

    Attributes
    ----------
    clicks : float ndarray of shape (n, 2)
        Cells, as (row, col) in pixels.
    is_correction : bool ndarray of shape (n,)
        Which of them were clicked when the person had seen what is found there, or on
        a place that was suggested: they are no random sample of the cells.
    not_cells : float ndarray of shape (m, 2)
        Places that are no cell.
    """

    clicks: np.ndarray
    is_correction: np.ndarray
    not_cells: np.ndarray

    @classmethod
    def make(cls, clicks=(), is_correction=(), not_cells=()):
        """Return annotations of copies that cannot be written."""
        arrays = (
            np.array(clicks, dtype=float).reshape(-1, 2),
            np.array(is_correction, dtype=bool).reshape(-1),
            np.array(not_cells, dtype=float).reshape(-1, 2),
        )
        for array in arrays:
            array.flags.writeable = False
        return cls(*arrays)

    def with_click(self, point, reach, is_correction):
        """Return them with one more cell; marks within reach are taken back."""
        return self.make(
            np.vstack([self.clicks, point]),
            np.append(self.is_correction, is_correction),
            self.not_cells[distances(self.not_cells, point) > reach],
        )

    def with_mark(self, point, reach):
        """Return them with one more place that is no cell; clicks within reach go."""
        kept = distances(self.clicks, point) > reach
        return self.make(
            self.clicks[kept],
            self.is_correction[kept],
            np.vstack([self.not_cells, point]),
        )

    def without(self, point, reach):
        """Return them without the nearest point within reach; None if there is none."""
        apart = [distances(some, point) for some in (self.clicks, self.not_cells)]
        nearest = [some.min(initial=np.inf) for some in apart]
        if min(nearest) > reach:
            return None
        if nearest[0] <= nearest[1]:
            kept = np.arange(len(self.clicks)) != apart[0].argmin()
            return self.make(
                self.clicks[kept], self.is_correction[kept], self.not_cells
            )
        kept = np.arange(len(self.not_cells)) != apart[1].argmin()
        return self.make(self.clicks, self.is_correction, self.not_cells[kept])

    def replaced(self, clicks, not_cells, is_correction):
        """Return other points; clicks that stay keep what they are.

        Parameters
        ----------
        clicks, not_cells : array-like of shape (n, 2)
            The points.
        is_correction : bool
            What the new clicks are.
        """
        known = dict(zip(map(tuple, self.clicks), self.is_correction, strict=True))
        clicks = np.array(clicks, dtype=float).reshape(-1, 2)
        kinds = [known.get(tuple(point), is_correction) for point in clicks]
        return self.make(clicks, kinds, not_cells)


def distances(points, point):
    """Return the distance of each point to one, in pixels."""
    return np.hypot(*(points - np.asarray(point, dtype=float)).T)


class History:
    """The edits that can be undone and redone.

    An edit is a list of (index of an image, annotations before, annotations after).
    """

    def __init__(self):
        self._done = deque(maxlen=MOST_EDITS)
        self._undone = []

    def add(self, edit):
        """Remember an edit that was made."""
        self._done.append(edit)
        self._undone.clear()

    @property
    def can_undo(self):
        """Whether there is an edit to take back."""
        return bool(self._done)

    @property
    def can_redo(self):
        """Whether there is an edit that was taken back."""
        return bool(self._undone)

    def undo(self):
        """Return {index: annotations} as before the last edit."""
        edit = self._done.pop()
        self._undone.append(edit)
        return {index: before for index, before, _ in edit}

    def redo(self):
        """Return {index: annotations} as after the edit that was undone last."""
        edit = self._undone.pop()
        self._done.append(edit)
        return {index: after for index, _, after in edit}

    def renumber(self, numbers):
        """Take the number ``numbers[i]`` for each image that had the number i."""
        for edits in (self._done, self._undone):
            for edit in edits:
                edit[:] = [(numbers[i], *points) for i, *points in edit]

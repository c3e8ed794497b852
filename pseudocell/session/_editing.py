"""EditingMixin: clicks and marks, each edit on the disk, undone and redone."""

import numpy as np

from pseudocell.io import points_for_images, read_points

__all__ = ["EditingMixin"]

# How near to a point one must click to remove it, where no radius is known, in pixels.
REACH = 5.0


class EditingMixin:
    """The points of a session, with `images`, `names` and the `radius` of a cell."""

    @property
    def clicks(self):
        """The clicked cells: arrays of shape (n_i, 2), (row, col) in pixels."""
        return [one.clicks for one in self._annotations]

    @property
    def corrections(self):
        """Which clicks are corrections: bool arrays of shape (n_i,).

        Those that came after `find` had shown what is found in the image, or at a
        place of `next_place`. They teach, but are no random sample of the cells.
        """
        return [one.is_correction for one in self._annotations]

    @property
    def not_cells(self):
        """The places that are no cell: arrays of shape (m_i, 2)."""
        return [one.not_cells for one in self._annotations]

    def click(self, i, point):
        """Say that there is a cell; a mark "not a cell" within half a radius goes.

        Parameters
        ----------
        i : int
            Number of the image.
        point : (float, float)
            (row, col) in pixels.
        """
        point = self._check_inside(i, [point])[0]
        kind = self._is_correction(i, point)
        self._edit({i: self._annotations[i].with_click(point, self._near, kind)})

    def mark_not_cell(self, i, point):
        """Say that there is no cell; a click within half a radius goes.

        Parameters
        ----------
        i : int
            Number of the image.
        point : (float, float)
            (row, col) in pixels.
        """
        point = self._check_inside(i, [point])[0]
        self._edit({i: self._annotations[i].with_mark(point, self._near)})

    def remove(self, i, point):
        """Remove the click or mark that is nearest, within a cell radius.

        Parameters
        ----------
        i : int
            Number of the image.
        point : (float, float)
            (row, col) in pixels.

        Returns
        -------
        is_removed : bool
            False if there is none.
        """
        changed = self._annotations[i].without(point, self.radius or REACH)
        if changed is not None:
            self._edit({i: changed})
        return changed is not None

    def set_points(self, i, clicks, not_cells):
        """Replace all points of an image, in one step that can be undone.

        Parameters
        ----------
        i : int
            Number of the image.
        clicks, not_cells : array-like of shape (n, 2)
            (row, col) in pixels.
        """
        clicks, not_cells = (
            self._check_inside(i, some) for some in (clicks, not_cells)
        )
        kind = i in self._seen
        self._edit({i: self._annotations[i].replaced(clicks, not_cells, kind)})

    def add_points(self, source, unit=None, pixel_size=None):
        """Add clicks of any file or folder of points, in one step.

        Parameters
        ----------
        source : str or path
            As for `pseudocell.io.read_points`.
        unit : str, optional
            Of the points, instead of what the file says.
        pixel_size : float, optional
            Micrometres of a pixel, where the images do not say.

        Returns
        -------
        n_points : int
            How many.
        """
        table = read_points(source, unit)
        points = points_for_images(table, self.images, pixel_size)
        changed = {}
        for i, some in enumerate(points):
            if len(some):
                one = self._annotations[i]
                both = np.concatenate([one.clicks, self._check_inside(i, some)])
                changed[i] = one.replaced(both, one.not_cells, False)
        self._edit(changed)
        return sum(map(len, points))

    @property
    def can_undo(self):
        """Whether there is an edit to take back, of this sitting."""
        return self._history.can_undo

    @property
    def can_redo(self):
        """Whether an edit that was taken back can be made again."""
        return self._history.can_redo

    def undo(self):
        """Take the last edit back; return the number of its image, None if none."""
        return self._restore(self._history.undo()) if self.can_undo else None

    def redo(self):
        """Make the last undone edit again; return the number of its image, or None."""
        return self._restore(self._history.redo()) if self.can_redo else None

    @property
    def _near(self):
        """Within how many pixels a click and a mark contradict each other."""
        return max(1.0, (self.radius or 0) / 2)

    def _check_inside(self, i, points):
        points = np.array(points, dtype=float).reshape(-1, 2)
        size = np.array(self.images[i].shape[:2])
        inside = ((points >= -0.5) & (points < size - 0.5)).all(axis=1)
        if not inside.all():
            row, col = points[~inside][0]
            raise ValueError(
                f"The point ({row:g}, {col:g}) is outside of the image "
                f"{self.names[i]} of {size[0]} x {size[1]} pixels; click inside."
            )
        return points

    def _is_correction(self, i, point):
        if i in self._seen:
            return True
        if self._suggested is None or self._suggested[0] != i:
            return False
        return bool(np.hypot(*(self._suggested[1] - point)) <= self.radius)

    def _edit(self, changed):
        """Make an edit: {index: annotations}."""
        edit = [(i, self._annotations[i], one) for i, one in changed.items()]
        self._restore(changed)
        self._history.add(edit)

    def _restore(self, changed):
        """Write annotations, and then take them for those of now."""
        with self._lock:
            annotations = list(self._annotations)
            for i, one in changed.items():
                annotations[i] = one
            self._project.write_points(self.names, annotations, self._annotations)
            self._annotations = annotations
        return next(iter(changed), None)

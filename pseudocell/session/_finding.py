"""FindingMixin: what the model of a session finds, and the way out of it."""

from pathlib import Path

import numpy as np

from pseudocell.io import save_model
from pseudocell.io._output import prepare_folder
from pseudocell.io.point_writers import write_files
from pseudocell.session._found import Found, combine, rate
from pseudocell.session._next_place import choose_place, describe_looks

__all__ = ["FindingMixin"]

# Images that are searched for the next place to click.
MOST_IMAGES = 12


class FindingMixin:
    """The finds of a session in its images, and in others."""

    def find(self, i, progress=None):
        """Find all places of an image that may be cells; those above `threshold` are.

        Parameters
        ----------
        i : int
            Number of the image.
        progress : callable, optional
            As for `fit`, after each tile.

        Returns
        -------
        found : Found or None
            Points, heights and probabilities, the highest first. From now on new
            clicks on this image are corrections. None if it was stopped.

        Raises
        ------
        ValueError
            If there is no model yet, or the image has changed on the disk.
        """
        found = None
        with self._watched(progress):
            found = self._find(i)
            self._seen.add(i)
        return found

    def cells(self, i):
        """Return the cells of an image: what is found, corrected by clicks and marks.

        Parameters
        ----------
        i : int
            Number of the image.

        Returns
        -------
        points : float ndarray of shape (n, 2)
            (row, col) in pixels, the clicks first.
        probabilities : float ndarray of shape (n,)
            1 for clicks.
        """
        found = self._find(i)
        return combine(found, self.threshold, self._annotations[i], self.radius)

    def count(self, i):
        """Return the number of cells of an image, see `cells`."""
        return len(self.cells(i)[0])

    def expected(self):
        """Return the precision and the recall that are expected at the threshold.

        Returns
        -------
        precision, recall : float
            NaN where no click was held out, as in a quick answer.
        """
        calibration = getattr(self._fitted(), "calibration_", None)
        if calibration is None:
            return np.nan, np.nan
        at = self.threshold
        return float(calibration.precision(at)), float(calibration.recall(at))

    def next_place(self, i=None):
        """Choose the place to look at next: its answer tells most about the count.

        Answer it by `click` or `mark_not_cell` there.

        Parameters
        ----------
        i : int, optional
            Number of the image; of a dozen images, those with clicks first, if not
            given.

        Returns
        -------
        place : (int, ndarray of shape (2,), float) or None
            Image, (row, col) in pixels and probability; None if nothing is left to ask.
        """
        radius, looks = self.radius, {}
        numbers = [i] if i is not None else self._images_to_ask()
        found = [self._find(one) for one in numbers]
        answers = [
            np.concatenate([self.clicks[one], self.not_cells[one]]) for one in numbers
        ]
        for one, its, known in zip(numbers, found, answers, strict=True):
            if one not in self._looks:
                self._looks[one] = describe_looks(self.images[one], its.points, radius)
            looks[one] = describe_looks(self.images[one], known, radius)
        place = choose_place(
            [its.points for its in found],
            [its.probabilities for its in found],
            [self._looks[one] for one in numbers],
            answers,
            [looks[one] for one in numbers],
            radius,
        )
        if place is None:
            return None
        image, number, chance = place
        point = found[image].points[number]
        self._suggested = numbers[image], point
        return numbers[image], point, chance

    def export(self, path, format):
        """Write the cells of all images, see `cells`.

        Parameters
        ----------
        path : str or path
            The file, or the folder where the format has a file for each image.
        format : {"csv", "csv-um", "napari", "roi", "geojson", "trackmate"}
            As of ``pseudocell convert``.

        Returns
        -------
        paths : list of pathlib.Path
            What was written.
        """
        points = [self.cells(i)[0] for i in range(len(self.images))]
        return write_files(path, format, self.names, points, self.images)

    def predict_folder(self, folder, out, progress=None):
        """Find the cells in all images of a folder, as ``pseudocell predict`` does.

        Parameters
        ----------
        folder : str, path or list of them
            Folders, files and patterns of images.
        out : str or path
            Folder for the results, and for ``model.pseudocell``, the model with the
            threshold of the session. Stopped and called again, it goes on.
        progress : callable, optional
            As for `fit`, after each image.

        Returns
        -------
        is_finished : bool
            False if it was stopped.
        """
        from pseudocell.cli._predict import run_predict

        sources = [folder] if isinstance(folder, str | Path) else folder
        model = prepare_folder(out) / self.model.name
        save_model(self.detector, model)
        with self._watched(progress) as watch:
            reading = self._pictures.reading
            run_predict(
                [*map(str, sources)], model, out, True, "auto", -1, reading=reading
            )
        return not watch.is_over()

    def _find(self, i):
        number, found = self.model_number, self._found.get(i)
        if found is None:
            detector = self._fitted()
            self._pictures.check_same(self.images[i].path)
            ((points, heights),) = detector.find_candidates([self.images[i]])
            found = Found(points, heights, rate(detector, heights))
            with self._lock:
                if self.model_number == number:
                    self._found[i] = found
        return found

    def _images_to_ask(self):
        """Return the images to look for a place in, those with answers first."""
        counts = [len(a.clicks) + len(a.not_cells) for a in self._annotations]
        order = np.argsort(np.negative(counts), kind="stable")[:MOST_IMAGES]
        return sorted(order.tolist())

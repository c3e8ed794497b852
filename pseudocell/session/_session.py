"""Session: click, train, look, correct, with every step on the disk."""

import threading
from contextlib import contextmanager
from dataclasses import asdict

import numpy as np

from pseudocell._stopping import NoLongerWanted, Watch
from pseudocell.io import Reading, load_model, save_model
from pseudocell.session._adding import AddingMixin
from pseudocell.session._annotations import Annotations, History
from pseudocell.session._editing import EditingMixin
from pseudocell.session._finding import FindingMixin
from pseudocell.session._model import (
    QUICK_IMAGES,
    labels_to_fit,
    new_detector,
    train,
    with_threshold,
)
from pseudocell.session._pictures import Pictures, compare
from pseudocell.session._project import Project

__all__ = ["Session"]


class Session(AddingMixin, EditingMixin, FindingMixin):
    """A project: images, clicks, marks "not a cell", and a model that learns from them.

    Made by `create` or `open`. Each edit is on the disk when its method returns, so
    that a crash loses one at most. All methods but `cancel` are to be called from one
    thread, and `fit`, `find`, `next_place` and `predict_folder`, which may take long,
    from another one if need be: clicking goes on meanwhile.

    Attributes
    ----------
    folder : pathlib.Path
        The folder of the project.
    images : list of ImageFile
        The images; ``numpy.asarray`` reads one.
    names : list of str
        Their labels.
    model : pathlib.Path
        File of the model; it is there when `has_model`.
    model_number : int
        Grows whenever the model is another one.
    is_quick : bool
        Whether the model is only the quick first answer.
    template : estimator or None
        What `fit` trains a clone of; None takes `PseudoLabelCellDetector`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from pseudocell.datasets import make_brightfield
    >>> from pseudocell.session import Session
    >>> images, _ = make_brightfield(1, (96, 96), n_cells=6, random_state=0)
    >>> with TemporaryDirectory() as folder, Session.create(folder, images) as session:
    ...     session.click(0, (30, 40.5))
    ...     session.click(0, (8, 9))
    ...     session.undo()
    ...     print(session.names, session.clicks[0])
    0
    ['image_000.tif'] [[30.  40.5]]
    """

    def __init__(self, project, pictures, annotations, settings):
        self._project, self._pictures = project, pictures
        self._annotations, self._history = annotations, History()
        self._cell_radius = settings.get("cell_radius")
        self._threshold = settings.get("threshold")
        self.is_quick = settings.get("is_quick", False)
        self.folder, self.images = project.folder, pictures.images
        self.names, self.model = pictures.labels, project.model
        self.model_number, self.template = 0, None
        self._detector, self._found, self._looks = None, {}, {}
        self._seen, self._suggested = set(), None
        self._lock, self._watches = threading.RLock(), set()

    @classmethod
    def create(cls, folder, images, cell_radius=None, *, reading=None):
        """Make a project.

        Parameters
        ----------
        folder : str or path
            Made if it is not there.
        images : str, path, list of them, list of arrays, or dict of str to array
            Folders, files and patterns as for `pseudocell.io.read_images`. Arrays of
            shape (H, W) or (H, W, C) are saved as TIFF files in the project.
        cell_radius : float, optional
            Radius of a cell in pixels; estimated from the clicks if not given.
        reading : Reading, optional
            How image files are read that leave it open.

        Returns
        -------
        session : Session

        Raises
        ------
        ValueError
            If there is a project already, the folder cannot be written, or an image
            cannot be read.
        """
        project = Project(folder)
        try:
            if project.exists():
                raise ValueError(
                    f"The folder {project.folder} holds a project already; open it, or "
                    "give another folder."
                )
            pictures = Pictures.of(images, project.folder, reading)
            nothing = [Annotations.make() for _ in pictures.labels]
            session = cls(project, pictures, nothing, {"cell_radius": cell_radius})
            project.write_points(session.names, nothing)
            session._write_state()
        except BaseException:
            project.close()
            raise
        return session

    @classmethod
    def open(cls, folder, *, accept_changed=False):
        """Go on with a project.

        Parameters
        ----------
        folder : str or path
            Its folder.
        accept_changed : bool, default=False
            Whether to go on with images whose files are not what they were.

        Returns
        -------
        session : Session

        Raises
        ------
        ValueError
            If there is no project, another process has it open, it is damaged or of a
            newer version, or an image is missing or not what it was. Nothing is changed
            then.
        """
        project = Project(folder)
        try:
            digests, labels, settings = project.read_state()
            reading = Reading(**_with_tuples(settings.get("reading", {})))
            pictures = Pictures(list(digests), reading)
            changed = compare(digests, pictures)
            if pictures.labels != labels:
                raise ValueError(
                    f"The images of the project {project.folder} are not what they "
                    f"were: there were {len(labels)}, and now there are "
                    f"{len(pictures.labels)}, or they have other names. Put them back."
                )
            if changed and not accept_changed:
                raise ValueError(
                    f"The image {changed[0]} was changed since the project was saved; "
                    "put the old one back, or accept it as it is, if the clicks are "
                    "still on cells."
                )
            session = cls(project, pictures, project.read_points(labels), settings)
            if changed:
                session._write_state()
        except BaseException:
            project.close()
            raise
        return session

    def close(self):
        """Let other processes open the project; all is saved already."""
        self.cancel()
        self._project.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    @property
    def has_model(self):
        """Whether something was trained."""
        return self.model.exists()

    @property
    def detector(self):
        """The fitted detector with the threshold of the session.

        Raises
        ------
        ValueError
            If there is none yet.
        """
        return with_threshold(self._fitted(), self._threshold)

    @property
    def cell_radius(self):
        """Radius of a cell in pixels that `fit` takes; None estimates it."""
        return self._cell_radius

    @cell_radius.setter
    def cell_radius(self, radius):
        self._cell_radius = radius
        self._write_state()

    @property
    def radius(self):
        """Radius of a cell in pixels: what was given, or estimated; None if neither."""
        if self._cell_radius is None and self.has_model:
            return self._fitted().cell_radius_
        return self._cell_radius

    @property
    def threshold(self):
        """A find is a cell if it is higher; set it to None for that of the model."""
        if self._threshold is None and self.has_model:
            return self._fitted().threshold_
        return self._threshold

    @threshold.setter
    def threshold(self, threshold):
        self._threshold = None if threshold is None else float(threshold)
        self._write_state()

    def fit(self, progress=None, quick=False):
        """Train a model on the images, clicks and marks as they are now.

        Parameters
        ----------
        progress : callable, optional
            Called as ``progress(fraction, text)`` after each step, in a thread that
            works; it returns True to stop.
        quick : bool, default=False
            Whether a first answer within seconds is wanted: few steps on the clicks
            alone, without pseudo labels.

        Returns
        -------
        is_finished : bool
            False if it was stopped. The last good model stays: the one before, or,
            where there was none but a quick one, that of the last finished round.

        Raises
        ------
        ValueError
            If nothing is clicked, or an image has changed on the disk.
        """
        self._pictures.check_same()
        if not any(map(len, self.clicks)):
            raise ValueError("Nothing is clicked yet; click some cells first.")
        annotations, images = list(self._annotations), self.images
        if quick:
            annotations, images = _with_points(annotations, images)
        labels = labels_to_fit(annotations)
        detector = new_detector(self._cell_radius, quick, self.template)
        is_better = not self.has_model or self.is_quick
        with self._watched(progress, detector.max_iter + 1) as watch:
            for fitted, is_last in train(detector, images, labels):
                if is_last or is_better:
                    self._take_model(fitted, quick)
        return not watch.is_over()

    def cancel(self):
        """Stop what is being trained or predicted, from any thread, within seconds."""
        for watch in list(self._watches):
            watch.stop()

    def _write_state(self):
        with self._lock:
            settings = {
                "cell_radius": self._cell_radius,
                "threshold": self._threshold,
                "is_quick": self.is_quick,
                "reading": asdict(self._pictures.reading),
            }
            self._project.write_state(self._pictures.digests, self.names, settings)

    def _fitted(self):
        if self._detector is None:
            if not self.has_model:
                raise ValueError(
                    "There is no model yet; click some cells, and find every cell."
                )
            self._detector = load_model(self.model)
        return self._detector

    def _take_model(self, fitted, quick):
        """Replace the model, on the disk first; the threshold is its own again."""
        with self._lock:
            self._threshold, self.is_quick = None, quick
            self._write_state()
            save_model(fitted, self.model)
            self._detector, self._found, self._looks = fitted, {}, {}
            self.model_number += 1

    @contextmanager
    def _watched(self, progress, n_parts=1):
        """Let the work in the block be stopped; it then ends without an error."""
        watch = Watch(progress, n_parts)
        self._watches.add(watch)
        try:
            with watch.joined():
                yield watch
        except NoLongerWanted:
            pass
        finally:
            self._watches.discard(watch)


def _with_points(annotations, images):
    """Return the images that somebody has said most of, for a quick answer."""
    counts = [len(one.clicks) + len(one.not_cells) for one in annotations]
    order = np.argsort(np.negative(counts), kind="stable")[:QUICK_IMAGES]
    chosen = sorted(i for i in order if counts[i] > 0) or [0]
    return [annotations[i] for i in chosen], [images[i] for i in chosen]


def _with_tuples(values):
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
    }

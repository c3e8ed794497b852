"""The panel in the window of napari: buttons for what a desk can do."""

from functools import partial, wraps
from pathlib import Path

import napari
from napari.layers import Image
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QFileDialog, QMessageBox

from pseudocell._napari._canvas import CLICKS, NOT_CELLS
from pseudocell._napari._desk import Desk
from pseudocell._napari._face import Face
from pseudocell._napari._project import PROJECT
from pseudocell._napari._tasks import (
    ask_place,
    export,
    learn,
    look,
    run_on_folder,
    write_report,
)
from pseudocell._napari._work import Work, sentence
from pseudocell.io.point_writers import WRITERS

__all__ = ["PseudocellPanel"]

HINT = "Open an image, and click ten cells or more."
# Layers of one file come one after the other; after so many ms, they are all there.
SETTLED = 100
# What an error says that a person may wave aside.
CHANGED = "was changed since"
POINT_FILES = "Points (*.csv *.tsv *.zip *.roi *.xml *.json *.geojson *.yml *.txt)"
REPORT = "A web page (*.html)"


def spoken(method):
    """Say in the panel what is wrong with what was asked; nothing is lost by it."""

    @wraps(method)
    def attempt(self, *arguments):
        try:
            said = method(self, *arguments)
        except (ValueError, OSError, MemoryError) as error:
            self.say(sentence(error), is_fault=True)
        else:
            if said:
                self.say(said)
        self.refresh()

    return attempt


class PseudocellPanel(Face):
    """Click some cells, find every cell, correct, and take the table along.

    Parameters
    ----------
    viewer : napari.Viewer
        The window that it works in.
    """

    def __init__(self, viewer: "napari.viewer.Viewer"):
        super().__init__()
        self.viewer = viewer
        self.desk = Desk(viewer, self._when_marked)
        self.work = Work(self)
        for kind in WRITERS:
            self.formats.addAction(kind, partial(self.export, kind))
        self._connect()
        self.say(HINT)
        self._take_what_is_open()
        self.refresh()

    # What is pressed

    def _connect(self):
        actions = {
            "Add layers": self.add_layers,
            "Add files...": self.add_files,
            "Open project...": self.open_project,
            "Click cells": partial(self.arm, CLICKS),
            "Click what is none": partial(self.arm, NOT_CELLS),
            "Undo": self.undo,
            "Redo": self.redo,
            "Import clicks...": self.import_clicks,
            "Find every cell": self.find,
            "Cancel": self.cancel,
            "Next place": self.next_place,
            "A cell": partial(self.answer, True),
            "No cell": partial(self.answer, False),
            "Next image": self.next_image,
            "Run on a folder...": self.run_on_folder,
            "Report...": self.report,
        }
        for name, action in actions.items():
            self.buttons[name].clicked.connect(lambda _, act=action: act())
        self.images.chosen.connect(self.show_image)
        self.threshold.moved.connect(self.set_threshold)
        self.threshold.reset.connect(partial(self.set_threshold, None))
        self.work.progressed.connect(self._when_progressed)
        self.work.arrived.connect(self._when_arrived)
        self.work.ended.connect(self._when_ended)
        self.work.failed.connect(self._when_failed)
        self.viewer.layers.events.inserted.connect(self._when_inserted)
        self.viewer.dims.events.current_step.connect(self._when_slid)
        for keys, action in (
            ("Control-Z", self.undo),
            ("Control-Shift-Z", self.redo),
            ("Control-J", self.next_place),
            ("Y", partial(self.answer, True)),
            ("N", partial(self.answer, False)),
        ):
            self.viewer.bind_key(keys, lambda _, act=action: act(), overwrite=True)
        QApplication.instance().aboutToQuit.connect(self.stop)

    def stop(self):
        """Cancel what is going on, and let another window have the project."""
        self.work.cancel()
        self.viewer.layers.events.inserted.disconnect(self._when_inserted)
        self.viewer.dims.events.current_step.disconnect(self._when_slid)
        if self.desk.session is not None:
            self.desk.session.close()

    # Images

    def _take_what_is_open(self):
        layers = [one for one in self.viewer.layers if isinstance(one, Image)]
        if layers and self.desk.session is None:
            folder = layers[0].metadata.get(PROJECT)
            self._take(layers) if folder is None else self._go_on(folder)

    @spoken
    def _take(self, layers):
        note = self.desk.add_layers(layers)
        self.arm(CLICKS)
        self._look_if_known()
        return note or "Click cells; every click is saved."

    def _when_inserted(self, event):
        if isinstance(event.value, Image) and self.desk.session is None:
            QTimer.singleShot(SETTLED, self._take_what_is_open)

    def add_layers(self):
        """Take the selected layers in."""
        self._take([one for one in self.viewer.layers if one in self._selected()])

    def _selected(self):
        return self.viewer.layers.selection

    @spoken
    def add_files(self):
        """Ask for image files, and take them in."""
        paths, _ = QFileDialog.getOpenFileNames(self, "Images")
        return self.desk.add_files(paths) if paths else ""

    def open_project(self):
        """Ask for the folder of a project, and go on with it."""
        folder = QFileDialog.getExistingDirectory(self, "Folder of a project")
        if folder:
            self._go_on(folder)

    @spoken
    def _go_on(self, folder):
        if self.work.is_running:
            raise ValueError("Still at work; wait for it or press Cancel.")
        try:
            self.desk.open(folder)
        except ValueError as error:
            if CHANGED not in str(error) or not self._agrees(str(error)):
                raise
            self.desk.open(folder, accept_changed=True)
        self.arm(CLICKS)
        self._look_if_known()
        return f"The project has {self.desk.n_images} images."

    def _agrees(self, text):
        """Ask whether to go on in spite of something."""
        answer = QMessageBox.question(self, "Go on?", text)
        return answer == QMessageBox.StandardButton.Yes

    @spoken
    def show_image(self, number):
        """Bring an image to the canvas."""
        self.desk.show(number)
        self._look_if_known()

    def next_image(self):
        """Bring the next image to the canvas; after the last one, the first."""
        number = -1 if self.desk.number is None else self.desk.number
        self.show_image((number + 1) % self.desk.n_images)

    @spoken
    def _when_slid(self, event=None):
        self.desk.follow()

    # Clicks

    @spoken
    def _when_marked(self):
        self.desk.take_marks()

    @spoken
    def arm(self, name):
        """Let the mouse click cells, or what is none."""
        self.desk.canvas.arm(name)
        names = {CLICKS: "Click cells", NOT_CELLS: "Click what is none"}
        self.buttons[names[name]].setChecked(True)

    @spoken
    def undo(self):
        """Take the last edit back."""
        self.desk.undo()

    @spoken
    def redo(self):
        """Make it again."""
        self.desk.redo()

    @spoken
    def import_clicks(self):
        """Take the selected layer of points for clicks, or ask for a file of points."""
        layer = self.viewer.layers.selection.active
        if layer is not None and not self.desk.owns(layer):
            return self.desk.take_points(layer)
        path, _ = QFileDialog.getOpenFileName(self, "Clicks", filter=POINT_FILES)
        if path:
            n_points = self.desk.session.add_points(path)
            self.desk.refresh()
            return f"{n_points} points of {Path(path).name} are clicks now."

    @spoken
    def next_place(self):
        """Find where a click would tell most, and go there."""
        self.work.start(ask_place, self.desk.session)

    @spoken
    def answer(self, is_cell):
        """Say what is there, and go to the next place."""
        self.desk.answer(is_cell)
        self.work.start(ask_place, self.desk.session)

    # Long work

    @spoken
    def find(self):
        """Learn from the clicks, and find the cells of all images."""
        desk = self.desk
        if desk.session is None or not any(map(len, desk.session.clicks)):
            raise ValueError("Nothing is clicked yet; click ten cells or more.")
        desk.ask(None)
        self.work.start(
            learn, desk.session, desk.number or 0, on_cancel=desk.session.cancel
        )
        return "Learning from the clicks; you can go on clicking."

    def cancel(self):
        """Stop what is going on; what is finished stays."""
        self.work.cancel()
        self.say("Stopping.")

    @spoken
    def run_on_folder(self):
        """Ask for a folder of images and one for the results, and do it."""
        folder = QFileDialog.getExistingDirectory(self, "Folder of images")
        out = folder and QFileDialog.getExistingDirectory(
            self, "Folder for the results"
        )
        if out:
            session = self.desk.session
            self.work.start(
                run_on_folder, session, folder, out, on_cancel=session.cancel
            )

    @spoken
    def export(self, kind):
        """Ask for a file, and write all cells in a format."""
        session, suffix = self.desk.session, WRITERS[kind].suffix
        if suffix is None or self.desk.n_images == 1:
            path, _ = QFileDialog.getSaveFileName(self, f"Export {kind}")
            if path and not Path(path).suffix:
                path += suffix or ".csv"
        else:
            path = QFileDialog.getExistingDirectory(
                self, "Folder, a file for each image"
            )
        if path:
            self.work.start(export, session, path, kind, on_cancel=session.cancel)

    @spoken
    def report(self):
        """Ask for a file, and write the report of the model."""
        path, _ = QFileDialog.getSaveFileName(self, "Report", "report.html", REPORT)
        if path:
            self.work.start(write_report, self.desk.session, path)

    def _look_if_known(self):
        """Show what the model finds in the image on the canvas."""
        desk = self.desk
        if (
            desk.number is not None
            and desk.number not in desk.finds
            and desk.session.has_model
            and not self.work.is_running
        ):
            self.work.start(
                look, desk.session, desk.number, on_cancel=desk.session.cancel
            )

    def _when_progressed(self, fraction, text):
        self.bar.setValue(round(1000 * fraction))
        self.bar.setFormat(f"{text} %p%")

    @spoken
    def _when_arrived(self, look):
        self.desk.keep(look)

    @spoken
    def _when_ended(self, result):
        return result(self.desk) if callable(result) else result

    def _when_failed(self, text):
        self.say(text, is_fault=True)
        self.refresh()

    # Threshold

    @spoken
    def set_threshold(self, height):
        """Take what is higher for cells; None is what the model holds for best."""
        self.desk.set_threshold(height)

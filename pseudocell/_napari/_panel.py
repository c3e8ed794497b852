"""The panel in the window of napari: buttons for what a desk can do."""

from functools import partial, wraps
from pathlib import Path

import napari
from napari.layers import Image
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QApplication,
    QButtonGroup,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from pseudocell._napari._canvas import CLICKS, NOT_CELLS
from pseudocell._napari._controls import ImageList, ThresholdSlider
from pseudocell._napari._desk import Desk
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
# Of the sentence at the foot.
LINES = 6
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


class PseudocellPanel(QWidget):
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
        self._build()
        self._connect()
        self.say(HINT)
        self._take_what_is_open()
        self.refresh()

    # What is seen

    def _build(self):
        self.project = QLabel()
        self.project.setWordWrap(True)
        self.images = ImageList()
        self.threshold = ThresholdSlider()
        self.counts, self.message = QLabel(), QLabel()
        for label in (self.counts, self.message):
            label.setWordWrap(True)
        self.message.setMinimumHeight(LINES * self.message.fontMetrics().lineSpacing())
        self.message.setAlignment(Qt.AlignTop)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.buttons = {}
        layout = QVBoxLayout(self)
        layout.addWidget(self.project)
        layout.addLayout(self._row("Add layers", "Add files...", "Open project..."))
        layout.addWidget(self.images)
        layout.addLayout(self._row("Click cells", "Click what is none"))
        layout.addLayout(self._row("Undo", "Redo", "Import clicks..."))
        layout.addLayout(self._row("Find every cell", "Cancel"))
        layout.addWidget(self.bar)
        layout.addLayout(self._row("Next place", "A cell", "No cell", "Next image"))
        layout.addWidget(self.threshold)
        layout.addWidget(self.counts)
        layout.addLayout(self._row("Run on a folder...", "Export", "Report..."))
        layout.addWidget(self.message)
        layout.addStretch()
        # One of the two is what the mouse does.
        self.tools = QButtonGroup(self)
        for name in ("Click cells", "Click what is none"):
            self.buttons[name].setCheckable(True)
            self.tools.addButton(self.buttons[name])
        menu = QMenu(self)
        for kind in WRITERS:
            menu.addAction(kind, partial(self.export, kind))
        self.buttons["Export"].setMenu(menu)

    def _row(self, *names):
        row = QHBoxLayout()
        for name in names:
            self.buttons[name] = QPushButton(name)
            row.addWidget(self.buttons[name])
        return row

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

    def refresh(self):
        """Show what is so now."""
        desk = self.desk
        has_session = desk.session is not None
        self.project.setText(
            f"Project {desk.session.folder.name}" if has_session else "No project yet"
        )
        self.project.setToolTip(str(desk.session.folder) if has_session else "")
        self.images.show_rows(desk.rows(), desk.number)
        self.counts.setText(desk.counted())
        self._refresh_threshold()
        is_busy, has_model = (
            self.work.is_running,
            has_session and desk.session.has_model,
        )
        for name, is_on in {
            "Undo": has_session and desk.session.can_undo,
            "Redo": has_session and desk.session.can_redo,
            "Import clicks...": has_session,
            "Find every cell": not is_busy,
            "Cancel": is_busy,
            "Next place": has_model and not is_busy,
            "A cell": desk.asked is not None,
            "No cell": desk.asked is not None,
            "Next image": desk.n_images > 1,
            "Run on a folder...": has_model and not is_busy,
            "Export": has_model and not is_busy,
            "Report...": has_model and not is_busy,
        }.items():
            self.buttons[name].setEnabled(bool(is_on))
        self.bar.setVisible(is_busy)

    def _refresh_threshold(self):
        heights = self.desk.heights()
        self.threshold.setEnabled(heights is not None)
        if heights is None:
            self.threshold.expected.setText("")
            return
        self.threshold.show_value(self.desk.threshold, *heights)
        if self.work.is_running:
            return
        precision, recall = self.desk.session.expected()
        self.threshold.expected.setText(
            f"About {precision:.0%} of what is found are cells, and {recall:.0%} of "
            "the cells are found."
            if precision == precision
            else "What to expect here is not known: too few clicks were held out."
        )

    def say(self, text, is_fault=False):
        """Say one sentence at the foot of the panel."""
        self.message.setText(text)
        self.message.setStyleSheet("color: #ff8a65" if is_fault else "")

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
        session, suffix = self.desk.session, WRITERS[kind][1]
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

"""The panel in the window of napari: buttons for what a desk can do."""

from functools import partial, wraps
from pathlib import Path

import napari
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtGui import QShortcut
from qtpy.QtWidgets import (
    QApplication,
    QButtonGroup,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from pseudocell._napari._canvas import CLICKS, NOT_CELLS
from pseudocell._napari._controls import ImageList, ThresholdSlider
from pseudocell._napari._desk import Desk
from pseudocell._napari._work import Work, sentence
from pseudocell.io.point_writers import WRITERS

__all__ = ["PseudocellPanel"]

HINT = "Open an image, and click ten cells or more."
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

    def __init__(self, viewer: "napari.Viewer"):
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
        ):
            self.viewer.bind_key(keys, lambda _, act=action: act(), overwrite=True)
        QApplication.instance().aboutToQuit.connect(self.work.cancel)

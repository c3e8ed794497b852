"""The larger controls of the panel: the list of images and the threshold."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSlider,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

__all__ = ["ImageList", "ThresholdSlider"]

STEPS = 200


class ImageList(QTreeWidget):
    """The images with the number of their clicks, and of the cells in them."""

    chosen = Signal(int)

    def __init__(self):
        super().__init__()
        self.setHeaderLabels(["image", "clicks", "cells"])
        self.setRootIsDecorated(False)
        self.setSelectionMode(QAbstractItemView.SingleSelection)
        self.setMinimumHeight(90)
        self.setMaximumHeight(220)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeToContents)
        self.itemClicked.connect(
            lambda item: self.chosen.emit(self.indexOfTopLevelItem(item))
        )

    def show_rows(self, rows, current):
        """Show (name, clicks, cells) of each image, and which one is on the canvas."""
        while self.topLevelItemCount() > len(rows):
            self.takeTopLevelItem(self.topLevelItemCount() - 1)
        while self.topLevelItemCount() < len(rows):
            item = QTreeWidgetItem()
            for column in (1, 2):
                item.setTextAlignment(column, Qt.AlignRight)
            self.addTopLevelItem(item)
        for index, row in enumerate(rows):
            for column, text in enumerate(row):
                self.topLevelItem(index).setText(column, str(text))
            self.topLevelItem(index).setToolTip(0, str(row[0]))
        if current is not None:
            self.setCurrentItem(self.topLevelItem(current))


class ThresholdSlider(QWidget):
    """How high a find must be to be a cell, and what to expect of those."""

    moved = Signal(float)
    reset = Signal()

    def __init__(self):
        super().__init__()
        self._low, self._high = 0.0, 1.0
        self.slider = QSlider(Qt.Horizontal)
        self.slider.setRange(0, STEPS)
        self.button = QPushButton("Reset")
        self.expected = QLabel()
        self.expected.setWordWrap(True)
        self.expected.setMinimumHeight(2 * self.expected.fontMetrics().lineSpacing())
        row = QHBoxLayout()
        row.addWidget(QLabel("more"))
        row.addWidget(self.slider)
        row.addWidget(QLabel("surer"))
        row.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.expected)
        self.slider.valueChanged.connect(lambda _: self.moved.emit(self.value))
        self.button.clicked.connect(self.reset)

    @property
    def value(self):
        """The threshold, a height."""
        return self._low + self.slider.value() / STEPS * (self._high - self._low)

    def show_value(self, value, low, high):
        """Show a threshold between the lowest and the highest find."""
        self._low, self._high = low, max(high, low + 1e-6)
        share = (value - self._low) / (self._high - self._low)
        before = self.slider.blockSignals(True)
        self.slider.setValue(round(share * STEPS))
        self.slider.blockSignals(before)

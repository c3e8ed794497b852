"""A window of napari, and a mouse that clicks in it."""

import numpy as np
import pytest

pytest.importorskip("napari.viewer", reason="napari is not installed")

import napari  # noqa: E402
from qtpy.QtCore import QPoint, Qt  # noqa: E402


@pytest.fixture
def viewer(qtbot, tmp_path, monkeypatch):
    """Open a window on a home of its own; nothing of the user's is read or written."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    window = napari.Viewer(show=True)
    window.window._qt_window.resize(1300, 900)
    qtbot.wait(50)
    yield window
    window.close()


class Mouse:
    """A mouse over the canvas, in pixels of the image."""

    def __init__(self, viewer, qtbot):
        self.viewer, self.qtbot = viewer, qtbot
        self.native = viewer.window._qt_viewer.canvas.native

    def place(self, layer, point):
        """Return where a point of a layer is in the window."""
        world = np.asarray(layer.data_to_world(point))[-2:]
        camera = getattr(self.viewer, "scene", self.viewer).camera
        center = np.asarray(camera.center)[-2:]
        size = np.array([self.native.height(), self.native.width()])
        row, col = (world - center) * camera.zoom + size / 2
        return QPoint(round(col), round(row))

    def click(self, layer, point):
        """Click on a point, given in the pixels of a layer."""
        place = self.place(layer, point)
        self.qtbot.mouseMove(self.native, place)
        self.qtbot.mouseClick(self.native, Qt.LeftButton, pos=place)
        self.qtbot.wait(10)


@pytest.fixture
def mouse(viewer, qtbot):
    return Mouse(viewer, qtbot)


@pytest.fixture
def open_panel(viewer, qtbot):
    """Open the panel over what is in the window, as the menu does."""
    opened = []

    def opening():
        dock, panel = viewer.window.add_plugin_dock_widget("pseudocell")
        opened.append(panel)
        qtbot.wait(200)
        return panel

    yield opening
    for panel in opened:
        panel.stop()

"""The three layers over the image that is shown: clicks, not cells, found."""

from contextlib import contextmanager

import numpy as np
from napari.layers import Points

__all__ = ["CLICKS", "FOUND", "MARK", "NOT_CELLS", "Canvas"]

CLICKS, NOT_CELLS, FOUND = "clicks", "not cells", "found"
# Where a person is asked to look; there only while the question is open.
PLACE = "next place"
# Of a cell of which nothing is known yet, in pixels.
DIAMETER = 12.0
# From doubtful to sure; yellow would vanish on bright field, grey anywhere.
COLORMAP = "plasma"
# A mark is never smaller, in pixels of the screen.
ON_SCREEN = 9, 10_000

STYLES = {
    FOUND: {
        "symbol": "disc",
        "face_color": "transparent",
        "border_width": 0.12,
        "features": {"probability": np.zeros(0)},
    },
    CLICKS: {
        "symbol": "disc",
        "face_color": "lime",
        "border_color": "black",
        "border_width": 0.15,
        "canvas_size_limits": ON_SCREEN,
    },
    NOT_CELLS: {
        "symbol": "x",
        "face_color": "red",
        "border_color": "white",
        "border_width": 0.1,
        "canvas_size_limits": ON_SCREEN,
    },
}
# Share of a cell's diameter that a mark covers: the cell stays visible.
MARK = 0.4


class Canvas:
    """The points over the picture that is shown, and what is clicked in them.

    All points are in pixels of the picture; the layers lie on it whatever its scale.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the layers are. One that is deleted comes back when it is needed.
    on_marks : callable
        Called without arguments after a person has changed clicks or "not cells".
    """

    def __init__(self, viewer, on_marks):
        self.viewer, self._on_marks = viewer, on_marks
        self.picture, self.diameter, self.tool = None, DIAMETER, CLICKS
        self._layers, self._is_quiet = {}, False

    def lay_over(self, picture):
        """Put the layers on a picture."""
        self.picture = picture
        for name in STYLES:
            layer = self.layer(name)
            layer.affine = picture.affine
            layer.units = picture.layer.units[-2:]

    def layer(self, name):
        """Return one of the three layers, made where there is none."""
        layer = self._layers.get(name)
        if layer is None or layer not in self.viewer.layers:
            with self.quiet():
                layer = self._make(name)
            self._layers[name] = layer
        return layer

    def _make(self, name):
        style = STYLES[name]
        share = 1 if name == FOUND else MARK
        layer = Points(
            np.zeros((0, 2)), ndim=2, name=name, size=share * self.diameter, **style
        )
        if name == FOUND:
            layer.border_color = "probability"
            layer.border_colormap = COLORMAP
            layer.border_contrast_limits = (0, 1)
        else:
            layer.events.data.connect(self._when_changed)
        if self.picture is not None:
            layer.affine = self.picture.affine
            layer.units = self.picture.layer.units[-2:]
        self.viewer.add_layer(layer)
        layer.editable = name != FOUND
        return layer

    def _when_changed(self, event):
        # "changed" ends a drag; "adding" and its like come before anything is done.
        if not self._is_quiet and str(event.action) in ("added", "removed", "changed"):
            self._on_marks()

    @contextmanager
    def quiet(self):
        """Change layers without taking it for the work of a person."""
        before, self._is_quiet = self._is_quiet, True
        try:
            yield
        finally:
            self._is_quiet = before

    def marks(self):
        """Return clicks and "not cells", (n, 2) each, in pixels of the picture."""
        return [
            np.array(self.layer(name).data, dtype=float).reshape(-1, 2)
            for name in (CLICKS, NOT_CELLS)
        ]

    def show_marks(self, clicks, not_cells):
        """Show clicks and "not cells", in pixels of the picture."""
        with self.quiet():
            for name, points in ((CLICKS, clicks), (NOT_CELLS, not_cells)):
                self._put(name, points)

    def show_found(self, points, probabilities):
        """Show what was found, in pixels of the picture, coloured by probability."""
        layer = self._put(FOUND, points)
        layer.features = {"probability": np.asarray(probabilities, dtype=float)}
        layer.border_contrast_limits = (0, 1)
        layer.refresh_colors()

    def show_place(self, point):
        """Show where a person is asked to look; None when the question is answered."""
        with self.quiet():
            for layer in [one for one in self.viewer.layers if one.name == PLACE]:
                self.viewer.layers.remove(layer)
            if point is None:
                return
            chosen = self.viewer.layers.selection.active
            self.viewer.add_points(
                [point],
                name=PLACE,
                affine=self.picture.affine,
                units=self.picture.layer.units[-2:],
                size=2 * self.diameter,
                face_color="transparent",
                border_color="yellow",
                border_width=0.08,
            ).editable = False
            self.viewer.layers.selection.active = chosen

    def resize(self, diameter):
        """Draw the points for cells of another diameter, in pixels."""
        self.diameter = float(diameter)
        for name in STYLES:
            layer = self.layer(name)
            layer.size = layer.current_size = self.diameter * (
                1 if name == FOUND else MARK
            )

    def arm(self, name):
        """Make the next click of the mouse one of this layer."""
        self.tool, layer = name, self.layer(name)
        self.viewer.layers.selection.active = layer
        layer.mode = "add"

    def center_on(self, point):
        """Bring a point (row, col) of the picture to the middle of the view."""
        layer = self.layer(CLICKS)
        world = layer.data_to_world(point)
        # Since napari 0.9 the camera is that of the scene.
        getattr(self.viewer, "scene", self.viewer).camera.center = world

    def _put(self, name, points):
        layer = self.layer(name)
        layer.selected_data = set()
        layer.data = np.array(points, dtype=float).reshape(-1, 2)
        return layer

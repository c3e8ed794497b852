"""A session and what the viewer shows of it: no widget, no thread."""

import numpy as np
from napari.layers import Image, Labels, Points

from pseudocell._napari._canvas import CLICKS, FOUND, MARK, NOT_CELLS, Canvas
from pseudocell._napari._pictures import Picture, group_channels, plane_shown
from pseudocell._napari._project import PROJECT, find_number, open_project, pictures_of
from pseudocell._napari._region import count_inside
from pseudocell.session import Found, Session
from pseudocell.session._annotations import Annotations
from pseudocell.session._found import combine

__all__ = ["Desk"]


class Desk:
    """The images of a session in a viewer, one of them on the canvas.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer.
    on_marks : callable
        Called without arguments when a person has changed points; it should call
        `take_marks`.
    """

    def __init__(self, viewer, on_marks):
        self.viewer, self.canvas = viewer, Canvas(viewer, on_marks)
        self.session, self.number = None, None
        self.finds, self.threshold, self.asked = {}, 0.0, None
        self._model_number = None
        self._pictures, self._lent, self._is_moving = {}, (), False

    # Which images

    def add_layers(self, layers):
        """Take layers of images in; return what is worth saying."""
        layers = [one for one in layers if isinstance(one, Image)]
        if not layers:
            raise ValueError("No image layer is selected; select one in the list.")
        note, chosen = "", None
        for group in group_channels(layers):
            pictures, path = pictures_of(group, self.viewer)
            if self.session is None:
                session, note = open_project(pictures[0], path)
                self.use(session)
            self._add(pictures, path)
            at_first = plane_shown(group[0], self.viewer)
            chosen = next(
                (one for one in pictures if one.plane == at_first), pictures[0]
            )
        self.show(self._number_of(chosen))
        return note

    def add_files(self, paths):
        """Take image files in; they are opened when they are looked at."""
        self._need()
        self._renumber(self.session.add_images([str(path) for path in paths]))
        return f"{len(self.session.names)} images"

    def use(self, session):
        """Go on with another session, whose images are opened when they are shown."""
        if self.session is not None:
            self._put_back()
            self.session.close()
        self.session, self.number = session, None
        self.finds, self.asked, self._pictures = {}, None, {}

    def open(self, folder, *, accept_changed=False):
        """Open a project, and show the image with most clicks."""
        session = Session.open(folder, accept_changed=accept_changed)
        self.use(session)
        for layer in list(self.viewer.layers):
            if layer.metadata.get(PROJECT) is not None:
                self.viewer.layers.remove(layer)
        self.show(int(np.argmax([len(some) for some in session.clicks])))

    def _add(self, pictures, path):
        numbers = [
            find_number(self.session, one, path, frame)
            for frame, one in enumerate(pictures)
        ]
        if None in numbers:
            images = [path] if path else {pictures[0].name: pictures[0].pixels()}
            self._renumber(self.session.add_images(images))
            numbers = [
                find_number(self.session, one, path, frame)
                for frame, one in enumerate(pictures)
            ]
        self._pictures.update(zip(numbers, pictures, strict=True))

    def _renumber(self, numbers):
        self._pictures = {numbers[i]: one for i, one in self._pictures.items()}
        self.finds = {numbers[i]: one for i, one in self.finds.items()}
        self.number = None if self.number is None else numbers[self.number]

    def _number_of(self, picture):
        return next((i for i, one in self._pictures.items() if one is picture), None)

    # What is on the canvas

    def show(self, number):
        """Bring an image to the canvas, with its points."""
        picture = self._pictures.get(number)
        self._is_moving = True
        try:
            if picture is None or any(
                one not in self.viewer.layers for one in picture.layers
            ):
                picture = self._open_image(number)
            elif picture.layers != self._lent:
                self._put_back()
            for other in self._pictures.values():
                for layer in other.layers:
                    if layer in self.viewer.layers:
                        layer.visible = layer in picture.layers
            if picture.plane:
                point = picture.layer.data_to_world((*picture.plane, 0, 0))
                first = self.viewer.dims.ndim - picture.layer.ndim
                for axis in range(len(picture.plane)):
                    self.viewer.dims.set_point(first + axis, point[axis])
        finally:
            self._is_moving = False
        self.number = number
        self.canvas.lay_over(picture)
        if self.session.radius:
            self.canvas.resize(2 * self.session.radius)
        # A layer that is opened takes the mouse.
        self.canvas.arm(self.canvas.tool)
        self.refresh()

    def _open_image(self, number):
        """Lend the viewer a layer of an image that is not open in it."""
        self._put_back()
        image = self.session.images[number]
        pixels, name = np.asarray(image), self.session.names[number]
        is_rgb = image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8
        channels = {} if image.ndim == 2 or is_rgb else {"channel_axis": 2}
        layers = self.viewer.add_image(pixels, name=name, rgb=is_rgb, **channels)
        self._lent = tuple(layers) if isinstance(layers, list) else (layers,)
        for layer in self._lent:
            self.viewer.layers.move(self.viewer.layers.index(layer), 0)
        picture = self._pictures[number] = Picture(self._lent)
        self.viewer.reset_view()
        return picture

    def _put_back(self):
        """Close the image that was opened only to be looked at."""
        for layer in self._lent:
            if layer in self.viewer.layers:
                self.viewer.layers.remove(layer)
        self._pictures = {
            i: one for i, one in self._pictures.items() if one.layers != self._lent
        }
        self._lent = ()

    def follow(self):
        """Show the points of the plane that the sliders of the viewer were moved to."""
        picture = self.canvas.picture
        if self._is_moving or picture is None or not picture.plane:
            return
        plane = plane_shown(picture.layer, self.viewer)
        if plane == picture.plane:
            return
        for number, other in self._pictures.items():
            if other.layers == picture.layers and other.plane == plane:
                self.show(number)
                return
        self.number = None
        self.canvas.lay_over(Picture(picture.layers, plane))
        self.refresh()

    def refresh(self):
        """Show the points of the image on the canvas as the session has them."""
        if self.number is None:
            self.canvas.show_marks((), ())
            self.canvas.show_found((), ())
            return
        number, session = self.number, self.session
        self.canvas.show_marks(session.clicks[number], session.not_cells[number])
        points, chances = self.cells(number)
        n_clicks = len(session.clicks[number])
        self.canvas.show_found(points[n_clicks:], chances[n_clicks:])
        is_asked = self.asked is not None and self.asked[0] == number
        self.canvas.show_place(self.asked[1] if is_asked else None)

    # What a person says

    def take_marks(self):
        """Hand what was clicked to the session; on an error, show what it has."""
        self._need()
        picture = self.canvas.picture
        marks = self.canvas.marks()
        try:
            if not all(picture.holds(some).all() for some in marks):
                raise ValueError(
                    "That click is outside of the image, and was left out."
                    if picture.offset == (0, 0)
                    else "Of this large image a part takes part; to click elsewhere, "
                    "look there and press Add layers."
                )
            if self.number is None:
                self._add([picture], None)
                self.number = self._number_of(picture)
            before = (
                self.session.clicks[self.number],
                self.session.not_cells[self.number],
            )
            self._tell(before, marks)
        finally:
            self.refresh()

    def _tell(self, before, marks):
        """Tell the session of a new click as such, and of all else as it is now."""
        number, session = self.number, self.session
        added = [_only_new(*pair) for pair in zip(before, marks, strict=True)]
        tellers = (session.click, session.mark_not_cell)
        for point, tell, known in zip(added, tellers, before, strict=True):
            if point is not None:
                apart = np.hypot(*(known - point).T).min(initial=np.inf)
                if apart < MARK / 2 * self.canvas.diameter:
                    raise ValueError("There is a mark already.")
                tell(number, point)
                self._answer_at(point)
                return
        session.set_points(number, *marks)

    def answer(self, is_cell):
        """Say what is at the place that was asked about."""
        if self.asked is None:
            raise ValueError("Nothing is asked; press Next place.")
        number, point, _ = self.asked
        tell = self.session.click if is_cell else self.session.mark_not_cell
        tell(number, point)
        self.asked = None
        self.refresh()

    def ask(self, place):
        """Show the place to look at next: image, point and probability."""
        self.asked = place
        if place is None:
            self.refresh()
            return "Nothing is left to ask; find every cell again."
        number, point, chance = place
        if number != self.number:
            self.show(number)
        self.refresh()
        self.canvas.center_on(point)
        return f"Is this a cell? It is one with a chance of {chance:.0%}."

    def _answer_at(self, point):
        """Take a click near the place that was asked about for the answer."""
        if self.asked is not None and self.asked[0] == self.number:
            if np.hypot(*(self.asked[1] - point)) <= self.canvas.diameter / 2:
                self.asked = None

    def undo(self):
        """Take the last edit back, on whatever image it was."""
        self._step_back(self._need().undo())

    def redo(self):
        """Make the edit again that was taken back."""
        self._step_back(self._need().redo())

    def _step_back(self, number):
        if number is not None and number != self.number:
            self.show(number)
        self.refresh()

    def take_points(self, layer):
        """Take the points of a layer for clicks, where they are in the picture.

        Raises
        ------
        ValueError
            If it is no layer of points, or they do not belong to the picture.
        """
        picture, session = self.canvas.picture, self._need()
        if isinstance(layer, Labels):
            raise ValueError(
                f"{layer.name} is a layer of labels; expected points. Export centroids "
                "of its labels, and import these."
            )
        if not isinstance(layer, Points):
            raise ValueError("Select a layer of points, whose points become clicks.")
        points = np.asarray(layer.data, dtype=float)
        if layer.ndim > 2:
            n_more = layer.ndim - picture.layer.ndim
            if n_more != 0:
                raise ValueError(
                    f"The points of {layer.name} have {layer.ndim} axes, the image has "
                    f"{picture.layer.ndim}; nothing was taken."
                )
            planes = np.array(
                [picture.layer.world_to_data(layer.data_to_world(p)) for p in points]
            ).reshape(-1, layer.ndim)[:, :-2]
            points = points[(np.round(planes) == picture.plane).all(axis=1)]
        here = self.canvas.layer(CLICKS)
        points = np.array(
            [here.world_to_data(layer.data_to_world(p)[-2:]) for p in points]
        ).reshape(-1, 2)
        inside = picture.holds(points)
        if not inside.any():
            raise ValueError(f"No point of {layer.name} is in the image that is shown.")
        clicks = np.concatenate([session.clicks[self.number], points[inside]])
        session.set_points(self.number, clicks, session.not_cells[self.number])
        self.refresh()
        n_out = int((~inside).sum())
        return f"{inside.sum()} points of {layer.name} are clicks now" + (
            f"; {n_out} outside of the image were left out." if n_out else "."
        )

    # What is found

    def keep(self, look):
        """Keep what was found in an image, and show it if that is on the canvas."""
        if look.model_number != self._model_number:
            self.finds, self._model_number = {}, look.model_number
        self.finds[look.number], self.threshold = look.found, look.threshold
        if look.number == self.number:
            if self.session.radius:
                self.canvas.resize(2 * self.session.radius)
            self.refresh()

    def set_threshold(self, height):
        """Take what is higher for cells; None is what the model holds for best."""
        self.session.threshold = height
        self.threshold = self.session.threshold
        self.refresh()

    def cells(self, number):
        """Return points and probabilities of an image, the clicks first."""
        session = self.session
        clicks, marks = session.clicks[number], session.not_cells[number]
        found = self.finds.get(number)
        if found is None:
            found = Found(np.zeros((0, 2)), np.zeros(0), np.zeros(0))
        said = Annotations.make(clicks, np.zeros(len(clicks)), marks)
        return combine(found, self.threshold, said, self.canvas.diameter / 2)

    def rows(self):
        """Return name, number of clicks and of cells of each image."""
        if self.session is None:
            return []
        counts = [
            len(self.cells(i)[0]) if i in self.finds else ""
            for i in range(self.n_images)
        ]
        clicks = map(len, self.session.clicks)
        return list(zip(self.session.names, clicks, counts, strict=True))

    @property
    def n_images(self):
        """How many images the session has."""
        return 0 if self.session is None else len(self.session.names)

    def heights(self):
        """Return the lowest and the highest find of all images; None if none."""
        some = [one.heights for one in self.finds.values() if len(one.heights)]
        if not some:
            return None
        return min(map(np.min, some)), max(map(np.max, some))

    def counted(self):
        """Say how many cells are in the image, and in what was drawn on it."""
        if self.number is None or self.number not in self.finds:
            return ""
        points, _ = self.cells(self.number)
        text = f"{len(points)} cells in this image"
        drawn = [one for one in self.viewer.layers if type(one).__name__ == "Shapes"]
        if drawn and any(len(one.data) for one in drawn):
            layer = self.canvas.layer(FOUND)
            n_inside = sum(count_inside(one, layer, points) for one in drawn)
            text += f", {n_inside} in the region drawn"
        return text + "."

    def owns(self, layer):
        """Tell whether a layer is one of those that the desk keeps, or an image."""
        mine = (self.canvas.layer(name) for name in (CLICKS, NOT_CELLS, FOUND))
        return isinstance(layer, Image) or any(layer is one for one in mine)

    def _need(self):
        if self.session is None:
            raise ValueError("No image is chosen; open one, and press Add layers.")
        return self.session


def _only_new(before, after):
    """Return the one row that was added at the end; None if that is not all."""
    if len(after) == len(before) + 1 and np.array_equal(after[:-1], before):
        return after[-1]
    return None

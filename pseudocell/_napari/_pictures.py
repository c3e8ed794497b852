"""An image of a session in the viewer: layers, one plane of them, and a part of it."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Picture", "WINDOW", "group_channels", "plane_shown", "transform_of"]

# Of a plane that is larger, only the part that is seen takes part, at most so high and
# wide: a pyramid of a whole slide stays where it is.
LARGE, WINDOW = 2**24, 2048


@dataclass
class Picture:
    """An image of the session as the viewer shows it.

    Attributes
    ----------
    layers : tuple of napari.layers.Image
        One for each channel, all of one place; one alone if it is grey or RGB.
    plane : tuple of int
        Where it lies on the axes before rows and columns: time, depth.
    offset : tuple of int
        (row, col) in the plane of its first pixel.
    shape : tuple of int
        Its height and width.
    """

    layers: tuple
    plane: tuple = ()
    offset: tuple = (0, 0)
    shape: tuple | None = None

    def __post_init__(self):
        if self.shape is None:
            self.shape = plane_shape(self.layers[0])

    @property
    def layer(self):
        """The layer that stands for the others."""
        return self.layers[0]

    @property
    def name(self):
        """Its name in the list and in tables."""
        name = self.layer.name
        if self.plane:
            # Two digits at least, so that names sort as planes do.
            name += "".join(f"_{number:03d}" for number in self.plane)
        if self.shape != plane_shape(self.layer):
            name += "_row{}_col{}".format(*self.offset)
        return name

    def pixels(self):
        """Return the pixels, of shape (H, W) or (H, W, C), read now."""
        row, col = self.offset
        height, width = self.shape
        window = (*self.plane, slice(row, row + height), slice(col, col + width))
        parts = [np.asarray(_full(one)[window]) for one in self.layers]
        if self.layer.rgb:
            return parts[0][..., :3]
        return parts[0] if len(parts) == 1 else np.stack(parts, axis=-1)

    @property
    def affine(self):
        """Where its pixels lie in the world, (3, 3)."""
        return transform_of(self.layer, self.plane, self.offset)

    def holds(self, points):
        """Tell which points (n, 2), in its own pixels, are on it."""
        ends = np.array(self.shape) - 0.5
        return ((points >= -0.5) & (points <= ends)).all(axis=1)


def plane_shape(layer):
    """Return the height and width of a layer's images."""
    shape = _full(layer).shape
    return tuple(int(n) for n in (shape[-3:-1] if layer.rgb else shape[-2:]))


def plane_shown(layer, viewer):
    """Return the position of the plane of a layer that the sliders of the viewer show.

    Raises
    ------
    ValueError
        If it does not show rows and columns, flat.
    """
    if viewer.dims.ndisplay != 2:
        raise ValueError(
            "The view is in 3-D; cells are clicked in 2-D. Press the cube below the "
            "layers."
        )
    n_lead = layer.ndim - 2
    if sorted(viewer.dims.displayed) != list(range(viewer.dims.ndim))[-2:]:
        raise ValueError(
            "The view shows other axes than the last two of the image; roll them back "
            "with the button below the layers."
        )
    point = np.asarray(viewer.dims.point)[-layer.ndim :]
    place = np.round(layer.world_to_data(point)[:n_lead]).astype(int)
    last = np.array(_full(layer).shape[:n_lead]) - 1
    return tuple(int(n) for n in np.clip(place, 0, last))


def part_seen(layer):
    """Return offset and shape of the part of a plane that takes part.

    All of it, or of a very large one what is seen, at most `WINDOW` high and wide.
    """
    shape = np.array(plane_shape(layer))
    if shape.prod() <= LARGE:
        return (0, 0), tuple(int(n) for n in shape)
    corners = np.asarray(layer.corner_pixels)[:, -2:]
    if layer.multiscale:
        corners = corners * np.asarray(layer.downsample_factors[layer.data_level])[-2:]
    start, stop = np.clip(corners, 0, shape)
    size = np.minimum(np.maximum(stop - start, 1), WINDOW)
    start = np.clip((start + stop - size) // 2, 0, shape - size)
    return tuple(map(int, start)), tuple(map(int, size))


def group_channels(layers):
    """Group layers that are the channels of one image.

    A grey layer that is added (blending "additive") to the one below it, with the
    shape, the place and the file of that, is its next channel: so napari shows an image
    with channels.

    Parameters
    ----------
    layers : sequence of napari.layers.Image
        In their order in the viewer.

    Returns
    -------
    groups : list of tuple of napari.layers.Image
    """
    groups = []
    for layer in layers:
        if groups and layer.blending == "additive" and _lie_alike(groups[-1][0], layer):
            groups[-1] += (layer,)
        else:
            groups.append((layer,))
    return groups


def _lie_alike(one, other):
    return (
        not (one.rgb or other.rgb)
        and _full(one).shape == _full(other).shape
        and one.source.path == other.source.path
        and np.array_equal(transform_of(one), transform_of(other))
    )


def transform_of(layer, plane=(), offset=(0, 0)):
    """Return where a plane of a layer, or a part of it, lies in the world.

    Parameters
    ----------
    layer : napari.layers.Layer
        Any layer.
    plane : tuple of int, default=()
        Position on the axes before rows and columns; 0 where there is none.
    offset : tuple of int, default=(0, 0)
        (row, col) of the first pixel of the part.

    Returns
    -------
    affine : float ndarray of shape (3, 3)
        Scale, translate, rotate, shear and affine of its last two axes, in one.

    Raises
    ------
    ValueError
        If rows and columns of the layer do not stay in the plane.
    """
    origin = np.zeros(layer.ndim)
    origin[: len(plane)] = plane
    origin[-2:] = offset
    start = np.asarray(layer.data_to_world(origin))
    ends = origin + np.eye(layer.ndim)[-2:]
    steps = np.array([np.asarray(layer.data_to_world(end)) - start for end in ends])
    if not np.allclose(steps[:, :-2], 0):
        raise ValueError(
            f"The layer {layer.name} is turned out of its planes; reset its affine to "
            "click in it."
        )
    affine = np.eye(3)
    affine[:2, :2] = steps[:, -2:].T
    affine[:2, 2] = start[-2:]
    return affine


def _full(layer):
    """Return the pixels of a layer, of a pyramid the finest ones."""
    return layer.data[0] if layer.multiscale else layer.data

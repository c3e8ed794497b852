"""Points lie on the cells, whatever the layer's scale, place, channels and planes."""

import numpy as np
import pytest
from napari.components import ViewerModel

from pseudocell._napari._canvas import CLICKS, Canvas
from pseudocell._napari._pictures import (
    WINDOW,
    Picture,
    group_channels,
    part_seen,
    plane_shown,
)

RNG = np.random.default_rng(0)
TURN = [[0.8, -0.6], [0.6, 0.8]]
AFFINE = [[2, 0.3, 5], [0, 1.5, -7], [0, 0, 1]]


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.mark.parametrize(
    "place",
    [
        {},
        {"scale": (0.5, 0.25), "translate": (30, -20)},
        {"scale": (0.5, 0.25), "rotate": TURN, "shear": [0.2], "translate": (3, 4)},
        {"affine": AFFINE, "scale": (3, 2)},
    ],
)
def test_a_point_lies_on_its_pixel(viewer, place):
    image = viewer.add_image(np.zeros((40, 60)), **place)
    canvas = Canvas(viewer, lambda: None)
    canvas.lay_over(Picture((image,)))
    clicks = canvas.layer(CLICKS)
    for point in [(0, 0), (10, 50), (39, 3.5)]:
        expected = image.data_to_world(point)
        np.testing.assert_allclose(clicks.data_to_world(point), expected, atol=1e-9)


def test_a_point_lies_on_its_pixel_in_any_plane(viewer):
    stack = RNG.random((5, 3, 40, 60))
    image = viewer.add_image(
        stack, scale=(7, 4, 0.5, 0.25), translate=(1, 2, 30, -20), units="um"
    )
    viewer.dims.set_point((0, 1), (1 + 7 * 3, 2 + 4 * 1))
    plane = plane_shown(image, viewer)
    assert plane == (3, 1)
    picture = Picture((image,), plane)
    np.testing.assert_array_equal(picture.pixels(), stack[3, 1])
    canvas = Canvas(viewer, lambda: None)
    canvas.lay_over(picture)
    there = canvas.layer(CLICKS).data_to_world((10, 50))
    np.testing.assert_allclose(there, image.data_to_world((3, 1, 10, 50))[-2:])


def test_rgb_and_alpha(viewer):
    pixels = RNG.integers(0, 255, (4, 40, 60, 4), dtype=np.uint8)
    image = viewer.add_image(pixels, rgb=True)
    picture = Picture((image,), (2,))
    assert picture.shape == (40, 60)
    np.testing.assert_array_equal(picture.pixels(), pixels[2, :, :, :3])


def test_added_layers_are_channels(viewer):
    pixels = RNG.random((40, 60, 3))
    layers = viewer.add_image(pixels, channel_axis=2)
    (group,) = group_channels(layers)
    np.testing.assert_array_equal(Picture(group).pixels(), pixels)


def test_images_on_top_of_each_other_are_no_channels(viewer):
    layers = [viewer.add_image(RNG.random((40, 60))) for _ in range(2)]
    assert group_channels(layers) == [(layers[0],), (layers[1],)]


def test_other_axes_in_view_are_refused(viewer):
    image = viewer.add_image(np.zeros((5, 40, 60)))
    viewer.dims.order = (1, 0, 2)
    with pytest.raises(ValueError, match="other axes"):
        plane_shown(image, viewer)
    viewer.dims.order = (0, 1, 2)
    viewer.dims.ndisplay = 3
    with pytest.raises(ValueError, match="3-D"):
        plane_shown(image, viewer)


def test_a_layer_turned_out_of_its_plane_is_refused(viewer):
    affine = np.eye(4)
    affine[0, 1] = 0.5
    image = viewer.add_image(np.zeros((5, 40, 60)), affine=affine)
    with pytest.raises(ValueError, match="turned out"):
        _ = Picture((image,), (2,)).affine


def test_of_a_large_plane_a_part_takes_part(viewer):
    levels = [np.zeros((9000 // n, 8000 // n), np.uint8) for n in (1, 4, 16)]
    image = viewer.add_image(levels, multiscale=True, scale=(0.5, 0.5))
    image.corner_pixels = np.array([[400, 100], [500, 250]])
    image._data_level = 1
    offset, shape = part_seen(image)
    # Four times: the corners count pixels of the level that is shown.
    assert (offset, shape) == ((1600, 400), (400, 600))
    image.corner_pixels = np.array([[0, 0], [562, 500]])
    image._data_level = 2
    offset, shape = part_seen(image)
    assert shape == (WINDOW, WINDOW)
    picture = Picture((image,), (), offset, shape)
    levels[0][offset] = 9
    assert picture.pixels()[0, 0] == 9
    point = picture.affine @ [3, 4, 1]
    there = image.data_to_world(np.add(offset, (3, 4)))
    np.testing.assert_allclose(point[:2], there)


def test_small_planes_take_part_whole(viewer):
    image = viewer.add_image(np.zeros((2, 40, 60)))
    assert part_seen(image) == ((0, 0), (40, 60))

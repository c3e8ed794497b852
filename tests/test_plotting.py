"""Pictures show the points where they are."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pseudocell.plotting import (
    CLICK,
    DETECTION,
    MISSED,
    WRONG,
    draw_matches,
    draw_panels,
    draw_points,
)

IMAGES = {
    "grey": np.random.default_rng(0).integers(0, 256, (40, 60), dtype=np.uint8),
    "deep": np.random.default_rng(1).integers(0, 65536, (40, 60), dtype=np.uint16),
    "float": np.random.default_rng(2).normal(size=(40, 60)),
    "colour": np.random.default_rng(3).integers(0, 256, (40, 60, 3), dtype=np.uint8),
    "two_channels": np.random.default_rng(4).normal(size=(40, 60, 2)),
    "bool": np.random.default_rng(5).normal(size=(40, 60)) > 0,
    "constant": np.full((40, 60), 7),
}


def coloured(picture, color):
    """Mask of the pixels of just this colour."""
    return (picture == np.array(color, dtype=np.uint8)).all(axis=2)


@pytest.mark.parametrize("zoom", [0.5, 1, 3])
@pytest.mark.parametrize("name", IMAGES)
def test_pictures_are_8_bit_colour_of_the_zoomed_size(name, zoom):
    picture = draw_points(IMAGES[name], [], 5, zoom=zoom)
    assert picture.dtype == np.uint8
    assert picture.shape == (round(40 * zoom), round(60 * zoom), 3)
    is_grey = name != "colour"
    assert (np.ptp(picture, axis=2) == 0).all() == is_grey


@pytest.mark.parametrize("zoom", [1, 2, 4])
@pytest.mark.parametrize("point", [(20, 30), (11.5, 40.25)])
def test_a_ring_has_the_point_in_its_centre_and_the_radius_of_the_cell(point, zoom):
    picture = draw_points(np.zeros((40, 60)), [point], 8, CLICK, zoom=zoom)
    rows, cols = np.nonzero(coloured(picture, CLICK))
    # Pixel centres are at integers, so pixel 0 is pixels 0 to zoom - 1 of the picture.
    rows, cols = (rows + 0.5) / zoom - 0.5, (cols + 0.5) / zoom - 0.5
    assert len(rows) > 20
    radii = np.hypot(rows - point[0], cols - point[1])
    np.testing.assert_allclose(radii, 8, atol=1)
    centre = (rows.min() + rows.max()) / 2, (cols.min() + cols.max()) / 2
    np.testing.assert_allclose(centre, point, atol=0.5 / zoom)


def test_rings_far_from_a_pixel_leave_it_unchanged():
    image = IMAGES["grey"]
    plain = draw_points(image, [], 5, zoom=1)
    picture = draw_points(image, [(10, 10)], 5, zoom=1)
    changed = (picture != plain).any(axis=2)
    row, col = np.nonzero(changed)
    assert changed.any()
    assert np.hypot(row - 10, col - 10).max() < 5 + 4


@pytest.mark.parametrize("point", [(0, 0), (39, 59), (-3, 20), (20, 63), (500, -500)])
def test_rings_are_cut_at_the_border(point):
    picture = draw_points(np.zeros((40, 60)), [point], 5, zoom=1)
    expected = draw_points(np.zeros((80, 100)), [np.add(point, 20)], 5, zoom=1)
    assert_array_equal(picture, expected[20:60, 20:80])


def test_transposing_the_image_transposes_the_picture():
    points = np.array([(5.0, 7.0), (20.5, 33.0), (30.0, 3.0)])
    picture = draw_points(IMAGES["deep"], points, 6, zoom=1)
    transposed = draw_points(IMAGES["deep"].T, points[:, ::-1], 6, zoom=1)
    difference = np.abs(transposed.swapaxes(0, 1).astype(int) - picture)
    assert difference.max() <= 1  # rounding


def test_a_saturated_speck_does_not_darken_the_picture():
    image = np.linspace(100, 200, 10_000).reshape(100, 100)
    speck = image.copy()
    speck[3, 3] = 65535
    plain, picture = (draw_points(x, [], 5, zoom=1) for x in (image, speck))
    assert np.abs(plain.astype(int) - picture)[10:].max() <= 2


def test_the_input_stays_unchanged():
    image, points = IMAGES["colour"].copy(), np.array([(3.0, 4.0)])
    image.flags.writeable = points.flags.writeable = False
    draw_points(image, points, 5)
    assert_array_equal(image, IMAGES["colour"])


def test_small_images_are_magnified_and_large_ones_reduced():
    assert max(draw_points(np.zeros((128, 10)), [], 9).shape) == 4 * 128
    assert max(draw_points(np.zeros((1000, 10)), [], 9).shape) == 1000
    # Cells of 2 px need four times the size for a ring.
    assert max(draw_points(np.zeros((950, 10)), [], 2).shape) == 4 * 950
    assert max(draw_points(np.zeros((10, 9000)), [], 9).shape) == 4000


def test_matches_are_told_apart_by_their_colours():
    true = [(10, 10), (10, 40), (30, 50)]
    found = [(12, 10), (10, 40), (30, 15)]
    picture = draw_matches(np.zeros((40, 60)), true, found, 4, max_distance=3)
    zoom = picture.shape[0] / 40
    for color, points in (
        (DETECTION, [(12, 10), (10, 40)]),
        (WRONG, [(30, 15)]),
        (MISSED, [(30, 50)]),
    ):
        rows, cols = (np.nonzero(coloured(picture, color)) + np.array(0.5)) / zoom - 0.5
        assert len(rows) > 20
        distances = [np.hypot(rows - row, cols - col) for row, col in points]
        np.testing.assert_allclose(np.min(distances, axis=0), 4, atol=1)


def test_matches_of_nothing_are_the_plain_image():
    assert_array_equal(
        draw_matches(IMAGES["grey"], [], [], 4, max_distance=3),
        draw_points(IMAGES["grey"], [], 4),
    )


def test_panels_stand_side_by_side_unchanged():
    first = draw_points(IMAGES["grey"], [(9, 9)], 5, zoom=4)
    second = draw_points(IMAGES["colour"], [(9, 9)], 5, zoom=4)
    figure = draw_panels([first, second], [("One", "a"), ("Two", "b")], gap=10)
    height, width = first.shape[:2]
    assert figure.shape[1] == 2 * width + 3 * 10
    bottom = figure.shape[0] - 10
    assert_array_equal(figure[bottom - height : bottom, 10 : 10 + width], first)
    assert_array_equal(figure[bottom - height : bottom, 20 + width : -10], second)


def test_captions_stand_above_their_panels():
    panel, gap = np.zeros((100, 80, 3), np.uint8), 10
    plain = draw_panels([panel] * 2, [("", "")] * 2, gap=gap)
    for captions, side in (
        ([("One", ""), ("", "")], 0),
        ([("", "one"), ("", "")], 0),
        ([("", ""), ("Two", "")], 1),
        ([("", ""), ("", "two")], 1),
    ):
        figure = draw_panels([panel] * 2, captions, gap=gap)
        rows, cols, _ = np.nonzero(figure != plain)
        assert len(rows) > 20
        assert rows.max() < len(figure) - 100 - gap
        left = gap + side * (80 + gap)
        assert left <= cols.min() <= cols.max() < left + 80


def test_a_legend_stands_below_the_panels():
    panel, caption = np.zeros((300, 400, 3), np.uint8), ("", "")
    plain = draw_panels([panel], [caption])
    figure = draw_panels([panel], [caption], legend=[(WRONG, "wrong"), (MISSED, "no")])
    assert_array_equal(figure[: len(plain)], plain)
    assert coloured(figure[len(plain) :], WRONG).any()
    assert coloured(figure[len(plain) :], MISSED).any()


def test_panels_of_other_sizes_get_the_height_of_the_first():
    first, second = np.zeros((100, 80, 3), np.uint8), np.zeros((50, 40, 3), np.uint8)
    figure = draw_panels([first, second], [("", ""), ("", "")], gap=10)
    assert figure.shape[1] == 2 * 80 + 30

"""Clicks that are not random: which cells, and where."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist

from pseudocell.datasets import (
    CLICK_BIASES,
    bias_clicks,
    drop_points,
    make_brightfield,
)

RADIUS = 8.0
CHOSEN = ("brightest", "corner", "one-image")


@pytest.fixture(scope="module")
def made():
    """Three images with 20 cells, one with fewer and one without any."""
    images, points = make_brightfield(
        4, (160, 200), n_cells=20, cell_radius=RADIUS, random_state=0
    )
    points[2] = points[2][:7]
    return [*images, images[0]], [*points, np.zeros((0, 2))]


def bias(made, kind, fraction=0.3, random_state=0, cell_radius=RADIUS):
    return bias_clicks(
        *made, kind, fraction, cell_radius=cell_radius, random_state=random_state
    )


def draw_discs(shape, points, greys, radius, ground=100.0):
    image = np.full(shape, ground)
    row, col = np.indices(shape)
    for point, grey in zip(points, greys, strict=True):
        image[np.hypot(row - point[0], col - point[1]) <= radius] = grey
    return image


@pytest.mark.parametrize("kind", CLICK_BIASES)
def test_clicks_are_inside_and_as_many_as_random_ones(made, kind):
    images, points = made
    clicks = bias(made, kind)
    for image, some in zip(images, clicks, strict=True):
        assert some.shape[1:] == (2,)
        assert (some >= -0.5).all()
        assert (some < np.array(np.shape(image)[:2]) - 0.5).all()
    if kind != "one-image":
        expected = drop_points(points, 0.3, random_state=0)
        assert [*map(len, clicks)] == [*map(len, expected)] == [6, 6, 3, 6, 0]


@pytest.mark.parametrize("kind", CHOSEN)
def test_chosen_clicks_are_cells_in_their_order(made, kind):
    for rows, some in zip(made[1], bias(made, kind), strict=True):
        index = [int(np.flatnonzero((rows == one).all(axis=1))[0]) for one in some]
        assert index == sorted(set(index))


@pytest.mark.parametrize("kind", CLICK_BIASES)
def test_the_same_seed_gives_the_same_clicks_and_the_input_stays(made, kind):
    images, points = made
    frozen = [rows.copy() for rows in points]
    for rows in frozen:
        rows.flags.writeable = False
    once = bias((images, frozen), kind)
    for one, again in zip(once, bias(made, kind), strict=True):
        assert_array_equal(one, again)
    others = [np.concatenate(bias(made, kind, random_state=s)) for s in (1, 2, 3)]
    same = all(np.array_equal(np.concatenate(once), other) for other in others)
    # There is nothing to draw for these.
    assert same == (kind in ("brightest", "one-image"))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("n_channels", [0, 3])
def test_the_brightest_are_those_of_highest_contrast_dark_or_bright(sign, n_channels):
    points = [(15, 15), (15, 50), (15, 85), (50, 15), (50, 50)]
    contrasts = np.array([10, 40, 20, 50, 30])
    image = draw_discs((66, 100), points, 100 + sign * contrasts, RADIUS)
    # A slope of the ground, as of uneven light, does not matter.
    image += np.linspace(0, 400, 100)
    if n_channels:
        image = np.repeat(image[..., np.newaxis], n_channels, axis=2)
    (clicks,) = bias(([image], [points]), "brightest", 0.6)
    assert_array_equal(clicks, np.array(points)[contrasts >= 30])


def test_in_a_corner_are_the_nearest_cells_of_any_of_the_four():
    shape = (60, 90)
    rng = np.random.default_rng(0)
    points = rng.uniform(0, np.array(shape) - 1.0, size=(30, 2))
    images = [np.zeros(shape)] * 40
    corners = np.array([(0, 0), (0, 89), (59, 0), (59, 89)])
    nearest = [
        set(np.argsort(np.hypot(*(points - corner).T))[:9]) for corner in corners
    ]
    found = []
    for some in bias((images, [points] * 40), "corner"):
        index = {int(np.flatnonzero((points == one).all(axis=1))[0]) for one in some}
        assert index in nearest
        found.append(nearest.index(index))
    assert set(found) == {0, 1, 2, 3}


def test_off_centre_is_uniform_in_a_disc_around_the_random_clicks():
    points = [np.full((2000, 2), 50.0)]
    (clicks,) = bias(([np.zeros((101, 101))], points), "off-centre", 1.0)
    offsets = (clicks - 50) / (0.3 * RADIUS)
    lengths = np.hypot(*offsets.T)
    assert lengths.max() <= 1
    # The squared length is uniform from 0 to 1; five standard deviations of the means.
    assert_allclose(np.mean(lengths**2), 1 / 2, atol=5 / np.sqrt(12 * 2000))
    assert_allclose(offsets.mean(axis=0), 0, atol=5 * np.sqrt(1 / 4 / 2000))


@pytest.mark.parametrize("seed", range(3))
def test_off_centre_begins_with_what_is_drawn_at_random(made, seed):
    clicks = bias(made, "off-centre", random_state=seed)
    drawn = drop_points(made[1], 0.3, random_state=seed)
    for some, cells in zip(clicks, drawn, strict=True):
        assert (np.hypot(*(some - cells).T) <= 0.3 * RADIUS + 1e-9).all()
        assert not len(some) or (some != cells).any()


def test_a_click_off_centre_stays_in_the_image_and_near_its_cell():
    corners = np.array([(-0.5, -0.5), (-0.5, 19.4), (9.4, -0.5), (9.4, 19.4)])
    points = np.repeat(corners, 50, axis=0)
    (clicks,) = bias(
        ([np.zeros((10, 20))], [points]), "off-centre", 1.0, cell_radius=1.0
    )
    assert (clicks >= -0.5).all()
    assert (clicks < [9.5, 19.5]).all()
    assert (np.hypot(*(clicks - points).T) <= 0.3 * 1.0 + 1e-9).all()


@pytest.mark.parametrize(
    ("n_cells", "n_stray"), [(1, 1), (49, 1), (50, 1), (51, 2), (150, 3)]
)
def test_two_per_cent_of_the_clicks_are_on_nothing_but_one_at_least(n_cells, n_stray):
    rng = np.random.default_rng(0)
    split = np.array_split(rng.uniform(0, 199, size=(n_cells, 2)), 2)
    made = [np.zeros((200, 200))] * 2, split
    clicks = bias(made, "stray", 1.0, cell_radius=3.0)
    drawn = drop_points(split, 1.0, random_state=0)
    moved = 0
    for some, cells in zip(clicks, drawn, strict=True):
        changed = (some != cells).any(axis=1)
        moved += int(changed.sum())
        if changed.any():
            assert cdist(some[changed], cells).min() > 1.5 * 3.0
    assert moved == n_stray


def test_a_stray_click_keeps_away_from_cells_that_are_not_clicked_too(made):
    for seed in range(10):
        clicks = bias(made, "stray", 0.1, seed)
        drawn = drop_points(made[1], 0.1, random_state=seed)
        for some, kept, cells in zip(clicks, drawn, made[1], strict=True):
            stray = some[(some != kept).any(axis=1)]
            if len(stray):
                assert cdist(stray, cells).min() > 1.5 * RADIUS


def test_a_stray_click_goes_where_there_is_room():
    full = np.argwhere(np.ones((4, 4))) * 5.0 + 2
    points = [full, np.array([(10.0, 10.0)])]
    images = [np.zeros((20, 20)), np.zeros((40, 40))]
    for seed in range(5):
        clicks = bias((images, points), "stray", 1.0, seed, cell_radius=5.0)
        assert_array_equal(clicks[0], full)
        assert np.hypot(*(clicks[1] - points[1]).T) > 1.5 * 5.0
    with pytest.raises(ValueError, match="No place for a click on nothing.*radius"):
        bias((images[:1], points[:1]), "stray", 1.0, cell_radius=5.0)


@pytest.mark.parametrize("fraction", [0.1, 1.0])
def test_one_image_has_all_its_clicks_and_a_median_number_of_cells(fraction):
    numbers = [9, 0, 2, 5, 0]
    points = [np.full((n, 2), 10.0) for n in numbers]
    images = [np.zeros((20, 20))] * 5
    clicks = bias((images, points), "one-image", fraction)
    assert [*map(len, clicks)] == [0, 0, 0, 5, 0]


@pytest.mark.parametrize("kind", CLICK_BIASES)
def test_without_cells_there_is_nothing_to_click(kind):
    (clicks,) = bias(([np.zeros((20, 20))], [[]]), kind)
    assert clicks.shape == (0, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "dimmest"}, "kind is 'dimmest'; expected one of brightest, corner"),
        ({"fraction": 10}, "fraction is 10; expected a share"),
        ({"cell_radius": 0}, "cell_radius is 0; expected"),
        ({"points": [[(5, 5)], []]}, "has 2 lists of points for 1 images"),
        ({"points": [[(5, 50)]]}, r"points\[0\] has 1 of 1 points outside"),
    ],
)
def test_bad_arguments_are_named(change, message):
    arguments = {
        "images": [np.zeros((20, 30))],
        "points": [[(5, 5)]],
        "kind": "corner",
        "cell_radius": 3,
    }
    with pytest.raises(ValueError, match=message):
        bias_clicks(**(arguments | change))

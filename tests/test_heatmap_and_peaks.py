"""Points to heatmap and mask, and back: what is drawn, and what is found again."""

from functools import partial

import numpy as np
import pytest
from cells import in_order
from scipy.ndimage import gaussian_filter
from skimage.feature import peak_local_max

from pseudocell._geometry._heatmap import TRUNCATE, render_heatmap, render_mask
from pseudocell._geometry._peaks import find_peaks, thin

# Called with points and a shape.
RENDERERS = [
    lambda points, shape: render_heatmap(points, shape, 3.0),
    lambda points, shape: render_heatmap(points, shape, 0.7),
    lambda points, shape: render_mask(points, shape, 5.0),
    lambda points, shape: render_mask(points, shape, 1.5),
]


def spread_points(rng, shape, min_distance, n=40):
    """Random points farther apart than a distance."""
    points = rng.uniform(0, np.array(shape) - 1, (n, 2))
    return points[thin(points, min_distance)]


def smooth_noise(seed, shape=(50, 70), sigma=2.0):
    return gaussian_filter(np.random.default_rng(seed).normal(size=shape), sigma)


def squared_distances(points, shape):
    grid = np.stack(np.mgrid[: shape[0], : shape[1]], axis=-1)
    return ((grid[:, :, np.newaxis] - points) ** 2).sum(axis=-1)


# --------------------------------------------------------------- both ways
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("sigma", [0.5, 3.0, 6.0])
def test_peaks_of_the_heatmap_of_points_are_the_points(seed, sigma):
    points = np.round(spread_points(np.random.default_rng(seed), (60, 90), 6.0))
    peaks, heights = find_peaks(render_heatmap(points, (60, 90), sigma), 3.0, 0.5)
    np.testing.assert_array_equal(in_order(peaks), in_order(points))
    assert (heights == 1).all()


@pytest.mark.parametrize("seed", range(5))
def test_peaks_of_points_between_pixels_are_the_nearest_pixels(seed):
    points = spread_points(np.random.default_rng(seed), (60, 90), 6.0)
    peaks, heights = find_peaks(render_heatmap(points, (60, 90), 3.0), 3.0, 0.5)
    np.testing.assert_array_equal(in_order(peaks), in_order(np.round(points)))
    assert (heights >= np.float32(np.exp(-0.5 / (2 * 3.0**2)))).all()


# ---------------------------------------------------------------- rendering
def test_heatmap_is_the_formula():
    """max over points of exp(-d^2 / (2 sigma^2)), cut at four sigma."""
    shape, sigma = (30, 45), 2.0
    points = np.random.default_rng(0).uniform(-4, 48, (12, 2))
    squared = squared_distances(points, shape)
    value = np.exp(-squared / (2 * sigma**2))
    value[squared > (TRUNCATE * sigma) ** 2] = 0
    heatmap = render_heatmap(points, shape, sigma)
    assert heatmap.dtype == np.float32
    np.testing.assert_allclose(heatmap, value.max(axis=2), atol=1e-5)


@pytest.mark.parametrize(
    "draw", [partial(render_heatmap, sigma=2.1), partial(render_mask, radius=4.2)]
)
@pytest.mark.parametrize("corner", [(0, 0), (7, 0), (500, 330), (599, 399)])
def test_part_is_drawn_as_it_is_in_the_whole(draw, corner):
    """To the last bit, far from the origin too; points beyond its edge reach in."""
    points = np.random.default_rng(0).uniform(-5, 605, (4000, 2))
    whole = draw(points, (600, 400))
    row, col = corner
    expected = whole[row : row + 60, col : col + 40]
    assert expected.any()
    part = draw(points, expected.shape, corner=corner)
    np.testing.assert_array_equal(part, expected)


@pytest.mark.parametrize("radius", [0.0, 1.0, 5.0, 6.3])
def test_mask_is_the_formula(radius):
    shape = (30, 45)
    points = np.random.default_rng(0).integers(-4, 48, (6, 2))
    mask = render_mask(points, shape, radius)
    assert mask.dtype == bool
    expected = (squared_distances(points, shape) <= radius**2).any(axis=2)
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize("render", RENDERERS)
def test_crop_then_render_is_render_then_crop(render):
    points = np.random.default_rng(1).uniform(0, 50, (15, 2))
    whole = render(points, (50, 50))
    part = render(points - (7, 11), (30, 20))
    np.testing.assert_allclose(part, whole[7:37, 11:31], atol=1e-5)


@pytest.mark.parametrize("render", RENDERERS)
def test_overlaps_merge_by_maximum(render):
    first, second = np.random.default_rng(2).uniform(0, 40, (2, 10, 2))
    together = render(np.concatenate([first, second]), (40, 40))
    alone = np.maximum(render(first, (40, 40)), render(second, (40, 40)))
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("render", RENDERERS)
def test_transposed_points_give_the_transposed_picture(render):
    points = np.random.default_rng(3).uniform(0, 40, (10, 2))
    transposed = render(points[:, ::-1], (60, 40))
    np.testing.assert_array_equal(transposed, render(points, (40, 60)).T)


@pytest.mark.parametrize("render", RENDERERS)
def test_no_point_and_points_far_outside_give_nothing(render):
    assert not render(np.zeros((0, 2)), (9, 8)).any()
    assert not render(np.array([[-50.0, 4.0], [4.0, 99.0]]), (9, 8)).any()
    assert render([], (9, 8)).shape == (9, 8)


# -------------------------------------------------------------------- peaks
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("min_distance", [1.0, 3.0, 8.5])
def test_peaks_are_local_maxima_that_are_apart_and_in_order(seed, min_distance):
    heatmap = smooth_noise(seed)
    points, heights = find_peaks(heatmap, min_distance, 0.05)
    rows, cols = points.astype(int).T
    np.testing.assert_array_equal(heights, heatmap[rows, cols].astype(np.float32))
    assert (heights > 0.05).all()
    assert (np.diff(heights) <= 0).all()
    apart = np.linalg.norm(points[:, np.newaxis] - points, axis=2)
    assert (apart[np.triu_indices(len(points), 1)] > min_distance).all()
    for row, col, height in zip(rows, cols, heights, strict=True):
        around = heatmap[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2]
        assert np.float32(around.max()) == height


@pytest.mark.parametrize("seed", range(4))
def test_every_maximum_that_is_left_out_is_near_a_higher_peak(seed):
    heatmap = smooth_noise(seed)
    every, heights = find_peaks(heatmap, 0.5, 0.05)
    kept, kept_heights = find_peaks(heatmap, 8.0, 0.05)
    near = np.linalg.norm(every[:, np.newaxis] - kept, axis=2) <= 8.0
    explained = (near & (kept_heights >= heights[:, np.newaxis])).any(axis=1)
    assert len(kept) < len(every)
    assert explained.all()


def test_transposed_heatmap_gives_transposed_peaks():
    points, heights = find_peaks(smooth_noise(0), 4.0, 0.0)
    transposed, same = find_peaks(smooth_noise(0).T, 4.0, 0.0)
    np.testing.assert_array_equal(transposed, points[:, ::-1])
    np.testing.assert_array_equal(same, heights)


def test_scaling_heatmap_and_threshold_changes_no_peak():
    points, _ = find_peaks(smooth_noise(1), 3.0, 0.1)
    scaled, _ = find_peaks(4 * smooth_noise(1), 3.0, 0.4)
    np.testing.assert_array_equal(scaled, points)


def test_peak_must_be_above_the_threshold():
    heatmap = np.zeros((5, 5))
    heatmap[2, 3] = 0.5
    assert len(find_peaks(heatmap, 1.0, 0.5)[0]) == 0
    assert find_peaks(heatmap, 1.0, 0.49)[0].tolist() == [[2, 3]]


def test_plateau_is_one_peak_the_first_in_reading_order():
    heatmap = np.zeros((7, 9))
    heatmap[2:4, 3:6] = 0.8
    assert find_peaks(heatmap, 3.0, 0.1)[0].tolist() == [[2, 3]]


def test_peak_on_the_border_is_found():
    heatmap = np.zeros((6, 7))
    heatmap[0, 0], heatmap[5, 6] = 0.9, 0.8
    assert find_peaks(heatmap, 2.0, 0.1)[0].tolist() == [[0, 0], [5, 6]]


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_flat_heatmap_below_the_threshold_has_no_peak(value):
    points, heights = find_peaks(np.full((6, 7), value), 3.0, 0.0)
    assert points.shape == (0, 2)
    assert heights.shape == (0,)


def test_thinning_keeps_the_first_and_what_is_farther():
    """Four in a row: the second is dropped, and so it does not drop the third."""
    points = np.array([[0.0, 0], [0, 3], [0, 6], [0, 9.1]])
    assert thin(points, 3.0).tolist() == [True, False, True, True]
    assert thin(points[::-1], 3.0).tolist() == [True, True, False, True]
    assert thin(points[:0], 3.0).tolist() == []
    assert thin(points[:1], 3.0).tolist() == [True]


@pytest.mark.parametrize("min_distance", [1, 3, 6])
@pytest.mark.parametrize("seed", range(3))
def test_peaks_are_those_of_scikit_image(seed, min_distance):
    """Maxima of 3 x 3 pixels, farther apart than the distance; no ties."""
    heatmap = gaussian_filter(np.random.default_rng(seed).normal(size=(60, 80)), 1.5)
    points, _ = find_peaks(heatmap, min_distance, 0.0)
    theirs = peak_local_max(
        heatmap,
        # Theirs may be exactly so far apart.
        min_distance=np.nextafter(min_distance, np.inf),
        threshold_abs=0.0,
        exclude_border=False,
        footprint=np.ones((3, 3)),
        p_norm=2,
    )
    assert len(theirs) > 5
    np.testing.assert_array_equal(points, theirs)

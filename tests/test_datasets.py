"""Synthetic images show their cells where the points are; clicks are a fair draw."""

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from pseudocell.datasets import drop_points, make_brightfield, make_phase_contrast

MAKERS = [make_brightfield, make_phase_contrast]


@pytest.fixture(params=MAKERS)
def make(request):
    return request.param


def ring_mean(image, centres, inner, outer):
    """Mean grey value of each centre's pixels at a distance in [inner, outer]."""
    row, col = np.indices(image.shape)
    distance = np.hypot(
        row - centres[:, 0, None, None], col - centres[:, 1, None, None]
    )
    ring = (distance >= inner) & (distance <= outer)
    return (image * ring).sum(axis=(1, 2)) / ring.sum(axis=(1, 2))


def background(image, centres, clearance):
    row, col = np.indices(image.shape)
    pixels = np.stack([row.ravel(), col.ravel()], axis=1)
    far = cKDTree(centres).query(pixels)[0] > clearance
    return image.ravel()[far]


def test_images_and_points_keep_the_contract(make):
    images, points = make(3, (120, 200), n_cells=9, random_state=0)
    assert len(images) == len(points) == 3
    for image, centres in zip(images, points, strict=True):
        assert image.dtype == np.uint8
        assert image.shape == (120, 200)
        assert centres.dtype == np.float64
        assert centres.shape == (9, 2)
        assert (centres >= 0).all()
        assert (centres <= [119, 199]).all()


def test_the_same_seed_gives_the_same_images(make):
    for one, two in zip(make(2, random_state=3), make(2, random_state=3), strict=True):
        np.testing.assert_array_equal(one, two)
    other = make(2, random_state=4)[0]
    assert not np.array_equal(make(2, random_state=3)[0], other)


def test_more_images_leave_the_first_ones_unchanged(make):
    few, many = make(1, random_state=0), make(3, random_state=0)
    np.testing.assert_array_equal(few[0][0], many[0][0])
    np.testing.assert_array_equal(few[1][0], many[1][0])
    assert not np.array_equal(many[0][0], many[0][1])


def test_the_global_generator_stays_untouched(make):
    before = np.random.get_state()
    images, points = make(1)
    drop_points(points)
    after = np.random.get_state()
    np.testing.assert_array_equal(before[1], after[1])
    assert before[2] == after[2]


def test_no_cell_is_an_empty_field(make):
    bare = {"debris": 0} if make is make_brightfield else {}
    images, points = make(1, n_cells=0, random_state=0, **bare)
    assert points[0].shape == (0, 2)
    assert np.ptp(gaussian_filter(images[0].astype(float), 3)) < 40


@pytest.mark.parametrize("cell_radius", [5, 8, 14])
def test_round_cells_are_bright_with_a_dark_rim(cell_radius):
    images, points = make_brightfield(
        2, (200, 320), n_cells=20, cell_radius=cell_radius, random_state=0
    )
    for image, centres in zip(images, points, strict=True):
        lens = ring_mean(image, centres, 0, 0.25 * cell_radius)
        rim = ring_mean(image, centres, 0.7 * cell_radius, cell_radius)
        assert (lens > rim + 40).all()


def test_round_cells_hardly_overlap_and_some_touch():
    points = make_brightfield(4, random_state=0)[1]
    gaps = np.concatenate([cKDTree(c).query(c, k=2)[0][:, 1] for c in points])
    assert gaps.min() >= 1.8 * 8
    assert 0.2 < (gaps < 2.2 * 8).mean() < 0.9


def test_debris_fills_the_background_and_spares_the_cells():
    # 0.01 pieces a cell are none in an image, but leave the well edge there.
    (few, points), (many, same) = (
        make_brightfield(1, debris=debris, random_state=0) for debris in (0.01, 3)
    )
    np.testing.assert_array_equal(points[0], same[0])
    clean, littered = (
        background(images[0], points[0], 2.2 * 8).std() for images in (few, many)
    )
    assert littered > 1.2 * clean
    lenses = [ring_mean(images[0], points[0], 0, 2) for images in (few, many)]
    np.testing.assert_allclose(*lenses, atol=6)


def test_without_debris_there_is_no_well_edge_either():
    images, points = make_brightfield(1, n_cells=5, debris=0, random_state=0)
    image = images[0].astype(float)
    detail = background(image - gaussian_filter(image, 16), points[0], 3 * 8)
    # The noise of the camera alone has a standard deviation of 3.
    assert detail.std() < 3.5


def test_clustering_brings_round_cells_together():
    apart, grouped = (
        make_brightfield(3, n_cells=20, clustering=share, debris=0, random_state=0)[1]
        for share in (0, 1)
    )
    nearest = [
        np.median([cKDTree(c).query(c, k=2)[0][:, 1].mean() for c in points])
        for points in (grouped, apart)
    ]
    # Two cells that touch are two radii apart.
    assert nearest[0] < 2.3 * 8 < nearest[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_images": 0}, "n_images is 0; expected 1 or more"),
        ({"shape": (20, 300)}, r"shape is \(20, 300\); expected .* at least 4 cell"),
        ({"shape": (300,)}, r"shape is \(300,\); expected \(height, width\)"),
        ({"cell_radius": 0}, "cell_radius is 0; expected 1 pixel or more"),
        ({"n_cells": -1}, "n_cells is -1; expected 0 or more"),
        ({"n_cells": 2000}, r"n_cells is 2000, but only \d+ of these cells fit"),
    ],
)
def test_impossible_images_are_refused(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**{"n_images": 1, "random_state": 0, **arguments})


def test_negative_debris_is_refused():
    with pytest.raises(ValueError, match="debris is -1; expected 0 or more"):
        make_brightfield(debris=-1)


@pytest.mark.parametrize("clustering", [-0.1, 1.1, np.nan])
def test_an_impossible_clustering_is_refused(clustering):
    with pytest.raises(ValueError, match="clustering is .*; expected a share"):
        make_brightfield(clustering=clustering)


@pytest.mark.parametrize("fraction", [0.0, 0.07, 0.1, 0.5, 1.0])
def test_the_share_of_each_image_is_kept_rounded_up(fraction):
    points = [np.zeros((n, 2)) for n in (0, 1, 9, 10, 11, 100)]
    kept = drop_points(points, fraction, random_state=0)
    # Whole per cents: the ceiling in integers, free of rounding errors.
    percent = round(100 * fraction)
    assert [len(rows) for rows in kept] == [-(-percent * len(p) // 100) for p in points]


def test_kept_points_come_from_the_image_in_their_order():
    points = [np.arange(60.0).reshape(-1, 2), 1000 + np.arange(80.0).reshape(-1, 2)]
    for all_rows, kept in zip(points, drop_points(points, 0.3, 0), strict=True):
        index = np.searchsorted(all_rows[:, 0], kept[:, 0])
        np.testing.assert_array_equal(all_rows[index], kept)
        assert (np.diff(index) > 0).all()


def test_every_point_has_the_same_chance():
    points = [np.arange(40.0).reshape(-1, 2)] * 1000
    kept = np.concatenate(drop_points(points, 0.3, random_state=0))
    share = np.bincount((kept[:, 0] // 2).astype(int), minlength=20) / 1000
    # Five standard deviations of a binomial share.
    np.testing.assert_allclose(share, 0.3, atol=5 * math.sqrt(0.3 * 0.7 / 1000))


def test_the_same_seed_keeps_the_same_points():
    points = make_brightfield(2, random_state=0)[1]
    once, again = (
        drop_points(points, random_state=1),
        drop_points(points, random_state=1),
    )
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, drop_points(points, random_state=2))


def test_dropping_leaves_the_input_unchanged():
    points = np.arange(40.0).reshape(-1, 2)
    points.flags.writeable = False
    kept = drop_points([points], 1.0)[0]
    kept += 1
    np.testing.assert_array_equal(points, np.arange(40.0).reshape(-1, 2))


@pytest.mark.parametrize("fraction", [-0.1, 1.5, 10, np.nan])
def test_an_impossible_fraction_is_refused(fraction):
    with pytest.raises(ValueError, match="fraction is .*; expected a share"):
        drop_points([np.zeros((3, 2))], fraction)

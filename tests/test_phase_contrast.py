"""Each number of a look does to phase-contrast images what it says."""

import math
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, label
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from pseudocell.datasets import (
    PHASE_CONTRAST_LOOKS,
    PhaseContrastLook,
    make_phase_contrast,
)
from pseudocell.datasets._placement import scatter_debris

RADIUS = 10
# Cells alone, all of them spindles.
BARE = PhaseContrastLook(debris=0, dividing=0)


def draw(look, n_images=1, shape=(200, 200), **options):
    options = {"cell_radius": RADIUS, "random_state": 0, **options}
    images, points = make_phase_contrast(n_images, shape, look=look, **options)
    return [image.astype(float) for image in images], points


def nearest(points):
    """Mean distance of a cell to the next one."""
    return np.mean([cKDTree(c).query(c, k=2)[0][:, 1].mean() for c in points])


def distance_to(centres, shape):
    pixels = np.stack(np.indices(shape), axis=-1)
    return cKDTree(centres).query(pixels)[0]


@pytest.mark.parametrize("look", PHASE_CONTRAST_LOOKS)
def test_points_lie_on_the_dark_bodies(look):
    look = replace(PHASE_CONTRAST_LOOKS[look], dividing=0)
    images, points = draw(look, n_images=3, n_cells=6)
    for image, centres in zip(images, points, strict=True):
        near = distance_to(centres, image.shape) <= 3
        assert image[near].mean() < np.median(image) - 15


@pytest.mark.parametrize("elongation", [1, 2, 4])
def test_elongation_is_the_ratio_of_the_axes_of_a_body(elongation):
    look = replace(BARE, elongation=elongation, halo=0)
    images, points = draw(look, n_images=12, n_cells=1, shape=(120, 120))
    ratios = []
    for image, centres in zip(images, points, strict=True):
        dark = gaussian_filter(image, 1) < np.median(image) - 18
        parts, _ = label(dark)
        row, col = np.nonzero(parts == parts[tuple(centres[0].astype(int))])
        inside = 10 < row.min() and row.max() < 109 and 10 < col.min() < col.max() < 109
        if inside:
            low, high = np.linalg.eigvalsh(np.cov(row, col))
            ratios.append(math.sqrt(high / low))
    assert len(ratios) >= 5
    # The tails lengthen a round cell a little.
    assert elongation * 0.8 < np.median(ratios) < elongation * 1.3 + 0.2


def test_the_area_of_a_body_does_not_depend_on_the_elongation():
    areas = []
    for elongation in (1, 4):
        look = replace(BARE, elongation=elongation, halo=0)
        images, _ = draw(look, n_images=8, n_cells=8)
        dark = [(image < np.median(image) - 15).sum() / 8 for image in images]
        areas.append(np.mean(dark))
    np.testing.assert_allclose(areas, math.pi * RADIUS**2, rtol=0.25)


def test_the_halo_is_a_bright_ring_around_the_body():
    none, faint, strong = (
        draw(replace(BARE, elongation=1, halo=halo), n_cells=8) for halo in (0, 30, 60)
    )
    np.testing.assert_array_equal(none[1], strong[1])
    # All else is the same, so the difference is the halo.
    halo = strong[0][0] - none[0][0]
    assert halo.min() >= 0
    # Two images of half the halo make one, up to rounding.
    np.testing.assert_allclose(2 * (faint[0][0] - none[0][0]), halo, atol=2)
    distance = distance_to(none[1][0], halo.shape)
    rings = [(0, 0.4), (0.8, 1.5), (2.5, 9)]
    core, ring, far = (
        halo[(low * RADIUS <= distance) & (distance < high * RADIUS)].mean()
        for low, high in rings
    )
    # The nucleus is lighter than the body around it, so a little spills there too.
    assert ring > 1.5 * core
    assert ring > 5 * far
    assert 0.4 * 60 < np.percentile(halo[distance < 2 * RADIUS], 95) < 1.2 * 60


def test_clustering_brings_cells_together():
    looks = [replace(BARE, clustering=share) for share in (0, 0.5, 1)]
    apart, some, grouped = (nearest(draw(k, 8, n_cells=15)[1]) for k in looks)
    assert grouped < 0.9 * some
    assert some < 0.95 * apart


@pytest.mark.parametrize("density", [0.0, 0.1, 0.2])
def test_density_is_the_share_of_the_image_that_cells_cover(density):
    points = draw(replace(BARE, density=density))[1][0]
    cells = density * 200 * 200 / (math.pi * RADIUS**2)
    assert len(points) == round(cells)


def test_disorder_turns_cells_away_from_each_other():
    coherence = []
    for disorder in (0, 0.4, 1.5):
        images, _ = draw(replace(BARE, elongation=4, disorder=disorder), 4, n_cells=12)
        for image in images:
            drow, dcol = np.gradient(gaussian_filter(image, 2))
            low, high = np.linalg.eigvalsh(np.cov(drow.ravel(), dcol.ravel()))
            coherence.append((high - low) / (high + low))
    parallel, similar, mixed = np.reshape(coherence, (3, 4)).mean(axis=1)
    assert parallel > similar + 0.1 > mixed + 0.2


def test_dividing_cells_are_bright():
    for share in (0, 0.5, 1):
        images, points = draw(replace(BARE, dividing=share), 3, n_cells=10)
        bright = 0
        for image, centres in zip(images, points, strict=True):
            row, col = np.indices(image.shape)
            for centre in centres:
                near = np.hypot(row - centre[0], col - centre[1]) < RADIUS
                bright += np.percentile(image[near], 75) > np.median(image) + 40
        # Three standard deviations of a binomial share, which are 0 at both ends.
        deviation = math.sqrt(share * (1 - share) / 30)
        assert bright / 30 == pytest.approx(share, abs=3 * deviation + 1e-9)


def test_debris_adds_pieces_beside_the_cells():
    clean, some, much = (
        draw(replace(BARE, debris=debris), n_cells=12) for debris in (0, 1, 3)
    )
    pieces = []
    for images, points in (some, much):
        np.testing.assert_array_equal(points[0], clean[1][0])
        # The noise of the camera is another one; smoothed it is below 2.
        change = np.abs(gaussian_filter(images[0] - clean[0][0], 1.5)) > 6
        pieces.append(label(change)[1])
        near = distance_to(points[0], change.shape) < RADIUS / 2
        assert not change[near].any()
    # A droplet can be two, a long thing falls into parts, some are too faint.
    assert 0.5 * 12 <= pieces[0] <= 3 * 12
    assert pieces[1] > 1.6 * pieces[0]


def test_debris_keeps_its_clearance():
    rng = np.random.default_rng(0)
    centres = rng.uniform(0, 200, size=(12, 2))
    spread = np.array([[30.0, 0.0], [0.0, 5.0]])
    places = scatter_debris(300, (200, 200), centres, 12.0, spread, rng)
    assert len(places) == 300
    steps = places[:, None] - centres
    assert np.linalg.norm(steps, axis=2).min() >= 12
    assert np.hypot(steps[..., 0] / 30, steps[..., 1] / 5).min() >= 1


def test_no_room_means_less_debris():
    rng = np.random.default_rng(0)
    places = scatter_debris(30, (50, 50), np.full((1, 2), 25.0), 99.0, np.eye(2), rng)
    assert places.shape == (0, 2)


@pytest.mark.parametrize("look", PHASE_CONTRAST_LOOKS)
def test_cells_keep_their_distance(look):
    points = draw(look, 2)[1]
    # The least distance is across the cells: two half widths.
    half_width = RADIUS / math.sqrt(PHASE_CONTRAST_LOOKS[look].elongation)
    assert min(pdist(centres).min() for centres in points) >= 2 * half_width


def test_the_looks_differ_as_their_table_says():
    looks = PHASE_CONTRAST_LOOKS
    order = ["bmp2", "control", "fgf2+bmp2", "fgf2"]
    for number in ("elongation", "halo"):
        assert sorted(looks, key=lambda name: getattr(looks[name], number)) == order
    by_density = sorted(looks, key=lambda name: looks[name].density)
    assert by_density == ["bmp2", "fgf2", "control", "fgf2+bmp2"]
    assert max(looks, key=lambda name: looks[name].clustering) == "fgf2+bmp2"


def test_a_name_stands_for_its_look():
    named = make_phase_contrast(1, look="bmp2", random_state=0)
    given = make_phase_contrast(1, look=PHASE_CONTRAST_LOOKS["bmp2"], random_state=0)
    np.testing.assert_array_equal(named[0], given[0])


def test_looks_are_read_only():
    with pytest.raises(FrozenInstanceError):
        PHASE_CONTRAST_LOOKS["control"].halo = 0
    with pytest.raises(TypeError, match="does not support item assignment"):
        PHASE_CONTRAST_LOOKS["control"] = BARE


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"density": 0.5}, "density is 0.5; expected 0 to 0.3"),
        ({"elongation": 0.9}, "elongation is 0.9; expected 1 to 8"),
        ({"clustering": 1.1}, "clustering is 1.1; expected 0 to 1"),
        ({"halo": -1}, "halo is -1; expected 0 to 255"),
        ({"debris": -1}, "debris is -1; expected 0 or more"),
        ({"debris": math.inf}, "debris is inf; expected 0 or more"),
        ({"disorder": math.nan}, "disorder is nan; expected 0 to 3.14"),
        ({"dividing": 2}, "dividing is 2; expected 0 to 1"),
    ],
)
def test_impossible_looks_are_refused(numbers, message):
    with pytest.raises(ValueError, match=message):
        PhaseContrastLook(**numbers)


@pytest.mark.parametrize("look", ["FGF", None, 3])
def test_an_unknown_look_is_refused(look):
    with pytest.raises(ValueError, match="look is .*; expected .* one of .*'bmp2'"):
        make_phase_contrast(look=look)

"""Cell radius: that of drawn cells, the same at every magnification."""

import numpy as np
import pytest

from pseudocell._geometry._radius import estimate_cell_radius


def draw(kind, radius, noise=0.2):
    """Nine cells on a grid and clicks that are 0.2 radii off their centres."""
    rng = np.random.default_rng(0)
    side = 12 * radius
    centres = 3.0 * radius * (1 + np.argwhere(np.ones((3, 3))))
    row, col = np.mgrid[:side, :side]
    distance = np.full((side, side), np.inf)
    for centre in centres:
        distance = np.minimum(distance, np.hypot(row - centre[0], col - centre[1]))
    image = {
        "bright disc": 1.0 * (distance < radius),
        "dark disc": -1.0 * (distance < radius),
        "ring": np.exp(-0.5 * ((distance - radius) / (0.12 * radius)) ** 2),
        "blob": np.exp(-((distance / radius) ** 2)),
        # Its strongest edge is that of the inner spot.
        "spot in a disc": 1.75 * (distance < 0.4 * radius) - 1.0 * (distance < radius),
    }[kind]
    angle = rng.uniform(0, 2 * np.pi, len(centres))
    off = 0.2 * radius * np.column_stack([np.cos(angle), np.sin(angle)])
    return image + noise * rng.normal(size=image.shape), centres + off


@pytest.mark.parametrize("radius", [5, 12, 50])
@pytest.mark.parametrize(
    "kind", ["bright disc", "dark disc", "ring", "blob", "spot in a disc"]
)
def test_radius_of_drawn_cells_is_found(kind, radius):
    image, points = draw(kind, radius)
    assert estimate_cell_radius([image], [points]) == pytest.approx(radius, rel=0.25)


def test_pattern_all_over_the_image_does_not_count():
    image, points = draw("dark disc", 12, noise=0)
    stripes = np.arange(image.shape[1]) // 48 % 2
    found = estimate_cell_radius([image + stripes], [points])
    assert found == pytest.approx(12, rel=0.25)


@pytest.mark.parametrize("factor", [2, 3])
def test_radius_grows_with_the_image(factor):
    image, points = draw("spot in a disc", 12, noise=0)
    larger = np.kron(image, np.ones((factor, factor)))
    expected = factor * estimate_cell_radius([image], [points])
    found = estimate_cell_radius([larger], [(points + 0.5) * factor - 0.5])
    assert found == pytest.approx(expected, rel=0.05)


def test_five_clicks_one_of_them_wrong_are_enough():
    image, points = draw("dark disc", 12)
    points[4] = 54, 54  # in the middle between four cells
    found = estimate_cell_radius([image], [points[:5]])
    assert found == pytest.approx(12, rel=0.25)


def test_brightness_contrast_and_depth_do_not_matter():
    image, points = draw("ring", 12)
    other = np.round(3000 - 700 * image).astype(np.uint16)
    assert estimate_cell_radius([other], [points]) == pytest.approx(
        estimate_cell_radius([image], [points]), rel=0.01
    )


def test_images_without_clicks_are_not_read():
    image, points = draw("bright disc", 12)
    alone = estimate_cell_radius([image], [points])
    assert estimate_cell_radius(["unread", image], [[], points]) == alone


def test_nothing_to_see_gives_the_smallest_radius():
    assert estimate_cell_radius([np.zeros((80, 80))], [[(40, 40)]]) == 2.0


def test_no_click_asks_for_the_radius():
    with pytest.raises(ValueError, match="points holds no click"):
        estimate_cell_radius([np.zeros((9, 9))] * 2, [[], []])

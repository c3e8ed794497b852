"""What held-out clicks say: are they a sample of the cells, is a detector worse?"""

from types import SimpleNamespace

import numpy as np
import pytest

from pseudocell._safeguards import (
    _deviation,
    clicks_stand_out,
    is_worse,
    threshold_without_clicks,
)

RADIUS = 5.0


class Detector:
    """Finds what it is given: points and heights of each image, by its number."""

    def __init__(self, found, click_heights, fold=0, threshold=0.3):
        self.found = found
        self.click_heights_ = [np.asarray(click_heights)]
        self.click_folds_ = [np.full(len(click_heights), fold)]
        self.threshold_ = threshold
        self.asked = []

    def find_candidates(self, images, threshold=0.0):
        self.asked += list(images)
        found = [self.found[image] for image in images]
        return [(xy[h > threshold], h[h > threshold]) for xy, h in found]

    def predict(self, images):
        return [xy for xy, _ in self.find_candidates(images, self.threshold_)]


def on_grid(heights, offset=0.0):
    """Cells far from each other, of these heights."""
    points = np.column_stack([np.arange(len(heights)) * 20.0, np.full(len(heights), 0)])
    return points + offset, np.asarray(heights, dtype=float)


def scene(clicked, others, **arguments):
    """One image; the clicked cells are found, too, where they were clicked."""
    points, heights = on_grid(np.concatenate([clicked, others]))
    detector = Detector([(points, heights)], clicked, **arguments)
    return detector, [0], [points[: len(clicked)]], RADIUS


def draw(n_clicks, n_others, seed, bias=0.0, precision=1.0):
    """Heights of cells; with a bias the high ones are clicked, noise is low."""
    rng = np.random.default_rng(seed)
    cells = rng.uniform(0.4, 1.0, n_clicks + n_others)
    order = np.argsort(-(bias * cells + (1 - bias) * rng.uniform(0.4, 1.0, len(cells))))
    clicked, others = cells[order[:n_clicks]], cells[order[n_clicks:]]
    n_noise = int(n_others * (1 - precision) / precision)
    return clicked, np.concatenate([others, rng.uniform(0.3, 0.4, n_noise)])


def test_random_clicks_do_not_stand_out():
    for seed in range(50):
        for n_clicks in (3, 10, 50):
            assert not clicks_stand_out(*scene(*draw(n_clicks, 200, seed)))


def test_finds_that_are_no_cells_do_not_make_clicks_stand_out():
    """Three of ten, all lower than any cell."""
    alarms = [
        clicks_stand_out(*scene(*draw(50, 200, seed, precision=0.7)))
        for seed in range(100)
    ]
    assert np.mean(alarms) <= 0.05


@pytest.mark.parametrize(("n_clicks", "bias"), [(20, 1.0), (50, 0.7)])
def test_the_highest_cells_stand_out(n_clicks, bias):
    """Also if a few low ones are among the clicked."""
    for seed in range(20):
        assert clicks_stand_out(*scene(*draw(n_clicks, 300, seed, bias)))


def test_clicked_cells_that_are_not_found_do_not_count():
    clicked, others = draw(30, 100, 0, bias=1.0)
    lost = np.full(60, 0.1)
    assert clicks_stand_out(*scene(np.concatenate([clicked, lost]), others))


def test_all_cells_of_one_image_are_not_one_kind():
    """What else is found there is no cell; other images may look otherwise."""
    clicked, here, elsewhere = np.full(60, 0.9), np.full(20, 0.4), np.full(500, 0.4)
    points, heights = on_grid(np.concatenate([clicked, here]))
    detector = Detector([(points, heights), on_grid(elsewhere)], clicked)
    clicks = [points[:60], np.zeros((0, 2))]
    assert not clicks_stand_out(detector, [0, 1], clicks, RADIUS)
    # With few of the cells clicked they would stand out.
    detector.found[0] = on_grid(np.concatenate([clicked, np.full(200, 0.4)]))
    assert clicks_stand_out(detector, [0, 1], clicks, RADIUS)


def test_two_clicks_are_not_enough_to_stand_out():
    assert not clicks_stand_out(*scene([0.9, 0.9], np.full(50, 0.4)))


def test_clicked_cells_are_not_among_the_others():
    """They are found high, because one net has seen them."""
    clicked, others = draw(30, 40, 0, bias=1.0)
    detector, images, clicks, radius = scene(clicked, others)
    assert clicks_stand_out(detector, images, clicks, radius)
    assert not clicks_stand_out(detector, images, [clicks[0] + 1000], radius)


@pytest.mark.parametrize(
    "changes",
    [{"fold": -1}, {"threshold": 0.97}, {"threshold": 5.0}],
    ids=["no click held out", "no other found", "nothing found"],
)
def test_nothing_is_said_without_evidence(changes):
    clicked, others = np.full(50, 0.98), np.full(50, 0.5)
    assert clicks_stand_out(*scene(clicked, others))
    assert not clicks_stand_out(*scene(clicked, others, **changes))


def test_five_images_are_enough():
    found = [on_grid([0.5] * 20) for _ in range(200)]
    detector = Detector(found, [0.9] * 20)
    clicks = [found[0][0][:2], np.zeros((0, 2))] * 100
    assert clicks_stand_out(detector, list(range(200)), clicks, RADIUS)
    assert detector.asked == [0, 48, 98, 148, 198]  # with clicks


def test_deviation_of_the_area_is_that_of_the_definition():
    """Of exponentials, for which it is exact: P(some > others) = 2 / (2 + 1)."""
    rng = np.random.default_rng(0)
    some, others = rng.exponential(2.0, (2000, 30)), rng.exponential(1.0, (2000, 80))
    areas = np.mean(some[:, :, np.newaxis] > others[:, np.newaxis], axis=(1, 2))
    assert np.mean(areas) == pytest.approx(2 / 3, abs=0.01)
    assert _deviation(2 / 3, 30, 80) == pytest.approx(np.std(areas), rel=0.1)


def test_threshold_without_clicks_splits_low_from_high_peaks():
    rng = np.random.default_rng(0)
    low, high = rng.uniform(0.05, 0.1, 500), rng.uniform(0.25, 1.0, 100)
    detector = Detector([on_grid(low), on_grid(high)], [0.9], threshold=0.5)
    assert 0.1 <= threshold_without_clicks(detector, [0, 1]) <= 0.28
    # It never rises.
    detector.threshold_ = 0.06
    assert threshold_without_clicks(detector, [0, 1]) == 0.06
    # Nor where there is no peak at all.
    assert threshold_without_clicks(Detector([on_grid([])], [0.9]), [0]) == 0.3


@pytest.mark.parametrize(
    ("recall", "n_found", "worse"),
    [(1.0, 100, False), (1.0, 126, True), (1.0, 120, False), (0.9, 100, False)]
    + [(0.8, 100, True), (0.5, 30, False), (0.0, 0, True)],
)
def test_worse_is_less_recall_squared_over_detections(recall, n_found, worse):
    def detector(recall, n_found):
        heights = np.repeat([0.9, 0.1], [round(10 * recall), round(10 * (1 - recall))])
        return Detector([on_grid([0.9] * n_found)], heights)

    before = detector(1.0, 100)
    assert is_worse(detector(recall, n_found), before, [0]) == worse
    seen = SimpleNamespace(click_folds_=[np.array([-1, 0])])
    assert not is_worse(seen, before, [0])

"""What held-out clicks say: are they a sample of the cells, is a detector worse?"""

from dataclasses import replace

import numpy as np
import pytest

from pseudocell._detection._held_out import HeldOut, weigh
from pseudocell._safeguards import (
    _deviation,
    clicks_stand_out,
    is_worse,
    threshold_without_clicks,
)


def held_out(clicked, others, threshold=0.3, **changes):
    """What is found are the clicked cells, as high, and the others."""
    clicked, others = np.asarray(clicked), np.asarray(others)
    found = np.concatenate([clicked, others])
    heights = HeldOut(clicked, found, others, len(clicked), threshold)
    return replace(heights, **changes)


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
            assert not clicks_stand_out(held_out(*draw(n_clicks, 200, seed)))


def test_finds_that_are_no_cells_do_not_make_clicks_stand_out():
    """Three of ten, all lower than any cell."""
    alarms = [
        clicks_stand_out(held_out(*draw(50, 200, seed, precision=0.7)))
        for seed in range(100)
    ]
    assert np.mean(alarms) <= 0.05


@pytest.mark.parametrize(("n_clicks", "bias"), [(20, 1.0), (50, 0.7)])
def test_the_highest_cells_stand_out(n_clicks, bias):
    """Also if a few low ones are among the clicked."""
    for seed in range(20):
        assert clicks_stand_out(held_out(*draw(n_clicks, 300, seed, bias)))


def test_clicked_cells_that_are_not_found_do_not_count():
    clicked, others = draw(30, 100, 0, bias=1.0)
    lost = np.full(60, 0.1)
    assert clicks_stand_out(held_out(np.concatenate([clicked, lost]), others))


def test_all_cells_of_one_image_are_not_one_kind():
    """What else is found in images with clicks is then no cell, and little."""
    clicked = np.full(60, 0.9)
    assert not clicks_stand_out(held_out(clicked, np.full(20, 0.4)))
    assert clicks_stand_out(held_out(clicked, np.full(200, 0.4)))


def test_two_clicks_are_not_enough_to_stand_out():
    assert not clicks_stand_out(held_out([0.9, 0.9], np.full(50, 0.4)))


@pytest.mark.parametrize(
    "changes",
    [{"clicked": np.zeros(0)}, {"threshold": 0.97}, {"threshold": 5.0}],
    ids=["no click held out", "no other found", "nothing found"],
)
def test_nothing_is_said_without_evidence(changes):
    clicked, others = np.full(50, 0.98), np.full(50, 0.5)
    assert clicks_stand_out(held_out(clicked, others))
    assert not clicks_stand_out(replace(held_out(clicked, others), **changes))


class Detector:
    """Finds what it is given: points and heights of each image, by its number."""

    cell_radius_, threshold_ = 5.0, 0.3

    def __init__(self, found, clicks, fold=0):
        self.found = found
        self.click_heights_ = [np.full(len(array), 0.9) for array in clicks]
        self.click_folds_ = [np.full(len(array), fold) for array in clicks]

    def find(self, indices):
        return [self.found[index] for index in indices]


def test_five_images_are_looked_at_those_with_clicks_for_what_is_at_none():
    """Two of three finds are clicked, in every second image."""
    cells = np.array([[0.0, 0.0], [0.0, 20.0], [0.0, 40.0]])
    found = [(cells, np.array([0.9, 0.8, index / 1000])) for index in range(200)]
    clicks = [cells[:2] + 1, np.zeros((0, 2))] * 100
    heights = weigh(Detector(found, clicks), clicks, Detector(found, clicks).find)
    assert len(heights.found) == 3 * 5
    assert (1000 * heights.others).round().tolist() == [0, 48, 98, 148, 198]
    assert heights.n_clicks == 2 * 5
    assert len(heights.clicked) == 200
    # Seen by all nets, clicks say nothing.
    seen = Detector(found, clicks, fold=-1)
    assert len(weigh(seen, clicks, seen.find).clicked) == 0


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
    peaks = held_out(high, low, threshold=0.5)
    assert 0.1 <= threshold_without_clicks(peaks) <= 0.28
    # It never rises.
    assert threshold_without_clicks(replace(peaks, threshold=0.06)) == 0.06
    # Nor where there is no peak at all.
    assert threshold_without_clicks(held_out([], [])) == 0.3


@pytest.mark.parametrize(
    ("recall", "n_found", "worse"),
    [(1.0, 100, False), (1.0, 126, True), (1.0, 120, False), (0.9, 100, False)]
    + [(0.8, 100, True), (0.5, 30, False), (0.0, 0, True)],
)
def test_worse_is_less_recall_squared_over_detections(recall, n_found, worse):
    def detector(recall, n_found):
        heights = np.repeat([0.9, 0.1], [round(10 * recall), round(10 * (1 - recall))])
        return held_out(heights, [], found=np.full(n_found, 0.9))

    before = detector(1.0, 100)
    assert is_worse(detector(recall, n_found), before) == worse
    # No click was held out.
    assert not is_worse(held_out([], [], found=np.full(n_found, 0.9)), before)

"""Thresholds from held-out clicks, and the clicks that are held out."""

import numpy as np
import pytest

from pseudocell._detection._held_out import deal_clicks, heights_at, seen_clicks
from pseudocell._detection._threshold import share_seen, threshold_from_clicks


def height(probability, share, weight):
    """What a net learns for a place, by least squares on weighted pixels."""
    labelled = share * probability
    return labelled / (labelled + weight * (1 - labelled))


@pytest.mark.parametrize("weight", [0.05, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 0.9])
def test_threshold_is_what_a_doubtful_place_has_of_a_sure_one(share, weight):
    heights = np.full(8, 0.6)
    known = max(share, 1e-9)  # the limit, where nothing is labelled
    in_doubt = height(0.5, known, weight) / height(1.0, known, weight)
    expected = 0.6 * max(2 / 3, in_doubt)
    assert threshold_from_clicks(heights, share, weight) == pytest.approx(expected)


def test_threshold_is_finite_where_nothing_is_labelled_and_nothing_counts():
    assert threshold_from_clicks(np.ones(4), 0.0, 0.0) == pytest.approx(2 / 3)


def test_threshold_follows_the_lower_quartile():
    heights = np.array([0.1, 0.4, 0.8, 0.9, 1.0])
    assert threshold_from_clicks(heights, 0.05, 0.1) == pytest.approx(0.4 * 2 / 3)


@pytest.mark.parametrize("n_nets", [2, 3])
@pytest.mark.parametrize("searched", [1.0, 0.25])
def test_share_seen_is_that_of_clicks_drawn_at_random(n_nets, searched):
    """Each net sees all clicks but its own share; peaks of all nets are counted."""
    rng = np.random.default_rng(0)
    cells = rng.uniform(0.3, 1.0, 4000)
    clicks = rng.choice(cells, 400, replace=False)
    noise = rng.uniform(0.05, 0.2, 5000)  # below the quartile: not counted
    found = cells[: int(searched * 4000)]
    peaks = np.concatenate([found, noise] * n_nets)
    share = share_seen(clicks, peaks, n_nets, searched)
    assert share == pytest.approx(0.1 * (n_nets - 1) / n_nets, rel=0.1)


def test_share_seen_is_at_most_one():
    assert share_seen(np.ones(10), np.zeros(0), 2, 1.0) == 1


def test_height_is_that_of_the_highest_peak_within_the_radius():
    rng = np.random.default_rng(0)
    points, peaks = rng.uniform(0, 50, (40, 2)), rng.uniform(0, 50, (60, 2))
    heights = rng.uniform(0.1, 1, 60)
    distances = np.linalg.norm(points[:, np.newaxis] - peaks, axis=2)
    expected = np.max(heights * (distances <= 5), axis=1)
    np.testing.assert_array_equal(heights_at(points, peaks, heights, 5.0), expected)
    assert 0 in expected
    assert heights_at(points[:0], peaks, heights, 5.0).shape == (0,)
    assert not heights_at(points, peaks[:0], heights[:0], 5.0).any()


def test_every_click_is_held_out_of_one_net_and_shares_are_even():
    clicks = [np.zeros((n, 2)) for n in (3, 0, 4, 1)]
    folds = deal_clicks(clicks, 2, np.random.RandomState(0))
    seen = [seen_clicks(number, clicks, folds) for number in range(2)]
    for index, array in enumerate(clicks):
        assert sum(len(some[index]) for some in seen) == len(array)
    assert [sum(map(len, some)) for some in seen] == [4, 4]


@pytest.mark.parametrize(("n_clicks", "n_nets"), [(5, 1), (1, 2)])
def test_no_click_is_held_out_of_one_net_or_if_there_are_too_few(n_clicks, n_nets):
    clicks = [np.zeros((n_clicks, 2)), np.zeros((0, 2))]
    folds = deal_clicks(clicks, n_nets, np.random.RandomState(0))
    assert [fold.tolist() for fold in folds] == [[-1] * n_clicks, []]
    assert len(seen_clicks(0, clicks, folds)[0]) == n_clicks

"""Matching is one to one, of greatest cardinality, then of least distance."""

from itertools import combinations, permutations

import numpy as np
import pytest

from pseudocell._geometry import _matching
from pseudocell._geometry._matching import match_points


def brute_force(first, second, max_distance):
    """Try every one-to-one matching: the best (number of pairs, total distance)."""
    best = (0, 0.0)
    for size in range(1, min(len(first), len(second)) + 1):
        for rows in combinations(range(len(first)), size):
            for cols in permutations(range(len(second)), size):
                distance = np.hypot(*(first[list(rows)] - second[list(cols)]).T)
                if distance.max() <= max_distance:
                    best = min(best, (-size, distance.sum()))
    return -best[0], best[1]


def summary(first, second, max_distance):
    i, j = match_points(first, second, max_distance)
    distance = np.hypot(*(first[i] - second[j]).T)
    assert len(set(i)) == len(set(j)) == len(i)
    assert (distance <= max_distance).all()
    return len(i), distance.sum()


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("side", [3, 8, 20])
def test_the_best_of_all_matchings_is_found(monkeypatch, dense, side):
    if not dense:
        monkeypatch.setattr(_matching, "_DENSE_CELLS", 0)
        monkeypatch.setattr(_matching, "_DENSE_CELLS_PER_PAIR", 0)
    rng = np.random.default_rng(side)
    for _ in range(15):
        first, second = (rng.random((rng.integers(0, 6), 2)) * side for _ in "ab")
        n_pairs, total = summary(first, second, 6.0)
        expected_pairs, expected_total = brute_force(first, second, 6.0)
        assert n_pairs == expected_pairs
        assert total == pytest.approx(expected_total)


@pytest.mark.parametrize("mean_neighbours", [1, 3, 8])
def test_dense_and_sparse_solvers_agree(monkeypatch, mean_neighbours):
    rng = np.random.default_rng(0)
    side = np.sqrt(600 * np.pi * 15.0**2 / mean_neighbours)
    first, second = rng.random((600, 2)) * side, rng.random((500, 2)) * side
    results = []
    for cells in (0, np.inf):
        monkeypatch.setattr(_matching, "_DENSE_CELLS", cells)
        monkeypatch.setattr(_matching, "_DENSE_CELLS_PER_PAIR", 0)
        results.append(summary(first, second, 15.0))
    assert results[0][0] == results[1][0]
    assert results[0][1] == pytest.approx(results[1][1], rel=1e-12)


def test_number_of_pairs_comes_before_distance():
    first, second = np.array([[0.0, 3], [0, 7]]), np.array([[0.0, 0], [0, 4]])
    # The single pair (0, 1) costs 1, both pairs together cost 6.
    assert summary(first, second, 3.0) == (2, 6.0)


@pytest.mark.parametrize("step", [(9, 12), (1, 1), (2, 3), (1, 5), (0, 3)])
def test_a_pair_at_exactly_the_distance_is_matched(step):
    second = np.array([step]) + 100.0
    distance = float(np.hypot(*step))
    assert len(match_points([[100.0, 100.0]], second, distance)[0]) == 1
    assert len(match_points([[100.0, 100.0]], second, distance * (1 - 1e-12))[0]) == 0


def test_a_set_matches_itself_at_distance_zero():
    points = np.random.default_rng(0).random((50, 2)) * 100
    order = np.random.default_rng(1).permutation(50)
    i, j = match_points(points, points[order], 0)
    np.testing.assert_array_equal(i, np.arange(50))
    np.testing.assert_array_equal(order[j], np.arange(50))


def test_exchanging_the_sets_exchanges_the_pairs():
    rng = np.random.default_rng(0)
    first, second = rng.random((80, 2)) * 100, rng.random((120, 2)) * 100
    i, j = match_points(first, second, 10)
    k, m = match_points(second, first, 10)
    assert sorted(zip(i, j, strict=True)) == sorted(zip(m, k, strict=True))


def test_pairs_come_in_the_order_of_the_first_set():
    rng = np.random.default_rng(0)
    first, second = rng.random((300, 2)) * 200, rng.random((300, 2)) * 200
    i, _ = match_points(first, second, 15)
    assert len(i) > 200
    assert (np.diff(i) > 0).all()


def test_coinciding_points_are_matched_once():
    i, j = match_points(np.zeros((3, 2)), np.zeros((5, 2)), 1.0)
    assert i.tolist() == [0, 1, 2]
    assert len(set(j.tolist())) == 3


@pytest.mark.parametrize("sizes", [(0, 0), (0, 3), (3, 0)])
def test_an_empty_set_matches_nothing(sizes):
    i, j = match_points(np.zeros((sizes[0], 2)), np.zeros((sizes[1], 2)), 5)
    assert i.shape == j.shape == (0,)
    assert np.issubdtype(i.dtype, np.integer)
    assert np.issubdtype(j.dtype, np.integer)


def test_far_points_match_nothing():
    i, j = match_points([[0, 0]], [[0, 50]], 5)
    assert i.shape == j.shape == (0,)


def test_memory_follows_the_neighbours_not_the_product_of_the_sizes():
    import tracemalloc

    # One connected chain: a full cost matrix would take 4000**2 * 8 = 128 MB.
    first = np.stack([np.zeros(4000), 10.0 * np.arange(4000)], axis=1)
    second = first + [0.0, 5.0]
    tracemalloc.start()
    i, _ = match_points(first, second, 6.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(i) == 4000
    assert peak < 20e6


def test_inputs_stay_unchanged():
    first = np.random.default_rng(0).random((20, 2)) * 30
    first.flags.writeable = False
    second = first[::2]
    match_points(first, second, 5)
    np.testing.assert_array_equal(second, first[::2])


@pytest.mark.parametrize(
    ("first", "message"),
    [
        (np.zeros((4, 3)), r"\[0\] has shape \(4, 3\); expected \(n, 2\)"),
        (np.zeros(2), r"\[0\] has shape \(2,\)"),
        ([[0, 0], [1, np.nan]], r"\[0\] has coordinates that are NaN"),
    ],
)
def test_a_malformed_set_is_named(first, message):
    with pytest.raises(ValueError, match=message):
        match_points(first, np.zeros((1, 2)), 5)


@pytest.mark.parametrize("max_distance", [-1, np.nan, np.inf])
def test_an_impossible_distance_is_refused(max_distance):
    with pytest.raises(ValueError, match="max_distance is .*; expected a finite"):
        match_points(np.zeros((1, 2)), np.zeros((1, 2)), max_distance)


def test_a_distance_that_reaches_everything_is_refused_before_memory_is_taken():
    points = np.random.default_rng(0).random((6000, 2))
    with pytest.raises(ValueError, match="36000000 pairs .* about one cell radius"):
        match_points(points, points, 10)

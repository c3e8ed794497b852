"""Probabilities of candidates: right on mixtures whose truth is known."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import norm

from pseudocell._detection._threshold import chances_of_peaks
from pseudocell._labels import Labels
from pseudocell._ranking._probability import cell_probabilities, estimate_n_cells
from pseudocell._rounds import round_settings


def draw_mixture(n_cells, n_other, n_clicked, distance=3.0, seed=0):
    """Scores of cells around `distance`, of others around 0, all of width 1."""
    rng = np.random.default_rng(seed)
    cells, others = rng.normal(distance, 1, n_cells), rng.normal(0, 1, n_other)
    return np.concatenate([cells, others]), rng.normal(distance, 1, n_clicked)


@pytest.mark.parametrize("n_cells", [300, 1000, 3000])
def test_number_of_cells_of_a_known_mixture(n_cells):
    unlabelled, clicked = draw_mixture(n_cells, 4000 - n_cells, 400, distance=5)
    assert estimate_n_cells(unlabelled, clicked) == pytest.approx(n_cells, rel=0.12)


def test_no_more_cells_than_candidates():
    unlabelled, clicked = draw_mixture(500, 0, 50)
    assert estimate_n_cells(unlabelled, clicked) <= 500


def test_scores_may_be_stretched():
    unlabelled, clicked = draw_mixture(300, 700, 50)
    n_cells = estimate_n_cells(unlabelled, clicked)
    assert estimate_n_cells(np.exp(unlabelled), np.exp(clicked)) == n_cells
    assert np.array_equal(
        cell_probabilities(unlabelled, clicked, n_cells),
        cell_probabilities(np.exp(unlabelled), np.exp(clicked), n_cells),
    )


def test_probabilities_are_those_of_bayes():
    n_cells, n_other = 2000, 6000
    unlabelled, clicked = draw_mixture(n_cells, n_other, 800)
    found = cell_probabilities(unlabelled, clicked, n_cells)
    cell = n_cells * norm.pdf(unlabelled - 3)
    truth = cell / (cell + n_other * norm.pdf(unlabelled))
    assert np.abs(found - truth).mean() < 0.02
    assert found.sum() == pytest.approx(n_cells, rel=0.05)


def test_probabilities_grow_with_the_score_and_with_the_number_of_cells():
    unlabelled, clicked = draw_mixture(300, 700, 50)
    few, many = (cell_probabilities(unlabelled, clicked, n) for n in (100, 300))
    assert (np.diff(few[np.argsort(unlabelled)]) >= 0).all()
    assert (many >= few).all()
    assert few.min() >= 0
    assert many.max() <= 1


def test_nothing_clicked_is_nothing_known():
    assert estimate_n_cells(np.arange(5.0), np.zeros(0)) == 0
    assert not cell_probabilities(np.arange(5.0), np.zeros(0), 3).any()


def test_a_second_peak_on_the_same_cell_is_no_cell():
    peaks = np.array([[10.0, 10.0], [10.0, 13.0], [40.0, 40.0], [80.0, 80.0]])
    chances = chances_of_peaks(
        peaks,
        np.array([[10.0, 11.0]]),
        np.zeros((0, 2)),
        np.array([[41.0, 40.0]]),
        np.array([0.7]),
        radius=6,
    )
    assert chances.tolist() == [1, 0, 0.7, 0]


def test_two_labels_on_one_cell_are_one():
    """Both were chosen; the one that the better one rules out gets no label at all."""
    points = np.array([[10.0, 10.0], [10.0, 13.0], [40.0, 40.0], [70.0, 70.0]])
    candidates = SimpleNamespace(unlabelled=[points])
    ranking = SimpleNamespace(top=np.array([3.0, 2.0, 1.0, -1.0]))
    labels = Labels.from_clicks([np.zeros((0, 2))]).add(
        candidates,
        ranking,
        choice=np.array([1, 1, 0, -1]),
        chances=np.array([0.9, 0.0, 0.6, 0.05]),
        radius=2.0,
    )
    assert labels.positives[0].tolist() == [[10, 10]]
    assert labels.undecided[0].tolist() == [[40, 40]]
    assert labels.probabilities[0].tolist() == [0.6]
    assert labels.negatives[0].tolist() == [[70, 70]]


@pytest.mark.parametrize(
    ("number", "is_rated", "odd", "weight"),
    [(1, True, False, None), (2, True, False, 1 / 3), (2, False, False, None)]
    + [(2, True, True, 0.02)],
)
def test_background_weighs_fully_once_it_is_known(number, is_rated, odd, weight):
    settings = round_settings(
        number,
        learn_background=True,
        background_weight=0.1,
        is_rated=is_rated,
        odd=odd,
    )
    assert settings.get("background_weight") == (weight and pytest.approx(weight))

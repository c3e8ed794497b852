"""The class prior: right on known mixtures, whatever the units."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from pseudocell._ranking._class_prior import (
    _fold_means,
    _penalised_distance,
    estimate_class_prior,
)

PRIORS = [0.2, 0.35, 0.5, 0.65, 0.8]


def make_mixture(prior, n_features, seed, n_positive=400, n_unlabelled=2000):
    """Positives around (4, 0, ...), negatives around the origin, both of std 1."""
    rng = np.random.default_rng(seed)
    centre = np.zeros(n_features)
    centre[0] = 4.0
    is_positive = np.arange(n_unlabelled) < round(prior * n_unlabelled)
    positive = rng.normal(size=(n_positive, n_features)) + centre
    unlabelled = rng.normal(size=(n_unlabelled, n_features))
    return positive, unlabelled + centre * is_positive[:, np.newaxis]


@pytest.mark.parametrize("n_features", [1, 2])
@pytest.mark.parametrize("prior", PRIORS)
def test_known_prior_is_found_to_within_a_twentieth(prior, n_features):
    errors = [
        estimate_class_prior(*make_mixture(prior, n_features, seed), random_state=seed)
        - prior
        for seed in range(6)
    ]
    assert np.sqrt(np.mean(np.square(errors))) <= 0.05


@pytest.mark.parametrize("n_features", [1, 2])
@pytest.mark.parametrize("prior", PRIORS)
def test_with_a_thousand_positives_every_estimate_is_that_near(prior, n_features):
    for seed in range(4):
        mixture = make_mixture(prior, n_features, seed, n_positive=1000)
        estimate = estimate_class_prior(*mixture, random_state=seed)
        assert abs(estimate - prior) <= 0.05


@pytest.mark.parametrize("prior", PRIORS)
def test_a_hundred_positives_give_no_bias(prior):
    errors = [
        estimate_class_prior(
            *make_mixture(prior, 1, seed, n_positive=100, n_unlabelled=2000),
            random_state=seed,
        )
        - prior
        for seed in range(10)
    ]
    assert abs(np.mean(errors)) <= 0.05


def test_only_positives_give_the_largest_and_only_negatives_the_smallest_prior():
    rng = np.random.default_rng(0)
    positive, more = rng.normal(size=(500, 1)), rng.normal(size=(2000, 1))
    assert estimate_class_prior(positive, more, random_state=0) >= 0.85
    assert estimate_class_prior(positive, more + 20, random_state=0) == 0.05


def test_a_background_much_narrower_than_the_positives_is_told_from_them():
    rng = np.random.default_rng(0)
    positive, more = rng.normal(size=(500, 1)), rng.normal(size=(400, 1))
    background = 6 + 1e-4 * rng.normal(size=(1600, 1))
    estimate = estimate_class_prior(positive, np.r_[more, background], random_state=0)
    assert abs(estimate - 0.2) <= 0.05


def test_units_and_offsets_do_not_matter():
    positive, unlabelled = make_mixture(0.4, 2, 3)
    units, offsets = np.array([1e-4, 1e5]), np.array([3.0, -7e5])
    expected = estimate_class_prior(positive, unlabelled, random_state=1)
    assert expected == estimate_class_prior(
        units * positive + offsets, units * unlabelled + offsets, random_state=1
    )


def test_a_constant_feature_does_not_matter():
    positive, unlabelled = make_mixture(0.4, 1, 3)
    expected = estimate_class_prior(positive, unlabelled, random_state=1)
    positive, unlabelled = (
        np.column_stack([X, np.full(len(X), 5.0)]) for X in (positive, unlabelled)
    )
    assert expected == estimate_class_prior(positive, unlabelled, random_state=1)


def test_a_feature_that_is_zero_for_most_positives_keeps_its_meaning():
    positive = np.repeat([[0.0], [1.0]], [450, 50], axis=0)
    unlabelled = np.repeat([[0.0], [1.0], [8.0]], [720, 80, 1200], axis=0)
    estimate = estimate_class_prior(positive, unlabelled, random_state=0)
    assert abs(estimate - 0.4) <= 0.05


def test_a_background_that_reaches_far_does_not_hide_the_one_nearby():
    rng = np.random.default_rng(0)
    positive, more = rng.normal(size=(200, 1)), rng.normal(size=(200, 1))
    near, far = rng.normal(4, 1, (400, 1)), rng.normal(1000, 300, (400, 1))
    unlabelled = np.concatenate([more, near, far])
    estimate = estimate_class_prior(positive, unlabelled, random_state=0)
    assert abs(estimate - 0.2) <= 0.05


def test_identical_points_and_two_samples_give_a_number():
    estimate = estimate_class_prior(np.zeros((2, 3)), np.zeros((2, 3)), random_state=0)
    assert 0.05 <= estimate <= 0.95


def test_same_seed_same_estimate_and_nothing_else_changes():
    positive, unlabelled = make_mixture(0.5, 2, 0, n_positive=40, n_unlabelled=900)
    positive.flags.writeable = unlabelled.flags.writeable = False
    np.random.seed(7)
    before = np.random.get_state()[1].copy()
    seeds = range(5)
    first = [
        estimate_class_prior(positive, unlabelled, random_state=seed) for seed in seeds
    ]
    estimate_class_prior(positive, unlabelled)  # an unseeded call between them
    assert first == [
        estimate_class_prior(positive, unlabelled, random_state=seed) for seed in seeds
    ]
    assert len(set(first)) > 1  # the folds matter, so the seed must reach them
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_held_out_evidence_decides_the_penalty():
    # theta = 0.5, mean bumps 1 (P) and 0.2 (U): b = 0.3, and a.b = 0.09 / lambda.
    def means(held_out, learnt, overall):
        return np.array([[[held_out]]]), np.array([[[learnt]]]), np.array([[overall]])

    of_unlabelled = means(0.2, 0.2, 0.2)
    confirmed = _penalised_distance(0.5, means(1.0, 1.0, 1.0), of_unlabelled)
    refuted = _penalised_distance(0.5, means(0.2, 1.0, 1.0), of_unlabelled)
    assert confirmed == pytest.approx(0.09 / 1e-3 - 0.5 + 1)
    assert refuted == pytest.approx(0.09 / 10 - 0.5 + 1)


def test_bumps_are_gaussian_and_folds_complement_each_other():
    X = np.random.default_rng(0).normal(size=(23, 2))
    inside, outside, overall = _fold_means(X, X[:4], 1.5, np.random.RandomState(0))
    for j, width in enumerate(1.5 / np.sqrt([1, 2, 4, 8])):
        bumps = np.exp(-(cdist(X, X[:4]) ** 2) / (2 * width**2))
        np.testing.assert_allclose(overall[j], bumps.mean(axis=0))
    sizes = np.array([5, 5, 5, 4, 4])[:, np.newaxis, np.newaxis]
    np.testing.assert_allclose(
        (sizes * inside + (23 - sizes) * outside) / 23, np.tile(overall, (5, 1, 1))
    )


@pytest.mark.parametrize(
    ("positive", "unlabelled", "message"),
    [
        (np.empty((0, 2)), np.ones((9, 2)), r"X_positive has 0 sample.*at least 2"),
        (np.ones((1, 2)), np.ones((9, 2)), r"X_positive has 1 sample.*set it by hand"),
        (np.ones((9, 2)), np.empty((0, 2)), r"X_unlabelled has 0 sample"),
        (np.ones((9, 2)), np.ones((9, 3)), r"2 features and X_unlabelled has 3"),
        (np.full((9, 2), np.nan), np.ones((9, 2)), r"X_positive contains NaN"),
        (np.ones((9, 2)), np.full((9, 2), np.inf), r"X_unlabelled contains infinity"),
        (np.ones(9), np.ones((9, 1)), r"Expected 2D array, got 1D array"),
    ],
)
def test_bad_samples_are_named(positive, unlabelled, message):
    with pytest.raises(ValueError, match=message):
        estimate_class_prior(positive, unlabelled)


@pytest.mark.parametrize("prior", PRIORS)
def test_another_package_estimates_the_same(prior):
    """Both minimise penL1, with centres and widths of their own."""
    oracle = pytest.importorskip("pu_toolbox.prior.pen_l1")
    positive, unlabelled = make_mixture(prior, 1, seed=3, n_positive=1000)
    X = np.concatenate([positive, unlabelled])
    y = np.repeat([1, 0], [len(positive), len(unlabelled)])
    theirs = oracle.ClassPriorEstimator().fit(X, y).estimate()
    ours = estimate_class_prior(positive, unlabelled, random_state=0)
    assert ours == pytest.approx(theirs, abs=0.1)

"""The P-classification loss and its ranker: theorems, limits and bad input."""

import numpy as np
import pytest
import sklearn
from scipy.optimize import approx_fprime, minimize, minimize_scalar
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator

from pseudocell._ranking._ranker import PClassificationRanker
from pseudocell.losses._p_classification import (
    log_profiled_loss,
    p_classification_loss,
    profile_intercept,
)

ENDS = ["top", "bottom"]
PUSHES = [1.0, 4.0, 64.0]


def make_scores(seed=0, n=12):
    rng = np.random.default_rng(seed)
    return 0.3 * rng.normal(size=n), np.arange(n) % 3 == 0, rng.uniform(0.5, 2, n)


def make_overlapping(seed=0, n=120, n_features=3):
    """Return two classes that no plane separates, a third of them positive."""
    rng = np.random.default_rng(seed)
    y = (np.arange(n) % 3 == 0).astype(int)
    return rng.normal(size=(n, n_features)) + 0.8 * y[:, np.newaxis], y


def make_crossed_spreads(seed=0, n=2000):
    """Return two classes with equal gaps and opposite spreads along two features.

    The negatives reach far up along the first feature, the positives far down along
    the second one: each feature keeps one end of the list pure.
    """
    rng = np.random.default_rng(seed)
    positive, negative = rng.normal(size=(2, n, 2))
    X = np.concatenate([positive * [0.5, 2.0] + 1.5, negative * [2.0, 0.5]])
    return X, np.repeat([1, 0], n)


# The loss


def test_loss_equals_its_formula():
    value, gradient = p_classification_loss(
        [1.0, -1.0, 0.5], [True, True, False], p=2.0, sample_weight=[1.0, 3.0, 5.0]
    )
    assert value == pytest.approx(np.exp(-1) + 3 * np.exp(1) + 5 / 2 * np.exp(2 * 0.5))
    np.testing.assert_allclose(gradient, [-np.exp(-1), -3 * np.exp(1), 5 * np.exp(1)])


def test_push_of_one_is_the_exponential_loss():
    scores, positive, _ = make_scores()
    sign = np.where(positive, 1, -1)
    value, _ = p_classification_loss(scores, positive, p=1.0)
    assert value == pytest.approx(np.exp(-sign * scores).sum())


@pytest.mark.parametrize("p", PUSHES)
@pytest.mark.parametrize("loss", [p_classification_loss, log_profiled_loss])
def test_gradient_is_the_numerical_one(loss, p):
    scores, positive, weight = make_scores()

    def value(s):
        return loss(s, positive, p, sample_weight=weight)[0]

    _, gradient = loss(scores, positive, p, sample_weight=weight)
    step = 1e-6
    numerical = [
        (value(scores + step * e) - value(scores - step * e)) / (2 * step)
        for e in np.eye(len(scores))
    ]
    scale = np.abs(gradient).max()
    np.testing.assert_allclose(numerical, gradient, rtol=1e-6, atol=1e-7 * scale)


@pytest.mark.parametrize("p", PUSHES)
def test_profiled_intercept_is_the_best_one(p):
    scores, positive, weight = make_scores()
    intercept = profile_intercept(scores, positive, p, sample_weight=weight)
    best = minimize_scalar(
        lambda b: p_classification_loss(scores + b, positive, p, sample_weight=weight)[
            0
        ],
        bracket=(intercept - 0.1, intercept + 0.1),
        options={"xtol": 1e-10},
    )
    assert intercept == pytest.approx(best.x, abs=1e-6)
    n_positive, n_negative = weight[positive].sum(), weight[~positive].sum()
    normaliser = n_positive ** (p / (1 + p)) * n_negative ** (1 / (1 + p))
    value, _ = log_profiled_loss(scores, positive, p, sample_weight=weight)
    assert value == pytest.approx(np.log(best.fun / normaliser))


@pytest.mark.parametrize("p", PUSHES)
def test_profiled_loss_is_the_p_norm_push(p):
    scores, positive, _ = make_scores()
    margins = scores[positive][:, np.newaxis] - scores[~positive]
    push = (np.exp(-margins).mean(axis=0) ** p).mean()
    value, _ = log_profiled_loss(scores, positive, p)
    assert (1 + p) * (value - np.log(1 + 1 / p)) == pytest.approx(np.log(push))


def test_a_constant_added_to_the_scores_changes_nothing_but_the_intercept():
    scores, positive, _ = make_scores()
    value, gradient = log_profiled_loss(scores, positive)
    moved_value, moved_gradient = log_profiled_loss(scores + 100, positive)
    assert moved_value == pytest.approx(value)
    np.testing.assert_allclose(moved_gradient, gradient)
    assert profile_intercept(scores + 100, positive) == pytest.approx(
        profile_intercept(scores, positive) - 100
    )


def test_huge_scores_do_not_overflow():
    scores, positive = np.array([-1e5, 2e5, 3e5]), np.array([True, True, False])
    value, gradient = log_profiled_loss(scores, positive, p=64.0)
    # log mean exp(-s+) = 1e5 - log 2, log mean exp(64 s-) = 64 * 3e5
    expected = np.log(1 + 1 / 64) + 64 / 65 * (1e5 - np.log(2) + 3e5)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient, [-64 / 65, 0, 64 / 65])
    assert p_classification_loss(scores, positive, p=64.0)[0] == np.inf


# The ranker


def test_all_checks_of_scikit_learn_run_and_pass():
    # Wrong for binary classifiers until 1.7: scikit-learn issue 30770.
    wrong = {
        "check_sample_weight_equivalence_on_dense_data": "relabels after shuffling"
    }
    results = check_estimator(
        PClassificationRanker(),
        expected_failed_checks=wrong
        if sklearn.__version__.startswith("1.6.")
        else None,
        on_skip=None,
        on_fail=None,
    )
    failed = {
        r["check_name"]: r["exception"] for r in results if r["status"] == "failed"
    }
    assert not failed
    # The others are skipped where pandas or the array API is missing.
    assert sum(result["status"] == "passed" for result in results) >= 42


@pytest.mark.parametrize("p", PUSHES)
def test_both_classes_cost_the_same_at_the_optimum(p):
    X, y = make_overlapping()
    f = PClassificationRanker(p).fit(X, y).decision_function(X)
    assert np.exp(-f[y == 1]).sum() == pytest.approx(np.exp(p * f[y == 0]).sum())
    f = PClassificationRanker(p, concentrate="bottom").fit(X, y).decision_function(X)
    assert np.exp(f[y == 0]).sum() == pytest.approx(np.exp(-p * f[y == 1]).sum())


@pytest.mark.parametrize("l2", [0.0, 0.1])
@pytest.mark.parametrize("p", [1.0, 4.0])
def test_another_solver_of_the_formula_agrees(p, l2):
    X, y = make_overlapping()
    normaliser = (y == 1).sum() ** (p / (1 + p)) * (y == 0).sum() ** (1 / (1 + p))

    def objective(parameters):
        *w, b = parameters
        f = X @ w + b
        loss = np.exp(-f[y == 1]).sum() + np.exp(p * f[y == 0]).sum() / p
        return loss / normaliser + l2 / 2 * np.dot(w, w)

    expected = minimize(objective, np.zeros(4), method="Nelder-Mead", tol=1e-12)
    ranker = PClassificationRanker(p, l2=l2, tol=1e-14).fit(X, y)
    found = np.append(ranker.coef_[0], ranker.intercept_)
    np.testing.assert_allclose(found, expected.x, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(approx_fprime(found, objective), 0, atol=1e-6)


@pytest.mark.parametrize("end", ENDS)
def test_repeating_samples_of_either_class_changes_no_coefficient(end):
    X, y = make_overlapping()
    ranker = PClassificationRanker(concentrate=end, tol=1e-14).fit(X, y)
    for repeats in ([3, 3], [1, 5], [4, 1]):
        index = np.repeat(np.arange(len(y)), np.array(repeats)[y])
        again = PClassificationRanker(concentrate=end, tol=1e-14).fit(
            X[index], y[index]
        )
        np.testing.assert_allclose(again.coef_, ranker.coef_, rtol=1e-5)


@pytest.mark.parametrize("end", ENDS)
def test_a_weight_counts_samples(end):
    X, y = make_overlapping()
    weight = np.random.default_rng(0).integers(0, 4, len(y))
    weighted = PClassificationRanker(concentrate=end, tol=1e-14)
    weighted.fit(X, y, sample_weight=weight)
    index = np.repeat(np.arange(len(y)), weight)
    repeated = PClassificationRanker(concentrate=end, tol=1e-14).fit(X[index], y[index])
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-5)
    np.testing.assert_allclose(weighted.intercept_, repeated.intercept_, rtol=1e-5)


def test_bottom_is_top_for_the_other_class():
    X, y = make_overlapping()
    bottom = PClassificationRanker(concentrate="bottom").fit(X, y)
    top = PClassificationRanker().fit(X, 1 - y)
    np.testing.assert_allclose(bottom.coef_, -top.coef_)
    np.testing.assert_allclose(bottom.intercept_, -top.intercept_)


@pytest.mark.parametrize("end", ENDS)
def test_larger_p_makes_that_end_purer(end):
    X, y = make_crossed_spreads()

    def purity(p, concentrate):
        ranker = PClassificationRanker(p, concentrate=concentrate).fit(X, y)
        order = np.argsort(ranker.decision_function(X))
        return y[order[-1200:]].mean() if end == "top" else 1 - y[order[:1200]].mean()

    assert purity(1, end) < purity(4, end) < purity(16, end)
    other = ENDS[1 - ENDS.index(end)]
    assert purity(4, other) < purity(1, end)


def test_an_offset_of_a_feature_changes_no_score():
    X, y = make_overlapping()
    scores = PClassificationRanker().fit(X, y).decision_function(X)
    moved = X + [1e3, -1e4, 5.0]
    moved_scores = PClassificationRanker().fit(moved, y).decision_function(moved)
    np.testing.assert_allclose(moved_scores, scores, atol=1e-6)


def test_units_matter_to_the_penalty_alone():
    X, y = make_overlapping()
    units = np.array([1e-3, 1.0, 1e3])
    scores = PClassificationRanker(l2=0).fit(X, y).decision_function(X)
    other = PClassificationRanker(l2=0).fit(X * units, y).decision_function(X * units)
    np.testing.assert_allclose(other, scores, rtol=1e-5)
    scores = PClassificationRanker(l2=0.1).fit(X, y).decision_function(X)
    other = PClassificationRanker(l2=0.1 * 50**2).fit(50 * X, y)
    np.testing.assert_allclose(other.decision_function(50 * X), scores, rtol=1e-4)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("p", PUSHES)
def test_large_features_and_large_p_do_not_overflow(p, end):
    X, y = make_overlapping(n=60, n_features=20)
    ranker = PClassificationRanker(p, concentrate=end).fit(1e3 * X, y)
    scores = ranker.decision_function(1e3 * X)
    assert np.isfinite(scores).all()
    assert scores[y == 1].mean() > scores[y == 0].mean()


@pytest.mark.parametrize("end", ENDS)
def test_separable_classes_stay_finite_with_a_penalty(end):
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    y = np.array([0, 0, 1, 1])
    norms = []
    for l2 in (10.0, 0.1, 1e-3):
        ranker = PClassificationRanker(l2=l2, concentrate=end).fit(X, y)
        assert (np.diff(ranker.decision_function(X)) > 0).all()
        norms.append(abs(ranker.coef_[0, 0]))
    assert norms == sorted(norms)
    assert norms[-1] < 100


@pytest.mark.parametrize("end", ENDS)
def test_separable_classes_without_a_penalty_warn_and_stay_finite(end):
    # The first feature is the label itself, without any spread inside a class.
    X = np.array([[0.0, 1.0], [0.0, 0.0], [1.0, 1.0], [1.0, 0.0]])
    y = np.array([0, 0, 1, 1])
    ranker = PClassificationRanker(l2=0, concentrate=end, tol=1e-6)
    with pytest.warns(ConvergenceWarning, match="separates the classes and l2=0"):
        ranker.fit(X, y)
    np.testing.assert_array_equal(ranker.predict(X), y)
    # The length at which the loss is about tol, not the largest float.
    scores = ranker.decision_function(X) * (1 if end == "top" else -1)
    log_loss, _ = log_profiled_loss(scores, (y == 1) == (end == "top"))
    assert log_loss == pytest.approx(np.log(1e-6), abs=0.5)


def test_too_few_iterations_warn():
    X, y = make_overlapping(n_features=10)
    with pytest.warns(ConvergenceWarning, match=r"1 of max_iter=1 .*Increase max_iter"):
        ranker = PClassificationRanker(max_iter=1).fit(X, y)
    assert ranker.n_iter_ == 1


def test_constant_features_get_no_weight():
    X, y = make_overlapping()
    X = np.column_stack([np.full(len(X), 1e5 / 3), X])
    for l2 in (0, 0.1):
        coefficients = PClassificationRanker(l2=l2).fit(X, y).coef_[0]
        assert coefficients[0] == pytest.approx(0, abs=1e-9)


def test_features_without_a_signal_leave_the_intercept_alone():
    y = np.array([1, 0, 0, 0, 0])
    ranker = PClassificationRanker(p=4.0).fit(np.ones((5, 2)), y)
    np.testing.assert_array_equal(ranker.coef_, 0)
    # exp(-b) = 4 exp(4 b)
    assert ranker.intercept_[0] == pytest.approx(-np.log(4) / 5)


def test_any_two_labels_do_and_the_larger_one_is_positive():
    X, y = make_overlapping()
    expected = PClassificationRanker().fit(X, y).decision_function(X)
    names = np.array(["background", "cell"])[y]
    ranker = PClassificationRanker().fit(X, names)
    np.testing.assert_array_equal(ranker.classes_, ["background", "cell"])
    np.testing.assert_array_equal(ranker.decision_function(X), expected)
    np.testing.assert_array_equal(ranker.predict(X) == "cell", expected > 0)


def test_fit_forgets_the_fit_before_and_touches_nothing():
    X, y = make_overlapping()
    other_X, other_y = make_overlapping(seed=1, n_features=5)
    for array in (X, y):
        array.flags.writeable = False
    np.random.seed(7)
    before = np.random.get_state()[1].copy()
    fresh = PClassificationRanker().fit(X, y)
    again = PClassificationRanker().fit(other_X, other_y).fit(X, y)
    np.testing.assert_array_equal(again.coef_, fresh.coef_)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"p": 0.5}, r"p is 0.5; expected a number of at least 1"),
        ({"p": np.inf}, "p is inf; expected a number"),
        ({"p": np.nan}, "p is nan; expected a number"),
        ({"p": "4"}, "p is '4'; expected a number"),
        ({"p": True}, "p is True; expected a number"),
        ({"l2": -1}, "l2 is -1; expected a number of at least 0"),
        ({"max_iter": 0}, "max_iter is 0; expected an integer of at least 1"),
        ({"max_iter": 1.5}, "max_iter is 1.5; expected an integer"),
        ({"tol": 0}, "tol is 0; expected a number above 0"),
        (
            {"concentrate": "middle"},
            "concentrate is 'middle'; expected a str among .*'top'",
        ),
    ],
)
def test_bad_parameters_are_named(parameters, message):
    X, y = make_overlapping()
    with pytest.raises(ValueError, match=message):
        PClassificationRanker(**parameters).fit(X, y)


@pytest.mark.parametrize(
    ("y", "weight", "message"),
    [
        ([1, 1, 1], None, r"y has 1 class, .*1.*, .*expected 2"),
        ([0, 1, 2], None, r"Only binary classification is supported.*multiclass"),
        ([0, 1, 1], [0, 1, 1], r"y has 1 class, .*1.*weight is not zero"),
        ([0, 1, 1], [1, -2, 1], r"sample_weight\[1\] is -2.0; expected a weight >= 0"),
        ([0, 1, 1], [0, 0, 0], r"sample_weight is zero everywhere"),
        ([0, 1, 1], [1, 1], r"sample_weight has shape \(2,\); expected \(3,\)"),
        ([0, 1, 1], [1, 1, np.nan], r"sample_weight contains NaN"),
    ],
)
def test_bad_targets_and_weights_are_named(y, weight, message):
    with pytest.raises(ValueError, match=message):
        PClassificationRanker().fit(np.eye(3), y, sample_weight=weight)


# Equation 2 as the paper prints it


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("p", [1.0, 4.0, 64.0])
def test_printed_equation_is_but_a_class_weight(p, end):
    """Without p in the exponent the ranking is that of p = 1, whatever p is."""
    X, y = make_overlapping()
    printed = PClassificationRanker(p, loss="printed", concentrate=end).fit(X, y)
    plain = PClassificationRanker(1.0, concentrate=end).fit(X, y)
    np.testing.assert_allclose(printed.coef_, plain.coef_, atol=1e-6)
    # A weight of 1/p of a class moves the intercept, and nothing else.
    shift = (1 if end == "top" else -1) * np.log(p) / 2
    assert printed.intercept_[0] == pytest.approx(plain.intercept_[0] + shift, abs=1e-6)


def test_with_p_in_the_exponent_the_ranking_depends_on_it():
    X, y = make_crossed_spreads()
    coefficients = [PClassificationRanker(p).fit(X, y).coef_[0] for p in (1.0, 16.0)]
    ratios = [second / first for first, second in coefficients]
    assert max(ratios) > 1.5 * min(ratios)


def test_printed_equation_is_minimised():
    X, y = make_overlapping(n_features=2)
    ranker = PClassificationRanker(4.0, loss="printed", l2=0.0).fit(X, y)

    def printed(theta):
        f = X @ theta[:2] + theta[2]
        return np.exp(-f[y == 1]).sum() + np.exp(f[y == 0]).sum() / 4

    found = np.append(ranker.coef_[0], ranker.intercept_)
    best = minimize(printed, np.zeros(3), tol=1e-12).x
    np.testing.assert_allclose(found, best, atol=1e-4)

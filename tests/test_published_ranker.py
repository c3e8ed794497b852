"""PublishedRanker: the formula of the published code, minimised."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.utils.estimator_checks import check_estimator

from pseudocell import PClassificationRanker, PublishedRanker
from pseudocell.losses import p_classification_loss


def make_classes(seed=0, n=90):
    rng = np.random.default_rng(seed)
    y = (np.arange(n) % 3 == 0).astype(int)
    return np.abs(rng.normal(size=(n, 2)) + 0.8 * y[:, np.newaxis]) * [1, 30], y


def minimise(X, y, p, l2):
    """Minimise sum + l2 * |w|^2 with another solver; return w and b."""

    def objective(theta):
        w, b = theta[:-1], theta[-1]
        value, gradient = p_classification_loss(X @ w + b, y == 1, p)
        by_theta = np.append(gradient @ X + 2 * l2 * w, gradient.sum())
        return value + l2 * w @ w, by_theta

    start = np.zeros(X.shape[1] + 1)
    return minimize(objective, start, jac=True, method="BFGS", tol=1e-10).x


@pytest.mark.parametrize("l2", [0.1, 3.0])
@pytest.mark.parametrize("p", [1.0, 4.0])
def test_minimises_the_sum_with_its_penalty_on_features_over_their_maximum(p, l2):
    X, y = make_classes()
    scores = PublishedRanker(p, l2=l2).fit(X, y).decision_function(X)
    theta = minimise(X / X.max(), y, p, l2)
    np.testing.assert_allclose(
        scores, X / X.max() @ theta[:-1] + theta[-1], rtol=1e-3, atol=1e-3
    )


def test_penalty_weighs_less_the_more_samples_there_are():
    # In the published code tens of times less than 0.1 of the mean, at its numbers.
    X, y = make_classes(n=900)
    inner = PublishedRanker(4.0).fit(X, y).ranker_
    assert inner.l2 == pytest.approx(2 * 0.1 / (300**0.8 * 600**0.2))
    assert 0.1 / inner.l2 > 46


def test_bottom_has_the_best_unlabelled_counted_as_positive():
    X, y = make_classes()
    top = PublishedRanker(4.0).fit(X, y).decision_function(X)
    unlabelled = np.flatnonzero(y == 0)
    best = unlabelled[np.argsort(-top[unlabelled])[: int(0.2 * len(unlabelled))]]
    more = y.copy()
    more[best] = 1
    promoted = PublishedRanker(4.0, promoted=0.2, concentrate="bottom").fit(X, y)
    by_hand = PublishedRanker(4.0, concentrate="bottom").fit(X, more)
    np.testing.assert_array_equal(
        promoted.decision_function(X), by_hand.decision_function(X)
    )
    # The top of the list is that of the labels alone.
    same = PublishedRanker(4.0, promoted=0.2).fit(X, y).decision_function(X)
    np.testing.assert_array_equal(same, top)


def test_bottom_is_the_top_with_the_labels_swapped():
    X, y = make_classes()
    bottom = PublishedRanker(4.0, concentrate="bottom").fit(X, y)
    swapped = PublishedRanker(4.0).fit(X, 1 - y)
    np.testing.assert_allclose(
        bottom.decision_function(X), -swapped.decision_function(X), atol=1e-9
    )


def test_printed_equation_ranks_as_a_push_of_one():
    X, y = make_classes()
    printed = PublishedRanker(4.0, loss="printed").fit(X, y).decision_function(X)
    theta = minimise(X / X.max(), y, 1.0, 0.1 * np.sqrt(4.0))
    order = np.argsort(X / X.max() @ theta[:-1])
    np.testing.assert_array_equal(np.argsort(printed), order)


def test_constant_features_and_zeros_are_fine():
    X, y = np.zeros((6, 2)), np.array([1, 0, 0, 1, 0, 0])
    assert np.isfinite(PublishedRanker().fit(X, y).decision_function(X)).all()


def test_checks_of_scikit_learn_pass():
    results = check_estimator(PublishedRanker(), on_skip=None, on_fail=None)
    failed = {
        r["check_name"]: r["exception"] for r in results if r["status"] == "failed"
    }
    assert not failed
    assert sum(result["status"] == "passed" for result in results) >= 40


def test_bad_parameters_are_named():
    with pytest.raises(ValueError, match="promoted"):
        PublishedRanker(promoted=1.0).fit(*make_classes())
    with pytest.raises(ValueError, match="l2"):
        PublishedRanker(l2=0).fit(*make_classes())


def test_other_ranker_is_not_changed_by_it():
    # The loop scales the features of every ranker that does not do so itself.
    assert PublishedRanker.scales_features
    assert not hasattr(PClassificationRanker, "scales_features")

"""Non-negative PU risk: its value, its gradient, and where they differ."""

import numpy as np
import pytest
import torch

from pseudocell.losses import NonNegativePULoss


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def parts(z, y, prior):
    """The two terms of the risk by the formula, in NumPy."""
    positive, unlabelled = z[y == 1], z[y == 0]
    called_negative = prior * sigmoid(-positive).mean()
    called_positive = sigmoid(unlabelled).mean() - prior * sigmoid(positive).mean()
    return called_negative, called_positive


def risk_and_gradient(loss, z, y):
    z = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    value = loss(z, torch.as_tensor(y))
    value.backward()
    return value.item(), z.grad.numpy()


def numerical_gradient(function, z, step=1e-6):
    shifts = np.eye(len(z)) * step
    return np.array([(function(z + s) - function(z - s)) / (2 * step) for s in shifts])


@pytest.fixture
def normal():
    """Unlabelled examples called positive more often than pi explains."""
    rng = np.random.default_rng(0)
    return np.r_[rng.normal(size=5), rng.normal(size=8)], np.repeat([1, 0], [5, 8])


@pytest.fixture
def overfit():
    """All unlabelled examples called negative: the risk of the negatives is < 0."""
    rng = np.random.default_rng(0)
    return np.r_[rng.normal(3, 1, 5), rng.normal(-5, 1, 8)], np.repeat([1, 0], [5, 8])


@pytest.mark.parametrize("beta", [0.0, 0.1])
@pytest.mark.parametrize("data", ["normal", "overfit"])
def test_value_is_the_formula(data, beta, request):
    z, y = request.getfixturevalue(data)
    first, second = parts(z, y, 0.4)
    value, _ = risk_and_gradient(NonNegativePULoss(0.4, beta=beta), z, y)
    assert (second < -0.1) == (data == "overfit")
    assert value == pytest.approx(first + max(-beta, second), abs=1e-12)


def test_gradient_is_that_of_the_value_while_not_overfit(normal):
    z, y = normal
    _, gradient = risk_and_gradient(NonNegativePULoss(0.4, gamma=0.5), z, y)
    expected = numerical_gradient(lambda z: sum(parts(z, y, 0.4)), z)
    np.testing.assert_allclose(gradient, expected, atol=1e-9)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0])
def test_gradient_undoes_the_overfit(overfit, gamma):
    """Below -beta it is -gamma times that of the negative risk alone."""
    z, y = overfit
    _, gradient = risk_and_gradient(NonNegativePULoss(0.4, gamma=gamma), z, y)
    expected = -gamma * numerical_gradient(lambda z: parts(z, y, 0.4)[1], z)
    np.testing.assert_allclose(gradient, expected, atol=1e-9)


def test_step_against_the_gradient_raises_the_negative_risk(overfit):
    z, y = overfit
    _, gradient = risk_and_gradient(NonNegativePULoss(0.4), z, y)
    assert parts(z - gradient, y, 0.4)[1] > parts(z, y, 0.4)[1]


def test_tolerance_decides_which_gradient(overfit):
    z, y = overfit
    second = parts(z, y, 0.4)[1]
    total = numerical_gradient(lambda z: sum(parts(z, y, 0.4)), z)
    alone = -numerical_gradient(lambda z: parts(z, y, 0.4)[1], z)
    for beta, expected in ((-second + 1e-6, total), (-second - 1e-6, alone)):
        _, gradient = risk_and_gradient(NonNegativePULoss(0.4, beta=beta), z, y)
        np.testing.assert_allclose(gradient, expected, atol=1e-9)


def test_unlabelled_that_are_all_examples_give_the_supervised_risk():
    """U = P + N and pi = |P| / |U|: the PU risk is the risk with all labels."""
    rng = np.random.default_rng(3)
    positive, negative = rng.normal(1, 2, 7), rng.normal(-1, 2, 12)
    z, y = np.r_[positive, positive, negative], np.repeat([1, 0], [7, 19])
    value, gradient = risk_and_gradient(NonNegativePULoss(7 / 19), z, y)
    supervised = np.r_[sigmoid(-positive), sigmoid(negative)].mean()
    assert value == pytest.approx(supervised, abs=1e-12)
    # A positive occurs twice, as labelled and as unlabelled example.
    by_example = np.r_[gradient[:7] + gradient[7:14], gradient[14:]]
    slope = sigmoid(z[7:]) * sigmoid(-z[7:]) / 19
    np.testing.assert_allclose(by_example, slope * np.repeat([-1, 1], [7, 12]))


def test_order_and_repetition_of_the_examples_do_not_matter(normal):
    z, y = normal
    loss = NonNegativePULoss(0.4)
    value, _ = risk_and_gradient(loss, z, y)
    order = np.random.default_rng(4).permutation(len(z))
    assert risk_and_gradient(loss, z[order], y[order])[0] == pytest.approx(value)
    assert risk_and_gradient(loss, np.tile(z, 3), np.tile(y, 3))[0] == (
        pytest.approx(value)
    )


def test_other_labels_count_nowhere(normal):
    z, y = normal
    value, _ = risk_and_gradient(NonNegativePULoss(0.4), z, y)
    more, gradient = risk_and_gradient(
        NonNegativePULoss(0.4), np.r_[z, 7.0], np.r_[y, -1]
    )
    assert more == pytest.approx(value)
    assert gradient[-1] == 0


@pytest.mark.parametrize("z", [[2.0, -1.0], [9.0, 9.0], [-9.0, -9.0]])
def test_batch_of_one_kind_keeps_what_it_knows(z):
    """Without unlabelled examples pi R_p^+, without positives R_u^-."""
    z, loss = np.array(z), NonNegativePULoss(0.4)
    value, gradient = risk_and_gradient(loss, z, np.array([1, 1]))
    assert value == pytest.approx(0.4 * sigmoid(-z).mean())
    assert (gradient < 0).all()
    value, gradient = risk_and_gradient(loss, z, np.array([0, 0]))
    assert value == pytest.approx(sigmoid(z).mean())
    assert (gradient > 0).all()


def test_empty_batch_has_no_risk():
    value, gradient = risk_and_gradient(NonNegativePULoss(0.4), [], [])
    assert value == 0
    assert gradient.shape == (0,)


@pytest.mark.parametrize("extreme", [-1e4, 1e4])
def test_large_logits_stay_finite(extreme):
    z = np.full(4, extreme)
    value, gradient = risk_and_gradient(NonNegativePULoss(0.4), z, [1, 1, 0, 0])
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"class_prior": 0.0}, "class_prior is 0.0; expected"),
        ({"class_prior": 1.0}, "class_prior is 1.0; expected"),
        ({"class_prior": float("nan")}, "class_prior is nan; expected"),
        ({"class_prior": 0.5, "beta": -0.1}, "beta is -0.1; expected"),
        ({"class_prior": 0.5, "gamma": 1.5}, "gamma is 1.5; expected"),
    ],
)
def test_parameter_outside_of_its_interval_is_an_error(parameters, message):
    with pytest.raises(ValueError, match=message):
        NonNegativePULoss(**parameters)


def test_logits_of_another_shape_are_an_error():
    """(n, 1) against (n,) would broadcast to n x n without a word."""
    with pytest.raises(ValueError, match=r"logits has shape \(3, 1\) and y_pu \(3,\)"):
        NonNegativePULoss(0.5)(torch.zeros(3, 1), torch.zeros(3))


@pytest.mark.parametrize("data", ["normal", "overfit"])
def test_risk_and_its_two_gradients_are_those_of_another_package(data, request):
    """Equation 1 and Algorithm 1 of Kiryo et al., as pu-toolbox has them."""
    oracle = pytest.importorskip("pu_toolbox.losses.nnpu")
    z, y = request.getfixturevalue(data)
    value, gradient = risk_and_gradient(NonNegativePULoss(0.4, gamma=0.5), z, y)
    risks = oracle.NonNegativePULoss()(z[y == 1], z[y == 0], class_prior=0.4)
    assert value == pytest.approx(risks, abs=1e-12)
    logits = torch.tensor(z, requires_grad=True)
    called = torch.sigmoid(logits)
    positive, unlabelled = called[y == 1], called[y == 0]
    step, _ = oracle._nnpu_train_step(
        (1 - positive).mean(),
        positive.mean(),
        unlabelled.mean(),
        class_prior=0.4,
        gamma=0.5,
    )
    step.backward()
    np.testing.assert_allclose(gradient, logits.grad.numpy(), atol=1e-12)


@pytest.mark.parametrize("data", ["normal", "overfit"])
@pytest.mark.parametrize("surrogate", ["sigmoid", "log"])
def test_without_correction_the_gradient_is_that_of_the_printed_risk(
    data, surrogate, request
):
    z, y = request.getfixturevalue(data)

    def risk(z):
        cost = {"sigmoid": lambda z: sigmoid(-z), "log": lambda z: np.log1p(np.exp(-z))}
        loss, positive, unlabelled = cost[surrogate], z[y == 1], z[y == 0]
        negative = loss(-unlabelled).mean() - 0.4 * loss(-positive).mean()
        return 0.4 * loss(positive).mean() + max(0, negative)

    loss = NonNegativePULoss(0.4, surrogate=surrogate, correction=False)
    value, gradient = risk_and_gradient(loss, z, y)
    assert value == pytest.approx(risk(z), abs=1e-12)
    np.testing.assert_allclose(gradient, numerical_gradient(risk, z), atol=1e-8)


def test_the_sigmoid_loss_stands_for_the_zero_one_loss():
    """The risk of very sure logits is that of the zero-one loss, (1 - sign(ty)) / 2."""
    z, y = np.array([3.0, -2.0, 4.0, 1.0, -1.0, -3.0, 2.0]), np.repeat([1, 0], [3, 4])
    wrong = {kind: (np.sign(z[y == kind]) > 0).mean() for kind in (1, 0)}
    expected = 0.4 * (1 - wrong[1]) + max(0, wrong[0] - 0.4 * wrong[1])
    value, _ = risk_and_gradient(NonNegativePULoss(0.4), 50 * z, y)
    assert value == pytest.approx(expected, abs=1e-12)

"""Pixels without weight change neither the loss nor its gradient."""

import numpy as np
import pytest
import torch

from pseudocell.losses import MaskedMSELoss

# Losses of (prediction, target, weight), three tensors of one shape.
LOSSES = [MaskedMSELoss()]


def draw(seed=0, shape=(2, 6, 7)):
    rng = np.random.default_rng(seed)
    prediction, target = rng.normal(size=(2, *shape))
    weight = rng.random(shape) * (rng.random(shape) < 0.5)
    return prediction, target, weight


def loss_and_gradient(loss, prediction, target, weight):
    prediction = torch.tensor(prediction, requires_grad=True)
    value = loss(prediction, torch.as_tensor(target), torch.as_tensor(weight))
    value.backward()
    return value.item(), prediction.grad.numpy()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("far", [3.0, 1e30, np.inf, np.nan])
def test_masked_pixels_do_not_matter(loss, far):
    prediction, target, weight = draw()
    value, gradient = loss_and_gradient(loss, prediction, target, weight)
    masked = weight == 0
    assert 0 < masked.sum() < masked.size
    other = loss_and_gradient(loss, np.where(masked, far, prediction), target, weight)
    assert other[0] == value
    np.testing.assert_array_equal(other[1], gradient)
    assert (gradient[masked] == 0).all()
    assert (gradient[~masked] != 0).all()
    other = loss_and_gradient(loss, prediction, np.where(masked, far, target), weight)
    assert other[0] == value
    np.testing.assert_array_equal(other[1], gradient)


def test_squared_error_is_the_weighted_mean():
    """sum w (h' - h)^2 / sum w; its gradient is 2 w (h' - h) / sum w."""
    prediction, target, weight = draw(1)
    value, gradient = loss_and_gradient(MaskedMSELoss(), prediction, target, weight)
    error = prediction - target
    assert value == pytest.approx((weight * error**2).sum() / weight.sum())
    np.testing.assert_allclose(gradient, 2 * weight * error / weight.sum())


@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_is_that_of_the_value(loss):
    prediction, target, weight = (torch.tensor(array) for array in draw(2))
    prediction.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, target, weight), prediction)


@pytest.mark.parametrize("loss", LOSSES)
def test_doubling_every_weight_changes_nothing(loss):
    prediction, target, weight = draw(3)
    value, gradient = loss_and_gradient(loss, prediction, target, weight)
    twice = loss_and_gradient(loss, prediction, target, 2 * weight)
    assert twice[0] == pytest.approx(value)
    np.testing.assert_allclose(twice[1], gradient)


@pytest.mark.parametrize("loss", LOSSES)
def test_weight_two_is_the_pixel_twice(loss):
    prediction, target, _ = draw(4, (1, 1, 5))
    weight = np.array([[[1.0, 2.0, 0.0, 1.0, 1.0]]])
    twice = [0, 1, 1, 3, 4]
    value, _ = loss_and_gradient(loss, prediction, target, weight)
    longer, _ = loss_and_gradient(
        loss, prediction[..., twice], target[..., twice], np.ones((1, 1, 5))
    )
    assert longer == pytest.approx(value)


@pytest.mark.parametrize("loss", LOSSES)
def test_empty_mask_gives_zero(loss):
    prediction, target, weight = draw(5)
    value, gradient = loss_and_gradient(loss, prediction, target, 0 * weight)
    assert value == 0
    assert (gradient == 0).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_boolean_mask_is_a_weight_of_one(loss):
    prediction, target, weight = draw(6)
    mask = weight > 0
    value, _ = loss_and_gradient(loss, prediction, target, mask)
    assert value == loss_and_gradient(loss, prediction, target, mask * 1.0)[0]


@pytest.mark.parametrize("loss", LOSSES)
def test_perfect_prediction_costs_nothing(loss):
    _, target, weight = draw(7)
    assert loss_and_gradient(loss, target, target, weight)[0] == 0

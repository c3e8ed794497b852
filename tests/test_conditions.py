"""The five conditions are complete, fair and repeatable detection problems."""

import math

import numpy as np
import pytest

from pseudocell.datasets import CONDITIONS, DetectionSet, make_condition


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_keeps_the_contract(name):
    condition = make_condition(name, n_train=2, n_test=1, random_state=0)
    assert isinstance(condition, DetectionSet)
    assert condition.name.lower() == f"drawn {name}"
    assert condition.max_distance == 1.25 * condition.cell_radius
    images = condition.train_images + condition.test_images
    points = condition.train_points + condition.test_points
    assert len(images) == len(points) == 3
    for image, centres in zip(images, points, strict=True):
        assert image.dtype == np.uint8
        assert image.shape == (384, 384)
        assert 30 <= len(centres) <= 80
        assert (centres >= 0).all()
        assert (centres <= 383).all()


@pytest.mark.parametrize("fraction", [0.1, 0.5])
def test_the_clicks_are_a_share_of_the_points(fraction):
    condition = make_condition("bmp2", n_test=1, fraction=fraction, random_state=0)
    pairs = zip(condition.train_points, condition.train_clicks, strict=True)
    for points, clicks in pairs:
        assert len(clicks) == math.ceil(fraction * len(points))
        assert set(map(tuple, clicks)) <= set(map(tuple, points))


@pytest.mark.parametrize("name", ["control", "hsc"])
def test_more_images_leave_everything_else_unchanged(name):
    size = {"shape": (120, 120), "random_state": 0}
    few = make_condition(name, n_train=1, n_test=1, **size)
    many = make_condition(name, n_train=2, n_test=3, **size)
    names = ("train_images", "train_points", "train_clicks")
    for field in (*names, "test_images", "test_points"):
        np.testing.assert_array_equal(getattr(few, field)[0], getattr(many, field)[0])
    assert not np.array_equal(many.train_images[0], many.test_images[0])
    assert not np.array_equal(many.train_images[0], many.train_images[1])


def test_the_seed_decides():
    size = {"n_train": 1, "n_test": 1, "shape": (120, 120)}
    once, again, other = (
        make_condition("fgf2", random_state=seed, **size) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(once.test_images, again.test_images)
    np.testing.assert_array_equal(once.train_clicks, again.train_clicks)
    assert not np.array_equal(once.test_images, other.test_images)


def test_conditions_differ():
    images = [
        make_condition(name, n_train=1, n_test=1, random_state=0).train_images[0]
        for name in CONDITIONS
    ]
    for index, image in enumerate(images):
        assert not any(np.array_equal(image, other) for other in images[:index])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "FGF2"}, "name is 'FGF2'; expected one of .*'fgf2'"),
        ({"n_train": 0}, "n_train is 0; expected 1 or more"),
        ({"n_test": -1}, "n_test is -1; expected 1 or more"),
        ({"fraction": 10}, "fraction is 10; expected a share"),
        ({"shape": (40, 384)}, r"shape is \(40, 384\); expected .* at least 4 cell"),
    ],
)
def test_impossible_conditions_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_condition(**{"name": "hsc", "random_state": 0, **arguments})

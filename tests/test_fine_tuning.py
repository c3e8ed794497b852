"""`init`: a detector that goes on from the nets of another one, on other images."""

from functools import partial

import numpy as np
import pytest
from cells import draw_blobs
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, KFold

from pseudocell import HeatmapDetector, NNPUFeaturizer, PseudoLabelCellDetector
from pseudocell.io import load_model, save_model
from pseudocell.model_selection import lee_liu_scorer
from pseudocell.nets import UNet

SMALL = partial(UNet, base_channels=4, depth=1)
STILL = {"max_steps": 1, "lr": 1e-12}


def draw(seed, brightness):
    """Six cells of radius 6, bright ones or dark ones, on a noisy ground."""
    rng = np.random.default_rng(seed)
    grid = np.argwhere(np.ones((4, 5))) * 16.0 + 8
    cells = rng.permutation(grid)[:6]
    image = 128 + brightness * draw_blobs((64, 80), cells, 3)
    return image + rng.normal(scale=4, size=image.shape), cells


@pytest.fixture(scope="module")
def bright():
    """Three images with bright cells, all clicked."""
    return tuple(map(list, zip(*(draw(seed, 100) for seed in range(3)), strict=True)))


@pytest.fixture(scope="module")
def dim():
    """Two images with weaker cells, two of six clicked."""
    images, cells = zip(*(draw(seed, 30) for seed in (10, 11)), strict=True)
    return list(images), [points[:2] for points in cells]


def detector(**parameters):
    parameters = {"module": SMALL, "n_nets": 2, "max_steps": 5, **parameters}
    parameters = {"batch_size": 2, "lr": 1e-2, **parameters}
    parameters = {"device": "cpu", "n_jobs": 1, "random_state": 0, **parameters}
    return HeatmapDetector(6, **parameters)


@pytest.fixture(scope="module")
def fitted(bright):
    return detector().fit(*bright)


def assert_same_heatmaps(one, other, images, atol=0.0):
    for first, second in zip(
        one.predict_heatmap(images), other.predict_heatmap(images), strict=True
    ):
        np.testing.assert_allclose(first, second, rtol=0, atol=atol)


def differ(one, other, images):
    pairs = zip(one.predict_heatmap(images), other.predict_heatmap(images), strict=True)
    return max(np.abs(first - second).max() for first, second in pairs) > 1e-3


# ---------------------------------------------------------------- where it starts
def test_without_learning_it_is_the_detector_that_it_starts_from(fitted, dim):
    tuned = detector(init=fitted, **STILL).fit(*dim)
    # Batch norm goes on counting: one batch of ten.
    assert differ(detector(**STILL).fit(*dim), fitted, dim[0])
    for net, start in zip(tuned.nets_, fitted.nets_, strict=True):
        for one, other in zip(
            net.module_.parameters(), start.module_.parameters(), strict=True
        ):
            np.testing.assert_allclose(one.detach(), other.detach(), atol=1e-6)
    assert (tuned.n_steps_, fitted.n_steps_) == (6, 5)


def test_it_is_the_same_as_a_warm_start_and_leaves_the_other_as_it_was(bright, dim):
    start = detector().fit(*bright)
    before = start.predict_heatmap(bright[0])
    for init in (start, FrozenEstimator(start)):
        tuned = detector(init=init, max_steps=3).fit(*dim)
        for one, other in zip(start.predict_heatmap(bright[0]), before, strict=True):
            np.testing.assert_array_equal(one, other)
        assert differ(tuned, start, dim[0])
    start.set_params(warm_start=True, max_steps=3).fit(*dim)
    assert_same_heatmaps(tuned, start, dim[0])


def test_second_fit_starts_there_again_unless_it_is_a_warm_start(fitted, dim):
    tuned = detector(init=fitted).fit(*dim)
    again = clone(detector(init=FrozenEstimator(fitted))).fit(*dim).fit(*dim)
    assert_same_heatmaps(tuned, again, dim[0])
    assert again.n_steps_ == 10
    assert again.set_params(warm_start=True).fit(*dim).n_steps_ == 15


# ---------------------------------------------------------- as a part, in a search
def whole(init, **parameters):
    parameters = {"max_iter": 1, "max_candidates": 2, **parameters}
    return PseudoLabelCellDetector(
        6,
        detector=detector(init=init, max_steps=2, warm_start=True),
        featurizer=NNPUFeaturizer(max_steps=2, batch_size=8),
        device="cpu",
        n_jobs=1,
        random_state=0,
        **parameters,
    )


def test_round_0_of_the_loop_starts_there(fitted, dim):
    loop = whole(FrozenEstimator(fitted), max_iter=0).fit(*dim)
    tuned = detector(init=fitted, max_steps=2).fit(*dim)
    assert_same_heatmaps(loop.detector_, tuned, dim[0])
    # A loop is a start too.
    again = detector(init=loop, max_steps=2).fit(*dim)
    assert again.n_steps_ == loop.detector_.n_steps_ + 2


@pytest.mark.filterwarnings("ignore:The pseudo labels made the detector worse")
def test_further_rounds_go_on_from_round_0(fitted, dim):
    loop = whole(FrozenEstimator(fitted), candidate_threshold=0.01).fit(*dim)
    steps = [each.n_steps_ for each in loop.detectors_]
    assert steps == [7, 9][: len(steps)]
    assert loop.n_iter_ == 1


def test_search_over_the_steps_of_fine_tuning_keeps_the_start(fitted, dim):
    search = GridSearchCV(
        detector(init=FrozenEstimator(fitted)),
        {"max_steps": [1, 2]},
        scoring=partial(lee_liu_scorer, max_distance=6),
        cv=KFold(2),
        error_score="raise",
    ).fit(*dim)
    assert search.best_estimator_.n_steps_ == 5 + search.best_params_["max_steps"]


def test_start_is_in_the_model_file(fitted, dim, tmp_path):
    tuned = detector(init=FrozenEstimator(fitted)).fit(*dim)
    save_model(tuned, tmp_path / "tuned.pseudocell")
    loaded = load_model(tmp_path / "tuned.pseudocell")
    assert_same_heatmaps(loaded, tuned, dim[0])
    assert_same_heatmaps(loaded.fit(*dim), tuned, dim[0])


def test_few_steps_from_there_beat_the_same_steps_from_nothing(bright, dim):
    """Two clicks an image, and a tenth of the steps."""
    start = detector(masked=False, max_steps=60).fit(*bright)
    truth = [draw(seed, 30)[1] for seed in (10, 11)]
    tuned, fresh = (
        detector(init=init, masked=False, max_steps=6).fit(*dim).score(dim[0], truth)
        for init in (start, None)
    )
    assert tuned > 0.6
    assert tuned > fresh + 0.3


# --------------------------------------------------------------------- bad input
def test_clone_that_forgot_the_nets_is_named(fitted, dim):
    message = "init is a HeatmapDetector without fitted nets.*FrozenEstimator"
    with pytest.raises(NotFittedError, match=message):
        clone(detector(init=fitted)).fit(*dim)
    with pytest.raises(NotFittedError, match=message):
        whole(fitted).fit(*dim)
    with pytest.raises(NotFittedError, match="init is a int"):
        detector(init=3).fit(*dim)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_nets": 1}, "n_nets is 1, but init has 2; expected the same"),
        ({"nominal_radius": 12}, "nominal_radius is 12, but init has 6"),
    ],
)
def test_other_sizes_are_named(fitted, dim, change, message):
    with pytest.raises(ValueError, match=message):
        detector(init=fitted, **change).fit(*dim)


def test_other_channels_are_named(fitted, dim):
    colour = [np.dstack([image] * 3) for image in dim[0]]
    with pytest.raises(ValueError, match=r"images\[0\] has 3 channel"):
        detector(init=fitted).fit(colour, dim[1])

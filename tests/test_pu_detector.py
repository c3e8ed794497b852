"""PUDetector: candidates that look like clicked cells are cells, the others are not."""

import numpy as np
import pytest
import torch
from cells import draw_blobs, scatter_points
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import pdist
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from tiny_nets import PixelNet

from pseudocell import HeatmapDetector, NNPUFeaturizer
from pseudocell.baselines._pu_detector import PUDetector, _draw
from pseudocell.metrics import detection_f1

RADIUS = 6
N_CELLS, N_CLICKS, N_BARS = 10, 4, 14


def draw(seed, shape=(128, 128)):
    """Round cells, and bars, as bright, which are none."""
    rng = np.random.default_rng(seed)
    points = scatter_points(rng, shape, N_CELLS + N_BARS, 16)
    cells, bars = np.split(points, [N_CELLS])
    image = draw_blobs(shape, cells, 3) + draw_blobs(shape, bars[::2], (6, 1.2))
    image += draw_blobs(shape, bars[1::2], (1.2, 6))
    image += 0.02 * rng.normal(size=shape)
    return image.astype(np.float32), cells


@pytest.fixture(scope="module")
def data():
    """Images, clicks on some cells, all cells."""
    images, cells = zip(*[draw(seed) for seed in range(3)], strict=True)
    return list(images), [array[:N_CLICKS] for array in cells], list(cells)


def quick(**parameters):
    parts = {
        "detector": HeatmapDetector(module=PixelNet, max_steps=1, lr=1e-6),
        "featurizer": NNPUFeaturizer(max_steps=40, batch_size=32, lr=3e-3),
        "candidate_threshold": 0.55,
    }
    shared = {"device": "cpu", "n_jobs": 1, "random_state": 0}
    return PUDetector(RADIUS, **{**shared, **parts, **parameters})


@pytest.fixture(scope="module")
def fitted(data):
    return quick().fit(*data[:2])


# ------------------------------------------------------------ what it is there for
def test_cells_are_told_from_what_the_detector_takes_for_cells(fitted, data):
    images, _, cells = data
    unseen, truth = draw(9)
    assert fitted.score(images, cells) > 0.9
    assert fitted.score([unseen], [truth]) > 0.8
    alone = fitted.detector_.set_params(threshold=0.55)
    assert alone.score(images, cells) < 0.7


def test_prior_is_the_share_of_cells_among_the_unlabelled_candidates(fitted):
    assert fitted.n_positive_ == 3 * N_CLICKS
    share = 3 * (N_CELLS - N_CLICKS) / fitted.n_unlabelled_
    assert abs(fitted.class_prior_ - share) < 0.2


@pytest.mark.parametrize("prior", [0.2, 0.5, 0.8])
def test_border_gives_the_share_of_the_prior(data, prior):
    featurizer = Recorder(max_steps=1)
    detector = quick(class_prior=prior, featurizer=featurizer).fit(*data[:2])
    learnt = detector.featurizer_
    scores = learnt.decision_function(learnt.X_[learnt.y_ == 0]) - detector.border_
    assert abs(np.mean(scores > 0) - prior) <= 1 / len(scores)
    assert detector.class_prior_ == prior
    assert learnt.class_prior == max(prior, 0.6)


# ---------------------------------------------------------------------- prediction
def test_detections_are_the_candidates_on_the_positive_side(fitted, data):
    images, _, cells = data
    everything = fitted.find_candidates(images)
    for found, points, (candidates, logits) in zip(
        fitted.predict_scored(images), fitted.predict(images), everything, strict=True
    ):
        positive = logits > 0
        np.testing.assert_array_equal(points, candidates[positive])
        np.testing.assert_array_equal(found[0], points)
        np.testing.assert_array_equal(found[1], logits[positive])
        assert (np.diff(logits) <= 0).all()
        assert pdist(candidates).min() > RADIUS
        assert 0 < positive.sum() < len(logits)
    expected = detection_f1(cells, fitted.predict(images), 1.25 * RADIUS)
    assert fitted.score(images, cells) == expected


def test_classifier_sees_a_patch_around_each_peak(fitted, data):
    image = data[0][0]
    points, scores = fitted.find_candidates([image])[0]
    patches = fitted.extractor_.transform([(image, points)])
    logits = fitted.featurizer_.decision_function(patches)
    np.testing.assert_allclose(logits - fitted.border_, scores, atol=1e-4)
    peaks = {
        tuple(point) for point in fitted.detector_.find_candidates([image], 0.55)[0][0]
    }
    assert {tuple(point) for point in points} <= peaks


def test_image_without_a_candidate_and_image_without_a_click_are_fine(fitted, data):
    images, clicks, _ = data
    blank = np.zeros((40, 50), dtype=np.float32)
    assert fitted.predict([blank, images[0]])[0].shape == (0, 2)
    other = quick().fit([*images, blank], [*clicks, []])
    assert other.n_positive_ == fitted.n_positive_
    assert other.predict([blank])[0].shape == (0, 2)


# --------------------------------------------------------------- what it learns from
class Recorder(NNPUFeaturizer):
    """Remembers what it was given."""

    def fit(self, X, y):
        self.X_, self.y_ = X, y
        return super().fit(X, y)


@pytest.mark.parametrize("room", [1, 3, 50])
def test_at_most_so_many_unlabelled_candidates_are_learnt_from(data, room):
    featurizer = Recorder(max_steps=1)
    detector = quick(max_candidates=room, featurizer=featurizer, class_prior=0.5)
    y = detector.fit(*data[:2]).featurizer_.y_
    n_positive, n_unlabelled = detector.n_positive_, detector.n_unlabelled_
    assert (y == 1).sum() == n_positive
    assert (y == 0).sum() == min(room * n_positive, n_unlabelled)


def test_draw_keeps_points_at_their_images():
    points = [np.full((n, 2), float(i)) for i, n in enumerate([5, 0, 40, 3, 0])]
    for n_drawn in (0, 7, 48):
        drawn = _draw(points, n_drawn, np.random.RandomState(0))
        assert len(drawn) == len(points)
        assert sum(map(len, drawn)) == n_drawn
        assert all((array == i).all() for i, array in enumerate(drawn))
        assert all(len(x) <= len(y) for x, y in zip(drawn, points, strict=True))


# ------------------------------------------------------------- what must not matter
def test_same_seed_gives_the_same_and_fit_forgets(fitted, data):
    images, clicks, _ = data
    read_only = [[array.copy() for array in arrays] for arrays in (images, clicks)]
    for array in [*read_only[0], *read_only[1]]:
        array.flags.writeable = False
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    other = quick(n_jobs=2).fit(images[:1], [clicks[0][:2]]).fit(*read_only)
    assert torch.equal(torch.get_rng_state(), torch_before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)
    assert other.class_prior_ == fitted.class_prior_
    for one, two in zip(
        other.find_candidates(images), fitted.find_candidates(images), strict=True
    ):
        np.testing.assert_array_equal(one[0], two[0])
        np.testing.assert_array_equal(one[1], two[1])


def test_parameters_are_stored_and_the_parts_are_cloned(fitted):
    copy = clone(fitted)
    assert copy.get_params(deep=False).keys() == quick().get_params(deep=False).keys()
    assert fitted.class_prior is None
    assert fitted.detector.cell_radius is None  # told to the clone alone
    assert fitted.detector_.cell_radius == fitted.extractor_.cell_radius == RADIUS
    assert not hasattr(copy, "featurizer_")
    assert copy.set_params(detector__max_steps=7).detector.max_steps == 7


# ----------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("parameters", "clicks", "message"),
    [
        ({}, [[], [], []], "points holds no click in any image"),
        ({}, [[], []], "points has 2 lists of points for 3 images"),
        ({"class_prior": 0}, None, r"class_prior is 0; expected a number in \(0, 1\)"),
        ({"class_prior": 1.2}, None, r"class_prior is 1\.2"),
        ({"max_candidates": 0}, None, "max_candidates is 0; expected an integer"),
        (
            {"candidate_threshold": 99.0},
            None,
            "No peak of the detector is at a clicked",
        ),
    ],
)
def test_bad_input_is_named(data, parameters, clicks, message):
    with pytest.raises(ValueError, match=message):
        quick(**parameters).fit(data[0], data[1] if clicks is None else clicks)


def test_nothing_but_clicked_cells_cannot_be_learnt_from():
    image = np.zeros((40, 40), dtype=np.float32)
    image[20, 20] = 1
    image = gaussian_filter(image, 3)
    with pytest.raises(ValueError, match="Every peak of the detector is at a clicked"):
        quick().fit([image], [[[20, 20]]])


def test_prediction_needs_a_fit(data):
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        quick().predict(data[0])

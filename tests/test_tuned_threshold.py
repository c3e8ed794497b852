"""TunedThresholdDetector: the best cut of the candidates, found in one pass."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, maximum_filter
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from tiny_nets import PixelNet

from pseudocell import HeatmapDetector
from pseudocell._geometry._matching import match_points
from pseudocell.baselines._tuned_threshold import TunedThresholdDetector, _adds_a_pair
from pseudocell.metrics import detection_f1, lee_liu_score

RADIUS = 4.0


class PixelDetector(BaseEstimator):
    """Every pixel above the threshold is a candidate, as high as it is bright."""

    def __init__(self, threshold=0.5, held_out=None):
        self.threshold = threshold
        self.held_out = held_out

    def fit(self, images, points):
        self.cell_radius_, self.threshold_ = RADIUS, self.threshold
        if self.held_out is not None:
            self.click_heights_ = [np.full(len(x), self.held_out) for x in points]
        return self

    def find_candidates(self, images, threshold=0.0):
        found = []
        for image in images:
            points = np.argwhere(image > threshold)
            heights = image[tuple(points.T)]
            order = np.argsort(-heights, kind="stable")
            found.append((points[order].astype(float), heights[order]))
        return found


def draw(seed, n_images=3):
    """Images of single pixels, brighter at cells; heights in steps, so with ties."""
    rng = np.random.default_rng(seed)
    images, cells = [], []
    for _ in range(n_images):
        image = np.zeros((50, 60), dtype=np.float32)
        places = rng.permutation(image.size)[:60]
        image.flat[places] = rng.integers(1, 15, 60) / 20
        cells.append(np.argwhere(image > 0)[::3] + rng.uniform(-2, 2, (20, 2)))
        cells[-1] = np.clip(cells[-1], 0, (49, 59))
        image[tuple(np.argwhere(image > 0)[::3].T)] += 0.2
        images.append(image)
    return images, cells


def above(images, threshold):
    return [points for points, _ in PixelDetector().find_candidates(images, threshold)]


@pytest.mark.parametrize("seed", range(3))
def test_f1_is_that_of_the_detections_at_every_threshold(seed):
    images, cells = draw(seed)
    tuned = TunedThresholdDetector(PixelDetector(), labels="all").fit(images, cells)
    expected = [
        detection_f1(cells, above(images, threshold), 1.25 * RADIUS)
        for threshold in tuned.thresholds_
    ]
    np.testing.assert_allclose(tuned.scores_, expected, rtol=1e-12)
    assert tuned.score(images, cells) == pytest.approx(tuned.scores_.max())
    assert tuned.threshold_ == tuned.thresholds_[np.argmax(expected)]
    assert max(expected) > max(expected[0], expected[-1])  # there is a choice


def lee_liu_of_usable(recall, n_detected):
    """A threshold that loses more than half of the clicks is out of the question."""
    return lee_liu_score(recall, n_detected) if recall >= 0.5 else 0.0


def test_lee_liu_counts_clicks_that_are_found_and_all_detections():
    images, cells = draw(0)
    clicks = [array[:4] for array in cells]
    tuned = TunedThresholdDetector(PixelDetector()).fit(images, clicks)
    expected = []
    for threshold in tuned.thresholds_:
        found = above(images, threshold)
        distances = [
            np.linalg.norm(click - points, axis=1).min(initial=np.inf)
            for array, points in zip(clicks, found, strict=True)
            for click in array
        ]
        recall = np.mean(np.array(distances) <= RADIUS)
        expected.append(lee_liu_of_usable(recall, sum(map(len, found))))
    np.testing.assert_allclose(tuned.scores_, expected, rtol=1e-12)
    assert tuned.threshold_ == tuned.thresholds_[np.argmax(expected)]
    assert 0 < np.count_nonzero(expected) < len(expected) - 1


@pytest.mark.parametrize("height", [0.33, 0.52])
def test_threshold_is_just_below_the_height_of_held_out_clicks(height):
    """All clicks stand equally high: higher loses them all, lower finds no more."""
    images, cells = draw(0)
    tuned = TunedThresholdDetector(PixelDetector(held_out=height)).fit(images, cells)
    below = tuned.thresholds_[tuned.thresholds_ < height]
    assert tuned.threshold_ == below.max()


def test_thresholds_are_all_that_tell_heights_apart():
    images, cells = draw(1)
    tuned = TunedThresholdDetector(PixelDetector(), labels="all").fit(images, cells)
    heights = np.concatenate([image[image > 0] for image in images])
    n_above = [(heights > threshold).sum() for threshold in tuned.thresholds_]
    levels, counts = np.unique(heights, return_counts=True)
    assert n_above == np.cumsum(counts[::-1]).tolist()
    assert len(levels) == len(tuned.scores_) == len(tuned.thresholds_)


@pytest.mark.parametrize("shape", [(60, 40), (150, 30), (30, 150)])
def test_marks_count_the_pairs_among_the_first_points(shape):
    rng = np.random.default_rng(0)
    points, cells = (rng.uniform(0, 30, (n, 2)) for n in shape)
    marks = _adds_a_pair(points, cells, 3.0)
    expected = [
        len(match_points(points[:n], cells, 3.0)[0]) for n in range(1, len(points) + 1)
    ]
    assert np.cumsum(marks).tolist() == expected
    assert 10 < expected[-1] < len(points)


def test_a_cell_is_handed_over_when_both_points_can_have_one():
    points, cells = np.array([[0.0, 3], [0, 0]]), np.array([[0.0, 1], [0, 5]])
    assert _adds_a_pair(points, cells, 2.0).tolist() == [True, True]
    assert _adds_a_pair(points, cells[:1], 2.0).tolist() == [True, False]
    assert _adds_a_pair(points, np.zeros((0, 2)), 2.0).tolist() == [False, False]


@pytest.mark.parametrize("labels", ["all", "clicks"])
def test_detections_are_the_candidates_above_the_threshold(labels):
    images, cells = draw(2)
    tuned = TunedThresholdDetector(PixelDetector(), labels=labels).fit(images, cells)
    expected = PixelDetector().find_candidates(images, tuned.threshold_)
    for found, points, (wanted, heights) in zip(
        tuned.predict_scored(images), tuned.predict(images), expected, strict=True
    ):
        np.testing.assert_array_equal(found[0], wanted)
        np.testing.assert_array_equal(points, wanted)
        np.testing.assert_array_equal(found[1], heights)
    assert len(tuned.find_candidates(images)[0][0]) == 60
    assert len(tuned.find_candidates(images, 0.9)[0][0]) == 0


def test_one_pass_is_exact_for_peaks_of_a_heatmap():
    """The peaks above a threshold are the highest of all peaks."""
    rng = np.random.default_rng(0)
    images = [gaussian_filter(rng.normal(size=(80, 60)), 2) for _ in range(2)]
    clicks = [
        np.argwhere((maximum_filter(x, 9) == x) & (x > x.std()))[::2] for x in images
    ]
    detector = HeatmapDetector(
        6, module=PixelNet, n_nets=2, max_steps=1, lr=1e-6, device="cpu"
    )
    tuned = TunedThresholdDetector(detector.set_params(random_state=0))
    tuned.fit(images, clicks)
    heights = np.concatenate(tuned.detector_.click_heights_)
    assert len(tuned.thresholds_) > 10
    for threshold, score in list(zip(tuned.thresholds_, tuned.scores_, strict=True))[
        ::7
    ]:
        found = tuned.detector_.find_candidates(images, threshold)
        n_detected = sum(len(points) for points, _ in found)
        expected = lee_liu_of_usable(np.mean(heights > threshold), n_detected)
        assert score == pytest.approx(expected, rel=1e-12)


def test_parameters_are_stored_and_the_detector_is_cloned():
    detector = PixelDetector(threshold=0.7)
    tuned = TunedThresholdDetector(detector, labels="all").fit(*draw(0))
    assert tuned.detector is detector
    assert not hasattr(detector, "cell_radius_")
    assert tuned.detector_ is not detector
    copy = clone(tuned).set_params(detector__threshold=0.6)
    assert (copy.labels, copy.detector.threshold) == ("all", 0.6)
    assert not hasattr(copy, "threshold_")


@pytest.mark.parametrize("labels", ["all", "clicks"])
@pytest.mark.parametrize("bright", [0.0, 0.9])
def test_threshold_of_the_detector_is_kept_where_no_cell_is_found(labels, bright):
    image = np.zeros((40, 40), dtype=np.float32)
    image[0, 0] = bright
    tuned = TunedThresholdDetector(PixelDetector(threshold=0.7), labels=labels)
    with pytest.warns(UserWarning, match=r"threshold of the detector, 0\.7, is kept"):
        tuned.fit([image], [[[30, 30]]])
    assert tuned.threshold_ == 0.7
    assert len(tuned.predict([image])[0]) == (bright > 0)


def test_bad_input_is_named():
    images, cells = draw(0)
    with pytest.raises(ValueError, match="labels is 'some'; expected a str among"):
        TunedThresholdDetector(PixelDetector(), labels="some").fit(images, cells)
    with pytest.raises(ValueError, match="points has 2 lists of points for 3 images"):
        TunedThresholdDetector(PixelDetector()).fit(images, cells[:2])
    with pytest.raises(ValueError, match="points holds no click in any image"):
        TunedThresholdDetector(PixelDetector()).fit(images, [[], [], []])
    with pytest.raises(ValueError, match="images is empty"):
        TunedThresholdDetector(PixelDetector()).fit([], [])
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        TunedThresholdDetector(PixelDetector()).predict(images)

"""The paper's rule of detection: each heatmap from 0 to 255, peaks above 128."""

import numpy as np
import pytest
import torch
from cells import draw_blobs, in_order, scatter_points
from skimage.feature import peak_local_max
from sklearn.base import clone
from tiny_nets import PixelNet

from pseudocell import HeatmapDetector
from pseudocell._detection import _tiled_peaks
from pseudocell._geometry import _tiling
from pseudocell.io import load_model, save_model

RADIUS = 6


def draw(seed, shape=(90, 120)):
    rng = np.random.default_rng(seed)
    points = scatter_points(rng, shape, 9, 14)
    noise = rng.normal(0, 0.03, shape)
    return (draw_blobs(shape, points) * rng.uniform(0.3, 1) + noise), points


@pytest.fixture(scope="module")
def data():
    drawn = [draw(seed) for seed in range(3)]
    return [image for image, _ in drawn], [points for _, points in drawn]


def fitted(data, gain=0.5, offset=0.5, **parameters):
    """A detector whose heatmap is the image, by the paper's rule."""
    parameters = {"normalize": "min-max", "module": PixelNet, **parameters}
    detector = HeatmapDetector(
        RADIUS,
        max_steps=1,
        lr=1e-6,
        device="cpu",
        n_jobs=1,
        random_state=0,
        **parameters,
    ).fit(*data)
    with torch.no_grad():
        for net in detector.nets_:
            net.module_.gain.fill_(gain)
            net.module_.offset.fill_(offset)
    return detector


def test_peaks_are_those_of_the_published_steps(data):
    # A rectifier, 0 to 255 by minimum and maximum, local maxima above 128, with the
    # neighbourhoods of the peaks round and not square.
    detector = fitted(data, 0.4, 0.1)
    raw = fitted(data, 0.4, 0.1, normalize=None).predict_heatmap(data[0])
    for points, heatmap in zip(detector.predict(data[0]), raw, strict=True):
        heatmap = np.maximum(heatmap, 0)
        grey = (heatmap - heatmap.min()) / (heatmap.max() - heatmap.min()) * 255
        peaks = peak_local_max(
            grey,
            min_distance=np.nextafter(RADIUS // 2, np.inf),
            threshold_abs=128,
            exclude_border=False,
            footprint=np.ones((3, 3)),
            p_norm=2,
        )
        assert len(peaks) > 0
        np.testing.assert_array_equal(in_order(points), in_order(peaks))


def test_heights_are_those_of_the_stretched_heatmap(data):
    detector = fitted(data)
    assert detector.threshold_ == 128 / 255
    heatmaps = detector.predict_heatmap(data[0])
    for (points, heights), heatmap in zip(
        detector.predict_scored(data[0]), heatmaps, strict=True
    ):
        assert heatmap.min() == 0
        assert heatmap.max() == 1
        rows, cols = points.astype(int).T
        np.testing.assert_array_equal(heights, heatmap[rows, cols])
        assert (heights > 128 / 255).all()
    for (_, all_heights), (_, heights) in zip(
        detector.find_candidates(data[0], -np.inf),
        detector.predict_scored(data[0]),
        strict=True,
    ):
        assert 0 < all_heights.min() < 128 / 255
        np.testing.assert_array_equal(heights, all_heights[all_heights > 128 / 255])


@pytest.mark.parametrize(("gain", "offset"), [(0.05, 0.1), (3.0, 4.0)])
def test_gain_and_offset_of_a_heatmap_do_not_matter(data, gain, offset):
    wanted = fitted(data).predict(data[0])
    for points, other in zip(
        wanted, fitted(data, gain, offset).predict(data[0]), strict=True
    ):
        np.testing.assert_array_equal(in_order(points), in_order(other))


@pytest.mark.parametrize("level", [0.0, 0.7, -0.3])
def test_constant_heatmap_gives_no_cell(data, level):
    detector = fitted(data, 0.0, level)
    assert [len(points) for points in detector.predict(data[0])] == [0, 0, 0]
    assert not any(len(p) for p, _ in detector.find_candidates(data[0], -np.inf))
    # A place that is asked for is there in any case.
    ((points, heights), *_) = detector.find_candidates(data[0], 0, data[1])
    np.testing.assert_array_equal(points, data[1][0])
    assert not heights.any()


def test_tiles_do_not_matter(data, monkeypatch):
    detector = fitted(data)
    whole = detector.find_candidates(data[0])
    monkeypatch.setattr(
        _tiled_peaks, "cut_windows", lambda shape: _tiling.cut_windows(shape, 33)
    )
    tiled = detector.find_candidates(data[0])
    for some, others in zip(whole, tiled, strict=True):
        for one, other in zip(some, others, strict=True):
            np.testing.assert_array_equal(one, other)


def test_rule_comes_back_from_a_file_and_from_a_clone(data, tmp_path):
    detector = HeatmapDetector(
        RADIUS, normalize="min-max", max_steps=1, device="cpu", random_state=0
    ).fit(*data)
    save_model(detector, tmp_path / "a.pseudocell")
    again = load_model(tmp_path / "a.pseudocell")
    assert again.normalize == clone(detector).normalize == "min-max"
    for points, other in zip(
        detector.predict(data[0]), again.predict(data[0]), strict=True
    ):
        np.testing.assert_array_equal(points, other)


def test_unknown_rule_is_refused(data):
    with pytest.raises(ValueError, match="normalize.*'max'"):
        HeatmapDetector(RADIUS, normalize="max").fit(*data)

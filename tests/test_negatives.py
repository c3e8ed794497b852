"""Places that are no cell, and further cells, as arguments of fit: sure labels."""

import numpy as np
import pytest
from cells import draw_blobs, scatter_points
from tiny_nets import PixelNet, small_unet

from pseudocell import HeatmapDetector, NNPUFeaturizer, PseudoLabelCellDetector
from pseudocell._detection._training import NominalLabels, plan_batches
from pseudocell._images import Images
from pseudocell._labels import Labels
from pseudocell.io import load_model, save_model

SHAPE = (70, 90)


def draw(seed):
    """Cells, and specks that a bright pixel makes as bright as they are."""
    rng = np.random.default_rng(seed)
    cells, specks = np.split(scatter_points(rng, SHAPE, 12, 13), [7])
    image = draw_blobs(SHAPE, cells, 3.0) + draw_blobs(SHAPE, specks, 2.0)
    return 200 * image + rng.normal(0, 1, SHAPE), cells, specks


@pytest.fixture(scope="module")
def data():
    images, cells, specks = map(list, zip(*map(draw, range(2)), strict=True))
    return images, cells, specks


def loop(module=PixelNet, held_out="places", **parameters):
    """A loop in seconds; with PixelNet every cell and speck is a peak in each round."""
    detector = HeatmapDetector(
        module=module, max_steps=2, batch_size=2, n_nets=2, held_out=held_out,
        lr=1e-6 if module is PixelNet else 1e-2,
    )  # fmt: skip
    parameters = {
        "cell_radius": 6,
        "max_iter": 1,
        "detector": detector,
        "featurizer": NNPUFeaturizer(max_steps=3, batch_size=16),
        "device": "cpu",
        "n_jobs": 1,
        "random_state": 0,
        **parameters,
    }
    return PseudoLabelCellDetector(**parameters)


def some(points, *numbers):
    return [array[list(numbers)] for array in points]


def is_among(point, points):
    return bool((np.linalg.norm(points - point, axis=1) <= 6).any())


@pytest.mark.parametrize("held_out", ["places", "clicks"])
def test_a_mark_is_learnt_as_no_cell_in_every_round(data, held_out):
    images, cells, specks = data
    marks = some(specks, 0, 1)
    fitted = loop(held_out=held_out).fit(images, some(cells, 0, 1, 2), negatives=marks)
    for one in fitted.rounds_:
        for index, its in enumerate(marks):
            for mark in its:
                assert is_among(mark, one.labels.negatives[index])
                assert not is_among(mark, one.labels.positives[index])
                assert not is_among(mark, one.labels.undecided[index])


@pytest.mark.parametrize("held_out", ["places", "clicks"])
def test_a_correction_is_a_cell_in_every_round_and_no_click(data, held_out):
    images, cells, _ = data
    clicks, more = some(cells, 0, 1, 2), some(cells, 3)
    fitted = loop(held_out=held_out).fit(images, clicks, positives=more)
    for one in fitted.rounds_:
        for index in range(2):
            assert is_among(more[index][0], one.labels.positives[index])
            np.testing.assert_array_equal(one.labels.clicks[index], clicks[index])
    assert [len(heights) for heights in fitted.detector_.click_heights_] == [3, 3]


def test_round_0_learns_a_disc_of_zeros(data):
    """The masked loss alone: with marks the net stands lower there."""
    images, cells, specks = data
    clicks = some(cells, 0, 1, 2, 3)

    def heights(**more):
        part = HeatmapDetector(module=small_unet, max_steps=40, batch_size=4)
        fitted = loop(detector=part, max_iter=0).fit(images, clicks, **more)
        maps = fitted.detector_.predict_heatmap(images)
        return [
            each[tuple(points.astype(int).T)].mean()
            for each, points in zip(maps, specks, strict=True)
        ]

    assert np.mean(heights(negatives=specks)) < np.mean(heights()) - 0.1


def test_as_many_crops_lie_around_a_mark_as_around_a_click():
    detector = HeatmapDetector(6, nominal_radius=6)
    detector.n_channels_, detector.cell_radius_, detector.n_steps_ = 1, 6.0, 0
    nothing = [np.zeros((0, 2))]
    images = Images([np.zeros((600, 600))])
    clicks, mark = [np.full((9, 2), 30.0)], [np.array([[300.0, 300.0]])]
    labels = NominalLabels(clicks, nothing, mark, nothing, mark, [np.zeros(0)])
    for masked in (True, False):
        detector.masked = masked
        (batches,), _ = plan_batches(
            detector, images, labels, [np.full(9, -1)], None, most=200, seeds=[0]
        )
        groups = [len(group) for group in batches.centres]
        assert groups == [len(clicks[0]) + 1]


def test_nothing_given_changes_nothing(data):
    images, cells, _ = data
    clicks, nothing = some(cells, 0, 1, 2), [[], []]
    one = loop().fit(images, clicks)
    other = loop().fit(images, clicks, positives=nothing, negatives=nothing)
    for first, second in zip(
        one.find_candidates(images), other.find_candidates(images), strict=True
    ):
        np.testing.assert_array_equal(first[0], second[0])
        np.testing.assert_array_equal(first[1], second[1])


def test_marks_count_where_the_number_of_cells_is_estimated(data):
    """They stay among the candidates: not one cell more because some are known."""
    images, cells, specks = data
    labels = Labels.from_clicks(some(cells, 0), negatives=specks)
    assert not any(map(len, labels.with_open_negatives().negatives))
    fitted = loop().fit(images, some(cells, 0, 1, 2), negatives=specks)
    for marks, candidates in zip(specks, fitted.candidates_, strict=True):
        assert all(is_among(mark, candidates) for mark in marks)


def test_a_file_and_a_warm_start_know_them(data, tmp_path):
    images, cells, specks = data
    more = {"positives": some(cells, 3), "negatives": some(specks, 0)}
    clicks = some(cells, 0, 1, 2)
    saved = loop(module=None, warm_start=True, max_iter=0).fit(images, clicks, **more)
    save_model(saved, tmp_path / "a.pseudocell")
    fitted = load_model(tmp_path / "a.pseudocell")
    for index in range(2):
        labels = fitted.rounds_[0].labels
        np.testing.assert_array_equal(labels.positives[index], more["positives"][index])
        np.testing.assert_array_equal(labels.negatives[index], more["negatives"][index])
    fitted.fit(images, clicks, **more)
    with pytest.raises(
        ValueError, match=r"negatives\[0\] is not what it was in the fit"
    ):
        fitted.fit(images, clicks, positives=more["positives"])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([[[99.0, 5.0]], []], r"negatives\[0\].*outside|negatives\[0\]"),
        ([[]], r"negatives"),
        ([[[np.nan, 5.0]], []], r"negatives\[0\]"),
    ],
)
def test_marks_come_through_the_door_of_clicks(data, bad, message):
    images, cells, _ = data
    with pytest.raises(ValueError, match=message):
        loop().fit(images, cells, negatives=bad)


def test_a_place_cannot_be_a_cell_and_none(data):
    images, cells, _ = data
    with pytest.raises(ValueError, match=r"negatives\[1\] has the place .* a cell in"):
        loop().fit(images, cells, negatives=[[], cells[1][:1] + 0.3])

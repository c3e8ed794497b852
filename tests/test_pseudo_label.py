"""PseudoLabelCellDetector: what a round may add, and what never changes."""

import copy
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
import torch
from cells import draw_blobs, scatter_points
from scipy.ndimage import gaussian_filter
from sklearn.base import clone
from tiny_nets import PixelNet, small_unet

from pseudocell import (
    CalibratedSelector,
    HeatmapDetector,
    NNPUFeaturizer,
    PatchExtractor,
    PClassificationRanker,
    PseudoLabelCellDetector,
    ShareSelector,
    paper_recipe,
)
from pseudocell._geometry._peaks import are_far
from pseudocell._images import Images
from pseudocell._labels import Labels
from pseudocell._ranking import _cross_fit
from pseudocell._ranking._candidates import Candidates, pair_folds, sort_candidates
from pseudocell._ranking._cross_fit import rank_candidates

SHAPES = [(72, 96), (64, 64), (90, 70)]


def draw_image(shape, seed, n_cells=6, n_specks=6):
    """Round cells of radius 6 and, as bright, specks; apart and off the border."""
    rng = np.random.default_rng(seed)
    points = scatter_points(rng, shape, n_cells + n_specks, 13, border=7)
    cells, specks = np.split(points, [n_cells])
    image = 8 * gaussian_filter(rng.normal(size=shape), 1.0)
    image += 180 * (draw_blobs(shape, cells, 3.0) + draw_blobs(shape, specks, 1.3))
    return np.clip(30 + image, 0, 255).astype(np.uint8), cells, specks


@pytest.fixture(scope="module")
def data():
    """Three images of different sizes, a click on half of the cells, all cells."""
    drawn = [draw_image(shape, seed) for seed, shape in enumerate(SHAPES)]
    images, cells, _ = map(list, zip(*drawn, strict=True))
    return images, [points[::2] for points in cells], cells


def quick(module=PixelNet, max_steps=1, **parameters):
    """A loop in seconds; with PixelNet every cell and speck is a peak in each round."""
    rate = 1e-6 if module is PixelNet else 1e-2
    detector = HeatmapDetector(
        module=module, max_steps=max_steps, batch_size=2, n_nets=2, lr=rate
    )
    parameters = {
        "cell_radius": 6,
        "alpha": 0.2,
        "beta": 0.2,
        "detector": detector,
        "featurizer": NNPUFeaturizer(max_steps=5, batch_size=16),
        "candidate_threshold": 0.4,
        "device": "cpu",
        "n_jobs": 1,
        "random_state": 0,
        **parameters,
    }
    return PseudoLabelCellDetector(**parameters)


@pytest.fixture(scope="module")
def fitted(data):
    return quick().fit(*data[:2])


def assert_same(one, other, images):
    """Detections, heatmaps and pseudo labels are exactly the same."""
    for first, second in zip(one.predict(images), other.predict(images), strict=True):
        np.testing.assert_array_equal(first, second)
    for first, second in zip(
        one.detector_.predict_heatmap(images),
        other.detector_.predict_heatmap(images),
        strict=True,
    ):
        np.testing.assert_array_equal(first, second)
    assert len(one.labels_) == len(other.labels_)
    for labels, others in zip(one.labels_, other.labels_, strict=True):
        for name in ("positives", "negatives"):
            for first, second in zip(labels[name], others[name], strict=True):
                np.testing.assert_array_equal(first, second)


def nearest(points, others):
    """Distance of each point to the nearest of the others."""
    apart = np.linalg.norm(points[:, np.newaxis] - others, axis=2)
    return apart.min(axis=1, initial=np.inf)


# -------------------------------------------------------------------- the loop
def test_no_round_is_the_masked_detector(data):
    images, clicks, _ = data
    loop = quick(small_unet, 3, max_iter=0).fit(images, clicks)
    alone = HeatmapDetector(
        6, module=small_unet, max_steps=3, batch_size=2, n_nets=2, lr=1e-2,
        device="cpu", n_jobs=1, random_state=0,
    ).fit(images, clicks)  # fmt: skip
    for first, second in zip(
        loop.detector_.predict_heatmap(images),
        alone.predict_heatmap(images),
        strict=True,
    ):
        np.testing.assert_array_equal(first, second)
    for first, second in zip(loop.predict(images), alone.predict(images), strict=True):
        np.testing.assert_array_equal(first, second)
    assert (loop.n_iter_, loop.labels_, len(loop.history_)) == (0, [], 1)


def test_where_every_cell_is_clicked_no_cell_is_added(data):
    """The specks look like no clicked cell."""
    images, _, cells = data
    featurizer = NNPUFeaturizer(max_steps=30, batch_size=16)
    loop = quick(featurizer=featurizer).fit(images, cells)
    assert loop.history_[-1]["n_candidates"] > 0
    assert loop.history_[-1]["n_positive"] == 0
    assert loop.history_[-1]["n_negative"] > 0


def test_cells_become_positive_and_specks_negative(data):
    images, clicks, cells = data
    featurizer = NNPUFeaturizer(max_steps=30, batch_size=16)
    loop = quick(featurizer=featurizer).fit(images, clicks)
    labels = loop.labels_[-1]
    assert loop.history_[-1]["n_positive"] > 0
    assert loop.history_[-1]["n_negative"] > 0
    for positives, negatives, points in zip(
        labels["positives"], labels["negatives"], cells, strict=True
    ):
        assert (nearest(positives, points) <= 3).all()
        assert (nearest(negatives, points) > 3).all()


class Recorder(HeatmapDetector):
    """A detector that remembers what it was fitted on, and how."""

    def fit(self, images, points, **labels):
        clicks = [np.array(array) for array in points]
        self.seen_ = {"points": clicks, "masked": self.masked, **labels}
        return super().fit(images, points, **labels)


def record(data, **parameters):
    detector = Recorder(module=PixelNet, max_steps=1, batch_size=2, n_nets=2)
    images, clicks, _ = data
    return quick(detector=detector, **parameters).fit(images, clicks)


def test_annotated_points_are_never_dropped(data):
    loop = record(data, max_iter=3, selector=ShareSelector())
    assert len(loop.detectors_) == 4
    for detector in loop.detectors_:
        for seen, click in zip(detector.seen_["points"], data[1], strict=True):
            np.testing.assert_array_equal(seen, click)
    for record_ in loop.history_:
        assert record_["n_clicked"] == sum(map(len, data[1]))


def test_pseudo_labels_are_kept_and_lie_away_from_clicks_and_each_other(data):
    loop = record(data, max_iter=3, selector=ShareSelector())
    nothing = {"positives": [np.zeros((0, 2))] * 3, "negatives": [np.zeros((0, 2))] * 3}
    rounds = [nothing, *loop.labels_]
    for detector, labels, before in zip(
        loop.detectors_[1:], rounds[1:], rounds, strict=False
    ):
        added = 0
        for name in ("positives", "negatives"):
            for index, array in enumerate(labels[name]):
                old = before[name][index]
                np.testing.assert_array_equal(detector.seen_[name][index], array)
                np.testing.assert_array_equal(array[: len(old)], old)
                new = array[len(old) :]
                added += len(new)
                known = [data[1][index], before["positives"][index]]
                known = np.concatenate([*known, before["negatives"][index]])
                assert (nearest(new, known) > 6).all()
        assert added > 0
    for positives in loop.labels_[-1]["positives"]:
        apart = np.linalg.norm(positives[:, np.newaxis] - positives, axis=2)
        assert (apart[np.triu_indices(len(positives), 1)] > 6).all()


@pytest.mark.parametrize("learn_background", [True, False])
def test_background_is_learnt_once_there_are_pseudo_labels(data, learn_background):
    loop = record(data, learn_background=learn_background)
    masked = [detector.seen_["masked"] for detector in loop.detectors_]
    assert masked == [True] + [not learn_background] * 2
    # A kept detector says how it was trained.
    assert [detector.masked for detector in loop.detectors_] == masked


def test_history_counts_what_each_round_learnt_from(fitted, data):
    n_clicked = sum(map(len, data[1]))
    assert [row["iteration"] for row in fitted.history_] == [0, 1, 2]
    assert fitted.history_[0]["n_positive"] == fitted.history_[0]["n_negative"] == 0
    for row, labels in zip(fitted.history_[1:], fitted.labels_, strict=True):
        assert row["n_clicked"] == n_clicked
        for name, count in (("positives", "n_positive"), ("negatives", "n_negative")):
            assert row[count] == sum(map(len, labels[name]))
        assert row["n_candidates"] > 0
        assert row["seconds"] > 0
    assert fitted.n_iter_ == 2
    assert fitted.termination_condition_ == "max_iter"
    assert fitted.detector_ is fitted.detectors_[-1]


def test_round_of_each_label_is_told(fitted, data):
    for rounds, clicks, first, last in zip(
        fitted.labeled_iter_,
        data[1],
        fitted.labels_[0]["positives"],
        fitted.labels_[1]["positives"],
        strict=True,
    ):
        expected = [0] * len(clicks) + [1] * len(first) + [2] * (len(last) - len(first))
        assert rounds.tolist() == expected


def test_share_of_each_round_is_bounded(data):
    loop = quick(selector=ShareSelector(), alpha=0.1, beta=0.3).fit(*data[:2])
    for before, row in zip(loop.history_, loop.history_[1:], strict=False):
        n_candidates = row["n_candidates"]
        positive = row["n_positive"] - before["n_positive"]
        negative = row["n_negative"] - before["n_negative"]
        assert 0 < positive <= np.ceil(0.1 * n_candidates)
        assert 0 < negative <= np.ceil(0.3 * n_candidates)


def test_loop_stops_when_nothing_changes(data):
    loop = quick(alpha=0.0, beta=0.0, max_iter=5).fit(*data[:2])
    assert loop.termination_condition_ == "no_change"
    assert loop.n_iter_ == 1 == len(loop.detectors_) - 1


class Spoilt(HeatmapDetector):
    """A detector that sees cells everywhere, or nowhere, once it has pseudo labels."""

    spoil = staticmethod(lambda detector: None)

    def fit(self, images, points, **labels):
        super().fit(images, points, **labels)
        if sum(map(len, labels["positives"])) > 0:
            self.spoil(self)
        return self


def rate_everything(detector):
    detector.threshold_ = 0.0
    detector.found_heights_ = np.ones(10_000)
    detector.nets_ = [copy.deepcopy(net) for net in detector.nets_]
    for net in detector.nets_:
        net.module_.forward = lambda images: torch.rand(
            images[:, 0].shape, generator=torch.Generator().manual_seed(0)
        )


def rate_nothing(detector):
    detector.threshold_ = 100.0


@pytest.mark.parametrize("spoil", [rate_everything, rate_nothing])
@pytest.mark.parametrize("n_nets", [1, 2])
def test_worse_detector_is_refused_if_clicks_were_held_out(
    data, monkeypatch, spoil, n_nets
):
    images, clicks, _ = data
    monkeypatch.setattr(Spoilt, "spoil", staticmethod(spoil))
    detector = Spoilt(module=PixelNet, max_steps=1, batch_size=2, n_nets=n_nets)
    loop = quick(detector=detector, max_iter=1, selector=ShareSelector())
    if n_nets == 1:
        # Nothing speaks against it: the rule of the paper stays as it is.
        loop.fit(images, clicks)
        assert loop.detector_ is loop.detectors_[1]
        assert loop.termination_condition_ == "max_iter"
        return
    with pytest.warns(UserWarning, match="made the detector worse on held-out clicks"):
        loop.fit(images, clicks)
    assert loop.detector_ is loop.detectors_[0]
    assert loop.termination_condition_ == "worse"
    assert loop.n_iter_ == 1 == len(loop.detectors_) - 1
    for found, first in zip(
        loop.predict(images), next(loop.staged_predict(images)), strict=True
    ):
        np.testing.assert_array_equal(found, first)


def rate_clicks_high(detector):
    """As a detector does that has learnt the other kinds as background."""
    if detector.background_weight < 0.1:
        return
    detector.click_heights_ = [heights + 9 for heights in detector.click_heights_]


def test_odd_clicks_end_the_rounds_with_less_background(data, monkeypatch):
    images, clicks, _ = data
    monkeypatch.setattr(Spoilt, "spoil", staticmethod(rate_clicks_high))
    detector = Spoilt(module=PixelNet, max_steps=1, batch_size=2, n_nets=2)
    loop = quick(detector=detector, max_iter=3, selector=ShareSelector())
    with pytest.warns(UserWarning, match="clicked cells stand out") as caught:
        loop.fit(images, clicks)
    assert len(caught) == 1
    assert loop.termination_condition_ == "odd_clicks"
    assert loop.n_iter_ == 1 == len(loop.detectors_) - 1
    assert loop.detector_ is loop.detectors_[1]
    assert loop.detector_.background_weight == pytest.approx(0.02)
    quartile = np.quantile(np.concatenate(loop.detector_.click_heights_), 0.25)
    assert loop.detector_.threshold_ < quartile * 2 / 3

    # Found in round 2 only: round 1 has learnt other kinds as background, too.
    def rate_clicks_high_later(detector):
        if detector.n_steps_ == 6:
            rate_clicks_high(detector)

    monkeypatch.setattr(Spoilt, "spoil", staticmethod(rate_clicks_high_later))
    loop.detector.set_params(max_steps=2, warm_start=True)
    with pytest.warns(UserWarning, match="clicked cells stand out"):
        loop.fit(images, clicks)
    assert [one.n_steps_ for one in loop.detectors_] == [2, 4, 4]
    weights = [one.background_weight for one in loop.detectors_]
    assert weights == pytest.approx([0.1, 0.1, 0.02])
    loop.detector.set_params(max_steps=1, warm_start=False)

    # Where everything is found clicks stand out, too, but that is no fault of theirs.
    def rate_everything_but_clicks_more(detector):
        rate_everything(detector)
        rate_clicks_high(detector)

    monkeypatch.setattr(Spoilt, "spoil", staticmethod(rate_everything_but_clicks_more))
    with pytest.warns(UserWarning, match="made the detector worse"):
        loop.fit(images, clicks)
    assert (loop.n_iter_, loop.termination_condition_) == (3, "worse")

    # Only unlabelled places that are learnt as background need clicks at random.
    monkeypatch.setattr(Spoilt, "spoil", staticmethod(rate_clicks_high))
    loop.set_params(learn_background=False).fit(images, clicks)
    assert loop.termination_condition_ == "max_iter"


# ------------------------------------------------------------------ prediction
def test_predictions_agree(fitted, data):
    images = data[0]
    points = fitted.predict(images)
    assert sum(map(len, points)) > 0
    staged = list(fitted.staged_predict(images))
    assert len(staged) == 3
    for found, (same, scores), last in zip(
        points, fitted.predict_scored(images), staged[-1], strict=True
    ):
        np.testing.assert_array_equal(found, same)
        np.testing.assert_array_equal(found, last)
        assert (np.diff(scores) <= 0).all()
        assert (scores > fitted.detector_.threshold_).all()
    assert fitted.score(images, points) == 1


def test_detector_comes_back_from_a_file(fitted, data, tmp_path):
    joblib.dump(fitted, tmp_path / "detector.joblib")
    loaded = joblib.load(tmp_path / "detector.joblib")
    assert_same(loaded, fitted, data[0])


# Nets of a few steps are good for nothing, and told so.
@pytest.mark.filterwarnings("ignore:The pseudo labels made the detector worse")
# -------------------------------------------------------- what must not matter
def test_same_seed_gives_the_same_on_any_number_of_threads(data):
    images, clicks, _ = data
    before = torch.get_num_threads()
    loops = []
    try:
        for threads, n_jobs in ((1, 1), (2, 1), (1, 2), (2, 2)):
            torch.set_num_threads(threads)
            loop = quick(small_unet, 20, max_iter=1, candidate_threshold=0.05)
            loop.set_params(n_jobs=n_jobs)
            loops.append(loop.fit(images, clicks))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert loops[0].history_[-1]["n_negative"] > 0
    for loop in loops[1:]:
        assert_same(loop, loops[0], images)


def test_fit_forgets_the_fit_before(fitted, data):
    images, clicks, _ = data
    colour = [np.dstack([images[0]] * 3)]
    again = quick().fit(colour, clicks[:1]).fit(images, clicks)
    assert_same(again, fitted, images)
    assert vars(again).keys() == vars(fitted).keys()


def test_global_generators_and_inputs_stay_unchanged(data):
    images, clicks = ([array.copy() for array in arrays] for arrays in data[:2])
    for array in [*images, *clicks]:
        array.flags.writeable = False
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    quick(cell_radius=None, class_prior=None).fit(images, clicks).predict(images)
    assert torch.equal(torch.get_rng_state(), torch_before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)
    for old, new in zip([*data[0], *data[1]], [*images, *clicks], strict=True):
        np.testing.assert_array_equal(old, new)


class Lazy:
    """An image on disk: it is an array only when asked to be."""

    def __init__(self, image):
        self.image = image

    def __array__(self, dtype=None, copy=None):
        return np.array(self.image, dtype=dtype)


@pytest.mark.parametrize(
    "camera",
    [Lazy, lambda image: image.astype(np.uint16) * 256, lambda image: image / 256],
)
def test_lazy_16_bit_and_float_images_give_the_same(fitted, data, camera):
    """Powers of two: exactly the same numbers."""
    images, clicks, _ = data
    assert_same(quick().fit([camera(x) for x in images], clicks), fitted, images)


def test_parameters_are_stored_and_never_written(data):
    parts = {
        "extractor": PatchExtractor(size=13),
        "ranker": PClassificationRanker(),
        "selector": CalibratedSelector(),
    }
    loop = quick(cell_radius=None, max_iter=1, **parts)
    before = {k: repr(v) for k, v in loop.get_params().items()}
    assert loop.fit(*data[:2]) is loop
    assert {k: repr(v) for k, v in loop.get_params().items()} == before
    copy = clone(loop)
    assert {k: repr(v) for k, v in copy.get_params().items()} == before
    assert not hasattr(copy, "n_iter_")
    copy.set_params(alpha=0.5, detector__max_steps=9)
    assert (copy.alpha, copy.detector.max_steps) == (0.5, 9)


def test_paper_recipe_takes_the_rules_of_the_paper(data):
    recipe = paper_recipe(6, full_size=False, device="cpu", n_jobs=1, random_state=0)
    recipe.set_params(detector__max_steps=1, detector__module=PixelNet)
    recipe.set_params(featurizer__max_steps=2)
    recipe.fit(*data[:2])
    assert isinstance(recipe.selector, ShareSelector)
    assert all(detector.masked for detector in recipe.detectors_)
    assert paper_recipe(max_iter=5).max_iter == 5
    assert paper_recipe().detector.nominal_radius == paper_recipe().cell_radius == 12


# ----------------------------------------------------- candidates and rankings
def test_peaks_are_sorted_by_the_labels_near_them():
    peaks = np.array([[10.0, 10], [10, 40], [40, 10], [40, 40], [12, 13]])
    heights = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    labels = Labels(
        clicks=[np.array([[70.0, 70], [10, 11]])],
        positives=[np.array([[11.0, 40]])],
        negatives=[np.array([[40, 12.0]])],
        undecided=[np.zeros((0, 2))],
    )
    detector = SimpleNamespace(
        click_folds_=[np.array([0, 1])], click_heights_=[np.array([0.0, 0.3])]
    )
    shapes = [(96, 96)]
    found = sort_candidates([(peaks, heights)], labels, detector, shapes, radius=6)
    assert found.positive[0].tolist() == [[10, 10], [10, 40]]
    assert found.positive_heights[0].tolist() == [0.3, 0.8]
    # One fold alone has a click at a peak: it cannot be held out.
    assert seen_and_asked(found.folds) == [[[0, 1], [0]]]
    assert found.unlabelled[0].tolist() == [[40, 40]]
    assert found.unlabelled_heights[0].tolist() == [0.6]


def test_rankers_are_asked_about_clicks_that_they_have_not_seen():
    """Pseudo positives are seen by all and asked about by none."""
    numbers = np.array([0, 1, -1, 1, -1])
    is_clicked = np.array([True, True, False, True, False])
    folds = pair_folds(numbers, is_clicked, np.full(3, -1))
    assert seen_and_asked(folds) == [[[1, 2, 3, 4], [0]], [[0, 2, 4], [1, 3]]]
    assert all(fold.learnt.all() and fold.ranked.all() for fold in folds)
    for all_seen in (np.full(5, -1), np.zeros(5, dtype=int)):
        folds = pair_folds(all_seen, is_clicked, np.full(3, -1))
        assert seen_and_asked(folds) == [[[0, 1, 2, 3, 4], [0, 1, 3]]]


def test_a_ranker_knows_nothing_of_the_places_that_it_ranks():
    numbers, places = np.array([0, 1, 0, 1]), np.array([0, 0, 1])
    is_clicked = np.array([True, True, False, False])
    folds = pair_folds(numbers, is_clicked, places)
    assert seen_and_asked(folds) == [[[1, 3], [0, 2]], [[0, 2], [1, 3]]]
    assert [fold.learnt.tolist() for fold in folds] == [[0, 0, 1], [1, 1, 0]]
    assert [fold.ranked.tolist() for fold in folds] == [[1, 1, 0], [0, 0, 1]]


def seen_and_asked(folds):
    return [[fold.seen.tolist(), fold.asked.tolist()] for fold in folds]


def test_what_is_exactly_at_the_radius_is_near():
    points = np.array([[0.0, 3.0], [0.0, 3.1]])
    assert are_far(points, np.array([[0.0, 0.0]]), 3.0).tolist() == [False, True]
    assert are_far(points, np.zeros((0, 2)), 3.0).tolist() == [True, True]


def candidates_of(data, numbers, is_clicked=(True, True)):
    """Two clicks an image; all cells and as many specks to rank."""
    _, _, cells = data
    specks = [draw_image(shape, n)[2] for n, shape in enumerate(SHAPES)]
    numbers, is_clicked = np.array(3 * [*numbers]), np.array(3 * [*is_clicked])
    return Candidates(
        positive=[points[:2] for points in cells],
        positive_heights=[np.ones(2)] * 3,
        is_clicked=is_clicked,
        folds=pair_folds(numbers, is_clicked, np.full(36, -1)),
        unlabelled=[np.vstack(pair) for pair in zip(cells, specks, strict=True)],
        unlabelled_heights=[np.linspace(0, 1, 12)] * 3,
    )


def rank(images, candidates, seed=0, **changes):
    parameters = {
        "extractor": PatchExtractor(6),
        "featurizer": NNPUFeaturizer(0.5, max_steps=20, batch_size=16, random_state=0),
        "ranker": PClassificationRanker(),
        "by_height": True,
        "room": 50,
        "n_jobs": 1,
        **changes,
    }
    rng = np.random.RandomState(seed)
    return rank_candidates(Images(images), candidates, rng=rng, **parameters)


def test_cells_rank_above_specks(data):
    ranking = rank(data[0], candidates_of(data, [0, 1]))
    is_cell = np.tile(np.repeat([True, False], 6), 3)
    for scores in (ranking.top, ranking.bottom):
        assert scores[is_cell].mean() > scores[~is_cell].mean() + scores.std()


@pytest.mark.parametrize(
    ("numbers", "is_clicked"),
    [([0, 1], [1, 1]), ([-1, -1], [1, 1]), ([0, 0], [1, 1]), ([0, -1], [1, 0])],
)
def test_every_click_at_a_peak_is_scored(data, numbers, is_clicked):
    """Also if all of them were dealt to the same net, as with few clicks."""
    is_clicked = [*map(bool, is_clicked)]
    ranking = rank(data[0], candidates_of(data, numbers, is_clicked))
    n_clicked = 3 * sum(is_clicked)
    assert ranking.clicked_top.shape == ranking.clicked_bottom.shape == (n_clicked,)
    assert ranking.top.shape == ranking.bottom.shape == (36,)


@pytest.mark.parametrize("room", [2, 50])
def test_spread_over_images_does_not_matter(data, room):
    """The same image twice, one candidate of two in each, and one without any."""
    images, candidates = data[0], candidates_of(data, [0, 1])
    both = []
    for name in ("positive", "positive_heights"):
        arrays = getattr(candidates, name)
        both.append([arrays[0], arrays[0][:0], arrays[0][:0], arrays[1]])
    both.append(np.full(4, True))
    both.append(pair_folds(np.array([0, 1, 0, 1]), both[-1], np.full(24, -1)))
    for name in ("unlabelled", "unlabelled_heights"):
        arrays = getattr(candidates, name)
        both.append([arrays[0][:5], arrays[0][5:], arrays[0][:0], arrays[1]])
    spread = Candidates(*both)
    whole = Candidates(*(getattr(candidates, field)[:2] for field in vars(candidates)))
    whole.folds, whole.is_clicked = spread.folds, spread.is_clicked
    blank = np.zeros((30, 30), dtype=np.uint8)
    one = rank(images[:2], whole, room=room)
    other = rank([images[0], images[0], blank, images[1]], spread, room=room)
    for name in ("top", "bottom", "clicked_top", "clicked_bottom"):
        np.testing.assert_allclose(
            getattr(one, name), getattr(other, name), rtol=1e-4, atol=1e-5
        )


class CountingExtractor(PatchExtractor):
    """An extractor that tells how many patches it was asked for at a time."""

    asked = ()

    def transform(self, X):
        counts = [len(points) for _, points in X]
        CountingExtractor.asked = (*CountingExtractor.asked, counts)
        return super().transform(X)


@pytest.mark.parametrize(("room", "sampled"), [(50, 36), (2, 12)])
def test_patches_of_one_image_at_a_time_and_of_those_learnt_from(
    data, monkeypatch, room, sampled
):
    monkeypatch.setattr(CountingExtractor, "asked", ())
    candidates = candidates_of(data, [0, 1])
    blank = np.zeros((30, 30), dtype=np.uint8)
    for name in set(vars(candidates)) - {"folds", "is_clicked"}:
        array = getattr(candidates, name)
        array.append(array[0][:0])
    extractor = CountingExtractor(6)
    rank([*data[0], blank], candidates, extractor=extractor, room=room)
    counts = [count for (count,) in CountingExtractor.asked]
    # Each image to learn from, then each to rank; the blank one is left out.
    assert sum(counts[:3]) == 3 * 2 + sampled
    assert counts[3:] == [12, 12, 12]


def test_no_more_is_learnt_from_than_fits_into_memory(data, monkeypatch):
    monkeypatch.setattr(CountingExtractor, "asked", ())
    monkeypatch.setattr(_cross_fit, "LARGEST_SAMPLE", 7)
    candidates = candidates_of(data, [0, 1])
    ranking = rank(data[0], candidates, extractor=CountingExtractor(6))
    assert sum(count for (count,) in CountingExtractor.asked[:3]) == 3 * 2 + 7
    assert ranking.top.shape == (36,)


# --------------------------------------------------------- what is searched at all
MEGAPIXELS = [np.prod(shape) / 1e6 for shape in SHAPES]


def places(labels):
    """How many labels, of whatever kind, each image has."""
    counts = [[len(points) for points in lists] for lists in labels.values()]
    return np.sum(counts, axis=0)


def test_limit_that_is_not_reached_changes_nothing(data):
    """Not even the numbers that are drawn."""
    images, clicks, _ = data
    all_, limited = (
        quick(max_search=limit, random_state=np.random.RandomState(0), max_iter=1)
        for limit in (None, sum(MEGAPIXELS))
    )
    assert_same(all_.fit(images, clicks), limited.fit(images, clicks), images)
    assert (places(limited.labels_[-1]) > 0).all()


def test_search_is_limited_and_begins_where_clicks_are(data):
    images, clicks, _ = data
    some = [clicks[0][:0], clicks[1], clicks[2][:0]]
    for seed in range(3):
        loop = quick(
            max_search=MEGAPIXELS[1], alpha=0.3, beta=0.3, selector=ShareSelector()
        )
        loop.set_params(random_state=seed, max_iter=1).fit(images, some)
        labels = places(loop.labels_[-1])
        assert (labels > 0).tolist() == [False, True, False]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_all_rounds_search_the_same_images(data, seed):
    """One pixel more than the clicked image has, and another image is searched."""
    images, clicks, _ = data
    some = [clicks[0][:0], clicks[1], clicks[2][:0]]
    loop = quick(
        max_search=MEGAPIXELS[1] + 1e-6, alpha=0.3, beta=0.3, selector=ShareSelector()
    )
    loop.set_params(random_state=np.random.RandomState(seed)).fit(images, some)
    assert loop.n_iter_ == 2
    searched = [places(labels) > 0 for labels in loop.labels_]
    assert searched[0].sum() == 2
    np.testing.assert_array_equal(searched[0], searched[1])
    assert all(map(len, loop.predict(images)))


def test_search_counts_in_pixels_of_the_nominal_size(data):
    """With a cell radius of 12 there are four pixels where there is one with 6."""
    images, clicks, _ = data
    large = [np.kron(image, np.ones((2, 2), np.uint8)) for image in images]
    clicks = [clicks[0][:0], 2 * clicks[1] + 0.5, clicks[2][:0]]
    for share, n_searched in ((1, 1), (1.01, 2)):
        loop = quick(cell_radius=12, max_search=share * MEGAPIXELS[1], max_iter=1)
        loop.set_params(alpha=0.3, beta=0.3, selector=ShareSelector()).fit(
            large, clicks
        )
        assert (places(loop.labels_[-1]) > 0).sum() == n_searched


# ------------------------------------------------------------------- bad input
def test_one_image_and_one_click_are_enough(data):
    images, clicks, _ = data
    loop = quick(max_iter=1).fit(images[:1], [clicks[0][:1]])
    assert loop.n_iter_ == 1
    assert loop.history_[1]["n_clicked"] == 1


def test_click_on_nothing_beside_a_good_one_is_no_error(data):
    images, clicks, _ = data
    for seed in range(3):
        wrong = np.vstack([clicks[0][:1], [[0.0, 95.0]]])
        loop = quick(max_iter=1, random_state=seed).fit(images[:1], [wrong])
        assert loop.history_[-1]["n_clicked"] == 2


def test_image_without_clicks_and_blank_image_are_fine(data):
    images, clicks, _ = data
    blank = np.full((50, 40), 9, dtype=np.uint8)
    loop = quick(max_iter=1).fit([*images, blank, images[0]], [*clicks, [], []])
    assert loop.predict([blank])[0].shape == (0, 2)


def test_only_a_click_on_nothing_warns_and_keeps_the_detector(data):
    images, _, _ = data
    blank = np.full((64, 64), 9, dtype=np.uint8)
    blank[30:40, 30:40] = 200
    with pytest.warns(UserWarning, match="No pseudo label could be chosen"):
        loop = quick().fit([blank], [[[5.0, 5.0]]])
    assert loop.termination_condition_ == "no_candidates"
    assert loop.n_iter_ == 0
    assert len(loop.predict(images)) == 3


def test_no_unlabelled_candidate_left_warns_and_keeps_the_detector():
    image, cells, _ = draw_image((64, 64), 3, n_specks=0)
    with pytest.warns(UserWarning, match="none is elsewhere. Click more cells"):
        loop = quick(learn_background=False).fit([image], [cells])
    assert loop.termination_condition_ == "no_candidates"
    assert loop.score([image], [cells]) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clicks": [[], [], []]}, "^partial_points holds no click in any image"),
        ({"clicks": [[[5, 5]]]}, "partial_points has 1 lists of points for 3 images"),
        ({"clicks": [[[5, 5, 5]], [], []]}, r"partial_points\[0\] has shape \(1, 3\)"),
        ({"clicks": [[[95, 60]], [], []]}, r"^partial_points\[0\] .* Swapped they"),
        ({"clicks": [[], [[64, 64]], []]}, r"^partial_points\[1\] has 1 of 1 points"),
        ({"clicks": [[[np.nan, 5]], [], []]}, r"partial_points\[0\] .* NaN"),
        ({"images": []}, "images is empty"),
        ({"image": np.full((64, 64), np.nan)}, r"images\[1\] has no pixel that counts"),
        ({"image": np.zeros((64, 64, 3))}, r"images\[1\] has 3 channel\(s\)"),
        ({"max_iter": -1}, "max_iter is -1; expected an integer of at least 0"),
        ({"max_iter": 1.5}, "max_iter is 1.5; expected an integer"),
        ({"alpha": 5}, "alpha is 5; expected a number"),
        ({"max_search": 0}, "max_search is 0; expected a number above 0"),
        ({"beta": -1}, "beta is -1; expected a number"),
        ({"cell_radius": -3}, "cell_radius is -3; expected"),
    ],
)
@pytest.mark.parametrize("radius", [6, None])
def test_bad_input_is_named(data, change, message, radius):
    images, clicks, change = list(data[0]), data[1], dict(change)
    if "image" in change:
        images[1] = change.pop("image")
    images, clicks = change.pop("images", images), change.pop("clicks", clicks)
    parameters = {"cell_radius": radius, **change}
    with pytest.raises(ValueError, match=message):
        quick(**parameters).fit(images, clicks)


def test_prediction_before_fit_is_named(data):
    for method in ("predict", "predict_scored"):
        with pytest.raises(ValueError, match="is not fitted yet"):
            getattr(quick(), method)(data[0])


def test_rounds_go_on_from_the_nets_before_only_if_the_detector_says_so(data):
    images, clicks, _ = data
    for warm in (True, False):
        loop = quick(max_steps=3, max_iter=2)
        loop.detector.set_params(warm_start=warm)
        loop.set_params(random_state=None).fit(images, clicks)
        steps = [detector.n_steps_ for detector in loop.detectors_]
        assert steps == ([3, 6, 9] if warm else [3, 3, 3])
        first, *others = (detector.click_folds_ for detector in loop.detectors_)
        same = [all(map(np.array_equal, first, folds)) for folds in others]
        assert not warm or all(same)


@pytest.mark.parametrize(("warm_steps", "steps"), [(2, [3, 5, 7]), (None, [3, 6, 9])])
def test_detector_that_goes_on_may_take_fewer_steps(data, warm_steps, steps):
    loop = quick(max_steps=3, max_iter=2)
    loop.set_params(detector__warm_start=True, detector__warm_steps=warm_steps)
    loop.fit(*data[:2])
    assert [detector.n_steps_ for detector in loop.detectors_] == steps


# ------------------------------------------------------------------ warm start
@pytest.mark.parametrize("going_on", [False, True])
def test_warm_start_adds_rounds_as_if_they_had_been_asked_for_at_once(data, going_on):
    images, clicks, _ = data
    whole = quick(max_iter=2, learn_background=False)
    whole.detector.set_params(max_steps=5, lr=0.05, warm_start=going_on)
    grown = clone(whole).set_params(max_iter=1, warm_start=True).fit(images, clicks)
    first = list(grown.detectors_)
    grown.set_params(max_iter=2).fit(images, clicks)
    assert_same(grown, whole.fit(images, clicks), images)
    assert grown.detectors_[:2] == first
    assert grown.n_iter_ == 2
    for one, other in zip(grown.history_, whole.history_, strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    for one, other in zip(grown.labeled_iter_, whole.labeled_iter_, strict=True):
        np.testing.assert_array_equal(one, other)


def test_warm_start_without_further_rounds_changes_nothing(fitted, data):
    images, clicks, _ = data
    again = copy.deepcopy(fitted).set_params(warm_start=True).fit(images, clicks)
    assert_same(again, fitted, images)
    assert len(again.detectors_) == len(fitted.detectors_)
    assert again.n_iter_ == fitted.n_iter_
    # Without it, all begins anew.
    anew = copy.deepcopy(fitted).set_params(max_iter=0).fit(images, clicks)
    assert (anew.n_iter_, len(anew.detectors_), anew.labels_) == (0, 1, [])


@pytest.mark.parametrize(
    ("spoil", "max_iter", "verdict", "warning"),
    [
        ("rate_nothing", 1, "worse", "made the detector worse"),
        ("rate_clicks_high", 3, "odd_clicks", "clicked cells stand out"),
    ],
)
def test_warm_start_that_adds_nothing_keeps_the_verdict_and_its_warning(
    data, monkeypatch, spoil, max_iter, verdict, warning
):
    images, clicks, _ = data
    monkeypatch.setattr(Spoilt, "spoil", staticmethod(globals()[spoil]))
    detector = Spoilt(module=PixelNet, max_steps=1, batch_size=2, n_nets=2)
    loop = quick(detector=detector, max_iter=max_iter, selector=ShareSelector())
    with pytest.warns(UserWarning, match=warning):
        loop.fit(images, clicks)
    kept, n_rounds = loop.detector_, len(loop.rounds_)
    with pytest.warns(UserWarning, match=warning):
        loop.set_params(warm_start=True).fit(images, clicks)
    assert loop.termination_condition_ == verdict
    assert loop.detector_ is kept
    assert len(loop.rounds_) == n_rounds


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda clicks: clicks[:2], "partial_points has 2 lists of points for 3"),
        (
            lambda clicks: [*clicks[:2], clicks[2][:1]],
            r"partial_points\[2\] is not what",
        ),
        (
            lambda clicks: [clicks[0] + 1, *clicks[1:]],
            r"partial_points\[0\] is not what",
        ),
    ],
)
def test_warm_start_needs_the_same_clicks(fitted, data, change, message):
    images, clicks, _ = data
    warm = copy.deepcopy(fitted).set_params(warm_start=True, max_iter=3)
    with pytest.raises(ValueError, match=message):
        warm.fit(images, change(clicks))
    with pytest.raises(ValueError, match="partial_points is not what .* warm_start"):
        warm.fit(images[:2], clicks[:2])
    assert_same(warm, fitted, images)


def test_warm_start_needs_no_fewer_rounds(fitted, data):
    warm = copy.deepcopy(fitted).set_params(warm_start=True, max_iter=1)
    with pytest.raises(ValueError, match="max_iter is 1; expected at least 2, the rou"):
        warm.fit(*data[:2])


def test_warm_start_goes_on_after_a_refused_round(data, monkeypatch):
    """From the last detector, not from the one that was kept for prediction."""
    images, clicks, _ = data
    monkeypatch.setattr(Spoilt, "spoil", staticmethod(rate_nothing))
    detector = Spoilt(module=PixelNet, max_steps=1, batch_size=2, n_nets=2)
    loop = quick(detector=detector, max_iter=1, selector=ShareSelector())
    with pytest.warns(UserWarning, match="made the detector worse"):
        loop.fit(images, clicks)
    asked = []

    def find(self, *arguments):
        asked.append(self)
        return HeatmapDetector.find_candidates(self, *arguments)

    monkeypatch.setattr(Spoilt, "spoil", staticmethod(lambda detector: None))
    monkeypatch.setattr(Spoilt, "find_candidates", find)
    loop.set_params(warm_start=True, max_iter=2).fit(images, clicks)
    assert asked[0] is loop.detectors_[1]
    assert loop.termination_condition_ == "max_iter"
    assert loop.detector_ is loop.detectors_[2]


class Interrupted(HeatmapDetector):
    """A detector whose last training is stopped by Ctrl-C."""

    fits_left = 10

    def fit(self, images, points, **labels):
        type(self).fits_left -= 1
        if self.fits_left == 0:
            raise KeyboardInterrupt
        return super().fit(images, points, **labels)


def test_warm_start_goes_on_where_a_fit_was_interrupted(data, monkeypatch):
    images, clicks, _ = data
    detector = Interrupted(module=PixelNet, max_steps=1, batch_size=2, lr=1e-6)
    whole = quick(detector=detector, selector=ShareSelector(), warm_start=True)
    broken = clone(whole)
    whole.fit(images, clicks)
    monkeypatch.setattr(Interrupted, "fits_left", 3)
    with pytest.raises(KeyboardInterrupt):
        broken.fit(images, clicks)
    assert len(broken.detectors_) == 2
    monkeypatch.setattr(Interrupted, "fits_left", 10)
    broken.fit(images, clicks)
    assert_same(broken, whole, images)
    for one, other in zip(broken.labeled_iter_, whole.labeled_iter_, strict=True):
        np.testing.assert_array_equal(one, other)


class Witness(HeatmapDetector):
    """Remembers the places that are candidates in any case."""

    seen = []

    def find_candidates(self, images, threshold=0.05, known=None):
        if known is not None:
            self.seen.append(np.concatenate(known))
        return super().find_candidates(images, threshold, known)


def test_candidates_stay_candidates_over_a_warm_start(data):
    images, clicks, _ = data
    detector = Witness(module=PixelNet, max_steps=1, batch_size=2, lr=1e-6)
    whole = quick(max_iter=2, detector=detector, learn_background=False)
    whole.fit(images, clicks)
    grown = clone(whole).set_params(max_iter=1, warm_start=True).fit(images, clicks)
    grown.set_params(max_iter=2).fit(images, clicks)
    at_once, later = Witness.seen
    assert len(at_once) > 0
    np.testing.assert_array_equal(at_once, later)

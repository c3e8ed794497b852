"""paper_recipe: the rules of the paper, and each of its departures from them."""

import numpy as np
import pytest
import torch
from cells import draw_blobs, scatter_points
from scipy.ndimage import gaussian_filter
from skimage.feature import peak_local_max
from tiny_nets import MeanNet, PixelNet

from pseudocell import PublishedRanker, ShareSelector, paper_recipe
from pseudocell._detection import _training
from pseudocell._detection._training import MASK, SIGMA
from pseudocell._geometry._matching import match_points
from pseudocell._geometry._patches import cut_patches
from pseudocell._geometry._peaks import find_peaks
from pseudocell._labels import Labels
from pseudocell._ranking import _cross_fit, _featurizer
from pseudocell._ranking._candidates import sort_candidates
from pseudocell._ranking._pu_batches import PUBatches
from pseudocell.metrics import detection_scores
from pseudocell.nets import PaperPatchCNN

VARIANTS = ["text", "code"]


def draw(seed, shape=(120, 160), n_cells=16, n_specks=16):
    """Round cells of radius 6 and fainter specks."""
    rng = np.random.default_rng(seed)
    points = scatter_points(rng, shape, n_cells + n_specks, 13)
    cells, specks = np.split(points, [n_cells])
    image = 0.03 * gaussian_filter(rng.normal(size=shape), 1.0)
    image += draw_blobs(shape, cells) + 0.8 * draw_blobs(shape, specks, 1.3)
    return image, cells


@pytest.fixture(scope="module")
def data():
    images, cells = zip(*(draw(seed) for seed in range(3)), strict=True)
    return list(images), [points[:2] for points in cells]


def quick(variant="text", **parameters):
    """The recipe on nets that need no training: every cell and speck is a peak."""
    settings = {
        "detector__module": PixelNet,
        "detector__max_steps": 1,
        "detector__batch_size": 2,
        "detector__lr": 1e-6,
        "featurizer__max_steps": 3,
        "featurizer__batch_size": 16,
        "featurizer__module": MeanNet,
        **parameters,
    }
    recipe = paper_recipe(
        6, variant=variant, full_size=False, device="cpu", n_jobs=1, random_state=0
    )
    return recipe.set_params(**settings)


@pytest.fixture(scope="module")
def fitted(data):
    return {variant: quick(variant).fit(*data) for variant in VARIANTS}


# What the paper says
@pytest.mark.parametrize("full_size", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
def test_settings_are_those_of_section_4(variant, full_size):
    recipe = paper_recipe(variant=variant, full_size=full_size)
    assert (recipe.alpha, recipe.beta, recipe.p, recipe.max_iter) == (0.05, 0.05, 4, 2)
    assert recipe.detector.normalize == "min-max"
    assert recipe.candidate_threshold == 128 / 255
    assert isinstance(recipe.selector, ShareSelector)
    assert not recipe.learn_background
    assert not recipe.rank_by_height
    assert paper_recipe(max_iter=5).max_iter == 5


def test_sizes_are_those_of_the_published_code():
    recipe = paper_recipe()
    assert recipe.cell_radius == recipe.detector.nominal_radius == 12
    assert recipe.extractor.nominal_radius == 12
    assert (SIGMA * 12, MASK * 12, recipe.extractor.size) == (6, 12, 27)
    assert recipe.detector.module is None  # a U-Net
    assert recipe.detector.get_params()["module__base_channels"] == 64
    assert recipe.detector.get_params()["module__depth"] == 4
    assert recipe.detector.lr == 1e-3
    assert recipe.detector.max_steps == 30 * 13 // 2
    featurizer = recipe.featurizer
    assert featurizer.module is PaperPatchCNN
    assert featurizer.lr == 1e-4
    layers = [each for each in PaperPatchCNN(1).blocks if hasattr(each, "kernel_size")]
    kernels = [each.kernel_size for each in layers if hasattr(each, "weight")]
    assert kernels == [(3, 3), (5, 5), (3, 3), (3, 3), (3, 3)]


@pytest.mark.parametrize("variant", VARIANTS)
def test_discs_alone_count_in_every_round_and_all_images_are_searched(fitted, variant):
    loop = fitted[variant]
    assert loop.n_iter_ == 2
    assert all(detector.masked for detector in loop.detectors_)
    assert loop.searched_.all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_at_most_a_twentieth_rounded_down_is_chosen_at_each_end(fitted, variant):
    before = {"positives": 0, "negatives": 0}
    for one in fitted[variant].rounds_[1:]:
        for kind in before:
            n_chosen = sum(map(len, getattr(one.labels, kind)))
            share = int(0.05 * one.n_candidates)
            assert 0 < n_chosen - before[kind] <= share
            before[kind] = n_chosen


def test_pseudo_labels_make_the_next_heatmap_and_mask(monkeypatch):
    """A bump at each positive, zeros at each negative, and both count."""
    drawn = []

    class Recorder(_training.CropBatches):
        def __init__(self, shapes, n_channels, centres, draw_target, **settings):
            drawn.append(draw_target(0, (0, 0), shapes[0]))
            super().__init__(shapes, n_channels, centres, draw_target, **settings)

    monkeypatch.setattr(_training, "CropBatches", Recorder)
    click, positive, negative = np.array([[20, 20], [20, 60], [60, 20]])
    quick().detector.set_params(cell_radius=6).fit(
        [np.eye(80)], [[click]], positives=[[positive]], negatives=[[negative]]
    )
    ((heatmap, weight),) = drawn
    assert heatmap[20, 20] == heatmap[20, 60] == 1
    assert heatmap[60, 20] == pytest.approx(0, abs=1e-6)
    assert weight[20, 20] == weight[20, 60] == weight[60, 20] == 1
    assert weight[60, 60] == 0


def test_the_disc_covers_the_bump():
    assert MASK >= 2 * SIGMA


@pytest.mark.parametrize(
    ("variant", "surrogate", "promoted"),
    [("text", "sigmoid", 0.0), ("code", "log", 0.2)],
)
def test_variants_differ_where_text_and_code_do(
    data, monkeypatch, variant, surrogate, promoted
):
    """The loss in the risk, cut off as printed, and the labels of the bottom."""
    losses = []

    class Recorder(_featurizer.NonNegativePULoss):
        def __init__(self, *arguments, **settings):
            super().__init__(*arguments, **settings)
            losses.append(self)

    monkeypatch.setattr(_featurizer, "NonNegativePULoss", Recorder)
    loop = quick(variant, max_iter=1).fit(*data)
    (loss,) = losses
    assert (loss.surrogate, loss.correction) == (surrogate, False)
    assert loss.class_prior == 0.5
    assert loop.ranker.promoted == promoted


def test_unknown_variant_is_named():
    with pytest.raises(ValueError, match="variant is 'paper'; expected 'text'"):
        paper_recipe(variant="paper")


def test_features_are_ranked_as_they_are(data, monkeypatch):
    """Not standardised: the ranker sees what the featurizer gives."""
    tables = []
    describe = _cross_fit._Scorer._describe

    def record(self, *arguments):
        tables.append(describe(self, *arguments))
        return tables[-1]

    monkeypatch.setattr(_cross_fit._Scorer, "_describe", record)
    ranked = []
    fit = PublishedRanker.fit
    monkeypatch.setattr(
        PublishedRanker, "fit", lambda self, X, y: ranked.append(X) or fit(self, X, y)
    )
    quick(max_iter=1).fit(*data)
    assert len(ranked) == 2
    for table in ranked:
        np.testing.assert_array_equal(table, tables[0])


# Where the recipe departs from the published code, a test a line of docs/paper.md
@pytest.mark.parametrize("full_size", [False, True])
def test_departure_one_net_a_round(full_size):
    assert paper_recipe(full_size=full_size).detector.n_nets == 1


def test_departure_crops_turned_and_changed_instead_of_whole_images(data, monkeypatch):
    kept = []

    class Recorder(_training.CropBatches):
        def __init__(self, *arguments, **settings):
            super().__init__(*arguments, **settings)
            kept.append(self)

    monkeypatch.setattr(_training, "CropBatches", Recorder)
    quick().detector.set_params(cell_radius=6, max_steps=4).fit(*data)
    crops = [crop for batch in kept[0].crops for crop in batch]
    assert kept[0].size == 64
    assert len({(crop.index, crop.top, crop.left) for crop in crops}) > 4
    assert len({(crop.turns, crop.mirrored) for crop in crops}) > 1
    assert len({crop.contrast for crop in crops}) == len(crops)


def test_departure_learning_rate_in_one_cycle(data):
    detector = quick().detector.set_params(cell_radius=6, max_steps=8)
    net = detector.fit(*data).nets_[0]
    rates = [batch["event_lr"] for batch in net.history[0]["batches"]]
    assert max(rates) > 5 * rates[0]
    assert max(rates) > 5 * rates[-1]


def test_departure_percentiles_instead_of_the_maximum(data, fitted):
    """A speck far above all else would make an image black if it was divided by it."""
    images = [image.copy() for image in data[0]]
    for image in images:
        image[3, 3] = 1000
    found = fitted["text"].detector_.find_candidates(images, 0)
    for points, image in zip(found, data[0], strict=True):
        ((wanted, _),) = fitted["text"].detector_.find_candidates([image], 0)
        near = np.linalg.norm(wanted - [3, 3], axis=1) < 6
        assert {*map(tuple, wanted[~near])} <= {*map(tuple, points[0])}


def test_departure_batches_of_half_positive_patches_turned_and_changed():
    X, y = np.zeros((9, 1, 5, 5), np.float32), np.repeat([1, 0], [2, 7])
    X[:, 0, 0, 0] = 1 + np.arange(9)
    batches = PUBatches(X, y, 1, 16, 0)
    patches, labels = batches[0]
    assert labels.tolist() == [1] * 8 + [0] * 8
    assert len({*patches[:, 0].reshape(16, 25).argmax(axis=1)}) > 1


def test_departure_one_last_layer_without_dropout():
    net = PaperPatchCNN(1)
    assert [type(each).__name__ for each in net.children()] == ["Sequential", "Linear"]
    assert not any(isinstance(each, torch.nn.Dropout) for each in net.modules())


@pytest.mark.parametrize("full_size", [False, True])
def test_departure_prior_of_the_unlabelled_alone(full_size):
    # The published code has (n_p + n_u / 2) / (n_p + n_u) for n_p labelled ones.
    assert paper_recipe(full_size=full_size).class_prior == 0.5


def test_departure_the_ranking_is_the_optimum(data):
    """Not where 2000 small steps from a random start end: fitting again is the same."""
    ranker = quick().ranker.set_params(p=4.0)
    rng = np.random.default_rng(0)
    X, y = np.abs(rng.normal(size=(60, 3))), np.repeat([1, 0], 30)
    first, second = (ranker.fit(X, y).decision_function(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    # Both classes cost the same at the optimum.
    assert np.exp(-first[:30]).sum() == pytest.approx(np.exp(4 * first[30:]).sum())


def test_departure_matching_is_the_best_one():
    """Greedily, by the order of the finds, the first would take the only near cell."""
    cells, found = np.array([[0, 0], [0, 20.0]]), np.array([[0, 8.0], [0, 12.0]])
    cells_far = np.array([[0, 0.0], [0, 10.0]])
    assert len(match_points(found, cells, 15)[0]) == 2
    scores = detection_scores([cells_far], [np.array([[0, 6.0], [0, 11.0]])], 15)
    assert scores.n_matched == 2


def test_departure_candidates_are_matched_to_labels_within_a_radius(data):
    """12 pixels and not 15; second peaks on a label are no candidates at all."""
    clicks = [np.array([[50.0, 50.0]])]
    peaks = [(np.array([[50.0, 52], [50, 61], [50, 64]]), np.array([0.9, 0.8, 0.7]))]

    class Detector:
        click_folds_ = [np.array([-1])]
        click_heights_ = [np.array([0.9])]

    sorted_ = sort_candidates(
        peaks, Labels.from_clicks(clicks), Detector(), [(100, 100)], 12.0
    )
    np.testing.assert_array_equal(sorted_.positive[0], [[50, 52]])
    np.testing.assert_array_equal(sorted_.unlabelled[0], [[50, 64]])


def test_departure_peaks_have_round_neighbourhoods():
    """5 rows and 5 columns apart are two peaks; in squares of 13 pixels one."""
    heatmap = np.zeros((40, 40))
    heatmap[20, 20], heatmap[25, 25] = 1.0, 0.9
    assert len(find_peaks(heatmap, 6, 0.5)[0]) == 2
    published = peak_local_max(
        heatmap, min_distance=6, threshold_abs=0.5, exclude_border=False
    )
    assert len(published) == 1


def test_departure_of_two_chosen_on_one_cell_the_better_one_stays():
    points = np.array([[10.0, 10], [10, 17], [60, 60]])

    class Chosen:
        unlabelled = [points]

    class Scores:
        top = np.array([1.0, 2.0, 3.0])
        clicked_top = np.array([9.0])

    labels = Labels.from_clicks([np.array([[90.0, 90.0]])])
    labels = labels.add(Chosen, Scores, np.array([1, 1, 1]), None, 12.0)
    np.testing.assert_array_equal(labels.positives[0], [[60, 60], [10, 17]])


def test_departure_patches_at_the_border_are_reflected():
    image = np.arange(400, dtype=np.float32).reshape(20, 20, 1)
    (patch,) = cut_patches(image, np.array([[0.0, 0.0]]), 5)
    assert patch[2, 2, 0] == image[0, 0, 0]
    assert patch[1, 2, 0] == patch[3, 2, 0] == image[1, 0, 0]

"""Settings can be chosen by clicks alone: folds leak nothing, scores compare."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from pseudocell._detection._mixin import DetectorMixin
from pseudocell.metrics import click_scores, detection_f1
from pseudocell.model_selection import (
    FoldedList,
    click_recall_scorer,
    click_scorer,
    detection_count_scorer,
    detection_f1_scorer,
    lee_liu_scorer,
    split_clicks,
    split_images,
    split_tiles,
)

SHAPES = [(48, 96), (60, 60), (96, 54), (54, 72, 3)]
SPLITS = {
    "images": split_images,
    "clicks": split_clicks,
    "tiles": partial(split_tiles, margin=4),
}
# 0.3 takes specks for cells, 0.8 misses half of the cells.
GRID = {"threshold": [0.3, 0.5, 0.8]}


class BrightPixels(BaseEstimator):
    """Takes pixels above a threshold for cells, and keeps what it was fitted on."""

    def __init__(self, threshold=0.5, cell_radius=2):
        self.threshold = threshold
        self.cell_radius = cell_radius

    def fit(self, images, clicks):
        self.cell_radius_ = self.cell_radius
        self.images_, self.clicks_ = list(images), list(clicks)
        self.n_predictions_ = 0
        return self

    def predict(self, images):
        self.n_predictions_ += 1
        grey = [np.asarray(image).reshape(*image.shape[:2], -1) for image in images]
        return [np.argwhere(array[..., 0] > self.threshold) for array in grey]

    def score(self, images, points):
        return detection_f1_scorer(self, images, points)


class UnreadImage:
    """An image with a shape that must not be read until it may be."""

    def __init__(self, array):
        self.array, self.shape, self.may_be_read = array, array.shape, False

    def __array__(self, dtype=None, copy=None):
        assert self.may_be_read
        return self.array


def draw(shape, seed):
    """Bright cells and dim specks of one pixel, 6 pixels apart."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[3 : shape[0] : 6, 3 : shape[1] : 6]
    points = rng.permutation(np.column_stack([rows.ravel(), cols.ravel()]))
    cells, specks = points[::2], points[1::2]
    image = np.zeros(shape)
    image[tuple(cells.T)] = rng.uniform(0.6, 1.0, (len(cells), *shape[2:]))
    image[tuple(specks.T)] = 0.4
    return image, cells


@pytest.fixture
def data():
    """Four images of different sizes, a click on one cell in four, all cells."""
    images, cells = map(list, zip(*map(draw, SHAPES, range(4)), strict=True))
    return images, [points[::4].astype(float) for points in cells], cells


def as_set(points):
    return set(map(tuple, points))


# The folded list


def test_a_folded_list_is_the_list_of_its_items():
    folded = FoldedList("abc", parts=[7, 8])
    assert len(folded) == 3
    assert list(folded) == folded[:] == folded[0:99] == ["a", "b", "c"]
    assert folded[-1] == "c"
    assert np.array(folded).tolist() == ["a", "b", "c"]


def test_parts_lie_behind_the_end():
    folded = FoldedList("abc", parts=[7, 8])
    assert [folded[index] for index in np.arange(5)] == ["a", "b", "c", 7, 8]
    with pytest.raises(IndexError):
        folded[5]


@pytest.mark.parametrize("again", [copy.copy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copied_folded_list_keeps_its_parts(again):
    folded = again(FoldedList("abc", parts=[7, 8]))
    assert (list(folded), folded[4]) == (["a", "b", "c"], 8)


# What holds for every way to split


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
def test_the_search_finds_the_best_setting_by_clicks_alone(split, data):
    images, clicks, cells = data
    search = GridSearchCV(BrightPixels(), GRID, scoring=lee_liu_scorer)
    images, clicks, search.cv = split(images, clicks, n_splits=3)
    search.fit(images, clicks)
    assert search.best_params_ == {"threshold": 0.5}
    assert search.score(images, clicks) > 0
    assert detection_f1_scorer(search.best_estimator_, images, cells) == 1


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
def test_the_last_fit_sees_each_image_once_with_all_its_clicks(split, data):
    images, clicks, cv = split(*data[:2], n_splits=2)
    search = GridSearchCV(BrightPixels(), GRID, scoring=lee_liu_scorer, cv=cv)
    last = search.fit(images, clicks).best_estimator_
    assert list(map(id, last.images_)) == list(map(id, data[0]))
    for given, seen in zip(data[1], last.clicks_, strict=True):
        np.testing.assert_array_equal(given, seen)


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
def test_every_click_is_held_out_once(split, data):
    _, clicks, cv = split(*data[:2], n_splits=3)
    held_out = [len(clicks[index]) for _, test in cv for index in test]
    assert sum(held_out) == sum(map(len, data[1]))
    for train, test in cv:
        assert not set(train) & set(test)
        for side in (train, test):
            assert sum(len(clicks[index]) for index in side) > 0


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
def test_inputs_stay_and_images_are_not_read(split, data):
    given = copy.deepcopy(data[1])
    for rows in data[1]:
        rows.setflags(write=False)
    images, clicks, cv = split([*map(UnreadImage, data[0])], data[1], n_splits=2)
    for image in images:
        image.may_be_read = True
    cross_validate(BrightPixels(), images, clicks, cv=cv, scoring=lee_liu_scorer)
    for before, after in zip(given, data[1], strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("split", [split_images, split_clicks])
def test_the_seed_decides(split, data):
    same_number = [rows[:6] for rows in data[1]]

    def held_out(seed):
        _, clicks, cv = split(data[0], same_number, n_splits=3, random_state=seed)
        return [clicks[index].tolist() for _, test in cv for index in test]

    assert held_out(0) == held_out(0)
    assert any(held_out(0) != held_out(seed) for seed in (1, 2, 3))


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
@pytest.mark.parametrize("n_splits", [1, 2.5, "3"])
def test_other_numbers_of_folds_are_refused(split, n_splits, data):
    with pytest.raises(ValueError, match="n_splits is .*; expected an integer of at"):
        split(*data[:2], n_splits=n_splits)


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
def test_clicks_of_another_number_of_images_are_refused(split, data):
    with pytest.raises(ValueError, match="clicks has 3 lists of points for 4 images"):
        split(data[0], data[1][:3])


# Images


def test_images_are_dealt_evenly_by_clicks():
    n_clicks = [9, 0, 1, 0, 8, 2, 0, 7, 3]
    clicks = [np.ones((n, 2)) for n in n_clicks]
    _, _, cv = split_images([np.zeros((9, 9))] * 9, clicks, 3, random_state=0)
    assert [len(test) for _, test in cv] == [3, 3, 3]
    assert {sum(n_clicks[index] for index in test) for _, test in cv} <= {9, 10, 11}
    for train, test in cv:
        assert sorted([*train, *test]) == list(range(9))


def test_fewer_clicked_images_than_folds_are_refused(data):
    clicks = [*data[1][:2], [], []]
    message = "images holds 4 images, 2 of them with clicks; .* n_splits=3 .*split_cl"
    with pytest.raises(ValueError, match=message):
        split_images(data[0], clicks, n_splits=3)


# Clicks


def test_an_image_is_once_in_training_and_once_in_the_test(data):
    images, clicks, cv = split_clicks(*data[:2], n_splits=3)
    for train, test in cv:
        for side in (train, test):
            assert [id(images[index]) for index in side] == list(map(id, data[0]))
        for seen, held_out, given in zip(train, test, data[1], strict=True):
            assert not as_set(clicks[seen]) & as_set(clicks[held_out])
            assert as_set(clicks[seen]) | as_set(clicks[held_out]) == as_set(given)


def test_clicks_are_dealt_evenly():
    clicks = [np.arange(2 * n).reshape(n, 2) for n in (1, 0, 1, 5, 2, 4)]
    images = [np.zeros((9, 9))] * 6
    _, dealt, cv = split_clicks(images, clicks, n_splits=4, random_state=0)
    counts = [[len(dealt[index]) for index in test] for _, test in cv]
    for numbers in (*np.transpose(counts), np.sum(counts, axis=1)):
        assert np.ptp(numbers) <= 1


def test_clicks_of_an_image_go_to_folds_at_random():
    # Otherwise the folds would be those of the order in which the user clicked.
    clicks = [np.arange(24).reshape(12, 2)]
    _, dealt, cv = split_clicks([np.zeros((99, 99))], clicks, 2, random_state=0)
    assert dealt[cv[0][1][0]].tolist() != clicks[0][::2].tolist()


def test_fewer_clicks_than_folds_are_refused():
    message = "clicks holds 2 clicks in all images; .* n_splits=3 folds"
    with pytest.raises(ValueError, match=message):
        split_clicks([np.zeros((9, 9))], [[[1, 1], [5, 5]]], n_splits=3)


# Tiles


def test_held_out_strips_make_up_the_image(data):
    images, _, cv = split_tiles(*data[:2], margin=4, n_splits=3)
    for number, image in enumerate(data[0]):
        strips = [images[test[number]] for _, test in cv]
        axis = int(image.shape[1] > image.shape[0])
        np.testing.assert_array_equal(np.concatenate(strips, axis), image)
        assert all(np.shares_memory(strip, image) for strip in strips)


def test_clicks_stay_on_their_pixels(data):
    images, clicks, cv = split_tiles(*data[:2], margin=4, n_splits=3)
    for side in (np.concatenate(sides) for sides in cv):
        for image, points in ((images[index], clicks[index]) for index in side):
            assert (image[tuple(points.astype(int).T)] > 0.5).all()


def test_nothing_within_the_margin_is_trained_on():
    rows = np.repeat(np.arange(60)[:, np.newaxis], 20, axis=1)
    clicks = [[[row, 10] for row in range(60)]]
    images, clicks, cv = split_tiles([rows], clicks, margin=5, n_splits=3)
    for train, test in cv:
        held_out = np.unique(images[test[0]])
        seen = np.unique(np.concatenate([images[index] for index in train]))
        # 5 pixels lie between the two.
        assert np.abs(held_out[:, np.newaxis] - seen).min() == 6
        near = np.abs(np.arange(60)[:, np.newaxis] - held_out).min(axis=1) <= 5
        assert sorted(seen) == np.flatnonzero(~near).tolist()
        assert sum(len(clicks[index]) for index in train) == len(seen)


def test_tiles_of_a_transposed_image_are_transposed():
    image, cells = draw((48, 90), 0)
    straight = split_tiles([image], [cells], margin=3, n_splits=3)
    turned = split_tiles([image.T], [cells[:, ::-1]], margin=3, n_splits=3)
    for index in range(1, 1 + len(straight[0].parts)):
        np.testing.assert_array_equal(straight[0][index], turned[0][index].T)
        np.testing.assert_array_equal(straight[1][index], turned[1][index][:, ::-1])


def test_a_click_on_the_edge_of_a_strip_belongs_to_one():
    edge = [[-0.5, 1], [9.49, 1], [9.5, 1], [19.49, 1]]
    _, clicks, cv = split_tiles([np.zeros((20, 5))], [edge], margin=0, n_splits=2)
    held_out = [clicks[test[0]] for _, test in cv]
    np.testing.assert_allclose(held_out[0], [[-0.5, 1], [9.49, 1]])
    np.testing.assert_allclose(held_out[1], [[-0.5, 1], [9.49, 1]])


def test_a_tile_of_an_unread_image_is_read_when_touched(data):
    unread = [*map(UnreadImage, data[0])]
    lazy, _, cv = split_tiles(unread, data[1], margin=4, n_splits=3)
    read, _, _ = split_tiles(*data[:2], margin=4, n_splits=3)
    for index in np.concatenate([np.concatenate(sides) for sides in cv]):
        assert (lazy[index].shape, lazy[index].ndim) == (
            read[index].shape,
            read[index].ndim,
        )
        lazy[index].image.may_be_read = True
        np.testing.assert_array_equal(lazy[index], read[index])
        assert lazy[index].__array__(np.float32).dtype == np.float32


@pytest.mark.parametrize(
    ("clicks", "message"),
    [
        ([[5, 5], [25, 5]], "fold 2 of 3 without a click to hold out: .* strip 2"),
        ([[5, 5], [25, 5], [9, 5], [45, 5]], None),
        ([[25, 5]], "fold 0 of 3 without a click to hold out"),
        ([[5, 5], [70, 5]], r"clicks\[0\] has 1 of 2 points outside"),
    ],
)
def test_a_strip_without_clicks_is_named(clicks, message):
    images = [np.zeros((60, 20))]
    if message is None:
        assert len(split_tiles(images, [clicks], margin=4, n_splits=3)[2]) == 3
        return
    with pytest.raises(ValueError, match=message):
        split_tiles(images, [clicks], margin=4, n_splits=3)


def test_a_fold_with_all_other_clicks_in_the_margin_is_named():
    clicks = [[[28, 5], [31, 5]]]
    message = "fold 0 of 2 without a click to train on: .* beyond the margin.*split_cl"
    with pytest.raises(ValueError, match=message):
        split_tiles([np.zeros((60, 20))], clicks, margin=4, n_splits=2)


@pytest.mark.parametrize("margin", [-1, 2.5])
def test_other_margins_are_refused(margin, data):
    with pytest.raises(ValueError, match=f"margin is {margin}; expected a whole"):
        split_tiles(*data[:2], margin=margin)


def test_strips_narrower_than_two_margins_are_refused(data):
    message = r"images\[1\] of 60 x 60 pixels has strips of 20 pixels with n_splits=3"
    with pytest.raises(ValueError, match=message):
        split_tiles(*data[:2], margin=11, n_splits=3)


# Scorers


def test_scorers_are_the_metrics_of_the_predictions(data):
    images, clicks, cells = data
    detector = BrightPixels(0.3, cell_radius=2).fit(images, clicks)
    found = detector.predict(images)
    expected = click_scores(clicks, found, 1.25 * 2)
    assert lee_liu_scorer(detector, images, clicks) == expected.lee_liu
    assert click_recall_scorer(detector, images, clicks) == expected.recall == 1
    assert detection_count_scorer(detector, images) == sum(map(len, found))
    assert detection_f1_scorer(detector, images, cells) == detection_f1(
        cells, found, 1.25 * 2
    )
    assert click_scorer(detector, images, clicks) == {
        "lee_liu": expected.lee_liu,
        "click_recall": expected.recall,
        "detection_count": expected.n_predicted,
    }


def test_several_metrics_need_one_prediction(data):
    detector = BrightPixels().fit(*data[:2])
    click_scorer(detector, *data[:2])
    assert detector.n_predictions_ == 1


def test_a_search_with_several_metrics(data):
    images, clicks, cv = split_clicks(*data[:2], n_splits=2)
    search = GridSearchCV(
        BrightPixels(), GRID, scoring=click_scorer, refit="lee_liu", cv=cv
    ).fit(images, clicks)
    assert search.best_params_ == {"threshold": 0.5}
    results = search.cv_results_
    assert (np.diff(results["mean_test_detection_count"]) < 0).all()
    assert results["mean_test_click_recall"][:2].tolist() == [1, 1]


def test_f1_against_clicks_chooses_another_setting():
    """Why there are scorers for clicks: of few clicks F1 sees precision alone."""
    cells = np.column_stack([np.arange(200), np.zeros(200)]) * 10
    clicks = [cells[::10]]
    half = [cells[:100]]
    all_and_more = [np.vstack([cells, cells[:50] + 5])]
    truth = [detection_f1([cells], found, 1) for found in (half, all_and_more)]
    blind = [detection_f1(clicks, found, 1) for found in (half, all_and_more)]
    right = [click_scores(clicks, found, 1).lee_liu for found in (half, all_and_more)]
    assert truth[1] - truth[0] > 0.2
    assert blind[1] < blind[0]
    assert right[1] > right[0]


class WithScore(BrightPixels, DetectorMixin):
    """Has the method `score` of the detectors, which `scoring=None` takes."""


@pytest.mark.parametrize("scoring", [None, detection_f1_scorer])
def test_held_out_clicks_are_refused_where_all_cells_are_needed(data, scoring):
    images, clicks, cells = data
    folds = partial(cross_validate, WithScore(), error_score="raise")
    split, held_out, cv = split_clicks(images, clicks, n_splits=2, random_state=0)
    with pytest.raises(ValueError, match=r"\[0\] holds clicks .*lee_liu_scorer"):
        folds(split, held_out, cv=cv, scoring=scoring)
    kept = pickle.loads(pickle.dumps(held_out[cv[0][1][0]]))
    with pytest.raises(ValueError, match="holds clicks"):
        WithScore().fit(images, clicks).score(images[:1], [kept])
    assert folds(split, held_out, cv=cv, scoring=lee_liu_scorer)["test_score"].all()
    # Whole images and tiles may be held out with all of their points.
    split, points, cv = split_images(images, cells, n_splits=2, random_state=0)
    assert folds(split, points, cv=cv, scoring=scoring)["test_score"].all()
    split, points, cv = split_tiles(images, cells, margin=4, n_splits=2)
    assert folds(split, points, cv=cv, scoring=scoring)["test_score"].all()


def test_a_given_distance_replaces_that_of_the_radius(data):
    images, clicks, _ = data
    detector = BrightPixels(cell_radius=2).fit(images, clicks)
    for distance, recall in ((2.4, 1), (2.6, 0)):
        off = [rows + [distance, 0] for rows in clicks]
        assert click_recall_scorer(detector, images, off) == recall
    scorer = partial(click_recall_scorer, max_distance=3)
    assert pickle.loads(pickle.dumps(scorer))(detector, images, off) == 1


def test_the_radius_is_that_of_the_end_of_a_pipeline(data):
    images, clicks, cv = split_clicks(*data[:2], n_splits=2)
    halve = FunctionTransformer(lambda images: [image / 2 for image in images])
    pipeline = make_pipeline(halve, BrightPixels())
    grid = {"brightpixels__threshold": [0.15, 0.25, 0.4]}
    search = GridSearchCV(pipeline, grid, scoring=lee_liu_scorer, cv=cv)
    assert search.fit(images, clicks).best_index_ == 1


def test_an_estimator_without_radius_needs_a_distance(data):
    detector = BrightPixels().fit(*data[:2])
    del detector.cell_radius_
    message = "max_distance is None and BrightPixels has no cell_radius_.*partial"
    with pytest.raises(ValueError, match=message):
        lee_liu_scorer(detector, *data[:2])
    assert lee_liu_scorer(detector, *data[:2], max_distance=2) > 0


def test_a_fold_without_clicks_is_named_by_the_scorer(data):
    images, clicks, _ = data
    clicks[3] = np.zeros((0, 2))
    with pytest.raises(ValueError, match="clicks holds no click in any of 1 images"):
        cross_validate(
            BrightPixels(),
            images,
            clicks,
            cv=KFold(4),
            scoring=lee_liu_scorer,
            error_score="raise",
        )


# The rest of scikit-learn


def test_workers_score_as_one_process_does(data):
    images, clicks, cv = split_tiles(*data[:2], margin=4, n_splits=2)
    search = GridSearchCV(BrightPixels(), GRID, scoring=lee_liu_scorer, cv=cv)
    alone = clone(search).fit(images, clicks).cv_results_["mean_test_score"]
    search.set_params(n_jobs=2).fit(images, clicks)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], alone)
    again = pickle.loads(pickle.dumps(search))
    assert again.best_params_ == {"threshold": 0.5}


@pytest.mark.filterwarnings("ignore:No pseudo label could be chosen")
def test_the_real_detector_is_searched(data):
    from pseudocell import HeatmapDetector, NNPUFeaturizer, PseudoLabelCellDetector
    from pseudocell.nets import UNet

    detector = PseudoLabelCellDetector(
        cell_radius=3,
        max_iter=1,
        detector=HeatmapDetector(
            module=partial(UNet, base_channels=4, depth=2), max_steps=2, batch_size=2
        ),
        featurizer=NNPUFeaturizer(max_steps=2),
        random_state=0,
    )
    grid = {"alpha": [0.05, 0.2], "beta": [0.05], "p": [4.0]}
    images, clicks, cv = split_tiles(data[0][:2], data[1][:2], margin=6, n_splits=2)
    search = GridSearchCV(
        detector,
        grid,
        scoring=click_scorer,
        refit="lee_liu",
        cv=cv,
        error_score="raise",
    ).fit(images, clicks)
    assert search.cv_results_["mean_test_detection_count"].shape == (2,)
    assert len(search.predict(data[0][:2])) == 2

"""The estimators in scikit-learn's pipelines, searches and displays."""

import importlib.util
import sys

import numpy as np
import pytest
from cells import draw_blobs
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr
from tiny_nets import MeanNet, PixelNet

from pseudocell import (
    CalibratedSelector,
    HeatmapDetector,
    NNPUFeaturizer,
    PatchExtractor,
    PClassificationRanker,
    PseudoLabelCellDetector,
    ShareSelector,
)
from pseudocell.io import load_model, save_model
from pseudocell.metrics import detection_f1
from pseudocell.model_selection import click_scorer

SHAPES = [(64, 80), (80, 48), (64, 64), (60, 96)]


class Invert(TransformerMixin, BaseEstimator):
    """Dark cells to bright ones: a preprocessing step of a user."""

    def __init__(self, white=255):
        self.white = white

    def fit(self, images, points=None):
        return self

    def transform(self, images):
        return [self.white - image for image in images]

    def __sklearn_is_fitted__(self):
        return True


def draw(shape, seed):
    """Four bright cells of radius 6 apart from each other, and four dim specks."""
    rng = np.random.default_rng(seed)
    places = np.argwhere(np.ones((shape[0] // 16, shape[1] // 16)))
    places = 16.0 * rng.permutation(places)[:8] + 8
    image = 30 + rng.normal(scale=3, size=shape)
    image += 180 * draw_blobs(shape, places[:4], 3.0)
    image += 120 * draw_blobs(shape, places[4:], 1.5)
    return np.clip(image, 0, 255).astype(np.uint8), places[:4], places[4:]


@pytest.fixture(scope="module")
def drawn():
    return [draw(shape, seed) for seed, shape in enumerate(SHAPES)]


@pytest.fixture(scope="module")
def data(drawn):
    """Images of different sizes, and one, two, three and two clicks."""
    clicks = [cells[:n] for (_, cells, _), n in zip(drawn, (1, 2, 3, 2), strict=True)]
    return [image for image, _, _ in drawn], clicks


@pytest.fixture(scope="module")
def candidates(drawn):
    """(image, its candidates) of each image, and 1 for the two clicked of eight."""
    X = [(image, np.concatenate([cells, specks])) for image, cells, specks in drawn]
    return X, np.tile([1, 1, 0, 0, 0, 0, 0, 0], len(X))


def detector(**parameters):
    parameters = {"module": PixelNet, "max_steps": 1, "batch_size": 1, **parameters}
    parameters = {"lr": 1e-6, "device": "cpu", "n_jobs": 1, **parameters}
    return HeatmapDetector(6, **{"random_state": 0, **parameters})


def featurizer():
    return NNPUFeaturizer(
        0.4, module=MeanNet, max_steps=5, batch_size=8, device="cpu", random_state=0
    )


def ranking():
    return make_pipeline(
        PatchExtractor(6, size=9), featurizer(), PClassificationRanker()
    )


def loop(**parameters):
    """The whole method in a fraction of a second, with all of its parts given."""
    parameters = {
        "max_iter": 1,
        "detector": detector(n_nets=2),
        "extractor": PatchExtractor(size=9),
        "featurizer": featurizer(),
        "ranker": PClassificationRanker(l2=1.0),
        "selector": ShareSelector(),
        # So that the threshold stays, with which no detector is worse than another.
        "learn_background": False,
        "candidate_threshold": 0.3,
        "max_candidates": 4,
        "device": "cpu",
        "n_jobs": 1,
        "random_state": 0,
        **parameters,
    }
    return PseudoLabelCellDetector(6, **parameters)


def assert_same_points(found, expected):
    assert len(found) == len(expected)
    assert sum(map(len, found)) > 0
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


# --------------------------------------------------------------- the parts in a row
def test_parts_are_a_pipeline_from_images_to_scores(candidates):
    X, y = candidates
    scores = ranking().fit(X, y).decision_function(X)
    patches = PatchExtractor(6, size=9).fit_transform(X)
    features = featurizer().fit(patches, y).transform(patches)
    by_hand = PClassificationRanker().fit(features, y).decision_function(features)
    np.testing.assert_array_equal(scores, by_hand)
    scores = scores.reshape(len(X), 8)
    # Cells, of which half are called unlabelled, before specks.
    assert scores[:, :4].min() > scores[:, 4:].max()


def test_pipeline_of_parts_is_searched_with_one_candidate_an_item(candidates):
    """Folds are made of items: a list of candidates an image has too few of them."""
    X, y = candidates
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        cross_val_score(ranking(), X, y)
    items = [(image, [point]) for image, points in X for point in points]
    np.testing.assert_array_equal(
        ranking().fit(items, y).decision_function(items),
        ranking().fit(X, y).decision_function(X),
    )
    grid = {
        "patchextractor__size": [5, 9],
        "nnpufeaturizer__class_prior": [0.3],
        "pclassificationranker__p": [1.0, 4.0],
    }
    search = GridSearchCV(ranking(), grid, scoring="roc_auc", cv=2)
    search.fit(items, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert set(search.best_params_) == set(grid)
    best = search.best_estimator_
    assert best["patchextractor"].size == search.best_params_["patchextractor__size"]


# ------------------------------------------------------- a step before the detector
@pytest.mark.parametrize("cells", [detector(), loop()], ids=["heatmap", "loop"])
def test_inverting_inverted_images_changes_nothing(data, cells):
    images, clicks = data
    dark = [255 - image for image in images]
    pipeline = make_pipeline(Invert(), cells).fit(dark, clicks)
    plain = clone(cells).fit(images, clicks)
    assert_same_points(pipeline.predict(dark), plain.predict(images))
    assert pipeline.score(dark, clicks) == plain.score(images, clicks)


# --------------------------------------------------------------------- set_params
def test_double_underscores_reach_every_nested_parameter():
    pipeline = Pipeline([("invert", Invert()), ("cells", loop())])
    names = pipeline.get_params()
    assert {
        "invert__white",
        "cells__alpha",
        "cells__detector__max_steps",
        "cells__extractor__size",
        "cells__featurizer__lr",
        "cells__ranker__p",
        "cells__selector__alpha",
    } <= set(names)
    for name in names:
        value = names[name]
        if hasattr(value, "get_params") and not isinstance(value, type):
            value = clone(value)
        elif "__" in name:
            value = object()
        other = clone(pipeline).set_params(**{name: value})
        assert other.get_params()[name] is value
    with pytest.raises(ValueError, match="Invalid parameter 'depth'"):
        pipeline.set_params(cells__detector__depth=3)


def test_parameters_of_parts_take_effect(data):
    nested = {
        "detector__max_steps": 2,
        "detector__threshold": 0.25,
        "detector__n_nets": 3,
    }
    fitted = loop(max_iter=0).set_params(**nested).fit(*data)
    assert fitted.detector_.n_steps_ == 2
    assert fitted.detector_.threshold_ == 0.25
    assert len(fitted.detector_.nets_) == 3


class WitnessRanker(PClassificationRanker):
    """Remembers the exponents that it was fitted with."""

    seen = []

    def fit(self, X, y, sample_weight=None):
        self.seen.append((self.p, self.l2))
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize(
    ("whole", "part", "expected"),
    [(2.0, None, 2.0), (4.0, 8.0, 8.0), (2.0, 2.0, 2.0), (4.0, None, 4.0)],
)
def test_push_is_set_for_the_whole_or_for_the_ranker(data, whole, part, expected):
    WitnessRanker.seen.clear()
    loop(p=whole, ranker=WitnessRanker(p=part, l2=0.5)).fit(*data)
    assert set(WitnessRanker.seen) == {(expected, 0.5)}


# Values other than the defaults of the whole and of the parts.
OTHER = {
    "cell_radius": 7.0, "alpha": 0.3, "beta": 0.4, "p": 2.0, "class_prior": 0.7,
    "device": "meta", "n_jobs": 3, "random_state": 5, "verbose": 1,
}  # fmt: skip
PARTS = {
    "detector": HeatmapDetector(),
    "extractor": PatchExtractor(),
    "featurizer": NNPUFeaturizer(),
    "ranker": PClassificationRanker(),
    "selector": ShareSelector(),
}
SHARED = [
    (name, key)
    for name, part in PARTS.items()
    for key in OTHER
    if key in part.get_params()
]


@pytest.mark.parametrize(("name", "key"), SHARED)
def test_part_takes_what_it_was_not_told_itself(name, key):
    whole = PseudoLabelCellDetector(**{key: OTHER[key]})
    for given in (None, PARTS[name]):
        part = whole.set_params(**{name: given})._part(name)
        assert part.get_params()[key] == OTHER[key]
        assert PARTS[name].get_params()[key] != OTHER[key]


@pytest.mark.parametrize(("name", "key"), SHARED)
def test_part_keeps_what_it_was_told(name, key):
    whole = PseudoLabelCellDetector(**{name: clone(PARTS[name])})
    whole.set_params(**{f"{name}__{key}": OTHER[key]})
    assert whole._part(name).get_params()[key] == OTHER[key]


class WitnessExtractor(PatchExtractor):
    """Remembers the radius that it was fitted with."""

    seen = []

    def fit(self, X, y=None):
        self.seen.append(self.cell_radius)
        return super().fit(X, y)


@pytest.mark.parametrize(("radius", "expected"), [(None, 7.0), (9.0, 9.0)])
def test_patches_have_the_radius_of_the_detector_or_their_own(data, radius, expected):
    WitnessExtractor.seen.clear()
    cells = loop(extractor=WitnessExtractor(radius, size=9))
    cells.set_params(cell_radius=None, detector__cell_radius=7.0).fit(*data)
    assert set(WitnessExtractor.seen) == {expected}
    assert cells.cell_radius_ == 7.0


def test_two_different_values_are_named(data):
    """Also where the part was set to what is its default."""
    cells = loop().set_params(p=2, ranker=PClassificationRanker(p=4.0))
    with pytest.raises(ValueError, match=r"p is 2 and ranker__p is 4\.0; expected one"):
        cells.fit(*data)
    for key, name in (("alpha", "selector"), ("cell_radius", "detector")):
        cells = loop().set_params(**{key: 0.2, f"{name}__{key}": 0.1})
        with pytest.raises(ValueError, match=f"{key} is 0.2 and {name}__{key} is 0.1"):
            cells.fit(*data)


def test_parts_may_run_in_another_way_than_the_whole():
    whole = loop(random_state=1, n_jobs=2)
    whole.set_params(detector__random_state=7, detector__n_jobs=3)
    part = whole._part("detector")
    assert (part.random_state, part.n_jobs) == (7, 3)


@pytest.mark.parametrize("name", ["ranker__p", "selector__alpha"])
def test_search_over_a_parameter_of_a_part_makes_a_difference(data, name):
    grid = {"ranker__p": [1.0, 9.0], "selector__alpha": [0.0, 0.5]}[name]
    WitnessRanker.seen.clear()
    cells = loop(ranker=WitnessRanker(), beta=0.5)
    search = GridSearchCV(
        cells, {name: grid}, scoring=count_positives, cv=KFold(2), refit=False
    )
    counts = search.fit(*data).cv_results_["mean_test_score"]
    if name == "ranker__p":
        assert {p for p, _ in WitnessRanker.seen} == {1.0, 9.0}
    else:
        assert counts[0] == 0 < counts[1]


# ----------------------------------------------------------------- clone and display
@pytest.mark.parametrize("kind", ["ranking", "detection"])
def test_pipelines_are_cloned_and_shown_fitted_or_not(data, candidates, kind):
    if kind == "ranking":
        pipeline, fit_on = ranking(), candidates
        parts = ["PatchExtractor", "NNPUFeaturizer", "PClassificationRanker"]
    else:
        pipeline, fit_on = make_pipeline(Invert(), loop(max_iter=0)), data
        parts = ["Invert", "PseudoLabelCellDetector", "HeatmapDetector"]
    shown = repr(pipeline)
    page = estimator_html_repr(pipeline)
    fitted = clone(pipeline).fit(*fit_on)
    for part in parts:
        assert part in shown
        assert part in page
        assert part in estimator_html_repr(fitted)
    assert repr(fitted) == shown
    assert "<span>Fitted</span>" in estimator_html_repr(fitted)
    for other in (pipeline, clone(fitted)):
        assert repr(other) == shown
        assert "<span>Fitted</span>" not in estimator_html_repr(other)


def test_default_parts_are_shown_too():
    for cells in (HeatmapDetector(), PseudoLabelCellDetector(max_iter=3)):
        assert repr(clone(cells)) == repr(cells)
        assert type(cells).__name__ in estimator_html_repr(cells)


# --------------------------------------------------------------------- set_output
def test_features_have_names(candidates):
    X, y = candidates
    fitted = ranking().fit(X, y)
    names = fitted["nnpufeaturizer"].get_feature_names_out()
    assert names.tolist() == ["nnpufeaturizer0", "nnpufeaturizer1"]


def test_features_are_a_table_with_names(candidates):
    """Patches are no table, so that `set_output` is for the steps after them."""
    pandas = pytest.importorskip("pandas")
    X, y = candidates
    plain = make_pipeline(PatchExtractor(6, size=9), featurizer())
    expected = plain.fit(X, y).transform(X)
    table = make_pipeline(featurizer(), StandardScaler()).set_output(transform="pandas")
    linear = make_pipeline(plain[0], *table, PClassificationRanker()).fit(X, y)
    names = ["nnpufeaturizer0", "nnpufeaturizer1"]
    assert linear[-1].feature_names_in_.tolist() == names
    features = linear[1].transform(linear[0].transform(X))
    assert isinstance(features, pandas.DataFrame)
    np.testing.assert_array_equal(features, expected)
    with pytest.raises(ValueError, match="PatchExtractor"):
        plain.set_output(transform="pandas")
    with config_context(transform_output="pandas"):
        everywhere = ranking().fit(X, y)
    assert everywhere[-1].feature_names_in_.tolist() == names


# -------------------------------------------------------------- searches and folds
def count_positives(fitted, images, points):
    return fitted.history_[-1]["n_positive"]


def f1(fitted, images, points):
    return detection_f1(points, fitted.predict(images), max_distance=6)


def test_grid_search_over_lists_in_two_processes(data):
    """Shares, push and folds reach the loop; more workers change nothing."""
    grid = {"alpha": [0.0, 0.5], "beta": [0.2], "p": [1.0, 4.0]}
    scoring = {"f1": f1, "n_positive": count_positives}
    found = []
    for n_jobs in (1, 2):
        search = GridSearchCV(
            loop(), grid, scoring=scoring, refit="f1", cv=KFold(2), n_jobs=n_jobs
        )
        found.append(search.fit(*data).cv_results_)
    for name in ("mean_test_f1", "mean_test_n_positive"):
        np.testing.assert_array_equal(found[0][name], found[1][name])
    alpha = np.asarray(found[0]["param_alpha"], dtype=float)
    added = found[0]["mean_test_n_positive"]
    assert (added[alpha == 0] == 0).all()
    assert (added[alpha == 0.5] > 0).all()
    assert (found[0]["mean_test_f1"] > 0).all()
    assert search.best_estimator_.alpha == search.best_params_["alpha"]
    assert len(search.predict(data[0])) == len(data[0])


@pytest.mark.parametrize("cells", [detector(), loop(selector=CalibratedSelector())])
def test_folds_of_images_score_as_fits_by_hand(data, cells):
    images, clicks = data
    scores = cross_val_score(cells, images, clicks, cv=KFold(2), error_score="raise")
    halves = slice(0, 2), slice(2, 4)
    by_hand = [
        clone(cells).fit(images[a], clicks[a]).score(images[b], clicks[b])
        for b, a in (halves, halves[::-1])
    ]
    assert scores.tolist() == by_hand
    assert scores.min() > 0


# ----------------------------------------------------------------- metadata routing
def test_pseudo_labels_are_routed_to_the_detector(data):
    """Image by image, through pipelines and folds."""
    images, clicks = data
    extra = [np.array([[4.0, 4.0 + index]]) for index in range(4)]
    seen = []

    class Witness(HeatmapDetector):
        def fit(self, images, points, *, positives=None, negatives=None):
            seen.append((positives, negatives))
            return super().fit(images, points, positives=positives, negatives=negatives)

    witness = Witness(**detector().get_params())
    with config_context(enable_metadata_routing=True):
        witness.set_fit_request(positives=True, negatives=True)
        pipeline = make_pipeline(Invert(), witness)
        pipeline.fit(images, clicks, positives=extra, negatives=extra[::-1])
        assert seen == [(extra, extra[::-1])]
        seen.clear()
        folds = {"cv": KFold(2), "error_score": "raise"}
        cross_val_score(pipeline, images, clicks, params={"positives": extra}, **folds)
    for (positives, _), chosen in zip(seen, (extra[2:], extra[:2]), strict=True):
        assert len(positives) == 2
        assert_same_points(positives, chosen)


@pytest.mark.parametrize("cells", [detector(), loop()], ids=["heatmap", "loop"])
def test_score_of_a_pipeline_does_not_depend_on_routing(data, cells):
    images, clicks = data
    images = [255 - image for image in images]
    pipeline = make_pipeline(Invert(), clone(cells)).fit(images, clicks)
    first, *others = pipeline.predict(images)
    points = [first[:1], *others]
    expected = pipeline.score(images, points)
    weight = [1.0, 0.0, 2.0, 0.0]
    weighted = pipeline.score(images, points, sample_weight=weight)
    assert weighted != expected
    with config_context(enable_metadata_routing=True):
        assert pipeline.score(images, points) == expected
        with pytest.raises(ValueError, match="set_score_request"):
            pipeline.score(images, points, sample_weight=weight)
        pipeline[-1].set_score_request(sample_weight=True)
        assert pipeline.score(images, points, sample_weight=weight) == weighted


def test_weights_are_routed_to_the_ranker(candidates):
    """A weight of 0 is the same as no sample, also at the end of a pipeline."""
    X, y = candidates
    patches = PatchExtractor(6, size=9).fit_transform(X)
    features = featurizer().fit(patches, y).transform(patches)
    weight = np.tile([1.0, 1, 1, 1, 1, 1, 1, 0], len(X))
    with config_context(enable_metadata_routing=True):
        ranker = PClassificationRanker().set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        weighted = make_pipeline(scaler, ranker)
        weighted.fit(features, y, sample_weight=weight)
    scaled = StandardScaler().fit_transform(features)
    less = PClassificationRanker().fit(scaled[weight > 0], y[weight > 0])
    np.testing.assert_allclose(weighted[-1].coef_, less.coef_, rtol=1e-4)


def test_further_points_are_handed_on_only_where_asked_for(data):
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(Invert(), loop())
        with pytest.raises(ValueError, match=r"positives.*set_fit_request"):
            pipeline.fit(*data, positives=data[1])


# ------------------------------------------------------------------------ callbacks
class Listener:
    """Writes down the tasks of `fit`, and says after which round to stop."""

    def __init__(self, last=10):
        self.last = last
        self.told = []
        self.kept = []

    def setup(self, estimator, context):
        self.told.append("setup")

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        self.told.append(f"begin {context.task_name} of {len(X)}")

    def on_fit_task_end(self, estimator, context, *, X=None, fitted_estimator=None):
        n_found = sum(map(len, fitted_estimator.predict(X)))
        n_rounds = fitted_estimator.n_iter_
        self.kept.append(fitted_estimator)
        self.told.append(f"end {context.task_name} {n_rounds}: {n_found > 0}")
        return n_rounds >= self.last

    def teardown(self, estimator, context):
        self.told.append("teardown")


def test_callbacks_are_told_of_each_round(data):
    pytest.importorskip("sklearn.callback", reason="scikit-learn before 1.9")
    listener = Listener()
    plain = loop(max_iter=2).fit(*data)
    fitted = loop(max_iter=2).set_callbacks(listener).fit(*data)
    rounds = [("begin round of 4", f"end round {n}: True") for n in range(3)]
    assert listener.told == [
        *("setup", "begin fit of 4"),
        *[line for pair in rounds for line in pair],
        *("end fit 2: True", "teardown"),
    ]
    assert_same_points(fitted.predict(data[0]), plain.predict(data[0]))
    # Later rounds change nothing of what was handed out.
    for n_rounds, kept in enumerate(listener.kept[:3]):
        assert len(kept.detectors_) == len(kept.history_) == n_rounds + 1
        assert (len(kept.labels_), kept.n_iter_) == (n_rounds, n_rounds)


def test_callback_ends_the_rounds(data):
    pytest.importorskip("sklearn.callback", reason="scikit-learn before 1.9")
    fitted = loop(max_iter=2).set_callbacks(Listener(last=0)).fit(*data)
    assert (fitted.n_iter_, fitted.termination_condition_) == (0, "callback")


def test_score_of_each_round_is_monitored_in_a_pipeline(data):
    callback = pytest.importorskip("sklearn.callback", reason="before 1.9")
    monitor = callback.ScoringMonitor(scoring=click_scorer)
    cells = loop().set_callbacks(monitor)
    fitted = make_pipeline(Invert(), cells).fit([255 - x for x in data[0]], data[1])
    rows = monitor.get_logs().data
    rows = [row for row in rows if row["task_name"] == "round"]
    images = data[0]
    expected = [sum(map(len, p)) for p in fitted[-1].staged_predict(images)]
    assert [row["detection_count"] for row in rows] == expected


def test_callbacks_are_not_part_of_a_model_file(data, tmp_path):
    pytest.importorskip("sklearn.callback", reason="scikit-learn before 1.9")
    cells = PseudoLabelCellDetector(6).set_callbacks(Listener())
    save_model(cells, tmp_path / "cells.pseudocell")
    loaded = load_model(tmp_path / "cells.pseudocell")
    assert repr(loaded) == repr(cells)
    assert vars(loaded).keys() == vars(clone(PseudoLabelCellDetector())).keys()


def test_without_callbacks_in_scikit_learn_fit_is_the_same(monkeypatch):
    """As before version 1.9: every call that the loop makes is taken."""
    monkeypatch.setitem(sys.modules, "sklearn.callback", None)
    spec = importlib.util.find_spec("pseudocell._callbacks")
    old = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(old)

    class Counting(old.CallbackSupportMixin):
        @old.with_callbacks
        def fit(self, images, points):
            context = self._init_callback_context(max_subtasks=1)
            context.call_on_fit_task_begin(estimator=self, X=images, y=points)
            task = context.subcontext(task_name="round")
            return task.call_on_fit_task_end(
                estimator=self, X=images, y=points, reconstruction_attributes={}
            )

    assert Counting().fit([], points=[]) is False
    assert not hasattr(Counting(), "set_callbacks")

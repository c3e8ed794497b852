"""Benchmark: what is scored against what, and that no run is made twice."""

import json
import math
import os
import re
import sys
import time

import numpy as np
import pandas as pd
import pytest
from cells import draw_squares
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal
from PIL import Image
from scipy import ndimage
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch

from pseudocell import HeatmapDetector
from pseudocell.benchmark import (
    METHODS,
    DetectionSet,
    Method,
    _curves,
    _panels,
    _pictures,
    _view,
    leave_one_out_table,
    method_table,
    read_set,
    run_benchmark,
    tidy_rows,
    write_report,
)
from pseudocell.benchmark._job import Job
from pseudocell.benchmark._rows import COLUMNS
from pseudocell.benchmark._scores import (
    calibration_error,
    recall_crowded,
    right_negatives,
    right_positives,
)
from pseudocell.benchmark._tables import ablation_tables, ablations, round_tables
from pseudocell.datasets import CLICK_BIASES, bias_clicks

SHAPE = (60, 80)
CELLS = [
    [(10, 10), (10, 30), (10, 50), (30, 10), (30, 30), (30, 50), (50, 10), (50, 30)],
    [(12, 12), (12, 40), (40, 12), (40, 40), (40, 64)],
]
RULE_OF_PAPER = ("Nishimura", "With mask", "Fully supervised")
# Darker than a cell: not one.
CRUMBS = [[(50, 60)], [(20, 66)]]


def spots(cells, crumbs=()):
    return draw_squares(SHAPE, cells) + draw_squares(SHAPE, crumbs, 100)


class SpotDetector(BaseEstimator):
    """Every spot above a threshold is a cell: a stand-in that needs no training."""

    fits = []

    def __init__(self, threshold=150, random_state=None, n_jobs=None):
        self.threshold = threshold
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, images, points):
        SpotDetector.fits.append((self.threshold, self.random_state, self.n_jobs))
        self.n_clicks_ = sum(map(len, points))
        return self

    def find_candidates(self, images, threshold=0):
        found = []
        for image in images:
            pixels = np.asarray(image)
            labels, n_spots = ndimage.label(pixels > threshold)
            index = range(1, n_spots + 1)
            points = np.reshape(ndimage.center_of_mass(labels, labels, index), (-1, 2))
            heights = np.reshape(ndimage.maximum(pixels, labels, index), -1)
            order = np.argsort(-heights, kind="stable")
            found.append((points[order], heights[order]))
        return found

    def predict(self, images):
        return [points for points, _ in self.find_candidates(images, self.threshold)]


class RoundDetector(SpotDetector):
    """Takes the crumbs for cells in round 0, and has learnt better in round 1."""

    def fit(self, images, points):
        super().fit(images, points)
        found = self.find_candidates(images)
        cells = [some[heights > 150] for some, heights in found]
        others = [some[heights <= 150] for some, heights in found]
        # The first cell of each image is among the negatives by mistake.
        negatives = [np.r_[a[:1], b] for a, b in zip(cells, others, strict=True)]
        labels = {"positives": [a[1:] for a in cells], "negatives": negatives}
        self.labels_ = [labels | {"undecided": others}]
        return self

    def staged_predict(self, images):
        for threshold in (50, 150):
            yield [points for points, _ in self.find_candidates(images, threshold)]


class RefusingDetector(RoundDetector):
    """Finds that round 1 made it worse, and goes back to round 0."""

    def fit(self, images, points):
        super().fit(images, points)
        self.detectors_ = [SpotDetector(50), SpotDetector(150)]
        self.detector_ = self.detectors_[0]
        return self

    def predict(self, images):
        return self.detector_.predict(images)


class Broken(SpotDetector):
    """Fails on images with crumbs at one place."""

    broken = True

    def fit(self, images, points):
        if Broken.broken and np.asarray(images[0])[50, 60] == 100:
            raise RuntimeError("the crumbs\n  are too much")
        return super().fit(images, points)


def spot_factory(cell_radius, random_state):
    return SpotDetector(random_state=random_state)


def round_factory(cell_radius, random_state):
    return RoundDetector(random_state=random_state)


def refusing_factory(cell_radius, random_state):
    return RefusingDetector(random_state=random_state)


def broken_factory(cell_radius, random_state):
    return Broken(random_state=random_state)


def low_factory(cell_radius, random_state):
    return SpotDetector(threshold=50, random_state=random_state)


def make_set(name="spots", crumbs=CRUMBS, **changes):
    images = [spots(*pair) for pair in zip(CELLS, crumbs, strict=True)]
    points = [np.array(cells, float) for cells in CELLS]
    parts = {
        "name": name,
        "train_images": images,
        "train_clicks": [cells[:1] for cells in points],
        "train_points": points,
        "test_images": images[::-1],
        "test_points": points[::-1],
        "cell_radius": 4,
        "max_distance": 5,
    }
    return DetectionSet(**(parts | changes))


@pytest.fixture(autouse=True)
def _no_fits_yet():
    SpotDetector.fits.clear()
    Broken.broken = True


@pytest.fixture
def folder(tmp_path):
    """Write a set as files."""
    folder = tmp_path / "plate"
    for split, order in (("train", [0, 1]), ("test", [1, 0])):
        (folder / split / "images").mkdir(parents=True)
        lines = {"points": ["image,row,col"], "clicks": ["image,row,col"]}
        for i in order:
            image = Image.fromarray(spots(CELLS[i], CRUMBS[i]))
            image.save(folder / split / "images" / f"{split}_{i}.png")
            rows = [f"{split}_{i}.png,{row},{col}" for row, col in CELLS[i]]
            lines["points"] += rows
            lines["clicks"] += rows[:1]
        for name, text in lines.items():
            if (split, name) != ("test", "clicks"):
                (folder / split / f"{name}.csv").write_text("\n".join(text))
    return folder


def only(rows, **wanted):
    """Return rows as dicts, with None for what is missing."""
    dicts = rows.astype(object).where(rows.notna(), None).to_dict("records")
    return [row for row in dicts if all(row[k] == v for k, v in wanted.items())]


def rows_of(table):
    return table.cells.values.tolist()


# Sets


def test_a_folder_is_read_as_it_is_laid_out(folder):
    data = read_set(folder, 4)
    assert (data.name, data.cell_radius, data.max_distance) == ("plate", 4, 1.25 * 4)
    assert_allclose(np.asarray(data.train_images[1]), spots(CELLS[1], CRUMBS[1]))
    for found, expected in zip(data.train_points, CELLS, strict=True):
        assert_allclose(found, expected)
    assert [len(clicks) for clicks in data.train_clicks] == [1, 1]
    # Natural order of the names, not that of the table.
    assert [len(points) for points in data.test_points] == [8, 5]


def test_what_a_folder_does_not_have_is_not_known(folder):
    (folder / "train" / "points.csv").unlink()
    (folder / "test" / "points.csv").unlink()
    data = read_set(folder, 4, 5, name="other")
    assert (data.name, data.train_points, data.test_points) == ("other", None, None)
    (folder / "train" / "clicks.csv").unlink()
    with pytest.raises(ValueError, match="neither clicks nor points.*clicks.csv"):
        read_set(folder, 4)
    with pytest.raises(ValueError, match="no folder train/images"):
        read_set(folder / "train", 4)


def test_a_set_says_what_is_wrong_with_it():
    with pytest.raises(ValueError, match="The set spots: cell_radius is 0"):
        make_set(cell_radius=0)
    with pytest.raises(ValueError, match="max_distance is -1"):
        make_set(max_distance=-1)
    swapped = [np.array(points)[:, ::-1] for points in CELLS[::-1]]
    with pytest.raises(ValueError, match=r"test_points of the set spots.*\(row, col\)"):
        make_set(test_points=swapped)
    with pytest.raises(ValueError, match="has 1 lists of points for 2 images"):
        make_set(train_points=[[]])
    with pytest.raises(ValueError, match="lacks train_images, .*read_set"):
        run_benchmark([Bunch(name="x", train_clicks=[])])


def test_a_bunch_with_the_same_attributes_is_a_set():
    data = make_set()
    bunch = Bunch(**{name: getattr(data, name) for name in data.__annotations__})
    result = run_benchmark([bunch], {"spot": spot_factory})
    assert result.records[0]["status"] == "done"
    assert result.sets["spots"].fingerprint == data.fingerprint


def test_labels_are_the_clicks_or_a_draw_or_all():
    data = make_set()
    assert data.labels(0.1, 0) == (data.train_clicks, "given")
    assert data.labels(1.0, 0) == (data.train_points, "all")
    for share, redraw in ((0.5, False), (0.1, True)):
        drawn, origin = data.labels(share, 3, redraw)
        assert origin == "drawn"
        assert list(map(len, drawn)) == [math.ceil(share * n) for n in (8, 5)]
    unknown = make_set(train_points=None)
    assert unknown.labels(0.5, 0) == (None, "drawn")
    # There is nothing to draw from.
    assert unknown.labels(0.1, 0, redraw=True)[1] == "given"


@pytest.mark.parametrize(
    "change",
    [
        {"cell_radius": 4.5},
        {"train_clicks": None},
        {"train_clicks": [points[1:2] for points in CELLS]},
        {"test_points": None},
        {"test_images": [spots(cells) for cells in CELLS[::-1]]},
    ],
)
def test_the_fingerprint_is_of_the_content(change):
    assert make_set("a").fingerprint == make_set("b").fingerprint
    assert make_set().fingerprint != make_set(**change).fingerprint


# Scores


def test_rows_hold_scores_of_each_split_and_round():
    rows = tidy_rows(run_benchmark([make_set()], {"rounds": round_factory}))
    assert tuple(rows) == COLUMNS
    places = [(row["split"], row["round"], row["is_result"]) for row in only(rows)]
    assert places == [(s, k, k == 1) for s in ("test", "train") for k in (0, 1)]
    for row in only(rows, round=0):
        assert (row["n_found"], row["n_true"], row["n_matched"]) == (15, 13, 13)
        assert_allclose(row["f1"], 2 * 13 / (15 + 13))
        assert row["n_positives"] is None
    for row in only(rows, round=1):
        assert (row["precision"], row["recall"], row["f1"]) == (1, 1, 1)


def test_the_result_is_the_round_that_is_kept():
    result = run_benchmark([make_set()], {"refusing": refusing_factory})
    rows = tidy_rows(result)
    places = [(row["split"], row["round"], row["is_result"]) for row in only(rows)]
    assert places == [(s, k, k == 0) for s in ("test", "train") for k in (0, 1)]
    (row,) = only(rows, split="test", is_result=True)
    assert row["n_found"] == 15
    assert row["oracle_f1"] == 1


def test_the_picture_is_of_the_round_that_is_kept(monkeypatch):
    shown = []
    monkeypatch.setattr(
        _view.View, "show", lambda _, title, groups: shown.append(title)
    )
    data = make_set()
    result = run_benchmark([data], {"refusing": refusing_factory})
    assert _pictures.draw_detections(result, data.name)
    # Five cells, and a crumb that round 1 leaves out.
    assert shown[0].startswith("truth: ")
    assert shown[1] == f"refusing\nF1 {2 * 5 / (5 + 6):.2f}"


class SceneDetector(SpotDetector):
    """Finds every cell of the left half of an image."""

    def predict(self, images):
        found = super().predict(images)
        return [points[points[:, 1] < 60] for points in found]


def test_figure_2_shows_the_typical_part_with_its_own_counts():
    """The right half of the cells is missed: neither the best nor the worst part."""
    cells = np.array([(r, c) for r in (20, 60, 100) for c in range(10, 120, 20)], float)
    image = draw_squares((120, 120), cells.astype(int))
    data = make_set(
        train_images=[image],
        train_points=[cells],
        train_clicks=[cells[:1]],
        test_images=[image],
        test_points=[cells],
        cell_radius=2,
    )
    result = run_benchmark([data], {"left": lambda *_: SceneDetector()})
    _, seen = _pictures.draw_detections(result, data.name)
    n_cells = int(re.search(r"truth: (\d+) cells", seen)[1])
    assert 0 < n_cells < len(cells)
    f1 = float(re.search(r"left, F1 (\d\.\d+)", seen)[1])
    assert 0 < f1 < 1


def test_legends_hold_what_is_shown_alone():
    """Nothing is missed and nothing wrong: the legend has cells only."""
    data = make_set(crumbs=[[], []])
    records = run_benchmark([data], {"spots": spot_factory})
    view = _view.View(data.test_images[0], 4, np.zeros(2), 1)
    points = np.array(CELLS[1], float)
    view.show("all", {"cell": points, "missed": points[:0], "not a cell": points + 500})
    view.finish()
    (legend,) = view.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["cell"]
    assert _pictures.draw_detections(records, data.name)[1].endswith("F1 1.00.")


def test_figure_3_shows_given_chosen_and_undecided_in_each_iteration():
    data = make_set()
    result = run_benchmark([data], {"rounds": round_factory})
    (record,) = result.records
    first, second = _pictures._stages(data, record, 0, 5)
    # 8 cells, one of them clicked and called background, and the crumb.
    assert len(first["chosen as cell"]) == len(second["chosen as cell"]) == 7
    assert len(first["chosen as background"]) == 2
    assert len(first["wrongly chosen"]) == 1
    # What is detected at no label is open.
    record["rounds"][0]["positives"][0] = record["rounds"][0]["positives"][0][:3]
    assert len(_pictures._stages(data, record, 0, 5)[0]["detected, not chosen"]) == 4
    _, seen = _pictures.draw_rounds(result, data.name, "rounds")
    for words in ("given, 1 click", "iteration 0, 3 cells, 2 background, 4 open"):
        assert words in seen
    assert "iteration 1" in seen


@pytest.mark.parametrize(
    ("count", "most", "wanted"),
    [(4, 3, (2, 2)), (5, 3, (2, 3)), (6, 5, (2, 3)), (5, 5, (1, 5)), (1, 3, (1, 1))],
)
def test_no_figure_has_a_row_of_empty_places(count, most, wanted):
    figure, axes = _panels.make_panels(count, most, 3, 3)
    assert axes[0].get_gridspec().get_geometry() == wanted
    assert len(axes) == count


def test_words_are_bars_and_numbers_are_curves_with_full_supervision():
    methods = {"spots": spot_factory, "all": Method(spot_factory, labels="all")}
    kinds = {"clicks": ["random", "corner"], "vary": {"threshold": [50, 150]}}
    result = run_benchmark([make_set()], methods, **kinds)
    rows = tidy_rows(result)
    for name, scores in ablations(result, rows).items():
        figures = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_curves, "save_png", figures.append)
            _, seen = _curves.draw_curves(result, name, scores, {"spots": 0.9})
        (ax,) = [ax for ax in figures[0].axes if ax.get_visible()]
        assert bool(ax.patches) == (name == "way of clicking")
        assert (ax.get_ylim()[0] > 0) == (name != "way of clicking")
        dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
        assert [line.get_ydata()[0] for line in dashed] == [0.9]
        assert "spots on spots, F1 at " in seen


def test_purity_is_the_share_of_right_labels():
    rows = tidy_rows(run_benchmark([make_set()], {"rounds": round_factory}))
    for row in only(rows, round=1):
        # All cells but the first of each image, and that with each crumb.
        assert (row["n_positives"], row["purity_positives"]) == (8 + 5 - 2, 1)
        assert (row["n_negatives"], row["purity_negatives"]) == (4, 0.5)
        assert row["n_undecided"] == 2


def test_of_two_positives_on_a_cell_one_is_wrong():
    right = right_positives([(10, 10), (10, 11), (40, 40)], [(10, 10), (9, 30)], 5)
    assert right.tolist() == [True, False, False]


def test_a_negative_is_wrong_where_the_true_heatmap_is_above_a_half():
    radius, cell = 10.0, np.array([50.0, 50.0])
    distances = np.linspace(0, 15, 61)
    points = cell + distances[:, np.newaxis] * [0, 1]
    # The Gaussian target has half a radius as standard deviation.
    height = np.exp(-(distances**2) / (2 * (0.5 * radius) ** 2))
    right = right_negatives(points, cell[np.newaxis], radius)
    assert right.tolist() == (height < 0.5).tolist()


def test_without_truth_detections_are_counted_and_the_rest_says_why():
    data = make_set(train_points=None, test_points=None)
    methods = {
        "rounds": round_factory,
        "full": Method(spot_factory, labels="all"),
    }
    result = run_benchmark([data], methods, shares=(0.1, 0.5))
    rows = tidy_rows(result)
    for row in only(rows, status="done"):
        assert row["n_found"] in (13, 15)
        assert row["f1"] is None
        assert f"no {row['split']}/points.csv" in row["note"]
    last = only(rows, split="test", round=1)[0]
    assert (last["n_positives"], last["purity_positives"]) == (11, None)
    skipped = {row["share"]: row["note"] for row in only(rows, status="skipped")}
    assert "a share of 0.5 cannot be drawn" in skipped[0.5]
    assert "needs all the cells" in skipped[1.0]
    table = method_table(result, rows)
    assert [row[1:] for row in rows_of(table)] == [["–", "–"], ["skipped", "–"]]
    assert any("no test/points.csv" in note for note in table.notes)


def test_a_set_without_test_images_is_scored_on_its_training_images():
    data = make_set(test_images=[], test_points=None)
    (row,) = only(tidy_rows(run_benchmark([data], {"spot": spot_factory})))
    assert (row["split"], row["f1"]) == ("train", 1)


def test_the_best_threshold_is_found_among_the_candidates():
    rows = tidy_rows(run_benchmark([make_set()], {"low": low_factory}))
    (row,) = only(rows, split="test")
    assert row["f1"] < row["oracle_f1"] == 1
    assert row["oracle_threshold"] == 200


def test_full_supervision_is_the_measure():
    """Of two others, one loses in its ranking and none but in its threshold."""
    methods = {
        "full": Method(lambda radius, seed: SpotDetector(50), labels="all"),
        "spot": spot_factory,
        "low": low_factory,
    }
    rows = tidy_rows(run_benchmark([make_set()], methods, seeds=[0, 1]))
    low = 2 * 13 / 28
    for name, f1 in (("full", low), ("spot", 1), ("low", low)):
        for row in only(rows, method=name, split="test"):
            assert_allclose(row["share_of_full"], f1 / low)
            assert_allclose(row["threshold_loss"], 1 - f1)
        for row in only(rows, method=name, split="train"):
            assert row["share_of_full"] is row["threshold_loss"] is None


def test_crowded_cells_are_those_one_and_a_half_to_two_radii_apart():
    # In radii: 1.4 apart, 1.6 apart, 1.9 apart, alone.
    cols = np.array([0, 1.4, 10, 11.6, 20, 21.9, 40])
    truth = [np.c_[np.zeros(7), 6 * cols]]
    found = [truth[0][[0, 2, 4, 5, 6]]]
    assert recall_crowded(truth, found, 1.0, cell_radius=6) == 3 / 4
    assert recall_crowded([truth[0][:2], [], [[0, 0]]], [[]] * 3, 1.0, 6) is None


def test_calibration_error_is_the_mean_over_the_bins_that_hold_any():
    cells = [[(0, 0), (0, 50)]]
    # 0.95 and 1.0 share a bin, and one of them is a cell; so is that at 0.1.
    candidates = [[(0, 0, 0.95), (90, 0, 1.0), (0, 50, 0.1)]]
    expected = (abs(1.95 - 1) / 2 + abs(0.1 - 1)) / 2
    assert_allclose(calibration_error(candidates, cells, 5), expected)
    assert calibration_error([[]], cells, 5) is None


def test_heights_are_judged_as_probabilities_only_if_they_are_called_so():
    class Sure(SpotDetector):
        heights_are_probabilities = True

        def find_candidates(self, images, threshold=0):
            found = super().find_candidates(images, threshold)
            return [(points, heights / 200) for points, heights in found]

    methods = {"sure": lambda radius, seed: Sure(0.2), "spot": spot_factory}
    rows = tidy_rows(run_benchmark([make_set()], methods))
    (sure,) = only(rows, method="sure", split="test")
    # All 13 at 1 are cells, and the two crumbs at a half are none.
    assert_allclose(sure["calibration_error"], (0 + 0.5) / 2)
    (spot,) = only(rows, method="spot", split="test")
    assert spot["calibration_error"] is None


def test_records_of_an_older_rule_are_scored_anew(tmp_path):
    args = [make_set()], {"spot": spot_factory}
    (first,) = run_benchmark(*args, output=tmp_path).records
    (file,) = (tmp_path / "runs").iterdir()
    old = json.loads(file.read_text())
    del old["scoring"], old["probabilities"]
    old["scores"] = {"5": {"test": [], "train": [], "labels": [], "oracle": None}}
    file.write_text(json.dumps(old))
    (again,) = run_benchmark(*args, output=tmp_path).records
    assert again["scores"] == first["scores"]
    assert len(SpotDetector.fits) == 1


def test_a_larger_matching_distance_needs_no_new_run(tmp_path):
    moved = [np.array(cells) + [0, 3] for cells in CELLS[::-1]]
    data = make_set(test_points=moved)
    args = [data], {"spot": spot_factory}
    result = run_benchmark(*args, distances=[0.5], output=tmp_path)
    (row, _) = only(tidy_rows(result))
    assert (row["max_distance"], row["f1"]) == (2.5, 0)
    result = run_benchmark(*args, distances=[1, 0.5], output=tmp_path)
    scores = {row["max_distance"]: row["f1"] for row in only(tidy_rows(result))[::2]}
    assert scores == {5: 1, 2.5: 0}
    assert len(SpotDetector.fits) == 1
    assert ["set", "method", "0.5", "1"] in [
        list(table.cells) for table in ablation_tables(result, tidy_rows(result))
    ]


# Runs


def test_nothing_is_run_twice(tmp_path):
    data = make_set()
    first = run_benchmark([data], {"spot": spot_factory}, seeds=[0], output=tmp_path)
    assert len(SpotDetector.fits) == 1
    both = {"spot": spot_factory, "low": low_factory}
    more = run_benchmark([data], both, seeds=[0, 1], output=tmp_path)
    assert len(SpotDetector.fits) == 4
    assert first.records[0] == more.records[0]
    run_benchmark([data], both, seeds=[0, 1], output=tmp_path)
    assert len(SpotDetector.fits) == 4


def test_other_images_or_settings_are_other_runs(tmp_path):
    def run(data, factory=spot_factory):
        run_benchmark([data], {"spot": factory}, output=tmp_path)

    run(make_set())
    run(make_set(test_images=[spots(cells) for cells in CELLS[::-1]]))
    run(make_set(), low_factory)
    assert len(SpotDetector.fits) == 3


def test_a_default_value_of_a_varied_parameter_is_no_run_of_its_own():
    args = [make_set()], {"spot": spot_factory}
    result = run_benchmark(*args, vary={"threshold": [50, 150]})
    assert sorted(fit[0] for fit in SpotDetector.fits) == [50, 150]
    varied = [(r["parameter"], r["value"]) for r in result.records]
    assert varied == [(None, None), ("threshold", 50), ("threshold", 150)]
    (table,) = ablation_tables(result, tidy_rows(result))
    assert table.title == "F1 by threshold"
    assert list(table.cells) == ["set", "method", "50", "150"]
    assert rows_of(table) == [["spots", "spot", f"{2 * 13 / 28:.3f}", "1.000"]]


def test_an_interrupted_run_leaves_what_is_finished(tmp_path):
    class Interrupted(SpotDetector):
        def fit(self, images, points):
            raise KeyboardInterrupt

    methods = {"spot": spot_factory, "stop": lambda radius, seed: Interrupted()}
    with pytest.raises(KeyboardInterrupt):
        run_benchmark([make_set()], methods, output=tmp_path)
    (file,) = (tmp_path / "runs").iterdir()
    assert file.name.startswith("spots__spot__share-0.1__seed-0__")
    run_benchmark([make_set()], {"spot": spot_factory}, output=tmp_path)
    assert len(SpotDetector.fits) == 1


def test_a_damaged_file_is_run_again(tmp_path):
    args = [make_set()], {"spot": spot_factory}
    run_benchmark(*args, output=tmp_path)
    (file,) = (tmp_path / "runs").iterdir()
    file.write_text(file.read_text()[:100])
    result = run_benchmark(*args, output=tmp_path)
    assert len(SpotDetector.fits) == 2
    assert json.loads(file.read_text())["status"] == result.records[0]["status"]


def test_a_method_that_fails_is_named_and_tried_again(tmp_path):
    sets = [make_set("with"), make_set("without", [[], []])]
    methods = {"broken": broken_factory, "spot": spot_factory}
    result = run_benchmark(sets, methods, output=tmp_path)
    rows = tidy_rows(result)
    table = method_table(result, rows)
    assert rows_of(table) == [
        ["broken", "failed", "1.000", "–"],
        ["spot", "1.000", "1.000", "1.000"],
    ]
    reason = "RuntimeError: the crumbs are too much"
    assert table.notes == [f"broken on with, failed: {reason}"]
    assert only(rows, status="failed")[0]["note"] == reason
    Broken.broken = False
    n_fits = len(SpotDetector.fits)
    result = run_benchmark(sets, methods, output=tmp_path)
    assert len(SpotDetector.fits) == n_fits + 1
    assert {record["status"] for record in result.records} == {"done"}


def test_a_factory_that_fails_is_named():
    def missing(cell_radius, random_state):
        raise ImportError("No module named 'elsewhere'")

    result = run_benchmark([make_set()], {"missing": missing, "spot": spot_factory})
    assert [r["status"] for r in result.records] == ["failed", "done"]
    assert result.records[0]["error"] == "ImportError: No module named 'elsewhere'"


def test_workers_give_the_same_as_one_process():
    args = [make_set()], {"rounds": round_factory, "low": low_factory}
    alone = tidy_rows(run_benchmark(*args, seeds=[0, 1]))
    together = tidy_rows(run_benchmark(*args, seeds=[0, 1], n_jobs=2))
    timed = [name for name in COLUMNS if name.endswith("seconds")]
    assert_frame_equal(alone.drop(columns=timed), together.drop(columns=timed))


@pytest.mark.parametrize("keep", [True, False])
def test_a_worker_that_dies_is_named_and_what_is_finished_is_kept(tmp_path, keep):
    class Deadly(SpotDetector):
        deadly = True

        def fit(self, images, points):
            if self.deadly:
                # Not before the other run is finished.
                until = time.monotonic() + 30
                while keep and not list(tmp_path.glob("runs/spots__spot__*.json")):
                    assert time.monotonic() < until
                    time.sleep(0.01)
                os._exit(1)
            return super().fit(images, points)

    def deadly_factory(cell_radius, random_state):
        return Deadly()

    # The first of the results never comes, and the second one is there before.
    methods = {"deadly": deadly_factory, "spot": spot_factory}
    args = {"seeds": [3], "output": tmp_path if keep else None, "n_jobs": 2}
    kept = "1 of 2 runs are finished" if keep else "Without output nothing is kept"
    message = f"A worker died, .*deadly on spots with seed 3 and share 0.1.* {kept}"
    with pytest.raises(RuntimeError, match=message) as error:
        run_benchmark([make_set()], methods, **args)
    if not keep:
        return
    assert "spot on spots" not in str(error.value)
    (file,) = tmp_path.glob("runs/*.json")
    written = file.stat().st_mtime_ns
    Deadly.deadly = False
    result = run_benchmark([make_set()], methods, **args)
    assert [record["status"] for record in result.records] == ["done", "done"]
    assert file.stat().st_mtime_ns == written


def test_a_method_given_all_cells_runs_once_whatever_the_shares():
    methods = {"full": Method(spot_factory, labels="all"), "spot": spot_factory}
    result = run_benchmark([make_set()], methods, shares=(0.1, 0.5, 1))
    shares = [(r["method"], r["share"], r["n_clicks"]) for r in result.records]
    assert shares == [
        ("full", 1, 13),
        ("spot", 0.1, 2),
        ("spot", 0.5, 4 + 3),
        ("spot", 1, 13),
    ]


# Ways of clicking, and wrong radii


class Scaled(SpotDetector):
    """Remembers radius and clicks; with a radius too large it takes in the crumbs."""

    seen = []

    def __init__(self, cell_radius, threshold=150, random_state=None):
        super().__init__(threshold, random_state)
        self.cell_radius = cell_radius

    def fit(self, images, points):
        Scaled.seen.append((self.cell_radius, [some.tolist() for some in points]))
        self.threshold_ = 50 if self.cell_radius > 4 else 150
        return super().fit(images, points)

    def predict(self, images):
        return [points for points, _ in self.find_candidates(images, self.threshold_)]


def scaled_factory(cell_radius, random_state):
    return Scaled(cell_radius, random_state=random_state)


@pytest.fixture
def seen():
    Scaled.seen.clear()
    return Scaled.seen


HABITS = {"clicks": ["random", *CLICK_BIASES], "radius_factors": [0.5, 1, 1.5]}


def test_usual_runs_are_those_of_before_and_not_made_twice(tmp_path):
    args = [make_set()], {"spot": spot_factory}
    (usual,) = run_benchmark(*args, output=tmp_path).records
    (file,) = (tmp_path / "runs").iterdir()
    assert re.fullmatch(r"spots__spot__share-0.1__seed-0__[0-9a-f]{16}.json", file.name)
    written = file.stat().st_mtime_ns
    result = run_benchmark(*args, **HABITS, output=tmp_path)
    assert len(SpotDetector.fits) == 1 + len(CLICK_BIASES) + 2
    assert file.stat().st_mtime_ns == written
    assert result.records[0] == usual
    run_benchmark(*args, **HABITS, output=tmp_path)
    assert len(SpotDetector.fits) == 1 + len(CLICK_BIASES) + 2


def test_the_identity_of_a_usual_run_holds_nothing_new():
    def identity(**varied):
        job = Job(make_set(), "scaled", Method(scaled_factory), 0, 0.1, **varied)
        return job.identity()

    usual = identity()
    keys = "format pseudocell set content method estimator seed share labels"
    assert [*usual] == keys.split()
    # 4 and not 4.0, which JSON writes otherwise.
    assert json.dumps(usual["estimator"][1]["cell_radius"]) == "4"
    others = [identity(clicks=kind) for kind in CLICK_BIASES]
    others += [identity(radius_factor=factor) for factor in (0.5, 1.5)]
    texts = {json.dumps(one, sort_keys=True) for one in [usual, *others]}
    assert len(texts) == 1 + len(others)


def test_the_identity_survives_a_move_of_a_private_module(monkeypatch):
    def identity():
        method = Method(lambda radius, seed: SpotDetector())
        return Job(make_set(), "spot", method, 0, 0.1).identity()

    monkeypatch.setattr(SpotDetector, "__module__", "spots._old._detector")
    before = identity()
    monkeypatch.setattr(SpotDetector, "__module__", "spots._new")
    assert identity() == before
    monkeypatch.setattr(SpotDetector, "__module__", "others._new")
    assert identity() != before


def test_a_method_that_hides_its_radius_is_still_run_for_each(tmp_path):
    run_benchmark(
        [make_set()], {"spot": spot_factory}, radius_factors=[0.5], output=tmp_path
    )
    names = sorted(file.name.split("__")[4] for file in (tmp_path / "runs").iterdir())
    assert len(names) == 2
    assert names[-1] == "radius-0.5"


def test_each_way_of_clicking_gives_the_clicks_that_it_means(seen):
    data = make_set()
    result = run_benchmark(
        [data], {"scaled": scaled_factory}, seeds=[5], clicks=CLICK_BIASES
    )
    expected = [[some.tolist() for some in data.train_clicks]]
    for kind in CLICK_BIASES:
        clicks = bias_clicks(
            *(data.train_images, data.train_points, kind, 0.1),
            cell_radius=4,
            random_state=5,
        )
        expected.append([some.tolist() for some in clicks])
    assert [clicks for _, clicks in seen] == expected
    varied = [(r["clicking"], r["labels"]) for r in result.records]
    assert varied == [("random", "given"), *((kind, kind) for kind in CLICK_BIASES)]


def test_a_wrong_radius_is_that_of_the_method_alone(seen):
    result = run_benchmark(
        [make_set()], {"scaled": scaled_factory}, radius_factors=[0.5, 1.5]
    )
    assert [radius for radius, _ in seen] == [4, 2.0, 6.0]
    rows = tidy_rows(result)
    assert {*rows["max_distance"]} == {5}
    (table,) = ablation_tables(result, rows)
    assert table.title == "F1 by radius factor"
    assert list(table.cells) == ["set", "method", "0.5", "1", "1.5"]
    assert rows_of(table) == [
        ["spots", "scaled", "1.000", "1.000", f"{2 * 13 / 28:.3f}"]
    ]
    # The others show the true radius only.
    assert rows_of(method_table(result, rows)) == [["scaled", "1.000", "1.000"]]


def test_the_table_has_the_ways_of_clicking_in_the_order_asked_for():
    methods = {"spot": spot_factory, "full": Method(spot_factory, labels="all")}
    asked = ["stray", "brightest", "corner"]
    result = run_benchmark([make_set()], methods, clicks=asked)
    (table,) = ablation_tables(result, tidy_rows(result))
    assert table.title == "F1 by way of clicking"
    assert list(table.cells) == ["set", "method", "random", *asked]
    # Who is given all the cells does not click.
    assert rows_of(table) == [["spots", "spot", *["1.000"] * 4]]
    assert len(result.records) == 4 + 1


def test_clicks_that_cannot_be_simulated_are_refused_before_the_first_run():
    sets = [make_set("a"), make_set("b", train_points=None)]
    methods = {"spot": spot_factory}
    with pytest.raises(ValueError, match="of the set b are known .*train/points.csv"):
        run_benchmark(sets, methods, clicks=["random", "corner"])
    assert SpotDetector.fits == []
    run_benchmark(sets, methods, clicks=["random"], radius_factors=[0.5])
    assert len(SpotDetector.fits) == 4


def test_clicks_for_which_there_is_no_place_fail_alone():
    data = make_set(cell_radius=40)
    result = run_benchmark([data], {"spot": spot_factory}, clicks=["stray", "corner"])
    assert [r["status"] for r in result.records] == ["done", "failed", "done"]
    assert "No place for a click on nothing" in result.records[1]["error"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"clicks": ["random", "dimmest"]}, r"clicks\[1\] is 'dimmest'; .*off-centre"),
        ({"radius_factors": [1, 0]}, r"radius_factors\[1\] is 0"),
        ({"seeds": []}, r"seeds is \[\]; expected at least one"),
        ({"seeds": [1, 1]}, "none twice"),
        ({"shares": [10]}, r"shares\[0\] is 10.*percentage"),
        ({"distances": [1, 0]}, r"distances\[1\] is 0"),
        ({"vary": {"alpha": [1]}}, "'alpha'.*expected one of n_jobs, .*threshold"),
        ({"methods": {}}, r"methods is \[\]"),
        ({"methods": {"spot": "SpotDetector"}}, "factory is 'SpotDetector'"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        run_benchmark([make_set()], **({"methods": {"spot": spot_factory}} | arguments))


def test_sets_need_names_of_their_own():
    with pytest.raises(ValueError, match="Two sets are called spots"):
        run_benchmark([make_set(), make_set()], {"spot": spot_factory})
    with pytest.raises(ValueError, match="sets is empty"):
        run_benchmark([], {"spot": spot_factory})


# Tables and page


def test_tables_show_mean_and_spread_over_seeds():
    def lucky(cell_radius, random_state):
        return SpotDetector(threshold=50 if random_state else 150)

    result = run_benchmark([make_set()], {"lucky": lucky}, seeds=[0, 1])
    worse = 2 * 13 / 28
    (row,) = rows_of(method_table(result, tidy_rows(result)))
    mean, spread = (1 + worse) / 2, (1 - worse) / math.sqrt(2)
    assert row == ["lucky", f"{mean:.3f} ± {spread:.3f}", f"{mean:.3f}"]


def test_the_best_method_that_sees_clicks_only_is_bold():
    methods = {
        "low": low_factory,
        "spot": spot_factory,
        "full": Method(spot_factory, labels="all"),
    }
    result = run_benchmark([make_set()], methods)
    assert method_table(result, tidy_rows(result)).strong == {(1, 1), (1, 2)}


def test_of_one_set_left_out_the_others_choose():
    """The low threshold is right on the one set whose crumbs are cells."""
    mixed = [np.r_[a, b] for a, b in zip(CELLS, CRUMBS, strict=True)]
    odd = {"train_points": mixed, "test_points": mixed[::-1]}
    sets = [make_set("a"), make_set("b"), make_set("odd", **odd)]
    methods = {
        "spot": spot_factory,
        "low": low_factory,
        "full": Method(spot_factory, labels="all"),
        "broken": broken_factory,
    }
    result = run_benchmark(sets, methods)
    table = leave_one_out_table(result, tidy_rows(result))
    worse = 2 * 13 / 28
    assert rows_of(table) == [
        ["a", "low", f"{worse:.3f}", "spot", "1.000", f"{1 - worse:.3f}"],
        ["b", "low", f"{worse:.3f}", "spot", "1.000", f"{1 - worse:.3f}"],
        ["odd", "spot", "1.000", "low", f"{1 / worse:.3f}", f"{1 / worse - 1:.3f}"],
        ["mean", "", "0.952", "", "1.026", "0.073"],
    ]
    assert table.notes == ["broken has no score on some set and takes no part"]


def test_one_set_cannot_be_left_out():
    result = run_benchmark([make_set()], {"spot": spot_factory, "low": low_factory})
    with pytest.raises(ValueError, match="0 methods .* 1 sets; .*full-supervision"):
        leave_one_out_table(result, tidy_rows(result))


def test_without_pandas_one_sentence_says_what_to_install(monkeypatch):
    result = run_benchmark([make_set()], {"spot": spot_factory})
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ValueError, match=r"need pandas.*'pseudocell\[benchmark\]'"):
        tidy_rows(result)


def test_rounds_have_a_table_with_purity():
    result = run_benchmark([make_set()], {"rounds": round_factory}, seeds=[0, 1])
    (table,) = round_tables(result, tidy_rows(result))
    assert table.title == "Rounds of rounds on spots"
    labels = rows_of(table)[1][-5:]
    assert labels == ["11 ± 0", "1.000 ± 0.000", "4 ± 0", "0.500 ± 0.000", "2"]
    assert rows_of(table)[0][-5:] == ["–", "–", "–", "–", "2"]


def test_the_page_needs_no_other_file(tmp_path):
    methods = {"rounds": round_factory, "broken <b>": broken_factory}
    result = run_benchmark(
        [make_set()],
        methods,
        shares=(0.1, 0.5),
        vary={"threshold": [50, 150]},
        clicks=["random", "corner"],
    )
    page = write_report(result, tmp_path, command="pseudocell benchmark --set a:4")
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!data:|#)', text)
    # A contents list that leads somewhere, no empty heading, and pictures in words.
    anchors = re.findall(r'href="#([^"]+)"', text)
    assert {"results", "sets", "methods", "detections", "made"} <= {*anchors}
    assert sorted(anchors) == sorted(re.findall(r'<h2 id="([^"]+)"', text))
    assert not re.findall(r"<h\d[^>]*>\s*</h", text)
    assert "2 methods on 1 set, " in text
    assert 'alt="spots: truth: ' in text
    assert "iteration 0, " in text
    # Detections, labels by round, and curves over share, threshold and clicks.
    assert text.count("data:image/png;base64,") == 5
    assert text.count("F1 by way of clicking</h3>") == 2
    assert "pseudocell benchmark --set a:4" in text
    assert "broken &lt;b&gt;" in text
    assert "broken <b>" not in text
    assert "the crumbs are too much" in text
    assert sorted(p.name for p in tmp_path.iterdir()) == ["index.html", "results.csv"]
    read, rows = pd.read_csv(tmp_path / "results.csv"), tidy_rows(result)
    assert_allclose(read["f1"], rows["f1"], rtol=1e-5)
    assert read["is_result"].tolist() == rows["is_result"].astype(int).tolist()


def test_the_methods_of_the_paper_are_there():
    # Table 1, in its order.
    named = {m.in_paper: name for name, m in METHODS.items() if m.in_paper}
    table = ["Nishimura", "With mask", "Vicar", "Yang", "Ours", "Fully supervised"]
    assert [name for name in named if "," not in name] == table
    # The rows that are a heatmap net, by the paper's rule and no tuned threshold.
    nets = {k: METHODS[named[k]].factory(12, 0) for k in table if k in RULE_OF_PAPER}
    for name, net in nets.items():
        assert isinstance(net, HeatmapDetector)
        assert net.normalize == "min-max"
        assert net.threshold is None
        assert net.masked == (name == "With mask")
        # Every pixel counts as much as those at cells.
        assert net.masked or net.background_weight == 1
    loop = METHODS[named["Ours"]].factory(12, 0)
    assert loop.detector.normalize == "min-max"
    assert loop.candidate_threshold == 128 / 255
    # Full supervision, the measure of shares, is the first that is given all cells.
    everything = [name for name, m in METHODS.items() if m.labels == "all"]
    assert everything == ["full supervision", "fully supervised"]


@pytest.mark.parametrize("name", METHODS)
def test_each_method_makes_an_estimator_of_the_radius_and_the_seed(name):
    method = METHODS[name]
    estimator = method.factory(7.5, 3)
    parameters = estimator.get_params()
    radii = {k: v for k, v in parameters.items() if k.endswith("cell_radius")}
    assert 7.5 in radii.values()
    seeds = [v for k, v in parameters.items() if k.endswith("random_state")]
    assert not seeds or 3 in seeds

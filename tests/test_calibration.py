"""What the heights of peaks mean."""

from types import SimpleNamespace

import numpy as np
import pytest

from pseudocell._detection._calibration import Calibration, calibrate
from pseudocell.cli._goal import at_goal
from pseudocell.io import read_points, write_points


def draw_peaks(n_cells=900, n_background=4000, seed=0):
    """Heights of cells, most of them high, and of background, most of them low."""
    rng = np.random.default_rng(seed)
    heights = np.append(rng.beta(5, 1, n_cells), rng.beta(1, 12, n_background))
    return heights, np.arange(len(heights)) < n_cells


def of_heights(heights, chances, n_cells):
    """A calibration in which each of some different heights has its own chance."""
    order = np.argsort(heights)
    knots = np.array([heights[order], chances[order]])
    return Calibration(knots, heights, n_cells, 50)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_precision_and_recall_are_those_of_the_truth(seed):
    heights, is_cell = draw_peaks(seed=seed)
    calibration = calibrate(heights, 90, is_cell.astype(float), is_cell.sum())
    for threshold in (0.3, 0.5, 0.7):
        above = heights > threshold
        precision, recall = is_cell[above].mean(), above[is_cell].mean()
        assert calibration.precision(threshold) == pytest.approx(precision, abs=0.05)
        assert calibration.recall(threshold) == pytest.approx(recall, abs=0.05)


def test_threshold_maximises_the_expected_f1():
    heights = np.random.default_rng(0).random(200)
    calibration = of_heights(heights, heights**2, 110)
    chosen = calibration.threshold()

    def expected(threshold):
        above = heights > threshold
        return 2 * (heights[above] ** 2).sum() / (above.sum() + 110)

    assert expected(chosen) == max(expected(t) for t in np.append(0, heights))


def test_peaks_that_are_sure_are_all_taken():
    heights = np.array([0.9, 0.2, 0.6, 0.1])
    calibration = of_heights(heights, np.array([1.0, 1, 1, 0]), 3)
    assert calibration.threshold() == pytest.approx(0.15)


def test_threshold_for_a_precision_is_the_lowest_and_for_a_recall_the_highest():
    heights = np.random.default_rng(0).random(300)
    calibration = of_heights(heights, heights, heights.sum())
    at = calibration.threshold(precision=0.9)
    assert calibration.precision(at) >= 0.9 > calibration.precision(at - 0.02)
    at = calibration.threshold(recall=0.8)
    assert calibration.recall(at) >= 0.8 > calibration.recall(at + 0.02)


def test_no_peak_gives_one_half():
    nothing = np.zeros(0)
    calibration = calibrate(nothing, 0, nothing, 3)
    assert calibration.threshold() == 0.5
    assert calibration.precision(0.5) == 1
    assert calibration.count(nothing)[0] == 0


@pytest.mark.parametrize(
    ("goal", "message"),
    [
        ({"precision": 1.5}, r"precision is 1\.5; expected a share in \(0, 1\]"),
        ({"recall": 0}, "recall is 0; expected"),
        ({"recall": 0.5, "precision": 0.5}, "precision and recall are both given"),
        ({"recall": 1.0}, "recall 1 is expected at no threshold"),
    ],
)
def test_goals_that_cannot_be_are_refused(goal, message):
    heights = np.array([0.1, 0.5, 0.9])
    with pytest.raises(ValueError, match=message):
        of_heights(heights, heights, 3.0).threshold(**goal)


def test_intervals_hold_as_often_as_they_say():
    """Over images of a large sample, with a calibration that knows the truth."""
    rng = np.random.default_rng(0)
    heights = np.linspace(0.01, 0.99, 99)
    calibration = Calibration(np.array([heights, heights]), heights, 49.5, 10**6)
    hits = 0
    for _ in range(300):
        its = rng.random(60)
        number, low, high = calibration.count(its)
        assert low <= number <= high
        hits += low <= (rng.random(60) < its).sum() <= high
    assert 0.85 <= hits / 300 <= 0.95


class Known:
    """A fitted detector whose heights are probabilities."""

    threshold_ = 0.5

    def __init__(self):
        heights = np.linspace(0.005, 0.995, 100)
        self.calibration_ = of_heights(heights, heights, heights.sum())


def test_a_goal_moves_the_threshold_of_a_copy(capsys):
    detector = Known()
    assert at_goal(detector) is detector
    precise, complete = at_goal(detector, precision=0.9), at_goal(detector, recall=0.9)
    assert complete.threshold_ < detector.threshold_ < precise.threshold_
    assert detector.calibration_.precision(precise.threshold_) >= 0.9
    assert "90% of the finds are expected to be cells" in capsys.readouterr().out


def test_a_goal_of_a_detector_that_cannot_tell_is_refused():
    with pytest.raises(ValueError, match="--precision and --recall need a detector"):
        at_goal(SimpleNamespace(threshold_=0.5), precision=0.9)


def test_probabilities_are_a_column_that_is_read_over(tmp_path):
    file, points = tmp_path / "points.csv", [np.array([[4.0, 30.5]])]
    write_points(file, ["a.tif"], points, [np.array([0.9])], [np.array([0.75])])
    head, line = file.read_text().splitlines()
    assert head == "image,row,col,score,probability"
    assert line == "a.tif,4.00,30.50,0.9,0.750"
    assert read_points(file).points["a.tif"].tolist() == [[4.0, 30.5]]

"""The commands: what they write, and what they say to a mistake."""

import csv
import signal
import subprocess
import sys

import numpy as np
import pytest
from cells import draw_squares
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from scipy import ndimage
from sklearn.base import BaseEstimator

from pseudocell.cli import _fit, _predict, main
from pseudocell.io import UnreadableImageError, _plain, load_model, save_model

SHAPE = (48, 64)


class SpotDetector(BaseEstimator):
    """Find bright squares: a stand-in that needs no training."""

    def __init__(
        self,
        cell_radius=None,
        alpha=0.05,
        beta=0.05,
        p=4.0,
        max_iter=2,
        device="cpu",
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.cell_radius = cell_radius
        self.alpha = alpha
        self.beta = beta
        self.p = p
        self.max_iter = max_iter
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, images, points):
        for index, (image, some) in enumerate(zip(images, points, strict=True)):
            shape = np.asarray(image).shape
            if len(some) and (np.max(some, axis=0) >= shape[:2]).any():
                raise ValueError(f"partial_points[{index}] has points outside.")
        if not sum(map(len, points)):
            raise ValueError("points are all empty: nothing is clicked.")
        self.cell_radius_ = self.cell_radius or 3.0
        self.n_images_ = len(images)
        self.history_ = [
            {"iteration": k, "n_positive": k, "n_negative": 2 * k, "seconds": 1.0}
            for k in range(self.max_iter + 1)
        ]
        return self

    def predict_scored(self, images):
        found = []
        for index, image in enumerate(images):
            pixels = np.asarray(image)
            if not np.isfinite(pixels).all():
                raise ValueError(f"images[{index}] has 1 NaN or infinite pixels.")
            spots, n_spots = ndimage.label(pixels > 0.9 * pixels.max())
            points = ndimage.center_of_mass(spots, spots, range(1, n_spots + 1))
            found.append((np.reshape(points, (-1, 2)), np.linspace(1, 0.5, n_spots)))
        return found

    def staged_predict(self, images):
        for _ in self.history_:
            yield [points for points, _ in self.predict_scored(images)]


def spots(points, dtype=np.uint8):
    return draw_squares(SHAPE, points).astype(dtype)


TRUTH = {
    "well_1.png": [(10, 10), (30, 50), (40, 9)],
    "well_2.png": [(20, 30)],
    "well_10.png": [(8, 50), (25, 40)],
}


@pytest.fixture(autouse=True)
def storable(monkeypatch):
    """Model files hold the parts of pseudocell, and here the stand-in."""
    monkeypatch.setitem(_plain.OBJECTS, "SpotDetector", __name__)


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch):
    def make(**parameters):
        return SpotDetector(**parameters)

    monkeypatch.setattr(_fit, "new_detector", make)
    monkeypatch.setattr("pseudocell.cli._demo.new_detector", make)


@pytest.fixture
def plate(tmp_path):
    """Make a folder of images, their clicks, all their points, and a model."""
    folder = tmp_path / "plate"
    folder.mkdir()
    for name, points in TRUTH.items():
        Image.fromarray(spots(points)).save(folder / name)
    rows = [f"{name},{r},{c}" for name, points in TRUTH.items() for r, c in points]
    (tmp_path / "truth.csv").write_text("\n".join(["image,row,col", *rows]))
    (tmp_path / "clicks.csv").write_text("image,x,y\nwell_1,10,10\n")
    detector = SpotDetector().fit([spots([(9, 9)])], [[(9, 9)]])
    save_model(detector, tmp_path / "model.pseudocell")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def assert_one_line(result, message, code=2):
    """One line on stderr, the exit code, and no traceback."""
    assert result.exit_code == code, result.output
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert isinstance(result.exception, SystemExit)


def read_rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_predict_writes_points_counts_and_overlays(plate):
    result = run(
        "predict",
        plate / "plate",
        "-m",
        plate / "model.pseudocell",
        "-o",
        plate / "out",
    )
    assert result.exit_code == 0, result.output
    assert f"6 cells in 3 images: {plate / 'out' / 'points.csv'}" in result.stdout
    rows = read_rows(plate / "out" / "points.csv")
    assert list(rows[0]) == ["image", "row", "col", "score"]
    # Images in natural order, points as the detector gives them.
    found = [(row["image"], float(row["row"]), float(row["col"])) for row in rows]
    expected = [(name, r, c) for name, points in TRUTH.items() for r, c in points]
    assert sorted(found, key=expected.index) == expected
    assert [row["image"] for row in rows] == [name for name, _, _ in expected]
    counts = read_rows(plate / "out" / "counts.csv")
    assert {row["image"]: int(row["count"]) for row in counts} == {
        name: len(points) for name, points in TRUTH.items()
    }
    overlays = sorted(path.name for path in (plate / "out" / "overlays").iterdir())
    assert overlays == sorted(TRUTH)
    picture = np.asarray(Image.open(plate / "out" / "overlays" / "well_1.png"))
    assert np.ptp(picture, axis=2).max() > 100  # rings are coloured


def test_predict_can_leave_overlays_out(plate):
    run(
        "predict", plate / "plate",
        "-m", plate / "model.pseudocell", "-o", plate / "out",
        "--no-overlays",
    )  # fmt: skip
    assert sorted(path.name for path in (plate / "out").iterdir()) == [
        "counts.csv",
        "found.jsonl",
        "napari",
        "points.csv",
    ]


def test_predict_numbers_the_frames_of_stacks(plate):
    tifffile = pytest.importorskip("tifffile")
    frames = [
        spots([(8, 8)] * (k > 0) + [(20, 9 + 5 * k)] * (k > 1)) for k in range(12)
    ]
    frames[0][:] = 200  # one spot that fills the image
    tifffile.imwrite(plate / "movie.tif", np.array(frames), photometric="minisblack")
    run(
        "predict", plate / "movie.tif", plate / "plate",
        "-m", plate / "model.pseudocell",
        "-o", plate / "out",
    )  # fmt: skip
    counts = read_rows(plate / "out" / "counts.csv")
    assert [(row["image"], row["frame"], row["count"]) for row in counts[:3]] == [
        ("movie.tif", "0", "1"),
        ("movie.tif", "1", "1"),
        ("movie.tif", "2", "2"),
    ]
    assert (counts[-1]["image"], counts[-1]["frame"]) == ("well_10.png", "")
    assert list(read_rows(plate / "out" / "points.csv")[0])[:2] == ["image", "frame"]
    assert (plate / "out" / "overlays" / "movie_frame07.png").exists()
    # What was written can be evaluated against itself.
    points = plate / "out" / "points.csv"
    result = run("evaluate", "-p", points, "-t", points, "-d", 1)
    assert "F1 1.000" in result.stdout


def test_images_that_share_a_stem_get_overlays_of_their_own(plate):
    (plate / "plate" / "well_1.jpeg").write_bytes(b"")
    Image.fromarray(spots([(9, 9)])).save(plate / "plate" / "well_1.jpeg")
    run(
        "predict",
        plate / "plate",
        "-m",
        plate / "model.pseudocell",
        "-o",
        plate / "out",
    )
    overlays = {path.name for path in (plate / "out" / "overlays").iterdir()}
    assert {"well_1.png.png", "well_1.jpeg.png", "well_2.png"} <= overlays


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_predict_leaves_bad_images_out_and_goes_on(plate, n_jobs):
    tifffile = pytest.importorskip("tifffile")
    content = (plate / "plate" / "well_1.png").read_bytes()
    (plate / "plate" / "cut.png").write_bytes(content[: len(content) // 2])
    (plate / "plate" / "damaged.png").write_bytes(
        content[:60] + bytes(20) + content[80:]
    )
    tifffile.imwrite(plate / "plate" / "nan.tif", spots([(9, 9)], np.float32) * np.nan)
    result = run(
        "predict", plate / "plate",
        "-m", plate / "model.pseudocell", "-o", plate / "out",
        "--n-jobs", n_jobs,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    first, second = result.stderr.strip().split("\n")
    assert "1 file cannot be read and is left out" in first
    assert "cut.png (" in first
    assert "2 of 5 images left out: damaged.png (" in second
    assert "nan.tif (it has 1 NaN" in second
    counts = read_rows(plate / "out" / "counts.csv")
    assert [row["image"] for row in counts] == list(TRUTH)


def test_predict_without_any_good_image_is_a_mistake(plate):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(plate / "nan.tif", np.full(SHAPE, np.nan, np.float32))
    result = run(
        "predict",
        plate / "nan.tif",
        "-m",
        plate / "model.pseudocell",
        "-o",
        plate / "out",
    )
    assert_one_line(result, "1 of 1 images left out: nan.tif (it has 1 NaN")
    assert not (plate / "out" / "points.csv").exists()


@pytest.mark.parametrize("n_done", [0, 2])
def test_ctrl_c_keeps_what_is_finished(plate, monkeypatch, n_done):
    done = []

    def interrupted(self, images):
        if len(done) == n_done:
            raise KeyboardInterrupt
        done.append(images)
        return [(np.array([[10.0, 10.0]]), np.ones(1)) for _ in images]

    monkeypatch.setattr(SpotDetector, "predict_scored", interrupted)
    result = run(
        "predict", plate / "plate",
        "-m", plate / "model.pseudocell", "-o", plate / "out",
        "--n-jobs", 1,
    )  # fmt: skip
    assert_one_line(result, f"Stopped after {n_done} of 3 images; ", code=130)
    if n_done == 0:
        assert "nothing was written" in result.stderr
        assert not (plate / "out" / "points.csv").exists()
    else:
        names = ["well_1.png", "well_2.png"]
        rows = read_rows(plate / "out" / "points.csv")
        assert [row["image"] for row in rows] == names
        overlays = sorted(path.name for path in (plate / "out" / "overlays").iterdir())
        assert overlays == names


def test_fit_saves_a_model_with_the_parameters_that_were_given(plate):
    result = run(
        "fit", plate / "plate", "-p", plate / "clicks.csv",
        "-o", plate / "m.pseudocell",
        "--cell-radius", 4, "--alpha", 0.1, "--beta", 0.2, "--p", 2, "--max-iter", 1,
        "--seed", 7, "--n-jobs", 1, "--device", "cpu",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "Training on 3 images with 1 click\n" in result.stderr
    assert "Cell radius: 4.0 px (given)" in result.stdout
    detector = load_model(plate / "m.pseudocell")
    expected = SpotDetector(4.0, 0.1, 0.2, 2.0, 1, "cpu", 1, 7)
    assert detector.get_params() == expected.get_params()
    assert detector.n_images_ == 3


def test_fit_leaves_the_defaults_to_the_detector(plate):
    result = run(
        "fit", plate / "plate", "-p", plate / "clicks.csv", "-o", plate / "m.pseudocell"
    )
    assert "Cell radius: 3.0 px (estimated from the clicks)" in result.stdout
    defaults = SpotDetector().get_params()
    given = load_model(plate / "m.pseudocell").get_params()
    for name in ("cell_radius", "alpha", "beta", "p", "max_iter"):
        assert given[name] == defaults[name]
    # One line for each iteration after the header.
    assert [line.split()[:3] for line in result.stdout.splitlines()[1:4]] == [
        [str(k), str(k), str(2 * k)] for k in range(3)
    ]


def test_fit_goes_on_without_a_damaged_image(plate):
    content = (plate / "plate" / "well_1.png").read_bytes()
    damaged = plate / "plate" / "well_2.png"
    damaged.write_bytes(content[:60] + bytes(20) + content[80:])
    result = run(
        "fit", plate / "plate", "-p", plate / "clicks.csv", "-o", plate / "m.pseudocell"
    )
    assert result.exit_code == 0, result.output
    assert f"{damaged} cannot be read" in result.stderr
    assert load_model(plate / "m.pseudocell").n_images_ == 2


def test_fit_gives_up_when_every_image_is_damaged():
    class Broken(SpotDetector):
        def fit(self, images, points):
            raise UnreadableImageError(images[0].path, "it is damaged")

    class Item:
        path = label = "a.png"

    with pytest.raises(UnreadableImageError, match=r"a\.png cannot be read"):
        _fit.fit_readable(Broken(), [Item()], [np.zeros((0, 2))])


def test_a_library_message_names_the_image_and_not_its_number_only(plate):
    (plate / "clicks.csv").write_text("image,row,col\nwell_10,10,10\nwell_2,99,10\n")
    result = run(
        "fit", plate / "plate", "-p", plate / "clicks.csv", "-o", plate / "m.pseudocell"
    )
    assert result.exit_code == 2
    assert "has 1 of 1 points outside well_2.png" in result.stderr


def test_fit_tells_when_it_was_stopped(plate, monkeypatch):
    def interrupted(self, images, points):
        raise KeyboardInterrupt

    monkeypatch.setattr(SpotDetector, "fit", interrupted)
    result = run(
        "fit", plate / "plate", "-p", plate / "clicks.csv", "-o", plate / "m.pseudocell"
    )
    assert result.exit_code == 130
    assert "m.pseudocell was not written" in result.stderr.splitlines()[-1]
    assert not (plate / "m.pseudocell").exists()


MISTAKES = {
    "no option": (["fit", "{plate}/plate", "-o", "m"], "Missing option '-p'"),
    "no images": (["fit", "-p", "c", "-o", "m"], "Missing argument 'IMAGES...'"),
    "wrong option": (["demo", "--sed", "1"], "No such option"),
    "wrong command": (["fitt"], "No such command 'fitt'"),
    "wrong number": (
        ["fit", "{plate}/plate", "-p", "c", "-o", "m", "--cell-radius", "-3"],
        "-3.0 is not in the range x>0",
    ),
    "wrong device": (
        ["predict", "{plate}/plate", "-m", "m", "-o", "{plate}/o", "--device", "tpu"],
        "'tpu' is not one of 'auto', 'cpu', 'cuda', 'mps'",
    ),
    "no such images": (
        ["fit", "{plate}/x", "-p", "{plate}/clicks.csv", "-o", "{plate}/m"],
        "x is neither a file, a folder nor a pattern",
    ),
    "no such clicks": (
        ["fit", "{plate}/plate", "-p", "{plate}/c.csv", "-o", "{plate}/m"],
        "c.csv cannot be read: No such file",
    ),
    "clicks of others": (
        [
            "fit",
            "{plate}/plate/well_2.png",
            "-p",
            "{plate}/clicks.csv",
            "-o",
            "{plate}/m",
        ],
        "names no image that is here: well_1",
    ),
    "output is a folder": (
        ["fit", "{plate}/plate", "-p", "{plate}/clicks.csv", "-o", "{plate}"],
        "is a folder; expected a file name",
    ),
    "model cannot be written": (
        [
            "fit",
            "{plate}/plate",
            "-p",
            "{plate}/clicks.csv",
            "-o",
            "{plate}/truth.csv/m",
        ],
        "Cannot write to the folder",
    ),
    "results cannot be written": (
        ["predict", "x", "-m", "m", "-o", "{plate}/truth.csv/out"],
        "Cannot write to the folder",
    ),
    "demo cannot be written": (
        ["demo", "-o", "{plate}/truth.csv/out"],
        "Cannot write to the folder",
    ),
    "scores cannot be written": (
        ["evaluate", "-p", "x", "-t", "y", "-d", "3", "-o", "{plate}/truth.csv/s.csv"],
        "Cannot write to the folder",
    ),
    "no model": (
        ["predict", "{plate}/plate", "-m", "{plate}/clicks.csv", "-o", "{plate}/o"],
        "clicks.csv is not a pseudocell model",
    ),
    "no distance": (
        ["evaluate", "-p", "{plate}/clicks.csv", "-t", "{plate}/truth.csv"],
        "Missing option '-d'",
    ),
    "truth of others": (
        ["evaluate", "-p", "{plate}/other.csv", "-t", "{plate}/truth.csv", "-d", "5"],
        "have no image in common",
    ),
    "no truth": (
        ["evaluate", "-p", "{plate}/truth.csv", "-t", "{plate}/none.csv", "-d", "5"],
        "none.csv holds no points to compare with",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_one_line_and_exit_code_2(plate, mistake):
    (plate / "other.csv").write_text("image,row,col\nother,1,2\n")
    (plate / "none.csv").write_text("image,row,col\n")
    arguments, message = MISTAKES[mistake]
    before = sorted(plate.rglob("*"))
    result = run(*[argument.format(plate=plate) for argument in arguments])
    assert_one_line(result, message)
    assert result.stderr.startswith("pseudocell: ")
    assert [path for path in before if not path.exists()] == []


def test_no_clicks_at_all_is_one_line_after_the_start(plate):
    (plate / "clicks.csv").write_text("image,row,col\n")
    result = run("fit", plate / "plate", "-p", plate / "clicks.csv", "-o", plate / "m")
    assert result.exit_code == 2
    assert "nothing is clicked" in result.stderr
    assert not (plate / "m").exists()


def test_debug_shows_the_traceback(plate):
    result = run(
        "--debug", "predict", plate / "plate", "-m", plate / "clicks.csv", "-o", plate
    )
    assert isinstance(result.exception, ValueError)


def test_evaluate_counts_every_image_once(plate):
    (plate / "found.csv").write_text(
        "image,x,y,score\nplate/well_1.png,10,11,0.9\nwell_1,50,30,0.8\n"
        "well_1,30,40,0.7\nwell_10.png,50,8,0.9\nempty.png,1,1,0.5\n"
    )
    result = run(
        "evaluate", "-p", plate / "found.csv", "-t", plate / "truth.csv", "-d", 2,
        "-o", plate / "scores.csv",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    rows = {row["image"]: row for row in read_rows(plate / "scores.csv")}
    counts = {
        name: tuple(int(row[f"n_{kind}"]) for kind in ("true", "predicted", "matched"))
        for name, row in rows.items()
    }
    assert counts == {
        "well_1.png": (3, 3, 2),
        "well_2.png": (1, 0, 0),
        "well_10.png": (2, 1, 1),
        "empty.png": (0, 1, 0),
        "total": (6, 5, 3),
    }
    assert_allclose(float(rows["total"]["f1"]), 2 * 3 / (6 + 5), atol=1e-6)
    assert_array_equal([float(row["max_distance"]) for row in rows.values()], 2)
    assert "F1 0.545 at a matching distance of 2 px" in result.stdout
    missed, wrong = result.stderr.strip().split("\n")
    assert "No points were found in well_2.png" in missed
    assert "no points in empty.png" in wrong


def test_evaluate_takes_a_file_of_napari_for_the_only_image(plate):
    (plate / "Points.csv").write_text("index,axis-0,axis-1\n0.0,10,10\n")
    for one, other in (("Points.csv", "clicks.csv"), ("clicks.csv", "Points.csv")):
        result = run("evaluate", "-p", plate / one, "-t", plate / other, "-d", 1)
        assert "F1 1.000" in result.stdout


def test_evaluate_of_no_detections_is_recall_zero(plate):
    (plate / "found.csv").write_text("image,row,col\n")
    result = run(
        "evaluate", "-p", plate / "found.csv", "-t", plate / "truth.csv", "-d", 3
    )
    assert result.exit_code == 0
    assert "F1 0.000" in result.stdout


def test_demo_writes_everything_and_a_line_for_each_iteration(tmp_path):
    result = run("demo", "-o", tmp_path / "demo", "--seed", 3, "--n-jobs", 1)
    assert result.exit_code == 0, result.output
    names = {path.name for path in (tmp_path / "demo").iterdir()}
    assert names == {
        "clicks.csv", "counts.csv", "images", "iterations.png", "model.pseudocell",
        "overlays", "overview.png", "points.csv", "truth.csv",
    }  # fmt: skip
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [line[0] for line in lines[2:5]] == ["0", "1", "2"]
    clicks, truth = (
        read_rows(tmp_path / "demo" / f"{n}.csv") for n in ("clicks", "truth")
    )
    assert len(clicks) == pytest.approx(0.1 * len(truth), abs=4)


def test_demo_tells_where_the_finished_part_is(tmp_path, monkeypatch):
    def interrupted(self, images, points):
        raise KeyboardInterrupt

    monkeypatch.setattr(SpotDetector, "fit", interrupted)
    result = run("demo", "-o", tmp_path / "demo")
    assert result.exit_code == 130
    assert f"what is finished is in {tmp_path / 'demo'}" in result.stderr
    assert (tmp_path / "demo" / "clicks.csv").exists()


def test_help_answers_without_loading_the_libraries():
    code = (
        "import sys; from pseudocell.cli import main\n"
        "try: main(['fit', '--help'])\n"
        "finally: print({'numpy', 'torch', 'sklearn'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "--cell-radius" in result.stdout
    assert result.stdout.splitlines()[-1] == "set()"


def test_a_mistake_in_a_real_shell_is_one_line(tmp_path):
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "pseudocell.cli",
            "evaluate",
            "-p",
            "a",
            "-t",
            "b",
            "-d",
            "1",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert (
        result.stderr
        == "pseudocell: The points b cannot be read: No such file or directory.\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_in_a_real_shell_exits_with_130(plate):
    code = (
        "import os, signal\n"
        # A shell starts what runs in the background deaf to Ctrl-C.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from pseudocell import io\n"
        "from pseudocell.cli import main, _evaluate\n"
        "def wait(*_): os.kill(os.getpid(), signal.SIGINT)\n"
        "_evaluate.read_points = wait\n"
        "main(['evaluate', '-p', 'a', '-t', 'b', '-d', '1'])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert signal.SIGINT == 2
    assert result.returncode == 128 + signal.SIGINT
    assert result.stderr.strip() == "pseudocell: Stopped; nothing was written."


def test_progress_without_a_terminal_is_plain_lines(monkeypatch, capsys):
    from pseudocell.cli import _terminal

    monkeypatch.setattr(_terminal, "LINE_INTERVAL", -1)
    assert list(_terminal.progress([[1, 2], [3]], 3, "Finding")) == [[1, 2], [3]]
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["Finding: 2 of 3 images", "Finding: 3 of 3 images"]


def test_progress_on_a_terminal_is_a_bar(monkeypatch, capsys):
    from pseudocell.cli import _terminal

    monkeypatch.setattr(_terminal, "is_terminal", lambda: True)
    assert list(_terminal.progress([[1, 2], [3]], 3, "Finding")) == [[1, 2], [3]]
    assert "Finding:   0%|" in capsys.readouterr().err


def test_the_machine_of_the_user_counts_and_not_that_of_the_model():
    detector = SpotDetector(device="cuda", n_jobs=64)
    detector.detector_ = SpotDetector(device="cuda", n_jobs=64, verbose=1)
    _predict.use_machine(detector, device="cpu", n_jobs=2, verbose=0)
    for part in (detector, detector.detector_):
        assert (part.device, part.n_jobs, part.verbose) == ("cpu", 2, 0)


def test_batches_hold_one_image_for_each_core():
    assert _predict._batches(list("abcde"), 2) == [["a", "b"], ["c", "d"], ["e"]]
    assert _predict._batches(list("ab"), 1) == [["a"], ["b"]]


def test_quiet_says_nothing_but_warnings_and_mistakes(plate):
    files = [plate / "plate", "-m", plate / "model.pseudocell", "-o", plate / "out"]
    assert run("predict", *files, "--quiet").output == ""
    assert (plate / "out" / "points.csv").exists()
    (plate / "plate" / "damaged.png").write_bytes(b"no image")
    assert "damaged.png" in run("predict", *files, "-q").stderr
    assert_one_line(run("predict", plate / "nowhere", *files[1:], "-q"), "nowhere")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_complete(shell):
    assert "_PSEUDOCELL_COMPLETE" in run("completion", shell).stdout


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [("rep", "report"), ("fit --cell", "--cell-radius"), ("predict x", "file")],
)
def test_commands_options_and_files_are_completed(typed, wanted):
    complete = ShellComplete(main, {}, "pseudocell", "_PSEUDOCELL_COMPLETE")
    *words, last = typed.split()
    found = complete.get_completions(words, last)
    assert wanted in [
        item.value if item.type == "plain" else item.type for item in found
    ]

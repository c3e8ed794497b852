"""pseudocell predict on many images: written as they come, resumable, few at a time."""

import csv
import json
import os
import weakref

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from numpy.testing import assert_allclose
from PIL import Image
from sklearn.base import BaseEstimator

from pseudocell.cli import _found_points, _predict, main
from pseudocell.cli._found_points import FoundPoints
from pseudocell.io import _plain, read_points, save_model
from pseudocell.io._pick import Pick

N_FRAMES = 4
STACK = "movie.tif"
NAMES = [STACK, *(f"well_{number}.png" for number in (1, 2, 9, 10))]
LABELS = [f"{STACK}[{frame}]" for frame in range(N_FRAMES)] + NAMES[1:]


class BrightPixels(BaseEstimator):
    """Find the pixels above a threshold: a stand-in that needs no training."""

    def __init__(self, threshold=200):
        self.threshold = threshold

    def fit(self, images, points):
        self.cell_radius_ = 2.0
        return self

    def predict_scored(self, images):
        self.watch(images)
        found = []
        for image in images:
            pixels = np.asarray(image)
            if not pixels.any():
                raise ValueError("images[0] is black.")
            points = np.argwhere(pixels > self.threshold)
            # More digits than any file keeps.
            found.append((points + 1 / 3, pixels[tuple(points.T)] / 300))
        return found

    def watch(self, images):
        """Replaced by tests that look on or interrupt."""


@pytest.fixture
def plate(tmp_path, monkeypatch):
    """Make a folder of a stack and images, and two models."""
    monkeypatch.setitem(_plain.OBJECTS, "BrightPixels", __name__)
    rng = np.random.default_rng(0)
    folder = tmp_path / "plate"
    folder.mkdir()
    pixels = rng.integers(1, 256, (len(LABELS), 6, 7)).astype(np.uint8)
    pixels[1] = 1  # a frame without a cell
    tifffile.imwrite(folder / STACK, pixels[:N_FRAMES], photometric="minisblack")
    for name, image in zip(NAMES[1:], pixels[N_FRAMES:], strict=True):
        Image.fromarray(image).save(folder / name)
    for threshold in (200, 230):
        detector = BrightPixels(threshold).fit(None, None)
        save_model(detector, tmp_path / f"above_{threshold}.pseudocell")
    return tmp_path


def predict(plate, *options, model="above_200", output="out", n_jobs=1):
    arguments = [
        "predict", plate / "plate", "-m", plate / f"{model}.pseudocell",
        "-o", plate / output, "--n-jobs", n_jobs, *options,
    ]  # fmt: skip
    return CliRunner().invoke(main, [str(one) for one in arguments])


def contents(folder):
    """Return every file below a folder with its bytes."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def finished(plate):
    """Labels of the images whose points are on the disk."""
    lines = (plate / "out" / "found.jsonl").read_text().splitlines()[1:]
    return [json.loads(line)["image"] for line in lines]


def interrupt(monkeypatch, n_done, error=KeyboardInterrupt):
    """Let the detector fail after a number of calls; return a way to mend it."""
    calls = []

    def watch(self, images):
        if len(calls) == n_done:
            raise error
        calls.append(images)

    monkeypatch.setattr(BrightPixels, "watch", watch)
    return lambda: monkeypatch.setattr(BrightPixels, "watch", lambda *_: None)


@pytest.mark.parametrize("n_done", [0, 1, 3, 7])
def test_a_run_that_is_gone_on_with_equals_one_in_one_go(plate, monkeypatch, n_done):
    mend = interrupt(monkeypatch, n_done)
    stopped = predict(plate)
    assert stopped.exit_code == 130
    assert f"Stopped after {n_done} of 8 images" in stopped.stderr
    assert ("run it again to go on" in stopped.stderr) == (n_done > 0)
    assert finished(plate) == LABELS[:n_done]
    mend()
    again = predict(plate)
    assert (f"{n_done} of 8 done before" in again.stderr) == (n_done > 0)
    once = predict(plate, output="once")
    assert again.stdout.replace("out", "") == once.stdout.replace("once", "")
    assert contents(plate / "out") == contents(plate / "once")


def test_what_is_done_is_not_done_again(plate, monkeypatch):
    interrupt(monkeypatch, 3)
    predict(plate)
    seen = []
    monkeypatch.setattr(BrightPixels, "watch", lambda _, images: seen.extend(images))
    predict(plate)
    assert len(seen) == 5
    predict(plate)
    assert len(seen) == 5


def test_the_points_of_an_image_are_on_the_disk_before_the_next_is_looked_at(
    plate, monkeypatch
):
    seen = []

    def watch(self, images):
        seen.append(finished(plate))

    monkeypatch.setattr(BrightPixels, "watch", watch)
    predict(plate)
    assert seen == [LABELS[:n_done] for n_done in range(8)]


def test_a_crash_loses_the_image_in_work_alone(plate, monkeypatch):
    mend = interrupt(monkeypatch, 5, error=RuntimeError("out of power"))
    assert isinstance(predict(plate).exception, RuntimeError)
    assert finished(plate) == LABELS[:5]
    mend()
    predict(plate)
    predict(plate, output="once")
    assert contents(plate / "out") == contents(plate / "once")


@pytest.mark.parametrize("n_lost", [1, 30])
def test_half_a_line_is_cut_off(plate, n_lost):
    predict(plate)
    whole = contents(plate / "out")
    file = plate / "out" / "found.jsonl"
    file.write_bytes(file.read_bytes()[:-n_lost])
    assert "7 of 8 done before" in predict(plate).stderr
    assert contents(plate / "out") == whole


@pytest.mark.parametrize("damage", ["zeros", "mixed", "gone"])
def test_a_broken_line_costs_one_image(plate, damage):
    predict(plate)
    file = plate / "out" / "found.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    if damage == "zeros":
        lines[3] = bytes(len(lines[3]) - 1) + b"\n"
    elif damage == "mixed":
        # Still JSON of the right keys, as two writers without a lock would leave it.
        start, end = lines[3].split(b'"found"')[0], lines[4].split(b'"found"')[1]
        lines[3] = start + b'"found"' + end
    else:
        del lines[3]
    file.write_bytes(b"".join(lines))
    assert "7 of 8 done before" in predict(plate).stderr
    assert "8 of 8 done before" in predict(plate).stderr
    predict(plate, output="once")
    for name in ("points.csv", "counts.csv"):
        assert (plate / "out" / name).read_text() == (plate / "once" / name).read_text()


def test_a_folder_has_one_writer(plate):
    predict(plate)
    before = contents(plate / "out")
    file, model = plate / "out" / "found.jsonl", plate / "above_200.pseudocell"
    with FoundPoints(file, model):
        for option in ((), ("--restart",)):
            refused = predict(plate, *option)
            assert refused.exit_code == 2
            assert "Another run is writing to the folder" in refused.stderr
            assert contents(plate / "out") == before
    assert predict(plate).exit_code == 0


def test_without_locks_there_is_a_warning(plate, monkeypatch):
    def has_no_locks(file):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(_found_points, "lock", has_no_locks)
    result = predict(plate)
    assert result.exit_code == 0
    assert "has no locks (Function not implemented)" in result.stderr


def test_an_image_of_the_same_name_size_and_time_is_another(plate):
    path = plate / "plate" / "well_2.png"
    pixels = np.asarray(Image.open(path))
    for image in (pixels, pixels[::-1, ::-1]):
        Image.fromarray(image).save(path)
        path.write_bytes(path.read_bytes().ljust(1000, b"\0"))
        os.utime(path, (1e9, 1e9))
        if image is pixels:
            predict(plate)
    assert "7 of 8 done before" in predict(plate).stderr
    predict(plate, output="once")
    once = (plate / "once" / "points.csv").read_text()
    assert (plate / "out" / "points.csv").read_text() == once


def test_the_same_content_is_not_done_again_at_another_time_and_place(plate):
    predict(plate)
    (plate / "plate").rename(plate / "moved")
    (plate / "plate").mkdir()
    for path in (plate / "moved").iterdir():
        (plate / "plate" / path.name).write_bytes(path.read_bytes())
    assert "8 of 8 done before" in predict(plate).stderr


def test_an_image_that_changes_while_it_is_read_is_left_out(plate, monkeypatch):
    path = plate / "plate" / "well_2.png"
    seen = []

    def change(self, images):
        seen.append(images)
        if len(seen) == LABELS.index("well_2.png") + 1:
            Image.fromarray(np.full((6, 7), 255, np.uint8)).save(path)

    monkeypatch.setattr(BrightPixels, "watch", change)
    result = predict(plate)
    assert "1 of 8 images left out: well_2.png (it was changed" in result.stderr
    assert "well_2.png" not in finished(plate)


def test_an_overlay_that_is_cut_off_is_drawn_again(plate):
    predict(plate)
    whole = contents(plate / "out" / "overlays")
    (plate / "out/overlays/well_1.png").write_bytes(b"")
    (plate / "out/overlays/well_2.png").write_bytes(whole["well_2.png"][:-20])
    assert "6 of 8 done before" in predict(plate).stderr
    assert contents(plate / "out" / "overlays") == whole


def test_half_a_header_is_a_new_start(plate):
    predict(plate)
    whole = contents(plate / "out")
    file = plate / "out" / "found.jsonl"
    file.write_bytes(file.read_bytes()[:20])
    assert predict(plate).exit_code == 0
    assert contents(plate / "out") == whole


def test_results_of_another_model_are_not_mixed_in(plate, monkeypatch):
    mend = interrupt(monkeypatch, 3)
    predict(plate)
    mend()
    before = contents(plate / "out")
    refused = predict(plate, model="above_230")
    assert refused.exit_code == 2
    assert "holds what another model has found, above_200.pseudocell" in refused.stderr
    assert "give another folder to --output, or --restart" in refused.stderr
    assert contents(plate / "out") == before
    predict(plate, "--restart", model="above_230")
    predict(plate, model="above_230", output="once")
    assert contents(plate / "out") == contents(plate / "once")


def test_a_folder_without_any_points_takes_another_model(plate, monkeypatch):
    mend = interrupt(monkeypatch, 0)
    predict(plate)
    mend()
    assert predict(plate, model="above_230").exit_code == 0


@pytest.mark.parametrize("text", ['{"precious": 1}\n', '{"precious": 1}'])
def test_a_foreign_file_is_not_written_over(plate, text):
    (plate / "out").mkdir()
    (plate / "out" / "found.jsonl").write_text(text)
    assert "is not a list of points found" in predict(plate).stderr
    assert contents(plate / "out") == {"found.jsonl": text.encode()}


def test_new_and_changed_images_are_done_and_take_their_places(plate):
    predict(plate)
    image = np.full((6, 7), 9, np.uint8)
    image[2, 3] = 255
    Image.fromarray(image).save(plate / "plate" / "well_2.png")
    Image.fromarray(image).save(plate / "plate" / "well_3.png")
    (plate / "plate" / "well_1.png").unlink()
    assert "6 of 8 done before" in predict(plate).stderr
    predict(plate, output="once")
    for name in ("points.csv", "counts.csv"):
        assert (plate / "out" / name).read_text() == (plate / "once" / name).read_text()
    assert "well_2.png,,2.33,3.33,0.85\n" in (plate / "out/points.csv").read_text()


def test_missing_overlays_are_drawn_by_a_second_run(plate):
    predict(plate, "--no-overlays")
    assert not (plate / "out" / "overlays").exists()
    predict(plate)
    predict(plate, output="once")
    overlays = contents(plate / "once" / "overlays")
    assert contents(plate / "out" / "overlays") == overlays
    assert len(overlays) == 8


@pytest.mark.parametrize("name", ["well_1.png", "well_2.png"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_bad_image_is_tried_again_and_no_other(plate, n_jobs, name):
    black = plate / "plate" / name
    good = black.read_bytes()
    Image.fromarray(np.zeros((6, 7), np.uint8)).save(black)
    result = predict(plate, n_jobs=n_jobs)
    assert f"1 of 8 images left out: {name} (it is black)" in result.output
    black.write_bytes(good)
    assert "7 of 8 done before" in predict(plate, n_jobs=n_jobs).stderr
    predict(plate, output="once")
    for table in ("points.csv", "counts.csv"):
        once = (plate / "once" / table).read_text()
        assert (plate / "out" / table).read_text() == once


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_few_images_are_in_memory_however_many_there_are(plate, monkeypatch, n_jobs):
    alive, most = [], []

    def tracked(read):
        def reader(*arguments):
            image = read(*arguments)
            alive.append(None)
            weakref.finalize(image, alive.pop)
            most.append(len(alive))
            return image

        return reader

    monkeypatch.setattr(Pick, "read", tracked(Pick.read))
    assert predict(plate, n_jobs=n_jobs).exit_code == 0
    assert len(most) == 8  # each is read once, for the net and the overlay
    assert max(most) <= 2 * n_jobs
    assert not alive


def test_large_images_are_taken_one_by_one():
    class Large:
        shape, dtype = (20_000, 20_000), np.dtype(np.uint16)

    class Small:
        shape, dtype = (1000, 1000), np.dtype(np.uint8)

    assert _predict._batch_size([Small()], 4) == 4
    assert _predict._batch_size([Small(), Large()], 4) == 1


def test_a_stack_becomes_one_layer_of_napari_with_its_frames(plate):
    predict(plate)
    folder = plate / "out" / "napari"
    assert sorted(path.stem for path in folder.iterdir()) == [
        "movie", "well_1", "well_10", "well_2", "well_9",
    ]  # fmt: skip
    with open(folder / "movie.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["index", "axis-0", "axis-1", "axis-2", "score"]
    assert [int(row["index"]) for row in rows] == list(range(len(rows)))
    frames = {int(row["axis-0"]) for row in rows}
    assert frames == {0, 2, 3}
    assert "index,axis-0,axis-1,score" in (folder / "well_1.csv").read_text()
    # Corrected in napari, the folder can be given to fit as it is.
    table = read_points(plate / "out" / "points.csv").points
    layers = read_points(folder).points
    assert {label.replace(".tif", "").replace(".png", "") for label in table} == set(
        layers
    )
    assert_allclose(layers["movie[2]"], table[f"{STACK}[2]"])


def test_a_layer_without_points_is_not_there(plate):
    predict(plate)
    (plate / "plate" / STACK).unlink()
    Image.fromarray(np.full((6, 7), 9, np.uint8)).save(plate / "plate" / "well_2.png")
    predict(plate)
    layers = {path.name for path in (plate / "out" / "napari").iterdir()}
    assert "well_2.csv" not in layers
    assert {"well_1.csv", "well_9.csv", "well_10.csv"} <= layers

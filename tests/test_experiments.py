"""The scripts of the folder experiments run; what they measure is not for tests."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.io
import tifffile
from scipy.ndimage import gaussian_filter

from pseudocell import PseudoLabelCellDetector
from pseudocell._geometry._peaks import find_peaks
from pseudocell.benchmark import read_set

FOLDER = Path(__file__).parent.parent / "experiments"


def run_quick(name, warnings="error"):
    done = subprocess.run(
        [sys.executable, "-W", warnings, FOLDER / name, "--quick"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("| ")]


def test_speed_prints_a_number_in_every_row():
    rows = run_quick("speed.py")
    labels = [row.split(" | ")[0] for row in rows[1:]]
    starts = ["arith", *["predict"] * 4, "import", "matching", "memory", "fit", "fit"]
    assert len(labels) == len(starts)
    for what, start in zip(labels, starts, strict=True):
        assert what.startswith(f"| {start}")
    for row in rows[1:]:
        assert row.count(" | ") == 4
        assert re.search(r"\d", row.split(" | ")[2])


def test_grid_search_prints_what_was_chosen_and_what_was_best():
    _, row = run_quick("grid_search.py", "default")  # Trained for too short.
    name, chosen, its_f, best, best_f, worst_f = row.strip("| ").split(" | ")
    assert name == "made"
    assert all(re.fullmatch(r"alpha \S+, beta \S+, p \S+", s) for s in (chosen, best))
    assert 0 <= float(worst_f) <= float(its_f) <= float(best_f) <= 1


def test_a_set_of_halved_images_holds_every_cell_once(tmp_path):
    """Cells of 3 x 3 pixels, one of them on the middle, in two frames of three."""
    labels = np.zeros((3, 20, 30), np.uint16)
    for number, (row, col) in enumerate([(4, 5), (12, 14), (8, 22)], start=1):
        labels[[0, 2], row - 1 : row + 2, col - 1 : col + 2] = number
    for name, pixels in (("labels.tif", labels), ("images.tif", 30_000 + labels)):
        tifffile.imwrite(tmp_path / name, pixels, photometric="minisblack")
    names = (tmp_path / name for name in ("images.tif", "labels.tif", "plate"))
    frames = ["--frames", "0", "2"]
    subprocess.run(
        [sys.executable, FOLDER / "halved_set.py", *names, *frames], check=True
    )
    data = read_set(tmp_path / "plate", 2)
    for points in data.train_points:
        np.testing.assert_array_equal(points, [(4, 5), (12, 14)])
    for points in data.test_points:
        np.testing.assert_array_equal(points, [(8, 22 - 15)])
    assert len(data.train_images) == len(data.test_images) == 2
    for split in (data.train_images, data.test_images):
        assert np.asarray(split[1]).shape == (20, 15)
        assert np.asarray(split[1]).dtype == np.uint16


@pytest.mark.parametrize("dark", [False, True])
def test_a_harder_set_shows_the_same_cells_smaller(tmp_path, dark):
    """Cells of 6 x 6 pixels in one channel, dark or bright; noise in the other."""
    rng = np.random.default_rng(0)
    cells = np.array([(12.5, 20.5), (40.5, 31.5)])
    images = rng.integers(0, 255, (2, 64, 48, 3), dtype=np.uint8)
    images[..., 1] = 200 if dark else 40
    for row, col in (cells - 2.5).astype(int):
        images[:, row : row + 6, col : col + 6, 1] = 40 if dark else 200
    table = "row,image,col\n" + "".join(f"{row},a.png,{col}\n" for row, col in cells)
    for split, image in zip(("train", "test"), images, strict=True):
        (tmp_path / "plain" / split / "images").mkdir(parents=True)
        skimage.io.imsave(tmp_path / "plain" / split / "images" / "a.png", image)
        for name in ("points", "clicks"):
            (tmp_path / "plain" / split / f"{name}.csv").write_text(table)
    command = [FOLDER / "harder_set.py", tmp_path / "plain", tmp_path / "hard"]
    options = ["--channel", "1", "--noise", "0.01"] + dark * ["--invert"]
    subprocess.run([sys.executable, *command, *options], check=True)
    data = read_set(tmp_path / "hard", 2)
    for image, points in (
        (data.train_images[0], data.train_points[0]),
        (data.test_images[0], data.test_points[0]),
    ):
        pixels = np.asarray(image).astype(float)
        assert np.asarray(image).dtype == np.uint16
        assert pixels.shape == (32, 24)
        found, _ = find_peaks(gaussian_filter(pixels, 1), 3, threshold=2000)
        np.testing.assert_allclose(sorted(found.tolist()), points, atol=0.5)
        # Lit from the left.
        assert pixels[-5:, :5].mean() > 1.1 * pixels[-5:, -5:].mean()


def test_each_ablation_changes_the_default_in_a_way_of_its_own():
    script = runpy.run_path(str(FOLDER / "ablation.py"))
    made = {repr(script[name](8, random_state=0)) for name in script["ABLATIONS"]}
    assert len(made) == len(script["ABLATIONS"]) == 9
    assert repr(PseudoLabelCellDetector(8, random_state=0)) not in made

"""The command benchmark: what it takes, and what it says to a mistake."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

from pseudocell.benchmark import METHODS
from pseudocell.cli import main
from pseudocell.cli._benchmark import _choose_methods, _parameter, _read_sets

MODULE = """
from sklearn.base import BaseEstimator
import numpy as np

class Brightest(BaseEstimator):
    def __init__(self, count=1):
        self.count = count
    def fit(self, images, points):
        return self
    def predict(self, images):
        pixels = [np.asarray(image, dtype=float) for image in images]
        flat = [np.argsort(-some, axis=None)[: self.count] for some in pixels]
        return [np.c_[f // 30, f % 30].astype(float) for f in flat]

def brightest(cell_radius, random_state):
    return Brightest()

number = 3
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Be in a folder with a set of one bright cell an image, and a module."""
    for split in ("train", "test"):
        (tmp_path / "plate" / split / "images").mkdir(parents=True)
        image = np.zeros((20, 30), np.uint8)
        image[5, 20] = 255
        Image.fromarray(image).save(tmp_path / "plate" / split / "images" / "a.png")
        for name in ("points", "clicks"):
            path = tmp_path / "plate" / split / f"{name}.csv"
            path.write_text("image,row,col\na.png,5,20\n")
    (tmp_path / "my_methods.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "my_methods", raising=False)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, ["benchmark", *map(str, arguments)])


def test_it_prints_the_table_and_writes_the_page(place):
    result = run(
        *("--set", "plate:4", "--set", "again=plate:4:2", "-o", "out"),
        *("-m", "top=my_methods:brightest", "--vary", "count=1,2"),
    )
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["method", "plate", "again", "average"]
    assert lines[1].split() == ["top", "1.000", "1.000", "1.000"]
    assert (place / "out" / "index.html").is_file()
    # Two sets with two values; the default is one of them.
    assert len(list((place / "out" / "runs").iterdir())) == 4
    header, *rows = (place / "out" / "results.csv").read_text().splitlines()
    assert header.startswith("set,method,")
    assert len(rows) == 2 * 3 * 2


def test_clicks_and_radii_are_varied(place):
    result = run(
        *("--set", "plate:4", "-o", "out", "-m", "top=my_methods:brightest"),
        *("--clicks", "random, corner", "--radius-factors", "0.67,1,1.33"),
    )
    assert result.exit_code == 0, result.output
    rows = pd.read_csv(place / "out" / "results.csv").query("split == 'test'")
    assert [*zip(rows["clicking"], rows["radius_factor"], strict=True)] == [
        ("random", 1),
        ("corner", 1),
        ("random", 0.67),
        ("random", 1.33),
    ]
    assert len(list((place / "out" / "runs").iterdir())) == 1 + 1 + 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "plate"], "--set plate: expected FOLDER:RADIUS"),
        (["--set", "nowhere:4"], "The set nowhere has no folder train/images"),
        (["--set", "plate:0"], "cell_radius is 0.0; expected a number above 0"),
        (["--set", "synthetic:moon"], "expected one of control, fgf2"),
        (
            ["--set", "plate:4", "-m", "unet"],
            "--method unet is not known; expected one",
        ),
        (["--set", "plate:4", "-m", "a=nowhere:f"], "--method a=nowhere:f: expected"),
        (["--set", "plate:4", "-m", "a=my_methods:number"], "factory is 3"),
        (["--set", "plate:4", "--share", "10"], "shares[0] is 10.0"),
        (["--set", "plate:4", "--share", "a"], "--share a: expected numbers"),
        (["--set", "plate:4", "--clicks", "top"], "clicks[0] is 'top'; expected one"),
        (
            ["--set", "plate:4", "--radius-factors", "1,x"],
            "--radius-factors 1,x: expected numbers",
        ),
        (["--set", "plate:4", "--vary", "alpha"], "--vary alpha: expected NAME=VALUE"),
        ([], "Missing option"),
    ],
)
def test_a_mistake_gets_one_line(place, arguments, message):
    result = run(*arguments, "-o", "out")
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert sum("pseudocell:" in line for line in result.stderr.splitlines()) == 1
    assert "Traceback" not in result.output


def test_ctrl_c_says_what_is_finished(place, monkeypatch):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("pseudocell.benchmark.run_benchmark", stop)
    result = run("--set", "plate:4", "-o", "out", "-m", "blob")
    assert result.exit_code == 130
    assert "finished runs are in out/runs" in result.stderr.replace("\\", "/")


def test_names_of_methods_may_be_written_with_dashes():
    assert list(_choose_methods(["paper-recipe", "Weighted_two nets"])) == [
        "paper recipe",
        "weighted two nets",
    ]
    assert _choose_methods([]) == METHODS


def test_folders_may_have_colons(place):
    (place / "plate").rename(place / "a:b")
    (data,) = _read_sets("x=a:b:12:15.5")
    assert (data.name, data.cell_radius, data.max_distance) == ("x", 12, 15.5)
    (data,) = _read_sets("a:b:12")
    assert (data.name, data.cell_radius, data.max_distance) == ("a:b", 12, 15)


def test_values_are_numbers_where_they_are():
    assert _parameter("alpha=0.02,1,None,auto") == ("alpha", [0.02, 1, None, "auto"])


def test_the_synthetic_conditions_are_sets():
    (data,) = _read_sets("synthetic:control")
    assert (data.name, len(data.train_clicks)) == (
        "drawn Control",
        len(data.train_images),
    )
    assert data.fingerprint == _read_sets("synthetic:control")[0].fingerprint

"""The same results on a GPU, within the rounding of its arithmetic."""

import os
import subprocess
import sys

import joblib
import numpy as np
import pytest
import torch

from pseudocell import HeatmapDetector
from pseudocell.datasets import make_brightfield
from pseudocell.io.models import load_model, save_model

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no CUDA GPU in this machine"
)

# Convolutions of a GPU keep 10 bits of a factor (TF32), which is 1e-3 of a height, and
# a net of some twenty of them adds up.
TOLERANCE = 0.02


@pytest.fixture(scope="module")
def data():
    return make_brightfield(2, (160, 200), n_cells=15, random_state=0)


@pytest.fixture(scope="module")
def fitted(data):
    parameters = {"cell_radius": 8, "max_steps": 60, "masked": False, "n_nets": 2}
    return HeatmapDetector(device="cuda", random_state=0, **parameters).fit(*data)


def on_processor(detector, folder):
    """The same detector, with its nets on the processor."""
    joblib.dump(detector, folder / "detector.joblib")
    copied = joblib.load(folder / "detector.joblib")
    for net in copied.nets_:
        net.module_.cpu()
        net.device = "cpu"
    return copied


def test_nets_are_on_the_gpu(fitted):
    for net in fitted.nets_:
        assert next(net.module_.parameters()).is_cuda


def test_heatmap_and_points_are_those_of_the_processor(fitted, data, tmp_path):
    images, _ = data
    other = on_processor(fitted, tmp_path)
    for one, two in zip(
        fitted.predict_heatmap(images), other.predict_heatmap(images), strict=True
    ):
        np.testing.assert_allclose(one, two, atol=TOLERANCE)
    assert other.score(images, fitted.predict(images)) > 0.98


def test_training_finds_as_many_cells_as_on_the_processor(fitted, data):
    images, points = data
    other = HeatmapDetector(**{**fitted.get_params(), "device": "cpu"})
    assert fitted.score(images, points) > other.fit(images, points).score(*data) - 0.1


def test_model_loads_where_there_is_no_gpu(fitted, data, tmp_path):
    path, images = tmp_path / "model.pseudocell", tmp_path / "images.npy"
    save_model(fitted, path)
    np.save(images, np.stack(data[0]))
    code = (
        "import sys, numpy as np, torch; from pseudocell.io.models import load_model; "
        "assert not torch.cuda.is_available(); "
        "found = load_model(sys.argv[1]).predict(np.load(sys.argv[2])); "
        "print(sum(map(len, found)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path, images],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = sum(map(len, load_model(path).predict(data[0])))
    assert abs(int(done.stdout) - expected) <= 0.02 * expected + 1

"""What holds of every detector: one interface, files, the command, the device."""

from functools import partial

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from pseudocell import (
    HeatmapDetector,
    NNPUFeaturizer,
    PseudoLabelCellDetector,
    _inference,
)
from pseudocell.baselines import (
    BlobDetector,
    PUDetector,
    ReconstructionDetector,
    TunedThresholdDetector,
)
from pseudocell.cli import main
from pseudocell.datasets import make_brightfield
from pseudocell.io import load_model, read_points, save_model
from pseudocell.nets import UNet

IMAGES, POINTS = make_brightfield(2, (80, 96), n_cells=8, random_state=0)
CLICKS = [points[::2] for points in POINTS]
heatmap = partial(
    HeatmapDetector,
    8,
    module=partial(UNet, base_channels=4, depth=2),
    max_steps=20,
    threshold=0.1,
    batch_size=4,
    lr=1e-2,
    random_state=0,
)
features = partial(NNPUFeaturizer, max_steps=2, batch_size=8)
DETECTORS = {
    "heatmap": heatmap(),
    "loop": PseudoLabelCellDetector(
        8, detector=heatmap(n_nets=2), featurizer=features(), max_iter=0
    ),
    "pu": PUDetector(
        8,
        class_prior=0.5,
        detector=heatmap(),
        featurizer=features(),
        candidate_threshold=0.05,
    ),
    "blob": BlobDetector(8),
    "reconstruction": ReconstructionDetector(8, cores=(0.7,), max_iter=5),
    "tuned": TunedThresholdDetector(heatmap(), labels="all"),
}


@pytest.fixture(scope="module", params=DETECTORS)
def fitted(request):
    return DETECTORS[request.param].fit(IMAGES, CLICKS)


def test_prediction_is_the_candidates_above_the_threshold(fitted):
    scored = fitted.predict_scored(IMAGES)
    assert sum(len(points) for points, _ in scored) > 0
    for (points, scores), found, (candidates, heights) in zip(
        scored, fitted.predict(IMAGES), fitted.find_candidates(IMAGES), strict=True
    ):
        np.testing.assert_array_equal(points, found)
        np.testing.assert_array_equal(points, candidates[heights > fitted.threshold_])
        assert (np.diff(scores) <= 0).all()
        assert (scores > fitted.threshold_).all()


@pytest.mark.parametrize("name", DETECTORS)
def test_unfitted_detector_has_no_prediction(name):
    unfitted = type(DETECTORS[name])(**DETECTORS[name].get_params(deep=False))
    for method in ("predict", "predict_scored", "find_candidates"):
        with pytest.raises(NotFittedError):
            getattr(unfitted, method)(IMAGES)


def test_command_predicts_with_a_saved_one(fitted, tmp_path):
    save_model(fitted, tmp_path / "model.pseudocell")
    Image.fromarray(IMAGES[0]).save(tmp_path / "image.png")
    arguments = ["predict", tmp_path / "image.png", "-m", tmp_path / "model.pseudocell"]
    arguments += ["-o", tmp_path / "out", "--device", "cpu"]
    result = CliRunner().invoke(main, [str(one) for one in arguments])
    assert result.exit_code == 0, result.output
    (found,) = read_points(tmp_path / "out" / "points.csv").points.values()
    np.testing.assert_allclose(found, fitted.predict(IMAGES[:1])[0], atol=0.01)


def test_prediction_goes_to_the_device_that_is_set_after_loading(
    fitted, tmp_path, monkeypatch
):
    """Wherever the nets were trained; so does that of a whole with parts."""
    save_model(fitted, tmp_path / "model.pseudocell")
    loaded = load_model(tmp_path / "model.pseudocell")
    if "device" not in loaded.get_params():
        loaded = getattr(loaded, "detector_", loaded)
    if "device" not in loaded.get_params():
        pytest.skip("computes nothing by a net")
    asked = []
    monkeypatch.setattr(
        _inference, "choose_device", lambda device: asked.append(device) or "cpu"
    )
    loaded.set_params(device="cuda:7").predict(IMAGES)
    assert asked
    assert set(asked) == {"cuda:7"}
    # A copy was told so: the part says still what it was fitted with.
    part = getattr(loaded, "detector_", None)
    assert part is None or part.device == "auto"


def test_a_notebook_shows_what_came_of_the_fit(fitted):
    for shown in (fitted._repr_mimebundle_()["text/html"], fitted._repr_html_()):
        assert f"{fitted.cell_radius_:.3g} px" in shown
    assert "What came of the fit" not in clone(fitted)._repr_html_()

"""Fitted estimators in files: what comes back, and what is refused."""

import hashlib
import io
import json
import os
import subprocess
import sys
import warnings
import zipfile
from dataclasses import is_dataclass
from functools import partial
from inspect import signature
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from torch import nn

import pseudocell
from pseudocell import (
    HeatmapDetector,
    NNPUFeaturizer,
    PatchExtractor,
    PClassificationRanker,
    PseudoLabelCellDetector,
    ShareSelector,
    baselines,
    nets,
)
from pseudocell.io import _allowed, _plain, load_model, models, read_images, save_model

RNG = np.random.default_rng(0)
IMAGES = [RNG.integers(0, 256, size, dtype=np.uint8) for size in ((48, 40), (40, 56))]
CLICKS = [np.array([[9.0, 9], [30, 20]]), np.array([[20.0, 40], [8, 8], [30, 21]])]
PATCHES = RNG.normal(size=(40, 9, 9)).astype(np.float32)
TABLE = RNG.normal(size=(40, 3))
POSITIVE = np.repeat([1, 0], [10, 30])
SMALL_NET = partial(nets.UNet, base_channels=4, depth=1)
CODE = "import sys; sys.path.insert(0, sys.argv[1]); import test_models as t; t.{}"


def heatmap_detector(**parameters):
    defaults = {"cell_radius": 6, "module": SMALL_NET, "max_steps": 2, "batch_size": 2}
    return HeatmapDetector(**{**defaults, "random_state": 0, **parameters})


def whole_loop():
    return PseudoLabelCellDetector(
        cell_radius=6,
        max_iter=1,
        detector=heatmap_detector(n_nets=2, warm_start=True),
        featurizer=NNPUFeaturizer(max_steps=2, batch_size=8),
        selector=ShareSelector(),
        device="cpu",
        random_state=0,
    )


# Name: an estimator, what it is fitted on, and what it says.
ESTIMATORS = {
    "HeatmapDetector": (
        heatmap_detector(n_nets=2, device="cpu"),
        (IMAGES, CLICKS),
        lambda fitted: [*fitted.predict_heatmap(IMAGES), *fitted.predict(IMAGES)],
    ),
    "PatchExtractor": (
        PatchExtractor(size=9),
        (list(zip(IMAGES, CLICKS, strict=True)),),
        lambda fitted: [fitted.transform(list(zip(IMAGES, CLICKS, strict=True)))],
    ),
    "NNPUFeaturizer": (
        NNPUFeaturizer(0.4, max_steps=2, device="cpu", random_state=0),
        (PATCHES, POSITIVE),
        lambda fitted: [fitted.transform(PATCHES), fitted.decision_function(PATCHES)],
    ),
    "PClassificationRanker": (
        PClassificationRanker(concentrate="bottom"),
        (TABLE, np.array(["other", "cell"], dtype=object)[POSITIVE]),
        lambda fitted: [fitted.decision_function(TABLE), fitted.predict(TABLE)],
    ),
    "PseudoLabelCellDetector": (
        whole_loop(),
        (IMAGES, CLICKS),
        lambda fitted: [
            *(array for pair in fitted.predict_scored(IMAGES) for array in pair),
            *(points for stage in fitted.staged_predict(IMAGES) for points in stage),
        ],
    ),
}
FILES = [f"{name}{end}" for name in ESTIMATORS for end in (".pseudocell", ".dump")]


class Fitted(dict):
    """The fitted estimators, each fitted when it is first asked for."""

    def __missing__(self, name):
        estimator, data, _ = ESTIMATORS[name]
        self[name] = estimator.fit(*data)
        return self[name]


@pytest.fixture(scope="module")
def fitted():
    return Fitted()


def ask(name, estimator):
    return ESTIMATORS[name][2](estimator)


def answer_files(folder):
    """Load all files of a folder, and write what the estimators say."""
    folder, answers = Path(folder), {}
    for file in FILES:
        load = load_model if file.endswith(".pseudocell") else joblib.load
        answers[file] = ask(file.split(".")[0], load(folder / file))
    joblib.dump(answers, folder / "answers")


def run_fresh(call, *arguments):
    """Run a function of this module in a new process, where warnings are errors."""
    here = str(Path(__file__).parent)
    command = [sys.executable, "-W", "error", "-c", CODE.format(call), here]
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def assert_same(one, other):
    """Same types and values all the way down."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        if one.dtype.hasobject:
            assert_same(one.tolist(), other.tolist())
        else:
            assert_array_equal(one, other)
    elif isinstance(one, torch.nn.Module):
        assert not one.training
        assert not other.training
        for part in (one, other):
            assert all(weight.requires_grad for weight in part.parameters())
        assert_same({**one.state_dict()}, {**other.state_dict()})
    elif isinstance(one, torch.Tensor):
        assert one.dtype == other.dtype
        assert torch.equal(one, other)
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, partial):
        assert one.func is other.func
        assert_same([one.args, one.keywords], [other.args, other.keywords])
    elif hasattr(one, "module_"):
        assert_same(one.module_, other.module_)
        assert_same(list(one.history), list(other.history))
    elif isinstance(one, BaseEstimator) or is_dataclass(one):
        assert_same(vars(one), vars(other))
    else:
        assert one == other


# ----------------------------------------------------------------- what comes back
def test_a_new_process_predicts_the_same_bits(fitted, tmp_path):
    for name in ESTIMATORS:
        joblib.dump(fitted[name], tmp_path / f"{name}.dump")
        save_model(fitted[name], tmp_path / f"{name}.pseudocell")
    run_fresh("answer_files(sys.argv[2])", tmp_path)
    answers = joblib.load(tmp_path / "answers")
    for file in FILES:
        name = file.split(".")[0]
        expected = ask(name, fitted[name])
        assert sum(map(np.size, expected)) > 0
        assert_same(answers[file], expected)


@pytest.mark.parametrize("end", [".pseudocell", ".joblib"])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_attribute_comes_back(fitted, tmp_path, name, end):
    save_model(fitted[name], tmp_path / f"model{end}")
    assert_same(load(tmp_path / f"model{end}"), fitted[name])


def load(path):
    if path.suffix != ".joblib":
        return load_model(path)
    with pytest.warns(UserWarning, match="A joblib file can run code when it is load"):
        return load_model(path)


def test_what_was_one_object_is_one_again(fitted, tmp_path):
    save_model(fitted["PseudoLabelCellDetector"], tmp_path / "model.pseudocell")
    loaded = load_model(tmp_path / "model.pseudocell")
    assert len(loaded.detectors_) > 1
    assert loaded.detector_ in (loaded.detectors_[0], loaded.detectors_[-1])
    assert loaded.detectors_[0] is not loaded.detectors_[-1]
    loaded.detector_ = loaded.detectors_[-1]
    save_model(loaded, tmp_path / "again.pseudocell")
    again = load_model(tmp_path / "again.pseudocell")
    assert again.detector_ is again.detectors_[-1]


DATA = Path(__file__).parent / "data"
RELEASED = sorted(DATA.glob("*.pseudocell"))


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore:.* was saved with")
def test_models_of_every_release_find_what_they_found(path):
    (image,) = read_images([DATA / "cells.png"])
    (points,) = load_model(path).predict([image])
    expected = np.array(json.loads(path.with_suffix(".json").read_text()))
    assert len(expected) == 6  # all cells that save_models.py draws
    np.testing.assert_allclose(np.sort(points, 0), np.sort(expected, 0), atol=0.01)


def test_old_names_and_attributes_are_read_as_those_of_now(tmp_path, monkeypatch):
    monkeypatch.setitem(_plain.OLD_NAMES, "ShareRule", "ShareSelector")

    def rename(state):
        return {"alpha": state.get("share"), "beta": state["beta"], "rounding": "up"}

    monkeypatch.setitem(_plain.OLD_STATES, "ShareSelector", rename)

    def make_old(header, members):
        content = header["estimator"]["object"]
        content[0] = "ShareRule"
        content[1]["share"] = content[1].pop("alpha")

    save_model(ShareSelector(0.3), tmp_path / "old.pseudocell")
    forge(tmp_path / "old.pseudocell", make_old)
    loaded = load_model(tmp_path / "old.pseudocell")
    assert_same(vars(loaded), vars(ShareSelector(0.3)))


VALUES = {
    "nothing": None,
    "text": "é\ud800\n",
    "numbers": [1, -(10**30), 0.1, -0.0, np.inf, True],
    "numpy": [np.float64(0.1), np.float32(0.1), np.int8(3), np.bool_(True)],
    "tuple": (1, (2, [3])),
    "dict": {"a": 1, 2: (3,), "array": {}},
    "arrays": [np.arange(6.0).reshape(2, 3).T, np.zeros((0, 2)), np.array(3)],
    "text arrays": [np.array(["a", "bcd"]), np.array([["a", 1, None]], dtype=object)],
    "rows": [np.array([np.zeros(2), np.zeros(2), None], dtype=object)[:2]],
    "net": nets.PatchCNN,
    "maker": partial(nets.UNet, base_channels=4),
}


@pytest.mark.parametrize("name", VALUES)
def test_values_of_parameters_come_back(tmp_path, name):
    save_model(ShareSelector(alpha=VALUES[name]), tmp_path / "model.pseudocell")
    assert_same(load_model(tmp_path / "model.pseudocell").alpha, VALUES[name])


def test_not_a_number_and_generators_come_back(tmp_path):
    generator = np.random.RandomState(3)
    generator.normal()
    save_model(ShareSelector(np.nan, generator), tmp_path / "model.pseudocell")
    loaded = load_model(tmp_path / "model.pseudocell")
    assert np.isnan(loaded.alpha)
    assert_array_equal(loaded.beta.normal(size=5), generator.normal(size=5))


@pytest.mark.parametrize("name", ["model.pseudocell", "model.joblib"])
def test_a_loaded_detector_learns_on_as_if_it_had_stayed(tmp_path, name):
    detector = heatmap_detector(warm_start=True, device="cpu").fit(IMAGES, CLICKS)
    save_model(detector, tmp_path / name)
    loaded = load(tmp_path / name).fit(IMAGES, CLICKS)
    expected = detector.fit(IMAGES, CLICKS)
    assert loaded.n_steps_ == 4
    assert_same(loaded.predict_heatmap(IMAGES), expected.predict_heatmap(IMAGES))


@pytest.mark.parametrize("name", ["model.pseudocell", "model.joblib"])
def test_a_loaded_loop_adds_a_round_as_if_it_had_stayed(fitted, tmp_path, name):
    first = whole_loop().set_params(max_iter=0, warm_start=True).fit(IMAGES, CLICKS)
    save_model(first, tmp_path / name)
    loaded = load(tmp_path / name).set_params(max_iter=1).fit(IMAGES, CLICKS)
    whole = fitted["PseudoLabelCellDetector"]
    assert loaded.n_iter_ == whole.n_iter_ == 1
    assert_same(*(ask("PseudoLabelCellDetector", each) for each in (loaded, whole)))
    for name in ("labels_", "labeled_iter_", "candidates_", "clicks_"):
        assert_same(getattr(loaded, name), getattr(whole, name))


def test_loading_leaves_the_global_generators_alone(fitted, tmp_path):
    save_model(fitted["HeatmapDetector"], tmp_path / "model.pseudocell")
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    load_model(tmp_path / "model.pseudocell")
    assert torch.equal(torch.get_rng_state(), before)
    assert_array_equal(np.random.get_state()[1], numpy_before)


def test_the_same_model_makes_the_same_file(fitted, tmp_path):
    for name in ("a.pseudocell", "b.pseudocell"):
        save_model(fitted["NNPUFeaturizer"], tmp_path / name)
    first, second = (tmp_path / f"{n}.pseudocell" for n in "ab")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        dates = {member.date_time[0] for member in archive.infolist()}
    assert dates == {1980}  # the first that a zip can hold: no date


def test_every_part_of_the_package_can_be_stored():
    public = {
        name: getattr(home, name)
        for home in (pseudocell, baselines)
        for name in home.__all__
    }
    estimators = {name for name, one in public.items() if isinstance(one, type)}
    # A frozen estimator of scikit-learn holds one of them and nothing else.
    assert {*_plain.OBJECTS} - {"_Net", "FrozenEstimator"} == estimators
    assert {*_plain.NETS} == {*nets.__all__}
    arguments = [{*signature(getattr(nets, name)).parameters} for name in _plain.NETS]
    assert {*_allowed.NET_BOUNDS} == set.union(*arguments)
    for names in (_plain.OBJECTS, _plain.NETS):
        for name in names:
            assert _plain.find(name, names).__name__ == name


# ---------------------------------------------------------------- other machines
@pytest.mark.parametrize("name", ["model.pseudocell", "model.joblib"])
def test_a_net_of_a_missing_device_loads_on_the_processor(tmp_path, name):
    detector = heatmap_detector(device="cpu").fit(IMAGES, CLICKS)
    expected = detector.predict_heatmap(IMAGES)
    # As if it had been fitted on a device that no machine has.
    detector.set_params(device="cuda:99").nets_[0].device = "cuda:99"
    save_model(detector, tmp_path / name)
    loaded = load(tmp_path / name)
    assert loaded.nets_[0].device == "cpu"
    assert_same(loaded.predict_heatmap(IMAGES), expected)


@pytest.mark.parametrize("name", ["model.pseudocell", "model.joblib"])
def test_files_hold_tensors_of_the_processor(tmp_path, monkeypatch, name):
    def bring_back(module):
        module = module.to_empty(device="cpu")
        for tensor in module.state_dict().values():
            tensor.zero_()
        return module

    detector = heatmap_detector(device="cpu").fit(IMAGES, CLICKS)
    # The only other device that every machine has, though it holds no numbers.
    detector.nets_[0].module_.to("meta")
    monkeypatch.setattr(nn.Module, "cpu", bring_back)
    save_model(detector, tmp_path / name)
    monkeypatch.undo()
    assert {p.device.type for p in detector.nets_[0].module_.parameters()} == {"meta"}
    module = load(tmp_path / name).nets_[0].module_
    assert {tensor.device.type for tensor in module.state_dict().values()} == {"cpu"}


def heatmaps_without_gpu(folder):
    folder = Path(folder)
    assert not torch.cuda.is_available()
    loaded = [load_model(folder / "a.pseudocell"), joblib.load(folder / "a.dump")]
    joblib.dump([one.predict_heatmap(IMAGES) for one in loaded], folder / "answers")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_model_of_a_gpu_loads_without_one(tmp_path, monkeypatch):
    detector = heatmap_detector(device="cuda").fit(IMAGES, CLICKS)
    joblib.dump(detector, tmp_path / "a.dump")
    save_model(detector, tmp_path / "a.pseudocell")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    run_fresh("heatmaps_without_gpu(sys.argv[2])", tmp_path)
    expected = detector.predict_heatmap(IMAGES)
    for heatmaps in joblib.load(tmp_path / "answers"):
        for heatmap, other in zip(heatmaps, expected, strict=True):
            np.testing.assert_allclose(heatmap, other, atol=1e-3)


# ------------------------------------------------------- what cannot be stored
class Shallow(nn.Conv2d):
    stride, reach = 1, 1


class Selector(BaseEstimator):
    def select(self, *scores):
        return scores


class UNet(nets.UNet):
    """Not the one of the package."""


class OwnDetector(HeatmapDetector):
    pass


def make_net(in_channels):
    return nets.UNet(in_channels)


REFUSED = {
    r"HeatmapDetector\.module is the class Shallow of": HeatmapDetector(module=Shallow),
    r"HeatmapDetector\.module is the class UNet of": HeatmapDetector(module=UNet),
    r"HeatmapDetector\.module is the function make_net":
    HeatmapDetector(module=make_net),
    r"r\.module is the function make_net": HeatmapDetector(module=partial(make_net)),
    r"PseudoLabelCellDetector\.selector is an object of the class Selector":
    PseudoLabelCellDetector(selector=Selector()),
    r"PseudoLabelCellDetector\.ranker is an object of the class LogisticRegression":
    PseudoLabelCellDetector(ranker=LogisticRegression()),
    r"ShareSelector\.alpha\['a'\]\[1\] is an object of the class set":
    ShareSelector({"a": (0, {1})}),
    r"Detector\.detector\.module is the class Shallow":
    PseudoLabelCellDetector(detector=HeatmapDetector(module=Shallow)),
    "OwnDetector is an object of the class OwnDetector": OwnDetector(),
    "dict is an object of the class dict": {"weights": 1},
}  # fmt: skip


@pytest.mark.parametrize("message", REFUSED)
def test_foreign_parts_are_named_and_nothing_is_written(tmp_path, message):
    path = tmp_path / "model.pseudocell"
    path.write_text("before")
    with pytest.raises(ValueError, match=message) as info:
        save_model(REFUSED[message], path)
    assert "a name that ends in .joblib" in str(info.value)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_joblib_takes_what_plain_data_cannot_hold(tmp_path):
    detector = HeatmapDetector(module=make_net, max_steps=1, batch_size=1, device="cpu")
    save_model(detector.fit(IMAGES, CLICKS), tmp_path / "model.joblib")
    assert load(tmp_path / "model.joblib").module is make_net


# --------------------------------------------------------- what is not loaded
class Bomb:
    """Leave a trace when it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


def forge(path, change):
    """Change the header or the members of a model file, and mend its checksum."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name, text = next(iter(members.items()))
    header = json.loads(text)
    change(header, members)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.comment = bytes(64)
        for member, data in {**members, name: json.dumps(header)}.items():
            archive.writestr(member, data)
    body = content.getvalue()[:-64]
    path.write_bytes(body + hashlib.sha256(body).hexdigest().encode())


@pytest.mark.parametrize("name", ["a.pseudocell", "a.zip", "a.joblib"])
def test_only_joblib_files_that_are_named_so_run_code(tmp_path, name):
    trace = tmp_path / "trace"
    save_model(Bomb(trace), tmp_path / "bomb.joblib")
    (tmp_path / "bomb.joblib").rename(tmp_path / name)
    if name == "a.joblib":
        with pytest.raises(ValueError, match="something other than an estimator"):
            load(tmp_path / name)
        assert trace.exists()  # the bomb is a real one
    else:
        with pytest.raises(ValueError, match="by another name, and such a file can"):
            load_model(tmp_path / name)
        assert not trace.exists()


@pytest.mark.parametrize("name", ["a.pseudocell", "a.joblib"])
def test_what_joblib_dumped_is_not_touched(tmp_path, name):
    joblib.dump(Bomb(tmp_path / "trace"), tmp_path / name)
    with pytest.raises(ValueError, match="only joblib.load reads what joblib.dump wr"):
        load_model(tmp_path / name)
    assert not (tmp_path / "trace").exists()


def test_a_model_by_the_name_of_a_joblib_file_is_still_safe(tmp_path):
    save_model(ShareSelector(0.3), tmp_path / "a.pseudocell")
    (tmp_path / "a.pseudocell").rename(tmp_path / "a.joblib")
    assert load_model(tmp_path / "a.joblib").alpha == 0.3


def node(**content):
    def change(header, members):
        header["estimator"]["object"][1]["alpha"] = content

    return change


def array(data=None, **other):
    """Put an array where alpha was: its bytes, or the text of its npy header."""

    def change(header, members):
        file = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": (3,), **other}
        )
        members["a"] = file.getvalue() + b"abc" if data is None else data
        node(array="a")(header, members)

    return change


def pickled_array(header, members):
    file = io.BytesIO()
    np.save(file, np.array([Bomb("trace")], dtype=object))
    array(file.getvalue())(header, members)


def twice(header, members):
    array()(header, members)
    node(tuple=[{"array": "a"}] * 2)(header, members)


def root(*content):
    return lambda header, _: header.update(estimator=content[0])


def net(factory="UNet", device="cpu", **arguments):
    state = {"factory": {"net": factory}, "weights": {"dict": []}, "history": []}
    arguments = {"dict": [[name, value] for name, value in arguments.items()]}
    return node(object=["_Net", {**state, "arguments": arguments, "device": device}])


def maker(**arguments):
    pairs = {"dict": [[name, value] for name, value in arguments.items()]}
    return node(partial=[{"net": "UNet"}, [], pairs])


def deep(header, members):
    content = 1
    for _ in range(400):
        content = {"tuple": [content]}
    node(tuple=[content])(header, members)


BAD_ARRAY = "the array 'a' is not as save_model writes it"
NOT_OURS = "it is not as save_model writes it"
NO_ESTIMATOR = "it holds something other than an estimator"
NO_VERSIONS = "it does not say its format and the versions of its libraries"
FORGED = [
    ("it names 'Popen'", node(object=["Popen", {"args": "touch trace"}])),
    ("it names 'Popen'", root({"object": ["Popen", {}]})),
    ("it names 'os.system'", node(net="os.system")),
    (r"it names \['UNet'\]", node(net=["UNet"])),
    ("it names 'LogisticRegression'", node(object=["LogisticRegression", {}])),
    ("it names 'HeatmapDetector'", node(net="HeatmapDetector")),
    ("it names 'UNet'", node(object=["UNet", {}])),
    (BAD_ARRAY, pickled_array),
    (BAD_ARRAY, array(shape=(10**12,))),
    (BAD_ARRAY, array(shape=(10**12,), descr="V0")),
    (BAD_ARRAY, array(shape=(2,))),
    (NOT_OURS, array(b"no array")),
    ("it names the array 'a' twice, or lacks it", twice),
    ("it names the array 'b' twice, or lacks it", node(array="b")),
    ("it refers to a part 7 that it lacks", node(same=7)),
    ("it refers to a part -1 that it lacks", node(same=-1)),
    ("it refers to a part 0 that it lacks", node(same=0)),
    ("what is not a net of pseudocell", node(partial=["print", [], {"dict": []}])),
    (NOT_OURS, node(eval="1")),
    (NOT_OURS, node(tuple=1, dict=[])),
    (NOT_OURS, node(dict=[[[1], 2]])),
    (NOT_OURS, node(object=3)),
    ("its parts are nested too deep", deep),
    ("lacks beta", lambda header, _: header["estimator"]["object"][1].pop("beta")),
    ("lacks alpha, beta,", root({"object": ["PseudoLabelCellDetector", {}]})),
    (NO_VERSIONS, lambda header, _: header.pop("libraries")),
    (NO_VERSIONS, lambda header, _: header.update(libraries={"pseudocell": 1})),
    (NO_VERSIONS, lambda header, _: header.pop("format")),
    (NO_ESTIMATOR, root([{"array": "a"}])),
    (NO_ESTIMATOR, root(None)),
    (NO_ESTIMATOR, root({"object": ["_Net", {}]})),
    ("a net in it lacks arguments, device, factory", node(object=["_Net", {}])),
    ("a UNet in it has depth=1000000000; expected", net(in_channels=1, depth=10**9)),
    ("a UNet in it has depth=-1; expected", net(in_channels=1, depth=-1)),
    ("a UNet in it has depth=True; expected", net(in_channels=1, depth=True)),
    ("do not fit the net", net(in_channels=65536, depth=16, base_channels=4096)),
    ("a UNet in it has depth=1000000000; expected", maker(depth=10**9)),
    ("a UNet in it has base_channels=1.5; expected", maker(base_channels=1.5)),
    ("a UNet in it has arguments of another net", maker(width=3)),
    ("a net in it is on the device 'meta'", net(in_channels=1, device="meta")),
    ("the weights of a net in it do not fit the net", net(in_channels=1)),
]  # fmt: skip


@pytest.mark.parametrize(("message", "change"), FORGED)
def test_forged_files_get_one_sentence(tmp_path, message, change, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.pseudocell"
    save_model(ShareSelector(), path)
    forge(path, change)
    with pytest.raises(ValueError, match=message) as info:
        load_model(path)
    assert_one_sentence(info, path)
    assert list(tmp_path.iterdir()) == [path]


def assert_one_sentence(info, path):
    assert str(path) in str(info.value)
    assert "\n" not in str(info.value)
    assert str(info.value).endswith(".")


def test_weights_that_do_not_fit_are_refused(fitted, tmp_path):
    path = tmp_path / "a.pseudocell"
    save_model(fitted["NNPUFeaturizer"], path)

    def widen(header, members):
        text = json.dumps(header).replace('["in_channels", 1]', '["in_channels", 2]')
        header.update(json.loads(text))

    forge(path, widen)
    message = "cannot be loaded: the weights of a net in it do not fit the net"
    with pytest.raises(ValueError, match=message) as info:
        load_model(path)
    assert_one_sentence(info, path)


def find_states(node):
    """Yield the attributes of each estimator and net in the text of a model."""
    if isinstance(node, dict):
        if "object" in node:
            yield node["object"][1]
        node = [*node.values()]
    if isinstance(node, list):
        for one in node:
            yield from find_states(one)


WRONG = [3, "x", None, [], {"dict": []}, [None]]
TYPED = ["nets_", "n_channels_", "cell_radius_", "threshold_", "detectors_", "history_"]


@pytest.mark.parametrize("name", [*TYPED, "weights", "labels_", "device", "n_jobs"])
def test_wrong_attributes_are_refused_or_do_not_matter(tmp_path, name):
    path, (image,) = tmp_path / "a.pseudocell", read_images([DATA / "cells.png"])
    released = DATA / "loop-0.1.0.pseudocell"
    expected = load_model(released).predict([image])
    n_refused = 0
    for wrong in WRONG:

        def change(header, members, wrong=wrong):
            states = [one for one in find_states(header) if name in one]
            states[0][name] = wrong

        path.write_bytes(released.read_bytes())
        forge(path, change)
        try:
            loaded = load_model(path)
        except ValueError as error:
            n_refused += 1
            message = str(error)
            assert str(path) in message
        else:
            assert_same(loaded.predict([image]), expected)
    assert n_refused >= len(WRONG) - 2


def test_an_attribute_that_is_wrong_is_named(tmp_path):
    path = tmp_path / "a.pseudocell"
    path.write_bytes((DATA / "loop-0.1.0.pseudocell").read_bytes())

    def change(header, members):
        next(find_states(header))["detector_"] = 3

    forge(path, change)
    message = "PseudoLabelCellDetector in it is wrong: detector_ is 3; expected"
    with pytest.raises(ValueError, match=message) as info:
        load_model(path)
    assert_one_sentence(info, path)


def test_weights_that_are_not_finite_are_refused(fitted, tmp_path):
    path = tmp_path / "a.pseudocell"
    broken = heatmap_detector(device="cpu").fit(IMAGES, CLICKS)
    with torch.no_grad():
        next(broken.nets_[0].module_.parameters())[0] = np.nan
    save_model(broken, path)
    with pytest.raises(ValueError, match="of a net in it are not finite"):
        load_model(path)


def test_what_would_not_be_read_again_is_not_written(fitted, tmp_path):
    path = tmp_path / "a.pseudocell"
    with pytest.raises(ValueError, match=r"module is a UNet with depth=17; expected"):
        save_model(HeatmapDetector(module=partial(nets.UNet, depth=17)), path)
    with pytest.raises(ValueError, match=r"HeatmapDetector: depth=17; expected"):
        save_model(HeatmapDetector(module__depth=17), path)
    fitted = heatmap_detector(device="cpu").fit(IMAGES, CLICKS)
    with pytest.raises(ValueError, match="HeatmapDetector: masked is 3; expected"):
        save_model(fitted.set_params(masked=3), path)
    assert not path.exists()


def test_compressed_members_are_refused(tmp_path):
    path = tmp_path / "a.pseudocell"
    save_model(ShareSelector(), path)
    with zipfile.ZipFile(path) as archive:
        name, text = archive.namelist()[0], archive.read(archive.namelist()[0])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = bytes(64)
        archive.writestr(name, text)
    body = content.getvalue()[:-64]
    path.write_bytes(body + hashlib.sha256(body).hexdigest().encode())
    with pytest.raises(ValueError, match="is damaged: it holds compressed members"):
        load_model(path)


def repack(path, names, edit=bytes):
    """Write members of these names, edit the zip, and mend the checksum."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of two members of one name
        archive.comment = bytes(64)
        for name in names:
            archive.writestr(name, bytes(1000))
    body = edit(content.getvalue())[:-64]
    path.write_bytes(body + hashlib.sha256(body).hexdigest().encode())


def test_members_are_no_more_than_the_file(tmp_path):
    path = tmp_path / "a.pseudocell"
    repack(path, ["pseudocell-model.json", "a", "a"])
    with pytest.raises(ValueError, match="is damaged: two of its members have one na"):
        load_model(path)
    names = ["pseudocell-model.json", *map(str, range(5))]
    repack(path, names, lambda zipped: zipped.replace(bytes(900), b""))
    with pytest.raises(ValueError, match="is damaged: its members overlap"):
        load_model(path)


def test_only_regular_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.pseudocell")
    for path in (tmp_path, tmp_path / "pipe.pseudocell", "/dev/zero"):
        with pytest.raises(ValueError, match="it is not a regular file; expected a fi"):
            load_model(path)


@pytest.fixture(scope="module")
def released():
    return [path.read_bytes() for path in RELEASED]


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(data=strategies.data())
def test_changed_files_give_an_estimator_or_one_sentence(
    tmp_path_factory, released, data
):
    content = bytearray(data.draw(strategies.sampled_from(released)))
    end = len(content) - 64
    for _ in range(data.draw(strategies.integers(1, 4))):
        place = data.draw(strategies.integers(0, end - 1))
        new = data.draw(strategies.binary(max_size=8))
        content[place : place + data.draw(strategies.integers(0, 8))] = new
        end = len(content) - 64
    body = content[: data.draw(strategies.sampled_from([end, end, end // 2]))]
    path = tmp_path_factory.mktemp("changed") / "a.pseudocell"
    # The checksum is mended: what is tried is what lies behind it.
    path.write_bytes(body + hashlib.sha256(body).hexdigest().encode())
    check_one_sentence_or_estimator(path)


# What a stranger may write into the text of a model.
SCALARS = strategies.one_of(
    strategies.none(),
    strategies.sampled_from([-1, 0, 1, 10**9, 10**400, 1e308, True, "UNet", "cuda:99"]),
    strategies.dictionaries(
        strategies.sampled_from(sorted(_plain._Reader({})._readers)),
        strategies.sampled_from([0, [], {}, "a", [1, 2]]),
        max_size=1,
    ),
)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(data=strategies.data())
def test_changed_texts_give_an_estimator_or_one_sentence(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("changed") / "a.pseudocell"
    path.write_bytes(RELEASED[0].read_bytes())

    def change(header, members):
        parent, keys = header, list(header)
        while True:
            key = data.draw(strategies.sampled_from(keys))
            child = parent[key]
            is_leaf = not isinstance(child, (dict, list)) or not child
            if is_leaf or data.draw(strategies.integers(0, 7)) == 0:
                parent[key] = data.draw(SCALARS)
                return
            parent = child
            keys = list(child) if isinstance(child, dict) else list(range(len(child)))

    forge(path, change)
    check_one_sentence_or_estimator(path)


def check_one_sentence_or_estimator(path):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded = load_model(path)
    except ValueError as error:
        message = str(error)
        assert str(path) in message
        assert message.endswith(".")
        for words in ("NoneType", "unhashable", "has no ", "keyword", "unpack"):
            assert words not in message
    else:
        assert isinstance(loaded, BaseEstimator)


def test_any_changed_byte_and_any_cut_is_noticed(tmp_path):
    path = tmp_path / "a.pseudocell"
    save_model(ShareSelector(), path)
    content = path.read_bytes()
    for place in range(0, len(content), 3):
        changed = bytearray(content)
        changed[place] ^= 1
        for data in (changed, content[:place]):
            path.write_bytes(data)
            with pytest.raises(ValueError, match="is damaged|is not a pseudocell mod"):
                load_model(path)
    path.write_bytes(content)
    assert load_model(path).alpha is None


def test_other_files_get_one_sentence(tmp_path):
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    (tmp_path / "png.joblib").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (tmp_path / "clicks.csv").write_text("image,row,col\n")
    (tmp_path / "empty.pseudocell").write_bytes(b"")
    for path in tmp_path.iterdir():
        with pytest.raises(ValueError, match="is not a pseudocell model; exp") as info:
            load_model(path)
        assert_one_sentence(info, path)
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        load_model(tmp_path / "nowhere.pseudocell")


# -------------------------------------------------------------------- versions
@pytest.fixture
def saved_with(tmp_path, monkeypatch):
    """Save a model as if a library had another version."""

    def save(end, **others):
        versions = {name.replace("-", "_"): "1.6.1" for name in models.PACKAGES}
        versions["pseudocell"] = "0.1.3"

        def installed(name):
            return versions[name.replace("-", "_")]

        monkeypatch.setattr(models, "version", installed)
        path = tmp_path / f"model{end}"
        here = versions.copy()
        versions.update(others)
        save_model(ShareSelector(0.3), path)
        versions.update(here)
        return path

    return save


@pytest.mark.parametrize(
    ("end", "other"),
    [
        (".joblib", {"torch": "2.0.0"}),
        (".joblib", {"numpy": "2.0.0"}),
        (".joblib", {"pseudocell": "0.2.0"}),
        (".pseudocell", {"pseudocell": "0.2.0"}),
        (".pseudocell", {"pseudocell": "1.0.0"}),
    ],
)
def test_models_of_another_generation_are_refused(saved_with, end, other):
    ((name, text),) = other.items()
    message = f"saved with {name} {text}; here are {name} .*; install those versions"
    with pytest.raises(ValueError, match=message):
        load_model(saved_with(end, **other))


def test_models_of_a_near_version_come_with_a_warning(saved_with):
    path = saved_with(".pseudocell", scikit_learn="1.7.0", torch="2.0", numpy="2.0")
    message = r"saved with scikit-learn 1\.7\.0, torch 2\.0, numpy 2\.0; here are"
    with pytest.warns(UserWarning, match=message):
        assert load_model(path).alpha == 0.3


@pytest.mark.parametrize("version", ["1.6.1", models.UNKNOWN])
def test_models_of_the_same_versions_load_silently(saved_with, version):
    assert load_model(saved_with(".pseudocell", torch=version)).alpha == 0.3


@pytest.mark.parametrize("end", [".pseudocell", ".joblib"])
def test_models_of_another_format_are_refused(tmp_path, monkeypatch, end):
    monkeypatch.setattr(models, "FORMAT", 2)
    save_model(ShareSelector(), tmp_path / f"model{end}")
    monkeypatch.undo()
    message = "format is number 2, and this pseudocell reads number 1; install pseudoc"
    with pytest.raises(ValueError, match=message):
        load_model(tmp_path / f"model{end}")


def test_a_model_whose_class_is_gone_is_refused(tmp_path, monkeypatch):
    save_model(Selector(), tmp_path / "model.joblib")
    monkeypatch.delattr(f"{__name__}.Selector")
    with (
        pytest.warns(UserWarning, match="can run code"),
        pytest.raises(ValueError, match="cannot be loaded: Can't get attribute"),
    ):
        load_model(tmp_path / "model.joblib")

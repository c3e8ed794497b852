"""skorch's parameters by its names: what reaches the nets, and what comes back."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    GradientNormClipping,
    LRScheduler,
)
from skorch.dataset import ValidSplit
from test_models import DATA, forge
from tiny_nets import MeanNet, PixelNet
from torch.optim import SGD
from torch.optim.lr_scheduler import StepLR

from pseudocell import HeatmapDetector, NNPUFeaturizer, PseudoLabelCellDetector
from pseudocell.io import load_model, save_model
from pseudocell.losses import MaskedMSELoss, NonNegativePULoss
from pseudocell.nets import PatchCNN, UNet

RNG = np.random.default_rng(0)
IMAGES = [RNG.integers(0, 256, size, dtype=np.uint8) for size in ((48, 40), (40, 56))]
CLICKS = [np.array([[9.0, 9], [30, 20]]), np.array([[20.0, 40], [8, 8], [30, 21]])]
PATCHES = RNG.normal(size=(40, 9, 9)).astype(np.float32)
POSITIVE = np.repeat([1, 0], [10, 30])


def detector(**parameters):
    parameters = {"module": PixelNet, "batch_size": 2, "max_steps": 2, **parameters}
    return HeatmapDetector(6, device="cpu", n_jobs=1, random_state=0, **parameters)


def featurizer(**parameters):
    parameters = {"module": MeanNet, "batch_size": 8, "max_steps": 2, **parameters}
    return NNPUFeaturizer(0.4, device="cpu", random_state=0, **parameters)


def fit(estimator):
    """Fit it, and return it and its first net."""
    if isinstance(estimator, HeatmapDetector):
        return estimator.fit(IMAGES, CLICKS), estimator.nets_[0]
    return estimator.fit(PATCHES, POSITIVE), estimator.net_


def weights(net):
    return torch.cat([w.detach().flatten() for w in net.module_.parameters()])


class Log(Callback):
    """Counts what it is told of."""

    def __init__(self, to=()):
        self.to = to

    def on_epoch_end(self, net, **kwargs):
        self.n_epochs_ = getattr(self, "n_epochs_", 0) + 1
        self.to.append(len(net.history))


# ------------------------------------------------------------- names and prefixes
TRAINING = {
    "optimizer": SGD,
    "optimizer__momentum": 0.5,
    "optimizer__weight_decay": 0.25,
    "lr": 0.125,
    "iterator_train__pin_memory": False,
    "callbacks__print_log": None,
}


@pytest.mark.parametrize(
    ("estimator", "settings"),
    [
        (detector(), {"module__base_channels": 2, "module__depth": 1}),
        (featurizer(), {"module__width": 3, "criterion__beta": 0.5}),
    ],
    ids=["detector", "featurizer"],
)
def test_parameters_reach_the_net_by_their_names(estimator, settings):
    """However they were given: at once, later, to a clone, or through a whole."""
    name = "detector" if isinstance(estimator, HeatmapDetector) else "featurizer"
    module = UNet if name == "detector" else PatchCNN
    settings = {**TRAINING, "module": module, **settings}
    inner = {f"{name}__{key}": value for key, value in settings.items()}
    whole = PseudoLabelCellDetector(**{name: estimator}).set_params(**inner)
    kind = type(estimator)
    given = {**estimator.get_params(), **settings}
    for one in (kind(**given), clone(estimator).set_params(**settings)):
        assert clone(one).get_params() == given
    assert getattr(clone(whole), name).get_params() == given
    fitted, net = fit(kind(**given))
    told = vars(net)
    assert {key: told[key] for key in settings} == settings
    group = net.optimizer_.param_groups[0]
    assert (group["momentum"], group["weight_decay"]) == (0.5, 0.25)
    assert settings["module"] is type(net.module_)
    for key in settings:
        assert key in repr(fitted)


def test_default_is_the_published_optimiser():
    assert fit(featurizer())[1].optimizer_.param_groups[0]["weight_decay"] == 0.005
    assert fit(detector())[1].optimizer_.param_groups[0]["weight_decay"] == 0
    # Those of another optimiser are its own.
    net = fit(featurizer(optimizer=SGD))[1]
    assert net.optimizer_.param_groups[0]["weight_decay"] == 0
    assert net.criterion_.class_prior == 0.4


def test_a_prefixed_parameter_is_searched():
    grid = {"module__base_channels": [2, 3]}
    small = detector(module=UNet, module__depth=1)
    search = GridSearchCV(small, grid, cv=KFold(2), error_score="raise", scoring=width)
    assert search.fit(IMAGES, CLICKS).best_params_ == {"module__base_channels": 3}
    assert width(search.best_estimator_, IMAGES) == 3


def width(fitted, images, points=None):
    return next(fitted.nets_[0].module_.parameters()).shape[0]


@pytest.mark.parametrize("kind", [HeatmapDetector, NNPUFeaturizer])
def test_other_names_are_refused(kind):
    with pytest.raises(TypeError, match="argument 'modul__depth'; expected one of its"):
        kind(modul__depth=3)
    meant = r"'module_depth' \(did you mean module__depth\?\)"
    with pytest.raises(TypeError, match=meant):
        kind(module_depth=3)
    with pytest.raises(ValueError, match="Invalid parameter 'modul'"):
        kind().set_params(modul__depth=3)
    for name, value in (("callbacks", 3), ("train_split", 5), ("max_epochs", 1.5)):
        with pytest.raises(ValueError, match=f"^{name} is .*; expected "):
            kind(**{name: value})._validate_params()


def test_a_module_that_is_there_is_copied():
    module = PixelNet(1)
    module.offset.data.fill_(0.75)
    fitted = detector(module=module, lr=1e-9, n_nets=2)
    first, second = fit(fitted)[0].nets_
    assert weights(first).tolist() == pytest.approx([0.5, 0.75], abs=1e-6)
    assert len({id(each) for each in (module, first.module_, second.module_)}) == 3
    assert module.offset.item() == 0.75
    with pytest.raises(ValueError, match="module__depth is given, but module is a Pix"):
        fit(detector(module=module, module__depth=3))


# ------------------------------------------------------------------ steps and epochs
@pytest.mark.parametrize(
    ("parameters", "expected"),
    [({"max_steps": 32}, [30, 2]), ({"max_steps": 2, "max_epochs": 2}, [30, 30])],
)
def test_an_epoch_is_thirty_batches(parameters, expected):
    for make in (detector, featurizer):
        fitted, net = fit(make(**parameters))
        assert net.history_[:, "train_batch_count"] == expected
        history = fitted.history_
        assert net.history_ is (history if make is featurizer else history[0])


def test_steps_are_those_of_one_long_epoch(monkeypatch):
    """Where an epoch ends is told to callbacks and changes nothing."""
    short = weights(fit(detector(max_steps=5))[1])
    for module in ("_skorch", "_detection._nets"):
        monkeypatch.setattr(f"pseudocell.{module}.EPOCH", 2)
    fitted, net = fit(detector(max_steps=5))
    assert net.history_[:, "train_batch_count"] == [2, 2, 1]
    assert torch.equal(weights(net), short)


# ------------------------------------------------------------------------ callbacks
def rates(net):
    return [
        rate for epoch in net.history_[:, "batches", :, "event_lr"] for rate in epoch
    ]


def test_the_learning_rate_makes_one_cycle_unless_told_otherwise():
    cycle = rates(fit(detector(max_steps=9, lr=0.01))[1])
    assert max(cycle) == pytest.approx(0.01, rel=0.05)
    assert cycle[0] < 0.001 > cycle[-1]
    constant = fit(detector(lr=0.01, callbacks__one_cycle=None))[1]
    assert constant.optimizer_.param_groups[0]["lr"] == 0.01
    own = LRScheduler(StepLR, step_size=1, gamma=0.5)
    assert fit(detector(max_epochs=2, lr=0.01, callbacks=[own]))[1].history_[
        :, "event_lr"
    ] == [0.01, 0.005]
    nothing = fit(detector(callbacks="disable"))[1]
    assert nothing.callbacks_ == []


def test_each_group_of_weights_has_a_cycle_of_its_own():
    groups = [("gain", {"lr": 1e-4})]
    net = fit(detector(max_steps=3, lr=0.01, optimizer__param_groups=groups))[1]
    assert [g["max_lr"] for g in net.optimizer_.param_groups] == [1e-4, 0.01]


def test_each_net_has_its_own_callbacks_and_parameters_stay():
    log = Log([])
    fitted = fit(detector(n_nets=2, callbacks=[("log", log)]))[0]
    own = [dict(net.callbacks_)["log"] for net in fitted.nets_]
    assert [one.n_epochs_ for one in own] == [1, 1]
    assert log.to == [1, 1]
    assert vars(log) == {"to": [1, 1]}
    assert fitted.callbacks[0][1] is log


def test_checkpoints_of_two_nets_are_two(tmp_path):
    """`load_best` gives each net its own weights back."""
    best = Checkpoint(monitor=None, dirname=str(tmp_path), load_best=True)
    fitted = fit(detector(n_nets=2, lr=0.1, callbacks=[best]))[0]
    plain = fit(detector(n_nets=2, lr=0.1))[0]
    for number, net in enumerate(fitted.nets_):
        saved = torch.load(tmp_path / f"net{number}_params.pt")
        assert torch.equal(torch.stack([*saved.values()]), weights(net))
        assert torch.equal(weights(net), weights(plain.nets_[number]))


def test_a_callback_ends_the_training_and_steps_are_those_made():
    stopping = EarlyStopping("train_loss", patience=1, threshold=0.999)
    going_on = fit(detector(max_epochs=9, callbacks=[stopping], warm_start=True))[0]
    assert going_on.n_steps_ == 60
    assert fit(going_on)[0].n_steps_ == 120


# ------------------------------------------------------------------------ validation
@pytest.mark.parametrize("masked", [True, False])
def test_clicks_for_validation_teach_nothing(masked):
    """The net is that of the other clicks; the loss around these is recorded."""
    kept = [CLICKS[0][1:], CLICKS[1]]  # the first of five is the first fold

    def trained(clicks, **parameters):
        fitted = detector(masked=masked, max_steps=4, lr=0.1, **parameters)
        return fitted.fit(IMAGES, clicks).nets_[0]

    net, other = trained(CLICKS, train_split=ValidSplit(5)), trained(kept)
    assert torch.equal(weights(net), weights(other))
    assert not torch.equal(weights(net), weights(trained(CLICKS)))
    assert "valid_loss" not in other.history_[-1]
    assert net.history_[-1, "valid_loss"] > 0
    assert net.train_split is None  # nothing of the images stays in the net


def test_patches_for_validation_teach_nothing_and_are_scored():
    split = ValidSplit(5, stratified=True)
    seen = []

    def score(net, X, y):
        seen.append((net.predict(X), y))
        return 0.5

    scoring = EpochScoring(score, name="mine")
    net = fit(featurizer(train_split=split, callbacks=[scoring]))[1]
    assert net.history_[-1, "mine"] == 0.5
    ((predicted, y),) = seen
    assert (predicted.shape, sorted(y)) == ((8,), [0] * 6 + [1] * 2)
    # Each fifth of a kind is the first.
    assert net.history_[-1, "valid_loss"] > 0
    with pytest.raises(ValueError, match="leaves no positive or no unlabelled patch"):
        fit(featurizer(train_split=lambda X, y: (np.arange(10), np.arange(10, 40))))


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (ValidSplit(9), "cannot split 5 clicks: .*n_splits=9"),
        (lambda clicks: (clicks, clicks), "gave 5 and 5 samples that are not two"),
        (lambda clicks: (clicks[:0], clicks), "gave 0 and 5 samples"),
        (lambda clicks: (clicks + 1, None), "gave 5 and 0 samples"),
        (lambda clicks: clicks, "cannot split 5 clicks"),
    ],
)
def test_what_is_no_split_is_named(split, message):
    with pytest.raises(ValueError, match=f"^train_split {message}"):
        fit(detector(train_split=split))


# ------------------------------------------------------------ a real net of skorch
def test_nets_predict_and_learn_on_as_skorch_does():
    """On arrays of any number, with what `fit` was given."""
    net = fit(detector(lr=0.01))[1]
    X = RNG.normal(size=(5, 1, 8, 8)).astype(np.float32)
    expected = 0.5 * X[:, 0] + 0.5
    np.testing.assert_allclose(net.predict(X), expected, atol=0.1)
    assert torch.equal(net.forward(X), torch.from_numpy(net.predict(X)))
    before, y = weights(net), np.stack((0 * X[:, 0], 0 * X[:, 0] + 1), axis=1)
    net.set_params(max_epochs=3).partial_fit(X, y)
    assert (weights(net) < before).all()
    assert net.history_[:, "epoch"] == [1, 2, 3, 4]


KEPT = {
    "callbacks": [
        ("stop", EarlyStopping("train_loss", patience=3)),
        GradientNormClipping(1.0),
        EpochScoring("neg_mean_squared_error", on_train=True),
        LRScheduler(StepLR, step_size=5),
    ],
    "train_split": ValidSplit(5),
    **TRAINING,
}


def describe(net):
    """Say all that a net is, but for its weights."""
    settings = net.get_params(deep=False)
    made = [(name, type(one), one.get_params()) for name, one in net.callbacks_]
    del settings["callbacks"]
    return settings, made, list(net.history_), type(net.criterion_)


@pytest.mark.parametrize("make", [detector, featurizer])
@pytest.mark.parametrize("kind", ["pickle", "file"])
def test_nets_come_back_as_they_were(tmp_path, make, kind):
    module = {"module": UNet, "module__base_channels": 2, "module__depth": 1}
    module = module if make is detector else {"module": PatchCNN, "module__width": 2}
    scoring = {"callbacks": [*KEPT["callbacks"][:2], KEPT["callbacks"][3]]}
    fitted, net = fit(make(**{**KEPT, **module, **scoring}))
    if kind == "pickle":
        loaded = pickle.loads(pickle.dumps(fitted))
    else:
        save_model(fitted, tmp_path / "a.pseudocell")
        loaded = load_model(tmp_path / "a.pseudocell")
    other = loaded.nets_[0] if make is detector else loaded.net_
    assert describe(other) == describe(net)
    assert torch.equal(weights(other), weights(net))
    assert type(other.optimizer_) is SGD


def test_a_file_says_what_it_cannot_hold(tmp_path):
    cases = {
        r"HeatmapDetector\.callbacks\[0\] is an object of the class Checkpoint":
        {"callbacks": [Checkpoint()]},
        r"callbacks\[0\]\[1\] is an object of the class Log":
        {"callbacks": [("log", Log())]},
        r"callbacks\[0\]\.scoring is the function width":
        {"callbacks": [EpochScoring(width)]},
        r"\.optimizer is the class Own of": {"optimizer": type("Own", (SGD,), {})},
        r"\.module is an object of the class UNet": {"module": UNet(1, 2, 1)},
    }  # fmt: skip
    for message, parameters in cases.items():
        with pytest.raises(ValueError, match=message):
            save_model(HeatmapDetector(**parameters), tmp_path / "a.pseudocell")
    assert not [*tmp_path.iterdir()]


@pytest.mark.filterwarnings("ignore:.* was saved with")
def test_old_files_have_nets_that_know_how_they_were_trained():
    fitted = load_model(DATA / "heatmap-0.1.0.pseudocell")
    assert (fitted.lr, fitted.module.keywords["depth"]) == (0.03, 1)
    net = fitted.nets_[0]
    assert (type(net.criterion_), net.lr) == (MaskedMSELoss, 0.03)


@pytest.mark.parametrize(
    ("message", "change"),
    [
        ("the setting 'dataset'", {"dataset": 1}),
        ("a net in it has a foreign criterion", {"criterion": {"net": "UNet"}}),
        ("a net in it has a foreign optimizer", {"optimizer": {"class": "StepLR"}}),
        ("it names 'print'", {"optimizer": {"class": "print"}}),
        ("a schedule of the learning rate by a text", {
            "callbacks": [{"callback": ["LRScheduler", {"policy": "sys"}]}]}),
        ("it names 'Checkpoint'", {"callbacks": [{"callback": ["Checkpoint", {}]}]}),
        ("it is not as save_model", {"optimizer__nonsense": 1}),
    ],
)  # fmt: skip
def test_forged_settings_get_one_sentence(tmp_path, message, change):
    path = tmp_path / "a.pseudocell"
    save_model(
        fit(detector(module=UNet, module__depth=1, module__base_channels=2))[0], path
    )

    def add(header, members):
        state = header["estimator"]["object"][1]["nets_"][0]["object"][1]
        state["settings"]["dict"] += [[key, value] for key, value in change.items()]

    forge(path, add)
    with pytest.raises(ValueError, match=message):
        load_model(path)


def test_a_file_does_not_ask_for_a_net_without_bound(tmp_path):
    path = tmp_path / "a.pseudocell"
    save_model(detector(module=UNet, module__depth=1), path)
    forge(
        path,
        lambda header, _: header["estimator"]["object"][1].update(module__depth=99),
    )
    with pytest.raises(ValueError, match="has depth=99; expected a whole number"):
        load_model(path)


# ------------------------------------------------------------ scikit-learn's callbacks
class Listener:
    """Writes down the tasks of `fit`, and stops after some epochs."""

    def __init__(self, last=10):
        self.last, self.told = last, []

    def setup(self, estimator, context):
        self.told.append("setup")

    def on_fit_task_begin(self, estimator, context, *, X=None):
        self.told.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.told.append(f"end {context.task_name}")
        return context.task_name == "epoch" and context.task_id + 1 >= self.last

    def teardown(self, estimator, context):
        self.told.append("teardown")


def test_scikit_learns_callbacks_are_told_of_epochs():
    pytest.importorskip("sklearn.callback", reason="scikit-learn before 1.9")
    epochs = ["begin epoch", "end epoch"] * 2
    net = ["begin net", *epochs, "end net"]
    for make, inner in ((detector, net), (featurizer, epochs)):
        listener = Listener()
        plain = weights(fit(make(max_steps=31))[1])
        told = weights(fit(make(max_steps=31).set_callbacks(listener))[1])
        whole = ["begin fit", *inner, "end fit"]
        assert listener.told == ["setup", *whole, "teardown"]
        assert torch.equal(told, plain)
        stopped = fit(make(max_epochs=5).set_callbacks(Listener(last=2)))[1]
        assert stopped.history_[:, "train_batch_count"] == [30, 30]


def test_the_featurizers_criterion_is_its_own():
    assert type(fit(featurizer())[1].criterion_) is NonNegativePULoss

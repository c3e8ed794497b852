"""Seeds, devices, training and prediction of any net."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch import nn

from pseudocell import _inference, _skorch
from pseudocell._inference import (
    choose_device,
    deal_devices,
    forward_net,
    prepare_net,
)
from pseudocell._skorch import build_module, fit_net
from pseudocell.nets import UNet


class Batches:
    """Batches of a linear problem, y = 2 a - 3 b + 1, with a record of the steps."""

    def __init__(self, n_steps, seed=0):
        self.n_steps, self.seed, self.asked = n_steps, seed, []

    def __len__(self):
        return self.n_steps

    def __getitem__(self, step):
        self.asked.append(step)
        rng = np.random.default_rng((self.seed, step))
        X = rng.normal(size=(16, 2, 1, 1)).astype(np.float32)
        target = 2 * X[:, 0] - 3 * X[:, 1] + 1
        return X, np.stack((target, np.ones_like(target)), axis=1)


class WeightedError(nn.Module):
    def forward(self, prediction, target, weight):
        return (weight * (prediction - target) ** 2).mean()


def make_net(hidden=0):
    layers = [nn.Conv2d(2, 1, 1), nn.Flatten(1, 2)]
    if hidden:
        layers = [
            nn.Conv2d(2, hidden, 1),
            nn.BatchNorm2d(hidden),
            nn.Conv2d(hidden, 1, 1),
            nn.Flatten(1, 2),
        ]
    return nn.Sequential(*layers)


def build(module, seed=0, **arguments):
    arguments = {f"module__{name}": value for name, value in arguments.items()}
    return build_module({"module": module, **arguments}, seed)


def fit(n_steps=5, module=None, batches=None, criterion=WeightedError, **parameters):
    """Fit a net; parameters that `fit_net` has go there, others are skorch's."""
    module = build(make_net, hidden=4) if module is None else module
    ours = {name: parameters.pop(name) for name in OURS & {*parameters}}
    settings = {"module": make_net, "criterion": criterion, "lr": 0.1, **parameters}
    return fit_net(module, batches or Batches(n_steps), settings, **ours)


OURS = {"valid", "device", "description", "verbose", "files", "tasks"}


def weights_of(module):
    return np.concatenate([w.detach().numpy().ravel() for w in module.parameters()])


@pytest.fixture
def generators():
    """The global generators; checks that they are as before when the test ends."""
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()
    yield
    assert torch.equal(torch.get_rng_state(), torch_before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before[1])
    assert np.random.get_state()[2] == numpy_before[2]


# ---------------------------------------------------------------------- seeds
@pytest.mark.usefixtures("generators")
def test_building_leaves_the_global_generators_alone():
    build(make_net, 3, hidden=5)


@pytest.mark.usefixtures("generators")
def test_training_and_predicting_leave_the_global_generators_alone():
    net = fit()
    forward_net(net, np.zeros((3, 2, 1, 1), np.float32))


def test_same_seed_gives_the_same_weights():
    torch.manual_seed(1)
    first = weights_of(build(make_net, 7, hidden=5))
    torch.manual_seed(2)
    np.testing.assert_array_equal(weights_of(build(make_net, 7, hidden=5)), first)
    assert (weights_of(build(make_net, 8, hidden=5)) != first).any()


def test_same_module_and_batches_give_the_same_net():
    one, other = fit(), fit()
    np.testing.assert_array_equal(weights_of(one.module_), weights_of(other.module_))


# ------------------------------------------------------------------- training
def test_every_batch_is_taken_once_in_order():
    batches = Batches(7)
    fit(batches=batches)
    assert batches.asked == list(range(7))


def test_training_finds_the_solution():
    """y = 2 a - 3 b + 1."""
    module = build(make_net)
    net = fit(150, module)
    assert net.module_ is module
    np.testing.assert_allclose(weights_of(module), (2, -3, 1), atol=0.02)


def test_mixed_precision_is_for_the_net_and_not_for_the_loss(monkeypatch):
    """On the processor, which has bfloat16 too, as there may be no GPU."""

    class Recorder(WeightedError):
        dtypes = set()

        def forward(self, prediction, target, weight):
            self.dtypes.add(prediction.dtype)
            return super().forward(prediction, target, weight)

    def train(context):
        monkeypatch.setattr(_skorch, "_mixed_precision", lambda device: context)
        module = build(make_net)
        fit(150, module, criterion=Recorder)
        return weights_of(module)

    single = train(nullcontext())
    mixed = train(torch.autocast("cpu", torch.bfloat16))
    assert Recorder.dtypes == {torch.float32}
    assert mixed.dtype == np.float32
    assert not np.array_equal(mixed, single)
    np.testing.assert_allclose(mixed, (2, -3, 1), atol=0.05)


def test_processor_trains_in_single_precision():
    with _skorch._mixed_precision("cpu"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_target_without_weight_teaches_nothing():
    class Unweighted(Batches):
        def __getitem__(self, step):
            X, target = super().__getitem__(step)
            return X, target * np.array([1, 0], np.float32)[:, None, None]

    module = build(make_net)
    before = weights_of(module)
    fit(module=module, batches=Unweighted(5))
    np.testing.assert_array_equal(weights_of(module), before)


def test_weight_decay_shrinks_the_weights():
    def norm(weight_decay):
        module = build(make_net)
        fit(100, module, optimizer__weight_decay=weight_decay)
        return np.linalg.norm(weights_of(module))

    assert norm(10.0) < 0.5 * norm(0.0)


def test_progress_is_shown_only_when_asked_for(capfd):
    fit(3)
    assert capfd.readouterr() == ("", "")
    fit(3, verbose=1, description="Learning")
    out, err = capfd.readouterr()
    assert "Learning" in err
    assert out == ""


# ----------------------------------------------------------------- prediction
def test_batch_size_does_not_matter():
    net = fit()
    X = np.random.default_rng(0).normal(size=(11, 2, 4, 4)).astype(np.float32)
    whole = forward_net(net, X)
    assert (whole.shape, whole.dtype) == ((11, 4, 4), np.float32)
    for batch_size in (1, 4, 11):
        parts = forward_net(net, X, batch_size=batch_size)
        np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=1e-6)


def test_prediction_does_not_change_the_net():
    """A batch norm in training mode would."""
    net = fit()
    net.module_.train()
    before = {k: v.clone() for k, v in net.module_.state_dict().items()}
    X = np.random.default_rng(0).normal(5, 9, (11, 2, 1, 1)).astype(np.float32)
    X.flags.writeable = False
    first = forward_net(net, X.copy())
    for key, value in net.module_.state_dict().items():
        assert torch.equal(value, before[key])
    np.testing.assert_array_equal(forward_net(net, X.copy()), first)


def test_any_method_of_the_module_can_be_called():
    class Doubling(nn.Conv2d):
        def forward(self, X):
            return super().forward(X)[:, 0]

        def twice(self, X):
            return 2 * self(X)

    net = fit(2, Doubling(2, 1, 1))
    X = np.ones((3, 2, 1, 1), np.float32)
    np.testing.assert_array_equal(forward_net(net, X, "twice"), 2 * forward_net(net, X))


class Chain(nn.Sequential):
    """Batch norms in all places; only those behind a convolution can be folded."""

    def __init__(self):
        super().__init__(
            nn.BatchNorm2d(2),
            nn.Conv2d(2, 5, 3, padding=1, bias=False),
            nn.BatchNorm2d(5, affine=False),
            nn.Conv2d(5, 4, 3, stride=2, groups=1),
            nn.BatchNorm2d(4),
            nn.BatchNorm2d(4),
            nn.Conv2d(4, 4, 3),
            nn.ReLU(),
            nn.BatchNorm2d(4),
            nn.Conv2d(4, 3, 1),
            nn.BatchNorm2d(3, track_running_stats=False),
        )


class Backwards(nn.Sequential):
    """Not what it looks like."""

    def forward(self, X):
        for layer in reversed(self):
            X = layer(X)
        return X


def unsettled(module, seed=0):
    """A module whose batch norms have statistics and weights of their own."""
    generator = torch.Generator().manual_seed(seed)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor in layer.state_dict().values():
                if tensor.dtype == torch.float32:
                    tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    return module


NETS = {
    "unet": lambda: UNet(2, base_channels=4, depth=2),
    "chain": Chain,
    "backwards": lambda: Backwards(nn.Conv2d(2, 2, 3), nn.BatchNorm2d(2)),
    "one layer": lambda: nn.Conv2d(2, 1, 3),
}


@pytest.mark.parametrize("name", NETS)
def test_folded_net_is_the_net(name):
    net = fit(0, unsettled(build(NETS[name])))
    before = {k: v.clone() for k, v in net.module_.state_dict().items()}
    X = np.random.default_rng(0).normal(size=(3, 2, 12, 16)).astype(np.float32)
    with torch.no_grad():
        expected = net.module_.eval()(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(prepare_net(net)(X), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(forward_net(net, X), expected, rtol=1e-5, atol=1e-5)
    assert net.module_.state_dict().keys() == before.keys()
    for key, value in net.module_.state_dict().items():
        assert torch.equal(value, before[key])


def test_batch_norm_behind_a_convolution_is_folded(monkeypatch):
    """None of the U-Net's remains; in the chain two of five do not."""
    called = []
    plain = nn.BatchNorm2d.forward
    monkeypatch.setattr(
        nn.BatchNorm2d,
        "forward",
        lambda self, X: called.append(self) or plain(self, X),
    )
    X = np.zeros((1, 2, 12, 16), np.float32)
    for name, count in (("unet", 0), ("chain", 4)):
        called.clear()
        prepare_net(fit(0, unsettled(build(NETS[name]))))(X)
        assert len(called) == count


def test_prepared_net_does_not_follow_the_net():
    """It is a copy: what is trained on does not change what is being used."""
    net = fit()
    X = np.ones((2, 2, 1, 1), np.float32)
    forward = prepare_net(net)
    before = forward(X)
    with torch.no_grad():
        for weights in net.module_.parameters():
            weights.mul_(2)
    np.testing.assert_array_equal(forward(X), before)
    assert (forward_net(net, X) != before).any()


# -------------------------------------------------------------------- devices
@pytest.mark.parametrize(
    ("device", "n_gpus", "expected"),
    [
        ("cuda", 2, ["cuda:0", "cuda:1", "cuda:0"]),
        ("cuda", 1, ["cuda"] * 3),
        ("cuda:1", 2, ["cuda:1"] * 3),
        ("cpu", 2, ["cpu"] * 3),
    ],
)
def test_several_gpus_share_nets_out(monkeypatch, device, n_gpus, expected):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: n_gpus)
    assert deal_devices(device, 3) == expected


@pytest.mark.parametrize(
    ("there", "expected"), [(["cuda:1"], "cuda:1"), (["cuda"], "cuda"), ([], "cpu")]
)
def test_saved_net_goes_to_a_gpu_that_is_there(monkeypatch, there, expected):
    def choose(device):
        if device not in [*there, "cpu"]:
            raise ValueError
        return device

    asked = []
    monkeypatch.setattr(_inference, "choose_device", choose)
    start = _skorch._Net.start

    def start_here(net, module):
        asked.append(net.device)
        net.device = "cpu"
        return start(net, module)

    monkeypatch.setattr(_skorch._Net, "start", start_here)
    settings = {"module": nn.Linear, "criterion": nn.MSELoss, "device": "cuda:1"}
    _skorch._restore_net(nn.Linear(1, 1), settings, [])
    assert asked == [expected]


def test_processor_is_always_there():
    assert choose_device("cpu") == "cpu"
    torch.empty(1, device=choose_device("auto"))


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "tpu"])
def test_missing_device_is_named(device):
    with pytest.raises(ValueError, match=f"device='{device}' cannot be used here"):
        choose_device(device)

"""The bridge to skorch: seed, training by batches, and nets that can be saved."""

import copy
from contextlib import nullcontext
from threading import Lock

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, LRScheduler
from torch.utils.data import Dataset
from tqdm.auto import tqdm

from ._inference import nearest_device
from ._stopping import take_step

__all__ = ["build_module", "fit_net"]


# Modules may be built on several threads; the global generator is one.
_GLOBAL_SEED = Lock()


def build_module(factory, random_state, **kwargs):
    """Build a torch module under its own seed.

    Parameters
    ----------
    factory : callable
        Returns a module.
    random_state : int
        Seed of the initial weights. The global generators stay untouched.
    **kwargs
        Passed to the factory.

    Returns
    -------
    module : torch.nn.Module
        The module. It remembers in `built_by` how it was built, so that a file of plain
        data can do without its structure.
    """
    with _GLOBAL_SEED, torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(random_state))
        module = factory(**kwargs)
    module.built_by = (factory, kwargs)
    return module


def fit_net(
    module,
    criterion,
    batches,
    *,
    learning_rate,
    weight_decay=0.0,
    device="cpu",
    description="",
    verbose=0,
):
    """Train a module on batches with Adam and a one-cycle learning rate.

    Parameters
    ----------
    module : torch.nn.Module
        The net; it is trained in place.
    criterion : torch.nn.Module
        Called as ``criterion(prediction, *target)``.
    batches : object with a length and items
        Item `step` is ``(X, target)``, an array and a tuple of arrays for one
        batch; there are as many steps as items.
    learning_rate : float
        The largest learning rate of the cycle.
    weight_decay : float, default=0
        L2 penalty.
    device : str, default="cpu"
        A name that torch knows.
    description : str
        Shown at the progress bar.
    verbose : int, default=0
        0 is silent, 1 shows a progress bar.

    Returns
    -------
    net : skorch.NeuralNet
        The fitted net; the module is in ``net.module_``.

    References
    ----------
    Smith, Topin, "Super-convergence: very fast training of neural networks using
    large learning rates", 2019, doi 10.1117/12.2520589.
    """
    schedule = LRScheduler(
        policy=torch.optim.lr_scheduler.OneCycleLR,
        step_every="batch",
        max_lr=learning_rate,
        total_steps=len(batches) + 1,
        cycle_momentum=False,
    )
    net = _new_net(
        module,
        device,
        criterion=criterion,
        optimizer=torch.optim.Adam,
        optimizer__weight_decay=weight_decay,
        lr=learning_rate,
        callbacks=[schedule] + ([_ProgressBar(description)] if verbose else []),
    )
    dataset = _Batches(batches)
    # Not `net.fit`, which takes an interrupt for "enough" and returns a fitted net.
    net.initialize().notify("on_train_begin", X=dataset, y=None)
    try:
        net.fit_loop(dataset, None)
    finally:
        net.notify("on_train_end", X=dataset, y=None)
    net.module_.eval()
    net.set_params(callbacks=[])
    return net


def _new_net(module, device, **training):
    return _Net(
        module.to(device, memory_format=torch.channels_last),
        max_epochs=1,
        batch_size=None,
        iterator_train=_InOrder,
        train_split=None,
        verbose=0,
        device=device,
        **training,
    )


def _restore_net(module, device, history):
    """Return a net that was saved; on another GPU or the processor if need be."""
    net = _new_net(module, nearest_device(device), criterion=torch.nn.Identity)
    net.initialize()
    net.module_.eval()
    net.history_.extend(history)
    net.set_params(callbacks=[])
    return net


def _mixed_precision(device):
    """Return the context to train in: bfloat16 where a GPU is fast at it.

    Weights, loss and steps stay in single precision, and so do predictions: with 8 bits
    the heights of neighbours would be equal and peaks could shift.
    """
    if torch.device(device).type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.autocast("cuda", torch.bfloat16)
    return nullcontext()


class _Net(NeuralNet):
    """A net whose target is a tuple of tensors that all go to the criterion.

    A file holds the module, the name of its device and the record of its training, and
    no optimiser: predicting and training on need no more. Its tensors are saved on the
    processor, so that a machine without a GPU can read them.
    """

    def infer(self, x, **fit_params):
        with _mixed_precision(self.device):
            return super().infer(x, **fit_params).float()

    def get_loss(self, y_pred, y_true, *args, **kwargs):
        return self.criterion_(y_pred, *y_true)

    def __reduce__(self):
        saved = (self._on_processor(), self.device, list(self.history_))
        return _restore_net, saved

    def to_plain(self):
        """Return how the module was built, its weights as arrays, and the rest."""
        module = self._on_processor()
        factory, arguments = module.built_by
        weights = module.state_dict().items()
        return {
            "factory": factory,
            "arguments": arguments,
            "weights": {name: tensor.numpy() for name, tensor in weights},
            "device": self.device,
            "history": list(self.history_),
        }

    @classmethod
    def from_plain(cls, state):
        """Return the net of what `to_plain` returned."""
        # Without memory or random numbers for weights that are replaced at once.
        with torch.device("meta"):
            module = state["factory"](**state["arguments"])
        weights = {
            name: torch.from_numpy(array) for name, array in state["weights"].items()
        }
        module.load_state_dict(weights, assign=True)
        module.built_by = (state["factory"], state["arguments"])
        return _restore_net(module, state["device"], state["history"])

    def _on_processor(self):
        return copy.deepcopy(self.module_).cpu()


class _Batches(Dataset):
    """Ready batches in channels-last layout, as skorch wants them."""

    def __init__(self, batches):
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, step):
        take_step()
        X, target = self.batches[step]
        X = torch.as_tensor(X).contiguous(memory_format=torch.channels_last)
        return X, tuple(torch.as_tensor(array) for array in target)


class _InOrder:
    """Ready batches one after the other; torch's loader draws from the global seed."""

    def __init__(self, dataset, batch_size=None):
        self.dataset = dataset

    def __iter__(self):
        return (self.dataset[step] for step in range(len(self.dataset)))


class _ProgressBar(Callback):
    """A progress bar over the steps of a training."""

    def __init__(self, description):
        self.description = description

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self.bar_ = tqdm(total=len(X), desc=self.description, leave=False)

    def on_batch_end(self, net, batch=None, training=False, **kwargs):
        self.bar_.update()

    def on_train_end(self, net, X=None, y=None, **kwargs):
        self.bar_.close()

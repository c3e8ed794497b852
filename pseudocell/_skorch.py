"""The bridge to skorch: seed, training by batches, and nets that can be saved."""

import copy
from contextlib import nullcontext
from threading import Lock

import torch
from skorch import NeuralNet
from skorch.callbacks import LRScheduler
from skorch.helper import predefined_split
from skorch.utils import to_tensor
from torch import nn
from torch.optim import Adam
from torch.utils.data import DataLoader, Dataset

from ._inference import nearest_device
from ._net_parameters import EPOCH
from ._skorch_callbacks import EnoughError, OneCycle, ProgressBar, Tasks
from ._stopping import take_step

__all__ = ["build_module", "count_steps", "fit_net"]


# Modules may be built on several threads; the global generator is one.
_GLOBAL_SEED = Lock()
MODULE = "module__"
# Callbacks of a training that a fitted net has no use for.
PASSING = ("one_cycle", "progress", "tasks")


def build_module(settings, random_state):
    """Build a torch module under its own seed.

    Parameters
    ----------
    settings : dict
        Has `module`, which returns a module, or is one that is copied with its
        weights, and its arguments with the prefix ``module__``.
    random_state : int
        Seed of the initial weights. The global generators stay untouched.

    Returns
    -------
    module : torch.nn.Module
        The module.
    """
    module = settings["module"]
    if isinstance(module, nn.Module):
        return copy.deepcopy(module)
    arguments = {
        name.removeprefix(MODULE): value
        for name, value in settings.items()
        if name.startswith(MODULE)
    }
    with _GLOBAL_SEED, torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(random_state))
        return module(**arguments)


def fit_net(
    module,
    batches,
    settings,
    *,
    valid=None,
    device="cpu",
    description="",
    verbose=0,
    files="",
    tasks=None,
):
    """Train a module on batches, with a one-cycle learning rate unless told otherwise.

    Parameters
    ----------
    module : torch.nn.Module
        The net; it is trained in place.
    batches, valid : object with a length and items
        Item `step` is ``(X, target)``, two arrays of one batch; there are as many steps
        as items. The valid ones are looked at after every 30 steps.
    settings : dict
        Parameters of `skorch.NeuralNet`; its `lr` is the largest of the cycle.
    device : str, default="cpu"
        A name that torch knows.
    description : str
        Shown at the progress bar.
    verbose : int, default=0
        0 is silent, 1 shows a progress bar, 2 prints skorch's table of epochs, too.
    files : str
        What the names of files that callbacks write begin with.
    tasks : (CallbackContext, estimator), optional
        The task of scikit-learn's callbacks whose subtasks are the epochs, and whose
        it is.

    Returns
    -------
    net : skorch.NeuralNet
        The fitted net; the module is in ``net.module_``.

    Raises
    ------
    ValueError
        If the weights end as NaN or infinite.

    References
    ----------
    Smith, Topin, "Super-convergence: very fast training of neural networks using
    large learning rates", 2019, doi 10.1117/12.2520589.
    """
    given = settings.get("callbacks")
    n_epochs = -(-len(batches) // EPOCH)
    net = _Net(
        **{
            **settings,
            "callbacks": _own_callbacks(given, files),
            "max_epochs": n_epochs,
            "device": device,
            "verbose": max(0, int(verbose) - 1),
        }
    )
    net.passing_ = [("one_cycle", OneCycle())]
    net.start(module)
    net.callbacks_ += [("progress", ProgressBar(description))] if verbose else []
    net.callbacks_ += [("tasks", Tasks(*tasks))] if tasks else []
    if valid is not None:
        net.train_split = predefined_split(_Batches(valid, range(len(valid))))
    whole = _Batches(batches, range(len(batches)))
    # Not `net.fit`, which takes an interrupt for "enough" and returns a fitted net.
    net.notify("on_train_begin", X=whole, y=None)
    try:
        for first in range(0, len(batches), EPOCH):
            steps = range(first, min(first + EPOCH, len(batches)))
            net.fit_loop(_Batches(batches, steps), None, epochs=1)
    except EnoughError:
        pass
    finally:
        net.notify("on_train_end", X=whole, y=None)
    # Such a net would find nothing, without a word.
    if not all(bool(weights.isfinite().all()) for weights in net.module_.parameters()):
        raise ValueError(
            "The weights of a net are NaN or infinite after its training. Lower "
            f"lr ({settings.get('lr')}), or check the loss."
        )
    # What was for this training alone.
    net.train_split, net.passing_ = None, ()
    net.callbacks_ = [
        (name, one) for name, one in net.callbacks_ if name not in PASSING
    ]
    return _settle(net)


def _own_callbacks(callbacks, files):
    """Copy callbacks, since each net has its own, and no fit changes a parameter."""
    if callbacks is None or callbacks == "disable":
        return callbacks
    own = []
    for item in callbacks:
        name, one = item if isinstance(item, tuple) else (None, item)
        if not hasattr(one, "on_train_begin"):
            raise ValueError(
                f"callbacks holds {one!r:.60}; expected callbacks of skorch, or (name, "
                "callback)."
            )
        one = one if isinstance(one, type) else copy.copy(one)
        if files and hasattr(one, "fn_prefix"):
            # Two nets that write to one file would get each other's weights back.
            one.fn_prefix = files + one.fn_prefix
        own.append(one if name is None else (name, one))
    return own


def _settle(net):
    """Bring a trained net to rest, without the schedules of its training."""
    net.module_.eval()
    for _, callback in net.callbacks_:
        if isinstance(callback, LRScheduler):
            callback.initialize()
    return net


def _restore_net(module, settings, history):
    """Return a net that was saved; on another GPU or the processor if need be."""
    device = nearest_device(settings["device"])
    net = _Net(**{**settings, "device": device})
    net.start(module).history_.extend(history)
    return _settle(net)


def _mixed_precision(device):
    """Return the context to train in: bfloat16 where a GPU is fast at it.

    Weights, loss and steps stay in single precision, and so do predictions: with 8 bits
    the heights of neighbours would be equal and peaks could shift.
    """
    if torch.device(device).type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.autocast("cuda", torch.bfloat16)
    return nullcontext()


class _Loader(DataLoader):
    """Torch's loader with its own generator: it would draw from the global one."""

    def __init__(self, dataset, **options):
        options.setdefault("generator", torch.Generator())
        super().__init__(dataset, **options)


def count_steps(net):
    """Return on how many batches a net was trained: callbacks may end it early."""
    return sum(net.history_[:, "train_batch_count"])


class _Net(NeuralNet):
    """A net of skorch that is trained on ready batches, and can be saved.

    A file holds the module, the parameters and the record of the training, and no state
    of the optimiser: predicting and training on need no more. Its tensors are saved on
    the processor, so that a machine without a GPU can read them.
    """

    passing_ = ()

    def __init__(
        self,
        module,
        criterion,
        optimizer=Adam,
        iterator_train=_Loader,
        iterator_valid=_Loader,
        train_split=None,
        **more,
    ):
        super().__init__(
            module,
            criterion=criterion,
            optimizer=optimizer,
            iterator_train=iterator_train,
            iterator_valid=iterator_valid,
            train_split=train_split,
            **more,
        )

    def start(self, module):
        """Initialize with a module that is there."""
        vars(self)["ready_"] = module.to(self.device, memory_format=torch.channels_last)
        return self.initialize()

    def initialize_module(self):
        """Take the module that was built under its own seed, or trained before."""
        ready = vars(self).pop("ready_", None)
        if ready is None:
            return super().initialize_module()
        self.module_ = ready
        return self

    @property
    def _default_callbacks(self):
        has_own = any(map(_is_schedule, self.callbacks or []))
        return [*super()._default_callbacks, *(() if has_own else self.passing_)]

    def get_iterator(self, dataset, training=False):
        """Take ready batches as they are, and others as skorch does."""
        if not isinstance(dataset, _Batches):
            return super().get_iterator(dataset, training)
        name = "iterator_train" if training else "iterator_valid"
        options = {**self.get_params_for(name), "batch_size": None}
        return getattr(self, name)(dataset, **options)

    def notify(self, method_name, **arguments):
        """Tell the callbacks; one of them may end the training as in skorch."""
        try:
            super().notify(method_name, **arguments)
        except KeyboardInterrupt as interrupt:
            if not self.callbacks:
                raise
            raise EnoughError from interrupt

    def infer(self, x, **fit_params):
        context = _mixed_precision(self.device)
        with context if self.module_.training else nullcontext():
            return super().infer(x, **fit_params).float()

    def get_loss(self, y_pred, y_true, *args, **kwargs):
        y_true = to_tensor(y_true, device=self.device)
        if y_true.ndim == y_pred.ndim:
            return self.criterion_(y_pred, y_true)
        # A target and the weights of its pixels, side by side.
        return self.criterion_(y_pred, *(one.contiguous() for one in y_true.unbind(1)))

    def settings(self):
        """Return the parameters: what the net can be made with again."""
        return {
            name: value
            for name, value in vars(self).items()
            if not name.startswith("_") and not name.endswith("_")
        }

    def __reduce__(self):
        module = copy.deepcopy(self.module_).cpu()
        return _restore_net, (module, self.settings(), list(self.history_))

    def to_plain(self):
        """Return how the module was built, its weights as arrays, and the rest."""
        usual = _Net(None, None).settings()
        settings = {
            name: value
            for name, value in self.settings().items()
            if not name.startswith("module")
            and (name not in usual or value is not usual[name])
        }
        weights = copy.deepcopy(self.module_).cpu().state_dict()
        return {
            "factory": self.module,
            "arguments": self.get_params_for("module"),
            "weights": {name: tensor.numpy() for name, tensor in weights.items()},
            "device": settings.pop("device", "cpu"),
            "history": list(self.history_),
            "settings": settings,
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
        settings = {
            **state["settings"],
            "module": state["factory"],
            **{MODULE + name: value for name, value in state["arguments"].items()},
            "device": state["device"],
        }
        return _restore_net(module, settings, state["history"])


def _is_schedule(item):
    """Whether a callback sets the learning rate."""
    one = item[1] if isinstance(item, tuple) else item
    kind = one if isinstance(one, type) else type(one)
    return issubclass(kind, LRScheduler)


class _Batches(Dataset):
    """Ready batches in channels-last layout, one an item."""

    def __init__(self, batches, steps):
        self.batches, self.steps = batches, steps

    def __len__(self):
        return len(self.steps)

    def __getitem__(self, number):
        take_step()
        X, target = self.batches[self.steps[number]]
        X = torch.as_tensor(X).contiguous(memory_format=torch.channels_last)
        return X, torch.as_tensor(target)

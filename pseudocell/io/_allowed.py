"""What a model file may name: the classes of these lists and nothing else.

By name and not as objects, because their modules lie above this one and load torch.
"""

import inspect
from functools import partial
from importlib import import_module

import numpy as np

__all__ = [
    "CALLBACKS",
    "CLASSES",
    "LOSSES",
    "NETS",
    "NET_BOUNDS",
    "OBJECTS",
    "OPTIMIZERS",
    "SETTINGS",
    "describe_wrong_module",
    "describe_wrong_size",
    "find",
    "given_parameters",
    "unwrap",
]

OBJECTS = {
    "BlobDetector": "pseudocell.baselines",
    "CalibratedSelector": "pseudocell",
    "FrozenEstimator": "sklearn.frozen",
    "HeatmapDetector": "pseudocell",
    "NNPUFeaturizer": "pseudocell",
    "PClassificationRanker": "pseudocell",
    "PUDetector": "pseudocell.baselines",
    "PatchExtractor": "pseudocell",
    "PseudoLabelCellDetector": "pseudocell",
    "PublishedRanker": "pseudocell",
    "ReconstructionDetector": "pseudocell.baselines",
    "ShareSelector": "pseudocell",
    "TunedThresholdDetector": "pseudocell.baselines",
    "_Net": "pseudocell._skorch",
}
# What may be named as the maker of a net.
NETS = {
    "PaperPatchCNN": "pseudocell.nets",
    "PatchCNN": "pseudocell.nets",
    "UNet": "pseudocell.nets",
}
# The largest arguments of a net in a file: more takes for ever to build.
NET_BOUNDS = {"base_channels": 4096, "depth": 16, "in_channels": 65536, "width": 4096}
LOSSES = {
    "MaskedMSELoss": "pseudocell.losses",
    "NonNegativePULoss": "pseudocell.losses",
}
OPTIMIZERS = dict.fromkeys(
    ("Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "SGD"),
    "torch.optim",
)
SCHEDULES = dict.fromkeys(
    (
        "CosineAnnealingLR",
        "CosineAnnealingWarmRestarts",
        "CyclicLR",
        "ExponentialLR",
        "LinearLR",
        "MultiStepLR",
        "OneCycleLR",
        "PolynomialLR",
        "ReduceLROnPlateau",
        "StepLR",
    ),
    "torch.optim.lr_scheduler",
)
# What may be named as a class, and is called when a net is trained.
CLASSES = {**LOSSES, **OPTIMIZERS, **SCHEDULES}
# Objects of skorch that write no file and call nothing that they are not given: they
# are made again from their parameters, if these are plain.
CALLBACKS = {
    "EarlyStopping": "skorch.callbacks",
    "EpochScoring": "skorch.callbacks",
    "GradientNormClipping": "skorch.callbacks",
    "LRScheduler": "skorch.callbacks",
    "ProgressBar": "skorch.callbacks",
    "ValidSplit": "skorch.dataset",
}
# Parameters of skorch that a net in a file may have, or begin with.
SETTINGS = (
    "batch_size",
    "callbacks",
    "criterion",
    "iterator_train__",
    "iterator_valid__",
    "lr",
    "max_epochs",
    "optimizer",
    "verbose",
)


def find(name, known):
    """Return the class of a name, None if it is not one of those known."""
    return getattr(import_module(known[name]), name) if name in known else None


def given_parameters(made):
    """Return the parameters of an object of `CALLBACKS` that are not at their default.

    Parameters
    ----------
    made : object
        One whose `__init__` only stores.

    Returns
    -------
    parameters : dict
        Names and values.
    """
    signature = inspect.signature(type(made)).parameters
    takes_more = any(one.kind is one.VAR_KEYWORD for one in signature.values())
    return {
        name: value
        for name, value in vars(made).items()
        if (name in signature and value is not signature[name].default)
        or (name not in signature and takes_more and not name.endswith("_"))
    }


def unwrap(factory, arguments, positional=()):
    """Return a class of nets and all arguments, where a part of them was set before.

    Parameters
    ----------
    factory : object
        The class, or a partial of it.
    arguments, positional : dict and tuple
        Further arguments.

    Returns
    -------
    factory, arguments, positional : object, dict, tuple
        What is called in the end.
    """
    while type(factory) is partial:
        positional = (*factory.args, *positional)
        arguments = {**factory.keywords, **arguments}
        factory = factory.func
    return factory, arguments, positional


def describe_wrong_size(factory, arguments, positional=()):
    """Say which argument of a net is none of it or out of bounds.

    Parameters
    ----------
    factory : type
        One of `NETS`.
    arguments, positional : dict and tuple
        What it is called with.

    Returns
    -------
    wrong : str
        "" if nothing is.
    """
    try:
        given = inspect.signature(factory).bind_partial(*positional, **arguments)
    except TypeError:
        return "arguments of another net"
    wrong = (_describe_wrong_argument(*one) for one in given.arguments.items())
    return next(filter(None, wrong), "")


def describe_wrong_module(state):
    """Say which parameter for the net of an estimator is out of bounds.

    Parameters
    ----------
    state : dict
        Parameters and attributes; those for the net begin with ``module__``.

    Returns
    -------
    wrong : str
        "" if none is.
    """
    wrong = (
        _describe_wrong_argument(name.removeprefix("module__"), value)
        for name, value in state.items()
        if name.startswith("module__")
    )
    return next(filter(None, wrong), "")


def _describe_wrong_argument(name, value):
    least, most = 0 if name == "depth" else 1, NET_BOUNDS.get(name, 65536)
    is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if is_whole and least <= value <= most:
        return ""
    return f"{name}={str(value)[:40]}; expected a whole number from {least} to {most}"

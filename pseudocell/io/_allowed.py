"""What a model file may name: the classes of these lists and nothing else.

By name and not as objects, because their modules lie above this one and load torch.
"""

import inspect
from importlib import import_module

__all__ = [
    "CALLBACKS",
    "CLASSES",
    "LOSSES",
    "NETS",
    "NET_BOUNDS",
    "OBJECTS",
    "OPTIMIZERS",
    "SETTINGS",
    "find",
    "given_parameters",
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

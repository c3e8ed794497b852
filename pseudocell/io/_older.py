"""What older model files hold, as it is called now: the one place that knows."""

from importlib import import_module

__all__ = ["OLD_NAMES", "OLD_STATES"]


# What is now called as skorch calls it.
RENAMED = {
    "net": "module",
    "loss": "criterion",
    "learning_rate": "lr",
    "weight_decay": "optimizer__weight_decay",
}
NEW = {"criterion": None, "optimizer": None, "train_split": None, "callbacks": None}


def _as_detector_of_now(state):
    if "module" in state:
        return state
    state = {"max_passes": state.pop("max_epochs"), "max_epochs": None, **state}
    new = {**NEW, "warm_steps": None, "held_out": "clicks", "normalize": None}
    if "nets_" in state:
        new["places_"] = None
        for net in state["nets_"]:
            _tell(net, "MaskedMSELoss", state["learning_rate"])
    return {**new, **_rename(state)}


def _as_featurizer_of_now(state):
    if "module" in state:
        return state
    if "net_" in state:
        _tell(
            state["net_"],
            "NonNegativePULoss",
            state["learning_rate"],
            optimizer__weight_decay=state["weight_decay"],
            criterion__class_prior=state["class_prior_"],
        )
    return {**NEW, "max_epochs": None, **_rename(state)}


def _rename(state):
    return {RENAMED.get(name, name): value for name, value in state.items()}


def _tell(net, loss, lr, **more):
    """Tell a net how it was trained: files said it of the whole alone."""
    criterion = getattr(import_module("pseudocell.losses"), loss)
    net.set_params(criterion=criterion, lr=lr, **more)


def _add(**new):
    return lambda state: {**new, **state}


# What older files call a class, and its name now.
OLD_NAMES: dict[str, str] = {}
# By class: a function from the attributes in any older file to those of now. It leaves
# those of now as they are. (`PseudoLabelCellDetector` is stored as in 0.1.0.)
OLD_STATES = {
    "HeatmapDetector": _as_detector_of_now,
    "NNPUFeaturizer": _as_featurizer_of_now,
    "PClassificationRanker": _add(loss="ertekin-rudin"),
    "ShareSelector": _add(rounding="up"),
}

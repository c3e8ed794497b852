"""What older model files hold, as it is called now: the one place that knows."""

__all__ = ["OLD_NAMES", "OLD_STATES"]


def _add_to_heatmap_detector(state):
    new = {"loss": None, "warm_steps": None, "held_out": "clicks", "normalize": None}
    if "nets_" in state:
        new["places_"] = None
    return {**new, **state}


def _add(**new):
    return lambda state: {**new, **state}


# What older files call a class, and its name now.
OLD_NAMES: dict[str, str] = {}
# By class: a function from the attributes in any older file to those of now. It leaves
# those of now as they are. (`PseudoLabelCellDetector` is stored as in 0.1.0.)
OLD_STATES = {
    "HeatmapDetector": _add_to_heatmap_detector,
    "NNPUFeaturizer": _add(surrogate="sigmoid", correction=True),
    "PClassificationRanker": _add(loss="ertekin-rudin"),
    "ShareSelector": _add(rounding="up"),
}

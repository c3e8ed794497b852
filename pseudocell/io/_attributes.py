"""What the attributes of a fitted estimator may be, where a file says what they are."""

from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import (
    HasMethods,
    StrOptions,
    _Constraint,
)

from pseudocell._parameters import RADIUS, Number, describe_wrong

__all__ = ["describe_wrong_parts", "describe_wrong_state"]


class Array(_Constraint):
    """A constraint: an array with so many axes of numbers of some kinds.

    Parameters
    ----------
    n_axes : int
        Number of axes.
    kinds : str, default="f"
        Kinds of numbers, by the letters of NumPy; those that are not finite are none.
    width : int, optional
        Length of the last axis.
    """

    def __init__(self, n_axes, kinds="f", width=None):
        super().__init__()
        self.n_axes, self.kinds, self.width = n_axes, kinds, width

    def is_satisfied_by(self, value):
        if not isinstance(value, np.ndarray) or value.dtype.kind not in self.kinds:
            return False
        fits = value.ndim == self.n_axes and self.width in (None, value.shape[-1])
        return fits and (value.dtype.kind != "f" or bool(np.isfinite(value).all()))

    def __str__(self):
        return f"an array of finite numbers with {self.n_axes} axes"


class Several(_Constraint):
    """A constraint: a list of what another constraint allows."""

    def __init__(self, one, least=0):
        super().__init__()
        self.one, self.least = one, least

    def is_satisfied_by(self, value):
        is_list = isinstance(value, list) and len(value) >= self.least
        return is_list and all(map(self.one.is_satisfied_by, value))

    def __str__(self):
        return f"a list, each {self.one}"


class Record(_Constraint):
    """A constraint: a dict with these items."""

    def __init__(self, **items):
        super().__init__()
        self.items = items

    def is_satisfied_by(self, value):
        return isinstance(value, dict) and all(
            name in value and one.is_satisfied_by(value[name])
            for name, one in self.items.items()
        )

    def __str__(self):
        return f"a dict of {', '.join(self.items)}"


class Tuple(_Constraint):
    """A constraint: a tuple or list of this length, each item by its own constraint."""

    def __init__(self, *items):
        super().__init__()
        self.items = items

    def is_satisfied_by(self, value):
        is_one = isinstance(value, tuple | list) and len(value) == len(self.items)
        pairs = zip(self.items, value if is_one else (), strict=False)
        return is_one and all(item.is_satisfied_by(one) for item, one in pairs)

    def __str__(self):
        return f"{len(self.items)} items"


POINTS = Several(Array(2, width=2))
NUMBER, COUNT = Number(), Number(Integral, 0)
DETECTOR = HasMethods(["find_candidates"])
TRANSFORMER = HasMethods(["transform"])
NET = HasMethods(["infer"])
ROUND = Record(n_candidates=COUNT, seconds=NUMBER)
LABELS = Record(positives=POINTS, negatives=POINTS, undecided=POINTS)
PLACES = Tuple(Array(1, "i"), Array(2), Array(2, "i"))

# By name: where two estimators have one, it means the same. What is not here may be
# anything: prediction does not need it.
ATTRIBUTES = {
    "border_": [NUMBER],
    "candidates_": [POINTS, None],
    "cell_radius_": [RADIUS],
    "class_prior_": [NUMBER],
    "classes_": [Array(1, "biufUO")],
    "click_folds_": [Several(Array(1, "i"))],
    "click_heights_": [Several(Array(1))],
    "clicks_": [POINTS],
    "coef_": [Array(2)],
    "detector_": [DETECTOR],
    "detectors_": [Several(DETECTOR, 1)],
    "extractor_": [TRANSFORMER],
    "featurizer_": [TRANSFORMER],
    "filter_": [tuple],
    "found_heights_": [Array(1)],
    "intercept_": [Array(1)],
    "labeled_iter_": [Several(Array(1, "i"))],
    "mean_": [Array(1)],
    "n_channels_": [Number(Integral, 1)],
    "n_iter_": [COUNT],
    "n_positive_": [COUNT],
    "n_steps_": [COUNT],
    "n_unlabelled_": [COUNT],
    "net_": [NET],
    "nets_": [Several(NET, 1)],
    "other_heights_": [Array(1)],
    "pixel_size_": [RADIUS, None],
    "places_": [PLACES, None],
    "scale_": [Array(1)],
    "scores_": [Array(1)],
    "searched_": [Array(1, "b")],
    "termination_condition_": [str],
    "threshold_": [NUMBER],
    "thresholds_": [Array(1)],
}


# Of one class: others may mean something else by the name.
ATTRIBUTES_OF = {
    "BlobDetector": {"finder_": [Tuple()]},
    "PseudoLabelCellDetector": {
        "history_": [Several(ROUND, 1)],
        "labels_": [Several(LABELS)],
    },
    "ReconstructionDetector": {
        "finder_": [Tuple(NUMBER, StrOptions({"size", "brightness"}))]
    },
}
# What the modules of nets must have.
NETS = {"nets_": ("stride", "reach"), "net_": ("features",)}


def describe_wrong_state(kind, state):
    """Say what is wrong with a fitted estimator in a file, before it is made.

    Parameters
    ----------
    kind : type
        Its class.
    state : dict
        Its parameters and attributes.

    Returns
    -------
    wrong : str
        One attribute or parameter, what it is and what is expected; "" if nothing is
        wrong or the estimator is not fitted, as `fit` checks the parameters.
    """
    if not any(name.endswith("_") for name in state):
        return ""
    allowed = {
        **getattr(kind, "_parameter_constraints", {}),
        **ATTRIBUTES,
        **ATTRIBUTES_OF.get(kind.__name__, {}),
    }
    return describe_wrong(state, allowed)


def describe_wrong_parts(made):
    """Say what is wrong with a fitted estimator from a file: what depends on others.

    Parameters
    ----------
    made : estimator
        Its state is right, one by one.

    Returns
    -------
    wrong : str
        As from `describe_wrong_state`.
    """
    fitted = vars(made)
    for name, needed in NETS.items():
        nets = fitted.get(name, [])
        for net in nets if isinstance(nets, list) else [nets]:
            module = net.module_
            if not all(hasattr(module, one) for one in needed):
                return f"{name} is a {type(module).__name__}, which does not do for it"
            n_channels = net.get_params_for("module").get("in_channels")
            if n_channels != fitted.get("n_channels_"):
                return (
                    f"{name} is for {n_channels} channels, and n_channels_ is "
                    f"{fitted.get('n_channels_')}"
                )
    if "filter_" in fitted and fitted["filter_"] not in made._filters():
        return "filter_ is none of those that its parameters name"
    return ""

"""Estimators as plain data, and back: numbers, text, arrays and names of a fixed list.

Nothing in the data can name a function or another class, so that turning data from a
stranger back into an estimator runs no code but that of pseudocell.
"""

import io
import math
from functools import partial
from importlib import import_module

import numpy as np

__all__ = ["from_plain", "to_plain"]

# Where to find what may be an object. By name, because their modules lie above this one
# and load torch.
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
# Where scikit-learn keeps callbacks. They watch a fit and are no part of what it gave.
CALLBACKS = "_skl_callbacks"
# The generator of numpy.random.RandomState.
MERSENNE_TWISTER = "MT19937"


def to_plain(estimator):
    """Turn an estimator into plain data.

    None, booleans, integers, text, finite floats and lists stay as they are.
    Everything else is a dict of one item, whose key tells what it is.

    Parameters
    ----------
    estimator : estimator
        One of pseudocell's, with its own nets and parts. A class with a method
        `to_plain`, which returns a dict, and a class method `from_plain`, which takes
        it, stores what these say; others all their attributes.

    Returns
    -------
    tree : dict
        What JSON can hold.
    members : dict of str to bytes
        The arrays, in the format npy.

    Raises
    ------
    ValueError
        If a part is none of these; it is named.
    """
    writer = _Writer()
    return writer.write(estimator, type(estimator).__name__), writer.members


def from_plain(tree, members):
    """Turn plain data back into an estimator.

    Parameters
    ----------
    tree : dict
        From `to_plain`.
    members : dict of str to bytes
        From `to_plain`.

    Returns
    -------
    estimator : estimator
        An object that occurred twice is one object again.

    Raises
    ------
    ValueError
        If the data name another class, or are not those of an estimator.
    """
    return _Reader(members).read(tree)


class _Writer:
    def __init__(self):
        self.members = {}
        # By identity; the objects are kept alive, so that no identity is used twice.
        self._objects = {}

    def write(self, value, place):
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind is list:
            return self._items(value, place)
        if kind is tuple:
            return {"tuple": self._items(value, place)}
        if kind is dict:
            pairs = [
                [self.write(key, place), self.write(one, f"{place}[{key!r}]")]
                for key, one in value.items()
            ]
            return {"dict": pairs}
        if isinstance(value, np.generic):
            return {"scalar": self._member(np.asarray(value))}
        if kind is np.ndarray and value.dtype.hasobject:
            shape = list(value.shape)
            return {"objects": [shape, self._items(value.ravel().tolist(), place)]}
        if kind is np.ndarray:
            return {"array": self._member(value)}
        if kind is partial:
            parts = [value.func, list(value.args), value.keywords]
            return {"partial": [self.write(part, place) for part in parts]}
        if kind is np.random.RandomState:
            state = value.get_state(legacy=False)
            if state["bit_generator"] == MERSENNE_TWISTER:
                return {"random_state": self.write(state, place)}
        if isinstance(value, type) and _find(value.__name__, NETS) is value:
            return {"net": value.__name__}
        if _find(kind.__name__, OBJECTS) is kind:
            return self._object(value, place)
        raise ValueError(
            f"{place} is {_describe(value)}, which is not of pseudocell; a model file "
            "that cannot run code holds pseudocell's own parts, numbers, text and "
            "arrays only. Give the file a name that ends in .joblib, or use "
            "joblib.dump."
        )

    def _items(self, values, place):
        return [self.write(one, f"{place}[{i}]") for i, one in enumerate(values)]

    def _member(self, array):
        file = io.BytesIO()
        np.lib.format.write_array(file, array, allow_pickle=False)
        name = f"arrays/{len(self.members)}.npy"
        self.members[name] = file.getvalue()
        return name

    def _object(self, value, place):
        if id(value) in self._objects:
            return {"same": list(self._objects).index(id(value))}
        self._objects[id(value)] = value
        state = value.to_plain() if hasattr(type(value), "to_plain") else vars(value)
        state = {
            key: self.write(one, f"{place}.{key}")
            for key, one in state.items()
            if key != CALLBACKS
        }
        return {"object": [type(value).__name__, state]}


class _Reader:
    def __init__(self, members):
        self._members = members
        # In the order in which they were begun, as they were written.
        self._objects = []
        self._readers = {
            "array": self._array,
            "dict": lambda pairs: dict(self.read(pair) for pair in pairs),
            "float": float,
            "net": lambda name: _get(name, NETS),
            "object": self._object,
            "objects": self._object_array,
            "partial": self._partial,
            "random_state": self._random_state,
            "same": lambda number: self._objects[number],
            "scalar": lambda name: self._array(name)[()],
            "tuple": lambda items: tuple(self.read(items)),
        }

    def read(self, node):
        if isinstance(node, list):
            return [self.read(one) for one in node]
        if not isinstance(node, dict):
            return node
        ((tag, content),) = node.items()
        return self._readers[tag](content)

    def _array(self, name):
        file = io.BytesIO(self._members[name])
        return np.lib.format.read_array(file, allow_pickle=False)

    def _object_array(self, content):
        shape, items = content
        array = np.empty(len(items), dtype=object)
        # One by one: NumPy would take items of equal length for rows of a table.
        for index, item in enumerate(items):
            array[index] = self.read(item)
        return array.reshape(shape)

    def _partial(self, content):
        function, positional, keywords = self.read(content)
        return partial(function, *positional, **keywords)

    def _random_state(self, content):
        generator = np.random.RandomState()
        generator.set_state(self.read(content))
        return generator

    def _object(self, content):
        name, state = content
        kind = _get(name, OBJECTS)
        number = len(self._objects)
        self._objects.append(None)
        state = {key: self.read(one) for key, one in state.items()}
        if hasattr(kind, "from_plain"):
            made = kind.from_plain(state)
        else:
            missing = set(kind._get_param_names()) - set(state)
            if missing:
                raise ValueError(f"the {name} in it lacks {', '.join(sorted(missing))}")
            made = kind.__new__(kind)
            vars(made).update(state)
        self._objects[number] = made
        return made


def _find(name, known):
    """Return the class of a name, None if it is not one of those known."""
    return getattr(import_module(known[name]), name) if name in known else None


def _get(name, known):
    if name not in known:
        raise ValueError(f"it names {name!r}, which is not of pseudocell")
    return _find(name, known)


def _describe(value):
    if isinstance(value, type):
        return f"the class {value.__qualname__} of {value.__module__}"
    if hasattr(value, "__qualname__"):
        return f"the function {value.__qualname__} of {value.__module__}"
    return f"an object of {_describe(type(value))}"

"""Estimators as plain data, and back: numbers, text, arrays and names of a fixed list.

Nothing in the data can name a function or another class, so that turning data from a
stranger back into an estimator runs no code but that of pseudocell.
"""

import io
import math
from functools import partial

import numpy as np

from pseudocell.io._allowed import (
    CALLBACKS,
    CLASSES,
    LOSSES,
    NETS,
    OBJECTS,
    OPTIMIZERS,
    SETTINGS,
    describe_wrong_module,
    describe_wrong_size,
    find,
    given_parameters,
    unwrap,
)
from pseudocell.io._attributes import describe_wrong_parts, describe_wrong_state
from pseudocell.io._older import OLD_NAMES, OLD_STATES

__all__ = ["from_plain", "to_plain"]

# Where scikit-learn keeps callbacks. They watch a fit and are no part of what it gave.
WATCHING = "_skl_callbacks"
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
    if not _is_estimator(type(estimator).__name__):
        what = _not_ours(type(estimator).__name__, estimator)
        raise ValueError(f"The estimator {what}")
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
        If the data name another class, or are not those of an estimator; the message
        is the end of a sentence.
    """
    try:
        match tree:
            case {"object": [str(name), _]} if _is_estimator(OLD_NAMES.get(name, name)):
                return _Reader(members).read(tree)
            case {"object": [str(name), _]}:
                _get(name, OBJECTS)
        raise _RefusedError("it holds something other than an estimator")
    except _RefusedError:
        raise
    except RecursionError as error:
        raise _RefusedError("its parts are nested too deep") from error
    # Made by hand, it may be wrong in any way, and Python's words say nothing to users.
    except Exception as error:
        raise _RefusedError("it is not as save_model writes it") from error


class _RefusedError(ValueError):
    """What is wrong with a file, in our own words."""


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
            _check_size(value.func, value.keywords, value.args, place)
            parts = [value.func, list(value.args), value.keywords]
            return {"partial": [self.write(part, place) for part in parts]}
        if kind is np.random.RandomState:
            state = value.get_state(legacy=False)
            if state["bit_generator"] == MERSENNE_TWISTER:
                return {"random_state": self.write(state, place)}
        if isinstance(value, type) and find(value.__name__, NETS) is value:
            return {"net": value.__name__}
        if isinstance(value, type) and find(value.__name__, CLASSES) is value:
            return {"class": value.__name__}
        if find(kind.__name__, OBJECTS) is kind:
            return self._object(value, place)
        if find(kind.__name__, CALLBACKS) is kind:
            parameters = given_parameters(value)
            state = {k: self.write(v, f"{place}.{k}") for k, v in parameters.items()}
            return {"callback": [kind.__name__, state]}
        raise ValueError(_not_ours(place, value))

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
        if type(value).__name__ == "_Net":
            _check_size(state["factory"], state["arguments"], (), place)
        elif wrong := (
            describe_wrong_state(type(value), state) or describe_wrong_module(state)
        ):
            raise ValueError(f"{place}: {wrong}. It could not be loaded again.")
        state = {
            key: self.write(one, f"{place}.{key}")
            for key, one in state.items()
            if key != WATCHING
        }
        return {"object": [type(value).__name__, state]}


class _Reader:
    def __init__(self, members):
        self._members = dict(members)
        # In the order in which they were begun, as they were written.
        self._objects = []
        self._readers = {
            "array": self._array,
            "callback": self._callback,
            "class": lambda name: _get(name, CLASSES),
            "dict": lambda pairs: dict(self.read(pair) for pair in pairs),
            "float": float,
            "net": lambda name: _get(name, NETS),
            "object": self._object,
            "objects": self._object_array,
            "partial": self._partial,
            "random_state": self._random_state,
            "same": self._same,
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
        # Each array has one name and one place: copies would be without bound.
        data = self._members.pop(name, None)
        if data is None:
            raise _RefusedError(f"it names the array {name!r} twice, or lacks it")
        file = io.BytesIO(data)
        header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[np.lib.format.read_magic(file)]
        shape, is_fortran, dtype = header(file)
        n_bytes = math.prod(shape) * dtype.itemsize
        # Before the memory is asked for.
        if dtype.hasobject or not dtype.itemsize or n_bytes != len(data) - file.tell():
            raise _RefusedError(f"the array {name!r} is not as save_model writes it")
        order = "F" if is_fortran else "C"
        return np.ndarray(shape, dtype, data, file.tell(), order=order).copy("K")

    def _same(self, number):
        known = dict(enumerate(self._objects))
        if known.get(number) is None:
            raise _RefusedError(f"it refers to a part {number!r} that it lacks")
        return known[number]

    def _object_array(self, content):
        shape, items = content
        array = np.empty(len(items), dtype=object)
        # One by one: NumPy would take items of equal length for rows of a table.
        for index, item in enumerate(items):
            array[index] = self.read(item)
        return array.reshape(shape)

    def _partial(self, content):
        function, positional, keywords = self.read(content)
        _check_net(function, keywords, positional)
        return partial(function, *positional, **keywords)

    def _callback(self, content):
        name, state = content
        parameters = {key: self.read(one) for key, one in state.items()}
        if isinstance(parameters.get("policy"), str):
            raise _RefusedError("it names a schedule of the learning rate by a text")
        return _get(name, CALLBACKS)(**parameters)

    def _random_state(self, content):
        generator = np.random.RandomState()
        generator.set_state(self.read(content))
        return generator

    def _object(self, content):
        name, state = content
        name = OLD_NAMES.get(name, name)
        kind = _get(name, OBJECTS)
        number = len(self._objects)
        self._objects.append(None)
        state = {key: self.read(one) for key, one in state.items()}
        if name in OLD_STATES:
            state = OLD_STATES[name](state)
        make = _make_net if name == "_Net" else _make_estimator
        made = make(kind, state)
        self._objects[number] = made
        return made


def _get(name, known):
    if not isinstance(name, str) or name not in known:
        raise _RefusedError(f"it names {name!r}, which is not of pseudocell")
    return find(name, known)


def _is_estimator(name):
    is_known = isinstance(name, str) and name in OBJECTS and name != "_Net"
    return is_known and hasattr(find(name, OBJECTS), "get_params")


def _make_estimator(kind, state):
    missing = set(kind._get_param_names()) - set(state)
    if missing:
        lacks = ", ".join(sorted(missing))
        raise _RefusedError(f"the {kind.__name__} in it lacks {lacks}")
    if wrong := describe_wrong_module(state):
        raise _RefusedError(f"a {kind.__name__} in it has {wrong}")
    wrong = describe_wrong_state(kind, state)
    if not wrong and hasattr(kind, "from_plain"):
        return kind.from_plain(state)
    if not wrong:
        made = kind.__new__(kind)
        vars(made).update(state)
        wrong = describe_wrong_parts(made)
    if wrong:
        raise _RefusedError(f"the {kind.__name__} in it is wrong: {wrong}")
    return made


def _make_net(kind, state):
    """Make a net after a look at its size: weights are compared once it is built."""
    lacks = {"factory", "arguments", "weights", "device", "history"} - set(state)
    if lacks:
        raise _RefusedError(f"a net in it lacks {', '.join(sorted(lacks))}")
    _check_net(state["factory"], state["arguments"])
    if state["device"] == "meta" or not isinstance(state["device"], str):
        raise _RefusedError(f"a net in it is on the device {state['device']!r}")
    settings = state.setdefault(
        "settings", {"criterion": find("MaskedMSELoss", LOSSES)}
    )
    for key in settings:
        if not isinstance(key, str) or not key.startswith(SETTINGS):
            raise _RefusedError(f"a net in it has the setting {str(key)[:40]!r}")
    for key, known in (("criterion", LOSSES), ("optimizer", OPTIMIZERS)):
        if settings.get(key) not in [None, *(find(name, known) for name in known)]:
            raise _RefusedError(f"a net in it has a foreign {key}")
    for name, array in state["weights"].items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise _RefusedError(f"the weights {name} of a net in it are not finite")
    try:
        return kind.from_plain(state)
    except RuntimeError as error:
        raise _RefusedError("the weights of a net in it do not fit the net") from error


def _check_net(factory, arguments, positional=()):
    """Refuse what makes no net of pseudocell, or one that is too large."""
    factory, *given = unwrap(factory, arguments, positional)
    if factory not in [find(name, NETS) for name in NETS]:
        raise _RefusedError("it makes a net with what is not a net of pseudocell")
    if wrong := describe_wrong_size(factory, *given):
        raise _RefusedError(f"a {factory.__name__} in it has {wrong}")


def _check_size(factory, arguments, positional, place):
    """Refuse to write a net that would not be read again."""
    factory, *given = unwrap(factory, arguments, positional)
    if factory in [find(name, NETS) for name in NETS]:
        wrong = describe_wrong_size(factory, *given)
        if wrong:
            raise ValueError(
                f"{place} is a {factory.__name__} with {wrong}. Give the file a name "
                "that ends in .joblib, or use joblib.dump."
            )


def _not_ours(place, value):
    return (
        f"{place} is {_describe(value)}, which is not of pseudocell; a model file "
        "that cannot run code holds pseudocell's own parts, numbers, text and "
        "arrays, and a few classes of torch and skorch. Give the file a name that "
        "ends in .joblib, or use joblib.dump."
    )


def _describe(value):
    if isinstance(value, type):
        return f"the class {value.__qualname__} of {value.__module__}"
    if hasattr(value, "__qualname__") and hasattr(value, "__module__"):
        return f"the function {value.__qualname__} of {value.__module__}"
    return f"an object of {_describe(type(value))}"

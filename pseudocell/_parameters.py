"""Parameters: what they may be, and which value holds for a whole and its parts."""

import copy
import os
import reprlib
import sys
from collections.abc import Callable
from functools import wraps
from inspect import signature
from numbers import Integral, Real
from typing import TypeVar

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import (
    InvalidParameterError,
    _Constraint,
    make_constraint,
)

__all__ = [
    "DISTANCE",
    "HOW_TO_RUN",
    "RADIUS",
    "SEED",
    "SHARE",
    "CheckedMixin",
    "File",
    "Number",
    "Numbers",
    "Odd",
    "PartsMixin",
    "Shape",
    "Values",
    "as_numbers",
    "check_weights",
    "checked",
    "describe_wrong",
    "is_list",
    "lend_settings",
]


# Numbers beyond these are those of nothing that can be computed.
LEAST, MOST = -sys.float_info.max, {Real: sys.float_info.max, Integral: 2**63 - 1}
F = TypeVar("F", bound=Callable)


class Number(_Constraint):
    """A constraint: a finite number between two bounds, no text and no truth value.

    Parameters
    ----------
    kind : {numbers.Real, numbers.Integral}, default=numbers.Real
        Which numbers.
    low, high : float or int, default=None
        The bounds; None is no bound.
    closed : {"both", "low", "neither"}, default="both"
        Which of the bounds are allowed.
    words : str, default=""
        What is expected, for the error message, instead of the bounds.
    """

    def __init__(self, kind=Real, low=None, high=None, closed="both", words=""):
        super().__init__()
        self.kind, self.low, self.high, self.closed = kind, low, high, closed
        self.words = words

    def is_satisfied_by(self, value):
        if isinstance(value, bool | np.bool_) or not isinstance(value, self.kind):
            return False
        if not LEAST <= value <= MOST[self.kind]:  # also what is no number
            return False
        at_end = (value == self.low and self.closed != "neither") or (
            value == self.high and self.closed == "both"
        )
        low = -np.inf if self.low is None else self.low
        high = np.inf if self.high is None else self.high
        return bool(at_end or low < value < high)

    def __str__(self):
        if self.words:
            return self.words
        kind = "an integer" if self.kind is Integral else "a number"
        if self.high is not None:
            begin = "(" if self.closed == "neither" else "["
            end = "]" if self.closed == "both" else ")"
            return f"{kind} in {begin}{self.low}, {self.high}{end}"
        if self.low is None:
            return kind
        first = "above" if self.closed == "neither" else "of at least"
        return f"{kind} {first} {self.low}"


class Odd(Number):
    """A constraint: an odd number, so that there is a pixel in the middle."""

    def __init__(self):
        super().__init__(Integral, 1)

    def is_satisfied_by(self, value):
        return super().is_satisfied_by(value) and value % 2 == 1

    def __str__(self):
        return "an odd number of pixels"


class Numbers(_Constraint):
    """A constraint: numbers above 0, at least one."""

    one = Number(low=0, closed="neither")

    def is_satisfied_by(self, value):
        if not is_list(value) or len(value) == 0:
            return False
        return all(map(self.one.is_satisfied_by, value))

    def __str__(self):
        return "numbers above 0, at least one"


class Values(_Constraint):
    """A constraint: numbers and words in a list."""

    def is_satisfied_by(self, value):
        return is_list(value) and all(isinstance(one, str | Real) for one in value)

    def __str__(self):
        return "a list of numbers or words"


def is_list(value):
    """Whether it has a length and an order; an array without axes has none."""
    if isinstance(value, str | bytes | dict | set) or not hasattr(value, "__len__"):
        return False
    return getattr(value, "ndim", 1) == 1


class File(_Constraint):
    """A constraint: the name of a file or folder."""

    def is_satisfied_by(self, value):
        return isinstance(value, os.PathLike) or (
            isinstance(value, str) and value != ""
        )

    def __str__(self):
        return "the path of a file or folder"


class Shape(_Constraint):
    """A constraint: height and width."""

    one = Number(Integral, 1)

    def is_satisfied_by(self, value):
        if not isinstance(value, tuple | list) or len(value) != 2:
            return False
        return all(map(self.one.is_satisfied_by, value))

    def __str__(self):
        return "(height, width) in pixels"


# Of parameters that many estimators and functions have.
RADIUS = Number(low=0, closed="neither")
DISTANCE = Number(low=0, words="a finite number of pixels, 0 or more")
SHARE = Number(low=0, high=1, words="a share from 0 to 1; divide a percentage by 100")
SEED = (
    Number(Integral, 0),
    np.random.Generator,
    np.random.RandomState,
    np.random.BitGenerator,
    np.random.SeedSequence,
    None,
)
HOW_TO_RUN = {
    "device": [str],
    "n_jobs": [Number(Integral), None],
    "random_state": ["random_state"],
    "verbose": [Number(Integral, 0), "boolean", None],
}


def describe_wrong(values, constraints):
    """Say which value is not what it may be.

    Parameters
    ----------
    values : dict of str to object
        By name; those without constraints may be anything.
    constraints : dict of str to list
        By name: of each list one is enough, as in scikit-learn.

    Returns
    -------
    wrong : str
        The first wrong one, what it is and what is expected; "" if there is none.
    """
    for name, value in values.items():
        allowed = [
            one if isinstance(one, _Constraint) else make_constraint(one)
            for one in constraints.get(name, ())
        ]
        if allowed and not any(one.is_satisfied_by(value) for one in allowed):
            expected = " or ".join(str(one) for one in allowed if not one.hidden)
            return f"{name} is {_shorten(value)}; expected {expected}"
    return ""


def as_numbers(values, name):
    """Turn an argument into an array of real numbers.

    Parameters
    ----------
    values : array-like
        The argument.
    name : str
        Its name, for the error message.

    Returns
    -------
    array : float ndarray
        Perhaps of values that are not finite.

    Raises
    ------
    ValueError
        If it is none.
    """
    is_masked = isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values)
    is_other = is_masked or isinstance(values, str | bytes | dict | set)
    try:
        array = None if is_other else np.asarray(values)
        if array is not None and array.dtype.kind in "biufO":
            return array.astype(float)
    except Exception as error:  # a tensor has errors of its own
        raise ValueError(
            f"{name} is {_shorten(values)}, which is no array of numbers ({error})."
        ) from error
    raise ValueError(f"{name} is {_shorten(values)}; expected numbers.")


def check_weights(sample_weight, n_images):
    """Return the weights of images as an array, or raise a ValueError."""
    weight = as_numbers(sample_weight, "sample_weight")
    if weight.shape != (n_images,):
        raise ValueError(
            f"sample_weight has shape {weight.shape}; expected ({n_images},), one "
            "weight an image."
        )
    wrong = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))
    if len(wrong):
        raise ValueError(
            f"sample_weight[{wrong[0]}] is {weight[wrong[0]]}; expected a finite "
            "weight of at least 0."
        )
    return weight


def _shorten(value):
    return " ".join(reprlib.repr(value).split())


def checked(**constraints) -> Callable[[F], F]:
    """Let a function refuse arguments that are not what they may be.

    Parameters
    ----------
    **constraints
        By the name of the argument a list of constraints: one is enough.

    Returns
    -------
    decorate : callable
        From the function to one that raises an error naming the first wrong argument.
    """

    def decorate(function):
        parameters = signature(function)

        @wraps(function)
        def call(*args, **kwargs):
            try:
                given = parameters.bind(*args, **kwargs).arguments
            except TypeError:  # the function itself says it best
                given = {}
            if wrong := describe_wrong(given, constraints):
                raise InvalidParameterError(f"{wrong}.")
            return function(*args, **kwargs)

        return call

    return decorate


class CheckedMixin:
    """An estimator whose parameters are checked by its table of constraints."""

    def _validate_params(self):
        """Raise an error that names the parameter, what is expected, and what it is."""
        names = self._parameter_constraints
        values = {name: getattr(self, name) for name in names}
        if wrong := describe_wrong(values, names):
            raise InvalidParameterError(f"{wrong}.")


class PartsMixin(CheckedMixin):
    """An estimator with parts, of which None stands for a default one.

    A class has the table `_parts`: for the name of each part, what makes the default
    one and the parameters that it shares with the whole. A shared parameter that is
    None in the part is that of the whole. One that is set in the part holds there, and
    the whole must agree, or be at its default.
    """

    def set_params(self, **params):
        """Set parameters, of the whole and of its parts.

        Parameters
        ----------
        **params
            A name such as ``ranker__p`` is that of a parameter of a part. A part that
            is None becomes the default one first.

        Returns
        -------
        self : estimator
        """
        for key in params:
            name, _, inner = key.partition("__")
            is_default = inner and getattr(self, name, "") is None
            if is_default and name in self._parts and params.get(name) is None:
                setattr(self, name, self._parts[name][0]())
        return super().set_params(**params)

    def _validate_params(self):
        """Check the parameters of the whole, and those of all parts as they will be."""
        super()._validate_params()
        for name in self._parts:
            part = self._part(name)
            if hasattr(part, "_parameter_constraints"):
                part._validate_params()

    def _part(self, name):
        """Return a clone of a part, with the parameters that it shares with the whole.

        What says how to run (the device, the seed) is that of the whole where it is at
        its default in the part, and may differ.
        """
        make, shared = self._parts[name]
        given = getattr(self, name)
        part = make() if given is None else clone(given)
        accepted = part.get_params(deep=False)
        for key in shared:
            mine = getattr(self, key)
            if key not in accepted or mine is None:
                continue
            if accepted[key] is None:
                part.set_params(**{key: mine})
            elif mine != accepted[key] and not _is_default(self, key):
                raise ValueError(
                    f"{key} is {mine!r} and {name}__{key} is {accepted[key]!r}; "
                    "expected one of the two to be left out, so that it is clear which "
                    "one holds."
                )
        run = [key for key in HOW_TO_RUN if key in accepted and _is_default(part, key)]
        return part.set_params(**{key: getattr(self, key) for key in run})


def lend_settings(whole, name, fitted):
    """Return a fitted part that runs as the whole is set to run now.

    Parameters
    ----------
    whole : estimator
        May have been set to another device or number of threads since `fit`.
    name : str
        Name of the parameter that the part was cloned from.
    fitted : estimator
        The fitted part; it stays as it is.

    Returns
    -------
    part : estimator
        A shallow copy, with the parameters of `HOW_TO_RUN` of the whole, but for those
        that the part was given with a value of its own.
    """
    given = getattr(whole, name)
    known = fitted.get_params(deep=False)
    lent = [
        key
        for key in HOW_TO_RUN
        if key in known and (given is None or _is_default(given, key))
    ]
    part = copy.copy(fitted)
    return part.set_params(**{key: getattr(whole, key) for key in lent})


def _is_default(estimator, name):
    """Tell whether a parameter is what the class says if nothing is given."""
    value = getattr(estimator, name)
    default = signature(type(estimator)).parameters[name].default
    return value is default or value == default

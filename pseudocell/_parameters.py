"""Parameters that a whole shares with its parts, and which of two values holds."""

import copy
from inspect import signature

from sklearn.base import clone

__all__ = ["clone_part", "lend_settings"]

# How to run, in which a whole and its parts may differ.
RUNNING = ("device", "n_jobs", "random_state", "verbose")


def clone_part(whole, name, default, shared):
    """Clone a part, and hand it the parameters that it shares with the whole.

    A part keeps what it was set to itself. Everything that is at its default there
    becomes what it is in the whole.

    Parameters
    ----------
    whole : estimator
        Has the part as a parameter, None where the user gave none.
    name : str
        Name of that parameter.
    default : estimator
        What None stands for.
    shared : sequence of str
        The parameters that they share besides those of `RUNNING`. They change what is
        learnt, so that two different values are an error.

    Returns
    -------
    part : estimator
        A clone, not fitted.

    Raises
    ------
    ValueError
        If a parameter of `shared` was set for the whole and, to something else, for the
        part.
    """
    given = getattr(whole, name)
    part = clone(default if given is None else given)
    accepted = part.get_params(deep=False)
    for key in (*shared, *RUNNING):
        if key not in accepted:
            continue
        value = getattr(whole, key)
        if _is_default(part, key):
            part.set_params(**{key: value})
        elif key in shared and not _is_default(whole, key) and value != accepted[key]:
            raise ValueError(
                f"{key} is {value!r} and {name}__{key} is {accepted[key]!r}; expected "
                "one of the two to be left at its default, so that it is clear which "
                "one holds."
            )
    return part


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
        A shallow copy, with the parameters of `RUNNING` of the whole, but for those
        that the part was given with a value of its own.
    """
    given = getattr(whole, name)
    own = fitted if given is None else given
    known = fitted.get_params(deep=False)
    part = copy.copy(fitted)
    lent = [
        key
        for key in RUNNING
        if key in known and (given is None or _is_default(own, key))
    ]
    return part.set_params(**{key: getattr(whole, key) for key in lent})


def _is_default(estimator, name):
    """Tell whether a parameter is what the class says if nothing is given."""
    value = getattr(estimator, name)
    default = signature(type(estimator)).parameters[name].default
    return value is default or value == default

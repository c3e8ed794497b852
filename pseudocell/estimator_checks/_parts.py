"""Checks that the parts of the loop that are fitted have in common."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from ._contract import contract, require
from ._conventions import other_generators
from ._problem import prepare

__all__ = ["Kind", "bind", "fit", "require_same"]


@dataclass
class Kind:
    """What a kind of part is fitted on, what it is asked, and what it refuses.

    Attributes
    ----------
    draw : callable
        Called with a seed; returns the arguments of `fit`, `X` first.
    ask : callable
        Called with a fitted part and `X`; returns an array with a row a candidate.
    refused : tuple of (callable, str)
        Called with the arguments of `fit`, returns bad ones; and what an error names.
    checks : tuple of callable
        Checks of this kind alone, called with a part and the kind.
    """

    draw: Callable
    ask: Callable
    refused: tuple
    checks: tuple


def bind(kind):
    """Return all checks of a kind of part, each to be called with a part alone."""

    def bound(check):
        @contract
        @wraps(check)
        def checked(part):
            check(part, kind)

        return checked

    return tuple(bound(check) for check in (*COMMON, *kind.checks))


def fit(part, data):
    """Fit a prepared clone, and return it whatever `fit` returns."""
    part = prepare(part)
    part.fit(*data)
    return part


def require_same(one, other, problem):
    """Require that two results agree bit for bit."""
    require(np.array_equal(np.asarray(one), np.asarray(other)), problem)


def check_fit_returns_self(part, kind):
    """`fit` returns the part itself."""
    part = prepare(part)
    returned = part.fit(*kind.draw(0))
    require(returned is part, f"it returned {returned!r}.")


def check_parameters_are_kept(part, kind):
    """`clone` and `fit` change no parameter."""
    part = prepare(part)
    before = {name: repr(value) for name, value in part.get_params().items()}
    copied = clone(part)  # It refuses a constructor that changes a parameter.
    for each in (copied, fit(part, kind.draw(0))):
        now = {name: repr(value) for name, value in each.get_params().items()}
        changed = sorted(name for name in before if now.get(name) != before[name])
        require(not changed, f"{', '.join(changed)} changed.")


def check_unfitted_raises(part, kind):
    """Before `fit`, methods that need it raise NotFittedError."""
    try:
        kind.ask(prepare(part), kind.draw(0)[0])
    except NotFittedError:
        return
    raise AssertionError("there was no error.")


def check_pickle_round_trip(part, kind):
    """Results stay the same, bit for bit, when the part is pickled."""
    data = kind.draw(0)
    fitted = fit(part, data)
    loaded = pickle.loads(pickle.dumps(fitted))
    expected = kind.ask(fitted, data[0])
    require_same(kind.ask(loaded, data[0]), expected, "they were others.")


def check_inputs_are_unchanged(part, kind):
    """`fit` and what follows do not write to the data."""
    data = _lock(kind.draw(0))
    kind.ask(fit(part, data), data[0])


def _lock(data):
    """Return data whose arrays cannot be written to."""
    if isinstance(data, (list, tuple)):
        return type(data)(map(_lock, data))
    data = data.copy()
    data.flags.writeable = False
    return data


def check_refit_forgets(part, kind):
    """`fit` on A and then on B is the same as `fit` on B."""
    data = kind.draw(0)
    fresh = fit(part, data)
    refitted = fit(part, kind.draw(1))
    refitted.fit(*data)
    expected = kind.ask(fresh, data[0])
    require_same(kind.ask(refitted, data[0]), expected, "it gave another result.")


def check_same_seed_same_result(part, kind):
    """Two fits with the same seed give the same result, bit for bit."""
    data = kind.draw(0)
    one, other = (kind.ask(fit(part, data), data[0]) for _ in range(2))
    require_same(one, other, "a second fit gave another one.")


def check_global_generators_are_unchanged(part, kind):
    """Global generators of Python, NumPy and PyTorch stay as they are."""
    data = kind.draw(0)
    # Once before: what is imported on the way may draw a seed.
    kind.ask(fit(part, data), data[0])
    with other_generators() as read:
        before = read()
        kind.ask(fit(part, data), data[0])
        changed = [name for name, state in read().items() if state != before[name]]
    require(not changed, f"that of {' and '.join(changed)} changed.")


def check_bad_input_is_named(part, kind):
    """Bad input is a ValueError that names the argument."""
    for spoil, name in kind.refused:
        try:
            bad = spoil(*kind.draw(0))
            kind.ask(fit(part, bad), bad[0])
        except ValueError as error:
            require(name in str(error), f"this does not name {name}: {error}")
        else:
            raise AssertionError(f"it was accepted ({name}).")


COMMON = (
    check_fit_returns_self,
    check_parameters_are_kept,
    check_unfitted_raises,
    check_pickle_round_trip,
    check_inputs_are_unchanged,
    check_refit_forgets,
    check_same_seed_same_result,
    check_global_generators_are_unchanged,
    check_bad_input_is_named,
)

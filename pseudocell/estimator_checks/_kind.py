"""A kind of estimator, and the checks that all kinds which are fitted share."""

import copy
import inspect
import pickle
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from ._contract import contract, require
from ._generators import other_generators
from ._problem import fit, prepare

__all__ = ["Kind", "ask", "lock", "require_same"]


@dataclass(frozen=True)
class Kind:
    """What a kind of estimator is fitted on, what it is asked, and what it refuses.

    Attributes
    ----------
    draw : callable
        Called with a seed; returns the arguments of `fit`, `X` first.
    methods : tuple of str
        What a fitted one is asked, of `X`. The first must be there.
    refused : dict of str to (str, callable)
        Bad input in words, which is a ValueError; what its message holds, where for
        "points" the word of `fit` for them does as well; and what makes a list of bad
        arguments of the arguments of `fit`.
    fit_refuses : bool, default=False
        Whether `fit` refuses bad input itself, and the first method a bad `X` too;
        otherwise either of them.
    forms : dict of str to callable
        In what forms data are given, each made from the arguments of `fit`. None
        takes arrays that can be written to, and such that cannot.
    """

    draw: Callable
    methods: tuple
    refused: dict
    fit_refuses: bool = False
    forms: dict | None = None

    def checks(self):
        """Return the shared checks for this kind, each called with an estimator."""
        named = [self._refusal(words, *row) for words, row in self.refused.items()]
        return (*(contract(check, self) for check in SHARED), *named)

    def _refusal(self, words, named, spoil):
        def check(estimator):
            _check_refusal(estimator, self, named, spoil)

        check.__name__ = f"check_{words.replace(' ', '_').lower()}_named"
        check.__doc__ = f"{words}: a ValueError that names {named.strip()}."
        return contract(check)


def ask(estimator, X, kind):
    """Return what all methods of a kind answer."""
    first, *others = kind.methods
    there = [first, *(name for name in others if hasattr(estimator, name))]
    return [getattr(estimator, name)(X) for name in there]


def require_same(one, other, problem):
    """Require that two results, or lists of results, agree bit for bit."""
    require(_agree(one, other), problem)


def _agree(one, other):
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_agree, one, other))
    return np.array_equal(np.asarray(one), np.asarray(other))


def lock(data):
    """Return data whose arrays cannot be written to."""
    if isinstance(data, (list, tuple)):
        return type(data)(map(lock, data))
    data = np.array(data)
    data.flags.writeable = False
    return data


def check_fit_returns_self(estimator, kind):
    """`fit` returns the estimator itself."""
    estimator = prepare(estimator)
    returned = estimator.fit(*kind.draw(0))
    require(returned is estimator, f"it returned {returned!r}.")


def check_parameters_are_kept(estimator, kind):
    """`clone`, `set_params`, `fit` and what follows change no parameter or part."""
    data = kind.draw(0)
    estimator = prepare(estimator)
    before = estimator.get_params()
    shown = {name: repr(value) for name, value in before.items()}
    parts = {k: v for k, v in estimator.get_params(deep=False).items() if _is_part(v)}
    known = {name: set(vars(part)) for name, part in parts.items()}

    def same(one, other):
        # A Pipeline puts its steps into a new list.
        return one is other or (isinstance(one, list) and one == other)

    def require_same_parameters(cause):
        now = estimator.get_params()
        changed = [name for name, value in now.items() if not same(value, before[name])]
        changed += [name for name, text in shown.items() if repr(now[name]) != text]
        require(not changed, f"{cause} changed {', '.join(sorted(set(changed)))}.")

    clone(estimator)  # It refuses a constructor that changes a parameter.
    estimator.set_params(**estimator.get_params(deep=False))
    require_same_parameters("set_params")
    estimator.fit(*data)
    ask(estimator, data[0], kind)
    require_same_parameters(f"fit or {kind.methods[0]}")
    for name, part in parts.items():
        new = sorted(set(vars(part)) - known[name])
        require(not new, f"{name} itself was fitted, not a clone: it has {new}.")


def _is_part(value):
    return hasattr(value, "get_params") and not isinstance(value, type)


def check_unfitted_raises(estimator, kind):
    """Before `fit`, methods that need it raise NotFittedError."""
    data = kind.draw(0)
    for name in (*kind.methods, "score"):
        method = getattr(prepare(estimator), name, None)
        if method is None:
            continue
        try:
            method(*data) if name == "score" else method(data[0])
        except NotFittedError:
            continue
        except Exception as error:
            raise AssertionError(f"{name} raised {error!r}.") from error
        raise AssertionError(f"{name} did not.")


def check_pickle_round_trip(estimator, kind):
    """Results stay the same, bit for bit, when the estimator is pickled."""
    data = kind.draw(0)
    fitted = fit(estimator, *data)
    loaded = pickle.loads(pickle.dumps(fitted))
    expected = ask(fitted, data[0], kind)
    require_same(ask(loaded, data[0], kind), expected, "it gave others.")


def check_inputs_are_unchanged(estimator, kind):
    """`fit` and what follows leave their data as they are."""
    names = inspect.signature(prepare(estimator).fit).parameters
    forms = kind.forms or {"arrays": copy.deepcopy, "read-only arrays": lock}
    for form, change in forms.items():
        given = change(kind.draw(0))
        before = copy.deepcopy(given)
        try:
            ask(fit(estimator, *given), given[0], kind)
        except Exception as error:
            raise AssertionError(f"on {form} there was {error!r}.") from error
        for name, old, new in zip(names, before, given, strict=False):
            require_same(old, new, f"{name} given as {form} changed.")


def check_refit_forgets(estimator, kind):
    """`fit` on A and then on B is the same as `fit` on B."""
    data = kind.draw(0)
    fresh = fit(estimator, *data)
    refitted = fit(estimator, *kind.draw(1))
    refitted.fit(*data)
    expected = ask(fresh, data[0], kind)
    require_same(ask(refitted, data[0], kind), expected, "it gave another result.")
    left = sorted(set(vars(refitted)) - set(vars(fresh)))
    require(not left, f"{left} were left from A.")


def check_same_seed_same_result(estimator, kind):
    """Two fits with the same seed give the same result, bit for bit."""
    data = kind.draw(0)
    one, other = (fit(estimator, *data) for _ in range(2))
    expected = ask(one, data[0], kind)
    require_same(ask(other, data[0], kind), expected, "a second fit gave another one.")
    again = f"a second call of {kind.methods[0]} gave another one."
    require_same(ask(one, data[0], kind), expected, again)


def check_global_generators_are_unchanged(estimator, kind):
    """Global generators of Python, NumPy and PyTorch stay as they are."""
    data = kind.draw(0)
    # Once before: what is imported on the way may import PyTorch, or draw a seed.
    ask(fit(estimator, *data), data[0], kind)
    with other_generators() as read:
        before = read()
        ask(fit(estimator, *data), data[0], kind)
        changed = [name for name, state in read().items() if state != before[name]]
    require(not changed, f"that of {' and '.join(changed)} changed.")


def _check_refusal(estimator, kind, expected, spoil):
    """Require a ValueError that names what is wrong, by our word for it or its own."""
    data = kind.draw(0)
    own = [*inspect.signature(prepare(estimator).fit).parameters][1:2]
    named = {expected.replace("points", word) for word in ("points", *own)}

    def require_refusal(call):
        try:
            call()
        except ValueError as error:
            problem = f"this does not name {expected}: {error}"
            require(any(name in str(error) for name in named), problem)
        else:
            raise AssertionError(f"it was accepted ({expected}).")

    for bad in spoil(*data):
        if not kind.fit_refuses:
            require_refusal(lambda b=bad: ask(fit(estimator, *b), b[0], kind))
            continue
        require_refusal(lambda b=bad: fit(estimator, *b))
        if bad[0] is not data[0]:
            fitted = fit(estimator, *data)
            require_refusal(lambda b=bad, f=fitted: ask(f, b[0], kind))


SHARED = (
    check_fit_returns_self,
    check_parameters_are_kept,
    check_unfitted_raises,
    check_pickle_round_trip,
    check_inputs_are_unchanged,
    check_refit_forgets,
    check_same_seed_same_result,
    check_global_generators_are_unchanged,
)

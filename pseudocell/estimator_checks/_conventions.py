"""Checks that `fit` and `predict` change and keep nothing that they should not."""

import copy
import pickle
import random
import sys
from contextlib import contextmanager

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from ._contract import contract, require, require_same_results
from ._problem import add_channels, draw_problem, fit, prepare


@contract
def check_fit_returns_self(detector):
    """`fit` returns the detector itself."""
    detector = prepare(detector)
    returned = detector.fit(*draw_problem())
    require(returned is detector, f"it returned {returned!r}.")


@contract
def check_parameters_are_kept(detector):
    """`clone`, `set_params`, `fit`, `predict` change no parameter and fit no part."""
    images, points = draw_problem()
    detector = prepare(detector)
    before = detector.get_params()
    shown = {name: repr(value) for name, value in before.items()}
    parts = {k: v for k, v in detector.get_params(deep=False).items() if _is_part(v)}
    known = {name: set(vars(part)) for name, part in parts.items()}

    def same(one, other):
        # A Pipeline puts its steps into a new list.
        return one is other or (isinstance(one, list) and one == other)

    def require_same_parameters(cause):
        now = detector.get_params()
        changed = [name for name, value in now.items() if not same(value, before[name])]
        changed += [name for name, text in shown.items() if repr(now[name]) != text]
        require(not changed, f"{cause} changed {', '.join(sorted(set(changed)))}.")

    clone(detector)  # It refuses a constructor that changes a parameter.
    detector.set_params(**detector.get_params(deep=False))
    require_same_parameters("set_params")
    detector.fit(images, points)
    detector.predict(images)
    require_same_parameters("fit or predict")
    for name, part in parts.items():
        new = sorted(set(vars(part)) - known[name])
        require(not new, f"{name} itself was fitted, not a clone: it has {new}.")


def _is_part(value):
    return hasattr(value, "get_params") and not isinstance(value, type)


@contract
def check_unfitted_raises(detector):
    """Before `fit`, methods that need it raise NotFittedError."""
    images, points = draw_problem()
    for name in ("predict", "predict_scored", "find_candidates", "score"):
        method = getattr(prepare(detector), name, None)
        if method is None:
            continue
        try:
            method(images, points) if name == "score" else method(images)
        except NotFittedError:
            continue
        except Exception as error:
            raise AssertionError(f"{name} raised {error!r}.") from error
        raise AssertionError(f"{name} did not.")


@contract
def check_pickle_round_trip(detector):
    """Predictions stay the same, bit for bit, when the detector is pickled."""
    images, points = draw_problem()
    fitted = fit(detector, images, points)
    loaded = pickle.loads(pickle.dumps(fitted))
    require_same_results(loaded, fitted, images, "it gave other points or scores.")


@contract
def check_inputs_are_unchanged(detector):
    """`fit` and `predict` leave images and points as they are."""
    images, points = draw_problem()
    as_lists = [array.copy() for array in images], [array.tolist() for array in points]
    read_only = tuple(map(_lock, images)), tuple(map(_lock, points))
    for kind, given in (("lists", as_lists), ("read-only arrays", read_only)):
        before = copy.deepcopy(given)
        try:
            fit(detector, *given).predict(given[0])
        except Exception as error:
            raise AssertionError(f"on {kind} there was {error!r}.") from error
        for name, old, new in zip(("images", "points"), before, given, strict=True):
            same = len(old) == len(new) and all(map(np.array_equal, old, new))
            require(same, f"{name} given as {kind} changed.")


def _lock(array):
    array = array.copy()
    array.flags.writeable = False
    return array


@contract
def check_refit_forgets(detector):
    """`fit` on A and then on B is the same as `fit` on B."""
    images, points = draw_problem()
    fresh = fit(detector, images, points)
    bright = [100.0 * image for image in add_channels(images[:1], 3)]
    refitted = fit(detector, bright, points[:1])
    refitted.fit(images, points)
    require_same_results(refitted, fresh, images, "it gave other points or scores.")
    left = sorted(set(vars(refitted)) - set(vars(fresh)))
    require(not left, f"{left} were left from A.")


@contract
def check_same_seed_same_result(detector):
    """Two fits with the same seed give the same points, bit for bit."""
    images, points = draw_problem()
    one, other = (fit(detector, images, points) for _ in range(2))
    require_same_results(one, other, images, "a second fit gave others.")
    require_same_results(one, one, images, "a second call of predict gave others.")


@contract
def check_global_generators_are_unchanged(detector):
    """Global generators of Python, NumPy and PyTorch stay as they are."""
    images, points = draw_problem()
    # Once before: what is imported on the way may import PyTorch, or draw a seed.
    fit(detector, images, points).predict(images)
    with other_generators() as read:
        before = read()
        fit(detector, images, points).predict(images)
        changed = [name for name, state in read().items() if state != before[name]]
    require(not changed, f"that of {' and '.join(changed)} changed.")


@contextmanager
def other_generators():
    """Seed the generators inside a ``with`` block, and yield what reads them.

    Otherwise a detector that sets a fixed seed would find the state that it left.
    """
    torch = sys.modules.get("torch")  # What is not imported cannot be changed.
    saved = random.getstate(), np.random.get_state()
    saved_torch = None if torch is None else torch.get_rng_state()

    def read():
        states = {
            "Python": random.getstate(),
            "NumPy": [np.asarray(part).tolist() for part in np.random.get_state()],
        }
        if torch is not None:
            states["PyTorch"] = torch.get_rng_state().tolist()
        return states

    try:
        random.seed(20_261)
        np.random.seed(20_261)
        if torch is not None:
            torch.manual_seed(20_261)
        yield read
    finally:
        random.setstate(saved[0])
        np.random.set_state(saved[1])
        if torch is not None:
            torch.set_rng_state(saved_torch)

"""Every public function, given what is wrong, says so in words of its own."""

import random
import warnings
from contextlib import suppress

import numpy as np
import pytest
from public_calls import CALLS, WRONG

# Of all pairs of an argument and a wrong value so many are tried, always the same ones.
# `python tests/test_public_calls.py` tries all ten thousand, in two minutes.
SAMPLE = 1200
# Tables of features and their labels are checked by scikit-learn, in its words. What is
# called to make a net, a loss or an optimiser may raise anything.
IN_OTHER_WORDS = ("X", "y", "sample_weight", "module", "criterion", "optimizer")
# An item of a list and a file are named by what they are.
NAMED_OTHERWISE = (
    "A set of type",
    "Cannot clone object",
    "cannot be read",
    "factory is",
    "has no folder",
    "is neither",
    "No images are given",
    "random_state",
)
# All methods on a set is right, and takes ten minutes.
TOO_LONG = {("run_benchmark", "methods", "None")}

PAIRS = [
    (name, argument, kind)
    for name, (_, arguments) in CALLS.items()
    for argument in arguments
    for kind in WRONG
    if (name, argument, kind) not in TOO_LONG
]


def is_said(name, argument, kind):
    """Call with one wrong value; return what is wrong with the answer, or None."""
    function, arguments = CALLS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            function(**{**arguments, argument: WRONG[kind]()})
        except Exception as error:
            if argument in IN_OTHER_WORDS:
                return None
            if not isinstance(error, ValueError | TypeError):
                return f"{name}, {argument}, {kind}: {type(error).__name__}: {error}"
            message = str(error)
            known = [argument, *NAMED_OTHERWISE]
            if not any(one in message for one in known):
                return f"{name}, {argument}, {kind} is not named: {message}"
    return None


@pytest.mark.parametrize("part", range(4))
def test_what_is_wrong_is_named(part):
    chosen = random.Random(0).sample(PAIRS, SAMPLE)[part::4]
    assert [said for said in (is_said(*pair) for pair in chosen) if said] == []


@pytest.mark.parametrize("name", CALLS)
def test_arguments_stay_as_they_are(name):
    function, arguments = CALLS[name]
    before = {key: _snapshot(value) for key, value in arguments.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with suppress(ValueError):  # of files that are not there
            function(**arguments)
    assert {key: _snapshot(value) for key, value in arguments.items()} == before


def _snapshot(value):
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, list | tuple):
        return [*map(_snapshot, value)]
    if isinstance(value, dict):
        return {key: _snapshot(one) for key, one in value.items()}
    return repr(value)


if __name__ == "__main__":
    answers = [said for said in (is_said(*pair) for pair in PAIRS) if said]
    print(*answers, sep="\n")
    print(f"{len(PAIRS)} tried, {len(answers)} not said well")

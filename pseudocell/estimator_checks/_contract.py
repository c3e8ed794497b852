"""What a check says when it fails: which contract is broken, and how."""

import warnings
from functools import wraps

import numpy as np

__all__ = ["contract", "require", "require_same_results", "run_all"]


def contract(check):
    """Make a check whose failure starts with the first line of its docstring."""
    text = (check.__doc__ or check.__name__).splitlines()[0]

    @wraps(check)
    def wrapped(detector):
        try:
            with warnings.catch_warnings():
                # Of a detector with little training on small images.
                warnings.simplefilter("ignore", UserWarning)
                check(detector)
        except AssertionError as error:
            raise AssertionError(f"{text} But {error}") from error
        except Exception as error:
            raise AssertionError(
                f"{text} But there was {type(error).__name__}: {error}"
            ) from error

    return wrapped


def run_all(checks, estimator):
    """Run all checks, and raise one AssertionError that lists what is broken."""
    broken = []
    for check in checks:
        try:
            check(estimator)
        except AssertionError as error:
            broken.append(f"- {check.__name__}: {error}")
    if broken:
        raise AssertionError(
            f"{type(estimator).__name__} breaks {len(broken)} of {len(checks)} "
            "contracts:\n" + "\n".join(broken)
        )


def require(condition, problem):
    """Raise AssertionError with a problem unless a condition holds."""
    if not condition:
        raise AssertionError(problem)


def require_same_results(one, other, images, problem):
    """Require that two fitted detectors agree bit for bit, in their scores too."""
    found, expected = _results(one, images), _results(other, images)
    same = len(found) == len(expected) and all(
        len(first) == len(second) and all(map(np.array_equal, first, second))
        for first, second in zip(found, expected, strict=True)
    )
    require(same, problem)


def _results(detector, images):
    results = [(points,) for points in detector.predict(images)]
    for name in ("predict_scored", "find_candidates"):
        if hasattr(detector, name):
            results += getattr(detector, name)(images)
    return results

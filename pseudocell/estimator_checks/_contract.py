"""What a check says when it fails: which contract is broken, and how."""

import warnings
from functools import wraps

__all__ = ["contract", "require", "run_all"]


def contract(check, *more):
    """Make a check whose failure starts with the first line of its docstring."""
    text = (check.__doc__ or check.__name__).splitlines()[0]

    @wraps(check)
    def wrapped(estimator):
        try:
            with warnings.catch_warnings():
                # Of an estimator with little training on small data.
                warnings.simplefilter("ignore", UserWarning)
                check(estimator, *more)
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

"""What a page needs to be repeated: settings, seed and versions."""

import platform
from importlib.metadata import PackageNotFoundError, version
from inspect import signature

__all__ = ["settings_of", "versions_here"]

PACKAGES = ("pseudocell", "torch", "skorch", "scikit-learn", "scipy", "numpy")


def settings_of(detector):
    """Return the parameters of a detector, by name.

    Parameters
    ----------
    detector : estimator
        Any.

    Returns
    -------
    settings : list of (str, str, bool)
        Name, value, and whether it is another than the default.
    """
    defaults = signature(type(detector)).parameters
    values = detector.get_params(deep=False).items()
    return [
        (name, repr(value), repr(value) != repr(defaults[name].default))
        for name, value in values
    ]


def versions_here():
    """Return (name, version) of the packages that matter, and of the machine."""
    found = []
    for package in PACKAGES:
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:  # used from a folder, not installed
            continue
    return [*found, ("Python", platform.python_version()), ("on", platform.platform())]

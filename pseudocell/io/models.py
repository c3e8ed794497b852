"""Save a fitted detector, and load it with a check of format and versions."""

import io
import pickle
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import joblib

from pseudocell.io._output import whole_file

__all__ = ["load_model", "save_model"]

FORMAT = "pseudocell-model"
FORMAT_VERSION = 1
PACKAGES = ("pseudocell", "scikit-learn", "skorch", "torch", "numpy")
UNKNOWN = "unknown"
WARNING = "A joblib file can run code when it is loaded: load only your own models."


def save_model(estimator, path):
    """Save a fitted estimator as a joblib file, whole or not at all.

    Parameters
    ----------
    estimator : estimator
        Any that can be pickled.
    path : str or path
        The file. It holds a small header, readable whatever the versions of the
        libraries, and the estimator.

    See Also
    --------
    load_model : Load it again.
    """
    content = io.BytesIO()
    joblib.dump(estimator, content)
    model = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "libraries": _library_versions(),
        "estimator": content.getvalue(),
    }
    with whole_file(path) as temporary:
        joblib.dump(model, temporary, compress=("zlib", 3))


def load_model(path):
    """Load an estimator that `save_model` saved.

    Loading runs code from the file: load only your own models.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    estimator : estimator
        As it was saved.

    Raises
    ------
    ValueError
        If the file is not such a model, is of a newer format, or was saved with
        libraries so different that it may load and then give wrong points.

    Warns
    -----
    UserWarning
        If it was saved with slightly different versions of the libraries.
    """
    path = Path(path)
    try:
        model = joblib.load(path)
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(f"The model {path} cannot be read: {reason}.") from error
    except Exception:  # whatever unpickling foreign bytes raises
        model = None
    if not isinstance(model, dict) or model.get("format") != FORMAT:
        raise ValueError(
            f"{path} is not a pseudocell model, or is damaged; expected a file written "
            f"by pseudocell fit. {WARNING}"
        )
    _check_versions(model, path)
    try:
        return joblib.load(io.BytesIO(model["estimator"]))
    except (pickle.UnpicklingError, AttributeError, ImportError, TypeError) as error:
        raise ValueError(
            f"The model {path} cannot be loaded here: {error}. It was saved with "
            f"{_join(model['libraries'])}."
        ) from error


def _library_versions():
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # used from a folder, not installed
            versions[package] = UNKNOWN
    return versions


def _check_versions(model, path):
    if model["version"] > FORMAT_VERSION:
        raise ValueError(
            f"The model {path} has the format version {model['version']}; expected at "
            f"most {FORMAT_VERSION}. Install a newer pseudocell."
        )
    here, there = _library_versions(), model["libraries"]
    other = {
        name: there[name]
        for name in PACKAGES
        if there[name] != here[name] and UNKNOWN not in (there[name], here[name])
    }
    mine = {name: here[name] for name in other}
    if any(_generation(there[name]) != _generation(here[name]) for name in other):
        raise ValueError(
            f"The model {path} was saved with {_join(other)}; here are {_join(mine)}. "
            "Install those versions, or fit the model again."
        )
    if other:
        warnings.warn(
            f"The model {path} was saved with {_join(other)}; here are {_join(mine)}. "
            "Check its points before you use them.",
            stacklevel=3,
        )


def _generation(text):
    """Return the part of a version that changes with what was saved before."""
    parts = text.split("+")[0].split(".")
    return tuple(parts[:2] if parts[0] == "0" else parts[:1])


def _join(versions):
    return ", ".join(f"{name} {text}" for name, text in versions.items())

"""Save a fitted estimator, and load it with a check of format and versions."""

import io
import warnings
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import joblib

from pseudocell._parameters import File, checked
from pseudocell.io._archive import read_archive, write_archive
from pseudocell.io._plain import from_plain, to_plain

__all__ = ["load_model", "save_model"]

FORMAT = 1
PACKAGES = ("pseudocell", "scikit-learn", "skorch", "torch", "numpy")
UNKNOWN = "unknown"
# Names that end so hold what joblib wrote, all others plain data.
JOBLIB = ".joblib"
JOBLIB_MEMBER = "estimator.joblib"
WARNING = "A joblib file can run code when it is loaded: load only your own models."


@checked(path=[File()])
def save_model(estimator, path):
    """Save an estimator, in a file that cannot run code when it is loaded.

    The file is a zip, written whole or not at all: a JSON text with the number of the
    format, the versions of the libraries, parameters and attributes, the arrays and
    weights as npy files, and a checksum.

    Parameters
    ----------
    estimator : estimator
        One of pseudocell's, with its own nets and parts. With others, such as a net of
        your own, the name must end in ".joblib".
    path : str or path
        The file, usually named ``*.pseudocell``. A name that ends in ".joblib" takes
        any estimator that can be pickled, but such a file can run code when it is
        loaded.

    Raises
    ------
    ValueError
        If the estimator has a part that is not of pseudocell; the part is named.
    OSError
        If the file cannot be written.

    See Also
    --------
    load_model : Load it again.

    Examples
    --------
    >>> import os, tempfile
    >>> from pseudocell import ShareSelector
    >>> from pseudocell.io import load_model, save_model
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(ShareSelector(alpha=0.2), os.path.join(folder, "a.pseudocell"))
    ...     load_model(os.path.join(folder, "a.pseudocell"))
    ShareSelector(alpha=0.2)
    """
    header = {"format": FORMAT, "libraries": _library_versions()}
    if _is_joblib(path):
        content = io.BytesIO()
        joblib.dump(estimator, content)
        members = {JOBLIB_MEMBER: content.getvalue()}
    else:
        header["estimator"], members = to_plain(estimator)
    write_archive(path, header, members)


@checked(path=[File()])
def load_model(path):
    """Load an estimator that `save_model` saved.

    Files from others are safe to load, unless their name ends in ".joblib".

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    estimator : estimator
        As it was saved. Nets that were on a GPU are there again if there is one.

    Raises
    ------
    ValueError
        If the file is not such a model, is damaged, is of another format, or was saved
        with libraries so different that it may load and then give wrong points.

    Warns
    -----
    UserWarning
        If it was saved with slightly different versions of the libraries, or its name
        ends in ".joblib" and it can run code.

    Examples
    --------
    >>> import os, tempfile
    >>> from pseudocell import ShareSelector
    >>> from pseudocell.io import load_model, save_model
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(ShareSelector(alpha=0.2), os.path.join(folder, "a.pseudocell"))
    ...     load_model(os.path.join(folder, "a.pseudocell"))
    ShareSelector(alpha=0.2)
    """
    header, members = read_archive(path)
    with _one_sentence(path):
        _check_format(header)
        is_plain = "estimator" in header
        if not is_plain and not _is_joblib(path):
            raise ValueError(
                "it is a joblib file by another name, and such a file can run code; if "
                f"it is your own, let its name end in {JOBLIB}"
            )
        needed = ("pseudocell",) if is_plain else PACKAGES
        note = _compare_versions(header["libraries"], needed)
    if note:
        warnings.warn(f"The model {path} {note}", stacklevel=2)
    if not is_plain:
        warnings.warn(f"{path}: {WARNING}", stacklevel=2)
    with _one_sentence(path):
        if is_plain:
            return from_plain(header["estimator"], members)
        if JOBLIB_MEMBER not in members:
            raise ValueError("it holds no estimator")
        estimator = joblib.load(io.BytesIO(members[JOBLIB_MEMBER]))
        if not hasattr(estimator, "get_params"):
            raise ValueError("it holds something other than an estimator")
        return estimator


def _is_joblib(path):
    return Path(path).suffix.lower() == JOBLIB


@contextmanager
def _one_sentence(path):
    """Name the file in any error: one made by hand may be wrong in any way."""
    try:
        yield
    except Exception as error:
        lines = str(error).splitlines() or [type(error).__name__]
        reason = lines[0].rstrip(".:")
        raise ValueError(f"The model {path} cannot be loaded: {reason}.") from error


def _library_versions():
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # used from a folder, not installed
            versions[package] = UNKNOWN
    return versions


def _check_format(header):
    match header:
        case {"format": int(), "libraries": dict(there)} if all(
            isinstance(there.get(package), str) for package in PACKAGES
        ):
            pass
        case _:
            raise ValueError(
                "it does not say its format and the versions of its libraries; copy it "
                "again, or fit it again"
            )
    if header["format"] != FORMAT:
        writer = header["libraries"]["pseudocell"]
        raise ValueError(
            f"its format is number {header['format']}, and this pseudocell reads "
            f"number {FORMAT}; install pseudocell {writer}, or fit the model again"
        )


def _compare_versions(there, needed):
    """Refuse libraries of another generation, and say what else differs.

    What joblib wrote depends on the insides of all libraries, plain data only on
    those of pseudocell.
    """
    here = _library_versions()
    other = {
        name: there[name]
        for name in PACKAGES
        if there[name] != here[name] and UNKNOWN not in (there[name], here[name])
    }
    if not other:
        return ""
    mine = _join({name: here[name] for name in other})
    text = f"was saved with {_join(other)}; here are {mine}"
    if any(
        _generation(there[name]) != _generation(here[name])
        for name in other
        if name in needed
    ):
        raise ValueError(f"it {text}; install those versions, or fit the model again")
    return f"{text}. Check its points before you use them."


def _generation(text):
    """Return the part of a version that changes with what was saved before."""
    parts = text.split("+")[0].split(".")
    return tuple(parts[:2] if parts[0] == "0" else parts[:1])


def _join(versions):
    return ", ".join(f"{name} {text}" for name, text in versions.items())

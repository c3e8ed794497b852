"""Which files of folders and patterns are images, and their names in tables."""

import glob
import os
import re
import unicodedata
from collections import Counter
from pathlib import Path

from pseudocell.io._formats import SUFFIXES
from pseudocell.io._names import printable

__all__ = ["DRAWN", "find_images", "short_names"]

# What a picture that this package has drawn has in its first bytes (PNG, tEXt).
DRAWN = ("Software", "pseudocell")
MARK = b"tEXtSoftware\0pseudocell"
HEAD = 512
# What systems leave in every folder.
SYSTEM_FILES = (".ds_store", "thumbs.db", "desktop.ini")


def find_images(source):
    """List the image files of folders, patterns and files, in natural order.

    Parameters
    ----------
    source : str, path or list of them
        As in `read_images`.

    Returns
    -------
    paths : list of str
        Each file once; "image 2" comes before "image 10".
    left_out : list of str
        What was found besides, each with the reason in brackets.

    Raises
    ------
    ValueError
        If one of the sources holds no image.
    """
    sources = [source] if isinstance(source, str | os.PathLike) else list(source)
    if not sources:
        raise ValueError("No images are given; expected a folder, files or a pattern.")
    found, left_out = {}, {}
    for one in map(os.fspath, sources):
        for path, reason in _expand(one):
            if reason:
                left_out[os.path.abspath(path)] = f"{path} ({reason})"
            else:
                found.setdefault(os.path.abspath(path), path)
    left_out = [left_out[path] for path in left_out if path not in found]
    return sorted(found.values(), key=_natural_key), sorted(left_out, key=_natural_key)


def short_names(paths):
    """Name files for tables.

    Parameters
    ----------
    paths : list of str
        The files.

    Returns
    -------
    names : list of str
        File names, with folders below their common one if names come twice. Letters
        with accents are composed, as keyboards write them; bytes that are no text are
        written as %84.
    """
    for normal in (True, False):
        names = [_as_text(Path(path).name, normal) for path in paths]
        if not names or max(Counter(names).values()) == 1:
            return names
        absolute = [os.path.abspath(path) for path in paths]
        common = os.path.commonpath([os.path.dirname(path) for path in absolute])
        names = [
            _as_text(Path(os.path.relpath(path, common)).as_posix(), normal)
            for path in absolute
        ]
        if max(Counter(names).values()) == 1:
            return names
    return names


def _as_text(name, normal):
    text = printable(name)
    return unicodedata.normalize("NFC", text) if normal else text


def _expand(source):
    """Return the files of a source, each with the reason to leave it out, or None."""
    if os.path.isfile(source) or _is_image_folder(source):
        return [(source, None)]
    if os.path.isdir(source):
        paths = [os.path.join(source, name) for name in os.listdir(source)]
        message = f"The folder {source} holds no image"
    elif glob.has_magic(source):
        paths = glob.glob(source, recursive=True)
        message = f"No image matches {source!r}"
    else:
        raise ValueError(f"{source} is neither a file, a folder nor a pattern.")
    judged = [(path, _reason_to_leave_out(path, source)) for path in paths]
    judged = [(path, reason) for path, reason in judged if reason != ""]
    if all(reason for _, reason in judged):
        others = [f"{os.path.basename(path)} ({reason})" for path, reason in judged]
        others = f": {', '.join(others[:5])}" if others else ""
        raise ValueError(f"{message}{others}.")
    return judged


def _is_image_folder(path):
    return os.path.isdir(path) and path.rstrip("/\\").lower().endswith(".zarr")


def _reason_to_leave_out(path, source):
    """Say why a path is no image: None if it is one, "" if nobody asks."""
    name = os.path.basename(path)
    suffix = os.path.splitext(name)[1].lower()
    if name.lower() in SYSTEM_FILES or not name:
        return ""
    if _is_image_folder(path):
        return None
    if os.path.isdir(path):
        # A pattern with ** names every folder and what is in it.
        return "" if "**" in source else "a folder; **/ in a pattern goes into folders"
    if not os.path.exists(path):
        return "a link to nothing"
    if name.startswith("._"):
        return "a hidden file of macOS"
    if name.startswith("."):
        return "a hidden file"
    if suffix not in SUFFIXES:
        return "no suffix of an image"
    if suffix == ".png" and _is_drawn(path):
        return "drawn by this package"
    return None


def _is_drawn(path):
    try:
        with open(path, "rb") as file:
            return MARK in file.read(HEAD)
    except OSError:
        return False


def _natural_key(path):
    return [
        int(part) if part.isdigit() else part.lower()
        for part in re.split(r"([0-9]+)", path)
    ]

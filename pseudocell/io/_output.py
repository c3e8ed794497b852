"""Outputs that are whole or not there: written beside the target, then renamed."""

import csv
import os
import tempfile
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from pseudocell._locks import UNFINISHED, fcntl, lock, remove_unfinished

__all__ = ["prepare_folder", "saved_together", "whole_file", "write_table"]

# Paths that are to be put on the disk together, in a list; None: each at once.
_waiting = ContextVar("waiting", default=None)


def prepare_folder(folder):
    """Make an output folder and check that it can be written.

    Call it before the long work begins, so that a wrong folder costs no time. What
    killed processes have left half-written there is removed.

    Parameters
    ----------
    folder : str or path
        Made with its parents if it is not there.

    Returns
    -------
    folder : pathlib.Path
        The folder.

    Raises
    ------
    ValueError
        If it cannot be made or written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Access rights alone do not tell of full or read-only disks.
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"0")
        remove_unfinished(folder)
    except OSError as error:
        raise ValueError(
            f"Cannot write to the folder {folder}: {error.strerror or error}. "
            "Choose another output folder or mend its rights."
        ) from error
    return folder


@contextmanager
def whole_file(path):
    """Write a file whole or not at all.

    When the block has ended, the file outlives a crash of the machine.

    Parameters
    ----------
    path : str or path
        The file to write. It is replaced in one step when the block ends, and left
        as it was if the block raises.

    Yields
    ------
    temporary : pathlib.Path
        Write here: a new file in the same folder, with the same suffix.
    """
    path = Path(path)
    handle, temporary = _open_temporary(path)
    try:
        yield temporary
        waiting = _waiting.get()
        if waiting is None:
            os.fsync(handle)
        # A temporary file is one that only its owner can read.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        if fcntl is None:
            handle = os.close(handle)
        os.replace(temporary, path)
        if waiting is None:
            _sync_folder(path.parent)
        else:
            waiting.append(path)
    finally:
        temporary.unlink(missing_ok=True)
        if handle is not None:
            os.close(handle)


@contextmanager
def saved_together():
    """Let many files of `whole_file` wait for the disk once, when the block ends.

    Waiting for each costs as long as finding the cells in a small image. Only a crash
    of the machine can meanwhile leave one that is cut off.
    """
    paths = []
    token = _waiting.set(paths)
    try:
        yield
        if hasattr(os, "sync"):
            if paths:
                os.sync()
            return
        for path in paths:
            with suppress(FileNotFoundError), open(path, "r+b") as file:
                os.fsync(file.fileno())
    finally:
        _waiting.reset(token)


def _open_temporary(path):
    """Make a file beside the target, locked so that nobody takes it for left over."""
    while True:
        handle, name = tempfile.mkstemp(
            prefix=UNFINISHED, suffix=path.suffix, dir=path.parent
        )
        try:
            is_ours = fcntl is None or (lock(handle) and os.fstat(handle).st_nlink)
        except OSError:  # no locks here, and so no removal either
            is_ours = True
        if is_ours:
            return handle, Path(name)
        os.close(handle)


def _sync_folder(folder):
    """Put the names in a folder on the disk, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        # Some network file systems know no such thing.
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def write_table(path, columns, rows, separator=","):
    """Write a CSV file whole or not at all.

    Parameters
    ----------
    path : str or path
        The file to write.
    columns : sequence of str
        Names of the columns.
    rows : iterable of sequences
        One value a column; floats are written as they are given.
    separator : str, default=","
        Between the cells.
    """
    with (
        whole_file(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n", delimiter=separator)
        writer.writerow(columns)
        writer.writerows(rows)

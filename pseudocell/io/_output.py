"""Outputs that are whole or not there: written beside the target, then renamed."""

import csv
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

__all__ = ["prepare_folder", "whole_file", "write_table"]


def prepare_folder(folder):
    """Make an output folder and check that it can be written.

    Call it before the long work begins, so that a wrong folder costs no time.

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
    except OSError as error:
        raise ValueError(
            f"Cannot write to the folder {folder}: {error.strerror or error}. "
            "Choose another output folder or mend its rights."
        ) from error
    return folder


@contextmanager
def whole_file(path):
    """Write a file whole or not at all.

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
    handle, name = tempfile.mkstemp(
        # A name of its own: that of the file may be as long as a name can be.
        prefix=".writing-",
        suffix=path.suffix,
        dir=path.parent,
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files that only their owner can read.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_table(path, columns, rows):
    """Write a CSV file whole or not at all.

    Parameters
    ----------
    path : str or path
        The file to write.
    columns : sequence of str
        Names of the columns.
    rows : iterable of sequences
        One value a column; floats are written as they are given.
    """
    with (
        whole_file(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)

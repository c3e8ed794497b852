"""Locks that die with their process, and the files and folders that it was writing."""

import errno
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed
    fcntl = None  # type: ignore[assignment]

__all__ = ["UNFINISHED", "lock", "private_folder", "remove_unfinished"]

# Begins the names of what is being written; nobody else's begin so.
UNFINISHED = ".pseudocell-"
# In a folder that is being filled, the file that is locked for it.
MARK = ".in-use"


def lock(file):
    """Take an open file for this process, until it is closed or the process dies.

    Parameters
    ----------
    file : file object or int
        The file, or its descriptor.

    Returns
    -------
    is_ours : bool
        False if another process has it.

    Raises
    ------
    OSError
        If the file system has no locks.
    """
    if fcntl is None:
        return _lock_on_windows(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


def _lock_on_windows(file):
    import msvcrt

    handle = file if isinstance(file, int) else file.fileno()
    place = os.lseek(handle, 0, os.SEEK_CUR)
    # A byte behind the end: one that is locked cannot be read.
    os.lseek(handle, 2**30, os.SEEK_SET)
    try:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    except PermissionError:
        return False
    finally:
        os.lseek(handle, place, os.SEEK_SET)
    return True


@contextmanager
def private_folder(parent):
    """Make a folder to fill, which is removed when the block ends.

    If the process dies, the next one that calls `remove_unfinished` removes it.

    Parameters
    ----------
    parent : pathlib.Path
        The folder that it is made in, so that its files can be renamed into that.

    Yields
    ------
    folder : pathlib.Path
        Empty but for hidden files.
    """
    folder, mark = _open_private(parent)
    try:
        with mark:
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _open_private(parent):
    """Make a folder and its mark, locked so that nobody takes it for left over."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=parent))
        try:
            mark = open(folder / MARK, "wb")  # noqa: SIM115
        except FileNotFoundError:  # taken for left over before it had a mark
            continue
        try:
            is_ours = lock(mark) and os.fstat(mark.fileno()).st_nlink
        except OSError:  # no locks here, and so no removal either
            is_ours = True
        if is_ours:
            return folder, mark
        mark.close()


def remove_unfinished(folder):
    """Remove what processes that are no more were writing.

    Parameters
    ----------
    folder : pathlib.Path
        Files of `whole_file` and folders of `private_folder` in it.
    """
    for path in folder.glob(f"{UNFINISHED}*"):
        if path.is_dir():
            _remove_folder(path)
        elif fcntl is None:
            with suppress(OSError):
                path.unlink()
        else:
            with suppress(OSError), open(path, "rb") as file:
                if lock(file):
                    path.unlink()


def _remove_folder(path):
    try:
        with open(path / MARK, "r+b") as mark:
            is_left = lock(mark)
    except FileNotFoundError:  # killed before it had a mark: it is empty
        with suppress(OSError):
            path.rmdir()
        return
    except OSError:
        return
    if is_left:
        shutil.rmtree(path, ignore_errors=True)

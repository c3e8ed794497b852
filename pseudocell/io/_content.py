"""What tells the content of an image file from any other content."""

import hashlib
import os

__all__ = ["hash_content", "hash_file", "stamp"]

# Bytes of a file that are in memory at a time.
PIECE = 1 << 20


def hash_content(path):
    """Return the hash of a file, or of the names and times of a folder's files."""
    if not os.path.isdir(path):
        return hash_file(path)
    listing = [
        f"{name} {stamp(os.path.join(folder, name))}"
        for folder, _, names in os.walk(path)
        for name in names
    ]
    return hashlib.sha256("\n".join(sorted(listing)).encode()).hexdigest()


def hash_file(path):
    """Return what tells the content of a file from any other content.

    All bytes count: images of one plate may share name, size, time and borders. It
    takes about a millisecond a megabyte.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    digest : str
        Its SHA-256, in hexadecimal digits.
    """
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def stamp(path):
    """Return what changes when a file is written; None if it is gone."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino

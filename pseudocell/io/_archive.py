"""A zip of one JSON header and binary members, with a checksum over all of it."""

import hashlib
import io
import json
import os
import stat
import zipfile
from pathlib import Path

from pseudocell.io._output import whole_file

__all__ = ["read_archive", "write_archive"]

# The first member. Its name tells these files from other zips.
HEADER = "pseudocell-model.json"
# In the first member's own header a name has this place (APPNOTE.TXT, 4.3.7).
NAME_PLACE = 30
# The zip's comment, its last bytes, is the SHA-256 of all before it.
DIGEST_SIZE = 64


def write_archive(path, header, members):
    """Write a header and members, whole or not at all.

    The same content gives the same bytes. Nothing is compressed: weights hardly
    shrink, and what is stored cannot unfold to more than the size of the file.

    Parameters
    ----------
    path : str or path
        The file.
    header : dict
        What JSON can hold.
    members : dict of str to bytes
        Binary members by name.
    """
    parts = {HEADER: json.dumps(header, allow_nan=False), **members}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.comment = bytes(DIGEST_SIZE)
        for name, data in parts.items():
            # Without a date.
            archive.writestr(zipfile.ZipInfo(name), data)
    body = content.getvalue()[:-DIGEST_SIZE]
    with whole_file(path) as temporary:
        with open(temporary, "wb") as file:
            file.write(body + _digest(body))
            file.flush()
            os.fsync(file.fileno())
    _sync_folder(Path(path).parent)


def read_archive(path):
    """Read a header and members, and check that they are as they were written.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    header : dict
        What JSON held.
    members : dict of str to bytes
        Binary members by name.

    Raises
    ------
    ValueError
        If the file cannot be read, is another one, or is damaged.
    """
    try:
        # Pipes and devices would be read for ever.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ValueError(
                f"The model {path} cannot be read: it is not a regular file; expected "
                "a file written by pseudocell fit or by save_model."
            )
        content = Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(f"The model {path} cannot be read: {reason}.") from error
    if not content.startswith(HEADER.encode(), NAME_PLACE):
        raise ValueError(
            f"{path} is not a pseudocell model; expected a file written by pseudocell "
            "fit or by save_model (only joblib.load reads what joblib.dump wrote)."
        )
    body, digest = content[:-DIGEST_SIZE], content[-DIGEST_SIZE:]
    try:
        if digest != _digest(body):
            raise ValueError("its checksum is wrong")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = _read_members(archive, len(content))
        return json.loads(members.pop(HEADER)), members
    # The others are for files made to fool the reader.
    except Exception as error:
        reason = "it is not as save_model writes it"
        if type(error) is ValueError:
            reason = error
        raise ValueError(
            f"The model {path} is damaged: {reason}. It is cut short or was changed "
            "after it was written; copy it again, or fit it again."
        ) from error


def _read_members(archive, size):
    """Read each member once: together they are no larger than the file."""
    infos = archive.infolist()
    if any(one.compress_type for one in infos):
        raise ValueError("it holds compressed members")
    if len({one.filename for one in infos}) < len(infos):
        raise ValueError("two of its members have one name")
    if sum(max(one.file_size, one.compress_size) for one in infos) > size:
        raise ValueError("its members overlap")
    return {one.filename: archive.read(one) for one in infos}


def _sync_folder(folder):
    """Make the new name outlive a crash of the machine, where folders allow it."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(body):
    return hashlib.sha256(body).hexdigest().encode()

"""A zip of one JSON header and binary members, with a checksum over all of it."""

import hashlib
import io
import json
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
        temporary.write_bytes(body + _digest(body))


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
            if any(one.compress_type for one in archive.infolist()):
                raise ValueError("it holds compressed members")
            members = {name: archive.read(name) for name in archive.namelist()}
        return json.loads(members.pop(HEADER)), members
    # The last three are for files made to fool the reader.
    except (ValueError, zipfile.BadZipFile, KeyError, RuntimeError) as error:
        raise ValueError(
            f"The model {path} is damaged: {error}. It is cut short or was changed "
            "after it was written; copy it again, or fit it again."
        ) from error


def _digest(body):
    return hashlib.sha256(body).hexdigest().encode()

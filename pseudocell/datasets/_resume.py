"""Download a file in pieces: a broken download goes on where it stopped."""

import time

from tqdm import tqdm

__all__ = ["resume"]

# Attempts in a row that bring nothing new.
ATTEMPTS = 3
# Seconds without a byte after which a server counts as silent.
PATIENCE = 30
# Seconds before another attempt, for each one that has failed.
WAIT = 1.0
# Bytes at a time: so many at most are lost when the connection breaks.
PIECE = 1 << 16


def resume(url, part):
    """Download a file, or what is missing of it.

    What has arrived stays in `part`, whatever happens, and the next call asks the
    server for the rest only (RFC 9110, section 14.2, range requests). A server that
    does not know ranges sends the whole file again.

    Parameters
    ----------
    url : str
        Address of the file.
    part : pathlib.Path
        The beginning of the file, if it is there; the whole of it afterwards.

    Raises
    ------
    ConnectionError
        If the server cannot be reached, or breaks off time after time.
    OSError
        If the server refuses, for example because there is no such file.
    """
    from requests import exceptions

    # As long as each attempt gets farther than all before, there is hope.
    reached = failures = 0
    while True:
        try:
            if _fetch_rest(url, part):
                return
            problem = None
        except exceptions.RequestException as error:
            _check_refusal(url, error.response)
            problem = error
        arrived = _size(part)
        failures = 0 if arrived > reached else failures + 1
        reached = max(arrived, reached)
        if failures == ATTEMPTS:
            raise ConnectionError(_explain(url, part)) from problem
        time.sleep(WAIT * failures)


def _fetch_rest(url, part):
    """Append what the server sends; tell whether that is all of it."""
    import requests

    start = _size(part)
    # Compressed on the way, the bytes could not be counted.
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with requests.get(url, headers=headers, stream=True, timeout=PATIENCE) as answer:
        if answer.status_code == 416:  # nothing behind what is here
            whole = answer.headers.get("Content-Range") == f"bytes */{start}"
            if not whole:  # what is here is of another file
                part.unlink()
            return whole
        answer.raise_for_status()
        goes_on = answer.status_code == 206
        start = start if goes_on else 0
        length = answer.headers.get("Content-Length")
        total = None if length is None else start + int(length)
        with open(part, "ab" if goes_on else "wb") as file, _bar(part, total) as bar:
            bar.update(start)
            for piece in answer.iter_content(PIECE):
                file.write(piece)
                bar.update(len(piece))
    return total is None or _size(part) == total


def _bar(part, total):
    """Progress bar; None hides it where nobody looks at a terminal."""
    name = part.name.removesuffix(".part")
    return tqdm(total=total, unit="B", unit_scale=True, desc=name, disable=None)


def _size(part):
    return part.stat().st_size if part.exists() else 0


def _check_refusal(url, answer):
    """Raise an error if the server says that another attempt is useless."""
    if answer is None or answer.status_code == 429 or answer.status_code >= 500:
        return
    raise OSError(
        f"{url} cannot be downloaded: the server answers {answer.status_code} "
        f"{answer.reason}. The file may have moved; look for it by hand and pass the "
        "folder that holds it to the function that reads this data set (read_... "
        "instead of fetch_...)."
    )


def _explain(url, part):
    if arrived := _size(part):
        return (
            f"The download of {url} broke off. {arrived} bytes of it are kept in "
            f"{part}; call again to go on from there."
        )
    return (
        f"{url} cannot be reached. Connect to the network and call again, or download "
        "it on another machine and pass the folder that holds it to the function that "
        "reads this data set (read_... instead of fetch_...)."
    )

"""Downloads that are whole, checked and kept in one folder."""

import json
import os
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

from pseudocell._locks import private_folder, remove_unfinished

__all__ = ["download", "download_folder", "get_data_home", "read_json"]

VARIABLE = "PSEUDOCELL_DATA"
# Further attempts where one fails, and seconds without a byte after which it has.
RETRIES, PATIENCE = 2, 30


def get_data_home(folder=None):
    """Return the folder in which downloaded data sets are kept.

    Parameters
    ----------
    folder : str or path, optional
        The folder. None takes that of the environment variable PSEUDOCELL_DATA, and
        without it ``pooch.os_cache("pseudocell")``, the cache folder of the user.

    Returns
    -------
    folder : pathlib.Path
        The folder; it need not exist.

    Raises
    ------
    ImportError
        If pooch is needed and not installed.

    Examples
    --------
    >>> from pseudocell.datasets import get_data_home
    >>> get_data_home("data").name
    'data'
    """
    folder = (
        folder or os.environ.get(VARIABLE) or _import_pooch().os_cache("pseudocell")
    )
    return Path(folder).expanduser()


def download(url, path, checksum=None):
    """Download one file, unless it is there already.

    Parameters
    ----------
    url : str
        Its address.
    path : pathlib.Path
        Where to keep it. A file with this name is whole and checked.
    checksum : str, optional
        SHA-256 in hexadecimal digits. None takes the file as it comes.

    Returns
    -------
    path : pathlib.Path
        The same.

    Raises
    ------
    ImportError
        If pooch is not installed.
    OSError
        If the file cannot be downloaded, in three attempts.
    ValueError
        If it does not have this checksum, in three attempts.
    """
    pooch = _import_pooch()
    from requests import RequestException

    if path.exists() and checksum in (None, pooch.file_hash(path)):
        return path
    remove_unfinished(path.parent)
    with private_folder(path.parent) as folder:
        store = pooch.create(
            folder,
            base_url="",
            registry={path.name: checksum},
            urls={path.name: url},
            retry_if_failed=RETRIES,
        )
        bar = sys.stderr.isatty()
        load = pooch.HTTPDownloader(bar, timeout=PATIENCE)
        try:
            store.fetch(path.name, downloader=load)
        except RequestException as error:
            raise OSError(
                f"{url} cannot be downloaded ({error}). Connect to the network and "
                "call again, or download it by hand and pass the folder that holds it "
                "to the function that reads this data set (read_... instead of "
                "fetch_...)."
            ) from error
        except ValueError as error:
            raise ValueError(
                f"{url} was damaged on its way, or its publisher has replaced it. "
                f"{error} Call again; if it comes back the same, pass verify=False to "
                "take it."
            ) from error
        _rename_durably(folder / path.name, path)
    return path


def download_folder(url, home, name, checksum=None):
    """Download a zip archive and keep one folder of it.

    Parameters
    ----------
    url : str
        Address of the archive.
    home : pathlib.Path
        Where to keep the folder; made if it is not there.
    name : str
        Name of the folder at the top of the archive. If `home` holds it already,
        nothing is downloaded: it appears in one step, whole.
    checksum : str, optional
        SHA-256 of the archive. None takes it as it comes.

    Returns
    -------
    folder : pathlib.Path
        ``home / name``. The archive is deleted.

    Raises
    ------
    ImportError, OSError, ValueError
        As in `download`; `ValueError` also for a damaged archive, or one without
        the folder.
    """
    folder = home / name
    home.mkdir(parents=True, exist_ok=True)
    remove_unfinished(home)
    if folder.is_dir():
        return folder
    with private_folder(home) as temporary:
        # Inside, so that it goes with the rest, whatever breaks this off.
        archive = download(url, temporary / url.rpartition("/")[2], checksum)
        try:
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(temporary)
                held_files = opened.namelist()
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise ValueError(
                f"The archive from {url} is damaged ({error}) and was deleted. Call "
                "again to download it anew."
            ) from error
        if not (temporary / name).is_dir():
            found = {one.name for one in temporary.glob("[!.]*")}
            held = sorted(found - {archive.name})
            raise ValueError(
                f"The archive from {url} holds {held}; expected a folder {name}. Its "
                "publisher may have changed it."
            )
        if not all((temporary / one).exists() for one in held_files):
            raise OSError(
                f"Another program removed files from {home} while {url} was unpacked; "
                "call again."
            )
        try:
            _rename_durably(temporary / name, folder)
        except OSError:
            if not folder.is_dir():  # made meanwhile by another process
                raise
    return folder


def _rename_durably(source, target):
    """Rename what lies on the disk, so that a crash of the machine leaves no half."""
    if hasattr(os, "sync"):
        os.sync()
    os.replace(source, target)


def read_json(url):
    """Read what a web service answers.

    Parameters
    ----------
    url : str
        Address that answers in JSON.

    Returns
    -------
    answer : dict or list
        The answer.

    Raises
    ------
    ImportError, OSError
        As in `download`.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = download(url, Path(folder, "answer.json"))
        return json.loads(answer.read_text("utf-8"))


def _import_pooch():
    try:
        import pooch
    except ImportError as error:
        raise ImportError(
            "Downloading data sets needs pooch, which is not installed. Run "
            "pip install 'pseudocell[data]', or download the set by hand and pass its "
            "folder to the function that reads it (read_... instead of fetch_...)."
        ) from error
    return pooch

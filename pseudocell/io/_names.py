"""Find an image by a name that may lack folder or suffix, or have more of them."""

import os
import unicodedata

__all__ = ["NameFinder", "image_name", "may_be_same", "printable", "shorten"]

# Longer ones first, so that "a.ome.tif" is "a" and not "a.ome".
SUFFIXES = (
    *(".ome.tiff", ".ome.tif", ".ome.zarr", ".tiff", ".jpeg", ".tif", ".png"),
    *(".jpg", ".bmp", ".lsm", ".jp2", ".npy", ".zarr", ".nd2", ".czi", ".lif"),
)
# So many names are spelled out in a message.
MAX_NAMES = 10


def image_name(path):
    """Return the name of an image by a path that another computer has for it.

    Folders stay where the path is relative, as they may tell images apart.
    """
    path = path.replace("\\", "/")
    parts = [part for part in path.split("/") if part not in (".", "..")]
    is_absolute = path.startswith("/") or ":" in parts[0]
    return parts[-1] if is_absolute else "/".join(parts)


class NameFinder:
    """Find image names by what people write for them.

    Parameters
    ----------
    names : iterable of str
        Names of the images, with "/" between folders.
    source : str
        Where the names to find come from, for the error message.
    """

    def __init__(self, names, source):
        self.source = source
        self._names = {}
        for name in sorted(names):
            for variant, distance in _ways(name).items():
                self._names.setdefault(variant, []).append((distance, name))

    def find(self, written):
        """Return the image name for what was written, None if there is none.

        The closest one counts: the whole name before its last part, with the
        suffix before without, and with capitals before without. Folders that both
        have must agree.

        Parameters
        ----------
        written : str
            The name in a table, perhaps a path.

        Returns
        -------
        name : str or None
            One of the names.

        Raises
        ------
        ValueError
            If it fits several of the names equally well.
        """
        for variant in _variants(written):
            known = self._names.get(variant, [])
            known = [pair for pair in known if _folders_agree(written, pair[1])]
            nearest = min(known)[0] if known else None
            found = [name for distance, name in known if distance == nearest]
            # The same letters may be composed in one name and not in another.
            exact = [name for name in found if name == written]
            exact = exact or [name for name in found if _plain(name) == variant]
            if len(found) > 1 and len(exact) == 1:
                return exact[0]
            if len(found) == 1:
                return found[0]
            if found:
                raise ValueError(
                    f"{self.source} has points of {written!r}, which may be "
                    f"{shorten(found)}; write the whole name."
                )
        return None


def printable(name):
    """Return a name that any table and terminal can hold.

    Parameters
    ----------
    name : str
        Name of a file, perhaps with bytes that are no UTF-8.

    Returns
    -------
    name : str
        With such bytes as "%84".
    """
    return "".join(
        f"%{ord(one) - 0xDC00:02X}" if 0xDC80 <= ord(one) <= 0xDCFF else one
        for one in name
    )


def may_be_same(first, second):
    """Tell whether two spellings may mean one image: no folder or suffix differs.

    Parameters
    ----------
    first, second : str
        Names in a table.

    Returns
    -------
    may_be : bool
        False for "day1/a" and "day2/a", and for "a.tif" and "a.png".
    """
    ends = {name[len(_stem(name)) :].lower() for name in (first, second)}
    return _folders_agree(first, second) and len(ends - {""}) < 2


def shorten(names):
    """Join names for a message, only the first few of many."""
    text = ", ".join(names[:MAX_NAMES])
    n_more = len(names) - MAX_NAMES
    return f"{text} and {n_more} more" if n_more > 0 else text


def _plain(name):
    """Return a name with composed letters, and "/" between folders."""
    name = unicodedata.normalize("NFC", printable(name)).replace("\\", "/")
    return os.path.normpath(name).replace("\\", "/") if name else name


def _stem(name):
    end = next((end for end in SUFFIXES if name.lower().endswith(end)), "")
    return name[: len(name) - len(end)]


def _folders_agree(first, second):
    """Tell whether the folders that both names have are the same."""
    pair = [_plain(name).casefold().split("/")[-2::-1] for name in (first, second)]
    return all(one == other for one, other in zip(*pair, strict=False))


def _ways(name):
    """Ways in which an image may be named, and how far each is from its name."""
    ways = {}
    for variant in _variants(name):
        # Of "a.ome.tif" people make "a", and programs "a.ome".
        root = os.path.splitext(variant)[0]
        for distance, way in enumerate((variant, root)):
            if not _plain(name).endswith(variant):
                distance += 2
            ways.setdefault(way, distance)
    return ways


def _variants(name):
    """Ways to write a name, the longest first."""
    parts = _plain(name).split("/")
    variants = []
    for start in range(len(parts)):
        tail = "/".join(parts[start:])
        variants += [tail, _stem(tail)]
    lower = [variant.casefold() for variant in variants]
    return list(dict.fromkeys(variants + lower))

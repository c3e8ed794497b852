"""Find an image by a name that may lack folder or suffix, or have more of them."""

__all__ = ["NameFinder", "shorten"]

# Longer ones first, so that "a.ome.tif" is "a" and not "a.ome".
SUFFIXES = (".ome.tiff", ".ome.tif", ".tiff", ".jpeg", ".tif", ".png", ".jpg")
# So many names are spelled out in a message.
MAX_NAMES = 10


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
            for variant in _variants(name):
                self._names.setdefault(variant, []).append(name)

    def find(self, written):
        """Return the image name for what was written, None if there is none.

        The closest one counts: the whole name before its last part, and with the
        suffix before without.

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
            found = self._names.get(variant, [])
            if len(found) == 1:
                return found[0]
            if variant in found:
                return variant
            if found:
                raise ValueError(
                    f"{self.source} has points of {written!r}, which may be "
                    f"{shorten(found)}; write the whole name."
                )
        return None


def shorten(names):
    """Join names for a message, only the first few of many."""
    text = ", ".join(names[:MAX_NAMES])
    n_more = len(names) - MAX_NAMES
    return f"{text} and {n_more} more" if n_more > 0 else text


def _variants(name):
    """Ways to write a name, the longest first."""
    parts = name.replace("\\", "/").split("/")
    variants = []
    for start in range(len(parts)):
        tail = "/".join(parts[start:])
        stem = next(
            (tail[: -len(end)] for end in SUFFIXES if tail.lower().endswith(end)), tail
        )
        variants += [tail, stem]
    return list(dict.fromkeys(variants))

"""The chain of pages in a TIFF file, and whether it is whole."""

import os
import struct

import numpy as np

__all__ = ["TRUNCATED", "check_chain"]

# Places and sizes of the pixels, description, colour map, and ImageJ's metadata.
NEEDED_TAGS = (258, 270, 273, 279, 320, 324, 325, 50838, 50839)
# Bytes of a value of each type of tag, 0 for types that do not exist.
VALUE_SIZES = np.array([0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8])
TRUNCATED = "the file is truncated"


def check_chain(path):
    """Follow the offsets from page to page (TIFF 6.0, section 2, and BigTIFF).

    Readers take a chain that breaks for one that ends, and a description that is cut
    off for none, and then lose frames or mistake their axes silently.

    Parameters
    ----------
    path : str
        The file.

    Raises
    ------
    ValueError
        If it breaks.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        order = "<" if file.read(2) == b"II" else ">"
        is_big = struct.unpack(order + "H", file.read(2))[0] == 43
        count_format, place_format = "QQ" if is_big else "HI"
        tag_type = _tag_type(order, order + place_format)
        file.seek(8 if is_big else 4)
        seen = set()
        try:
            (place,) = _unpack(file, order + place_format)
            while place and place not in seen:
                seen.add(place)
                file.seek(place)
                (n_tags,) = _unpack(file, order + count_format)
                tags = np.frombuffer(file.read(n_tags * tag_type.itemsize), tag_type)
                (place,) = _unpack(file, order + place_format)
                if _tags_end(tags) > size:
                    raise ValueError(TRUNCATED)
        except struct.error as error:
            raise ValueError(TRUNCATED) from error
        if not seen:
            raise ValueError(TRUNCATED)


def _unpack(file, form):
    return struct.unpack(form, file.read(struct.calcsize(form)))


def _tag_type(order, place_format):
    short, place = np.dtype(order + "u2"), np.dtype(place_format)
    return np.dtype(
        [("code", short), ("type", short), ("count", place), ("place", place)]
    )


def _tags_end(tags):
    """Return where the values of the tags end that are not in the table itself."""
    tags = tags[np.isin(tags["code"], NEEDED_TAGS)]
    n_bytes = tags["count"].astype(float) * VALUE_SIZES[np.minimum(tags["type"], 18)]
    outside = n_bytes > tags.dtype["place"].itemsize
    return (tags["place"] + n_bytes)[outside].max(initial=0)

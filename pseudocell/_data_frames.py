"""Tables and Series of pandas and its like: columns by name, items by position."""

import numpy as np

__all__ = ["POINT_COLUMNS", "in_order", "points_by_column"]

# The columns of row and col, tried in this order.
POINT_COLUMNS = (("row", "col"), ("axis-0", "axis-1"), ("y", "x"))
# These say which image a row belongs to, so one table holds several.
SEVERAL = ("image", "filename", "frame", "slice", "axis-2")


def in_order(items, name):
    """Return the items of a Series as a list, by position; others unchanged.

    Parameters
    ----------
    items : sequence
        Images, or lists of points. A Series looks items up by its labels, which need
        not be 0, 1, 2, ... where rows were sorted or left out.
    name : str
        Name of the argument, for the error message.

    Returns
    -------
    items : sequence
        The same object if it is no Series.

    Raises
    ------
    ValueError
        If it is one table or a dict, which has no order of images.
    """
    if isinstance(items, dict) or hasattr(items, "columns"):
        raise ValueError(
            f"{name} is one {type(items).__name__}; expected a sequence with an item "
            "for each image, such as a list of tables with the columns row and col."
        )
    return list(items) if hasattr(items, "iloc") else items


def points_by_column(item, name):
    """Return the points of a table with named columns as (row, col).

    Parameters
    ----------
    item : array-like or data frame
        A data frame (pandas, polars) or structured array with the columns row and
        col, y and x, or axis-0 and axis-1, in any order and case; an array-like
        without column names is returned as it is.
    name : str
        Name of the argument, for the error message.

    Returns
    -------
    points : array-like of shape (n, 2)
        (row, col).

    Raises
    ------
    ValueError
        If columns have names, but not these, or hold points of several images.
    """
    columns = getattr(item, "columns", None)
    if columns is None:
        columns = getattr(getattr(item, "dtype", None), "names", None)
    if columns is None or not any(isinstance(one, str) for one in columns):
        return item
    places = {str(one).strip().lower(): one for one in columns}
    several = [one for one in SEVERAL if one in places]
    for pair in POINT_COLUMNS:
        if set(pair) <= set(places) and not several:
            return np.stack(
                [np.asarray(item[places[one]], dtype=float) for one in pair], axis=1
            )
    found = f"{name} has the columns {', '.join(map(str, list(columns)[:8]))}"
    if several:
        raise ValueError(
            f"{found}; expected a table for each image, but {several[0]} tells "
            "several apart. Split it by that column first."
        )
    raise ValueError(f"{found}; expected row and col, or y and x, in pixels.")

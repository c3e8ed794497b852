"""Tables of points that the package writes: all images in one, or a layer for each."""

from itertools import zip_longest
from numbers import Integral

import numpy as np

from pseudocell._parameters import Number, as_numbers
from pseudocell._validation import check_points
from pseudocell.io._output import write_table
from pseudocell.io.points import label_columns

__all__ = ["write_counts", "write_layer", "write_points"]


def write_points(path, labels, points, scores, probabilities=None):
    """Write detected points as a CSV file, whole or not at all.

    Parameters
    ----------
    path : str or path
        The file. Its columns are ``image``, ``row``, ``col`` and ``score``, and
        ``frame`` after ``image`` if there are stacks; `read_points` reads it.
    labels : sequence of str
        Label of each image.
    points : sequence of ndarray of shape (n_i, 2)
        (row, col) in pixels.
    scores : sequence of ndarray of shape (n_i,)
        Score of each point, larger is more cell-like.
    probabilities : sequence of ndarray of shape (n_i,), optional
        How probably each is a cell: a further column ``probability``.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from pseudocell.io import write_points
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "points.csv"
    ...     write_points(file, ["a.tif"], [np.array([[4, 30.5]])], [np.array([0.9])])
    ...     print(file.read_text())
    image,row,col,score
    a.tif,4.00,30.50,0.9
    """
    columns, cells = label_columns(check_labels(labels))
    columns = [*columns, "row", "col", "score"]
    values = [("scores", scores)]
    if probabilities is not None:
        columns.append("probability")
        values.append(("probabilities", probabilities))
    rows = (
        [*cells[index], f"{row:.2f}", f"{col:.2f}", *texts]
        for index, some, *their in _scored(points, values, len(cells))
        for (row, col), *texts in zip(some, *_as_text(*their), strict=True)
    )
    write_table(path, columns, rows)


def _as_text(scores, probabilities=None):
    """Return one list of cells a column."""
    texts = [[f"{score:.5g}" for score in scores]]
    if probabilities is not None:
        texts.append([f"{chance:.3f}" for chance in probabilities])
    return texts


def write_counts(path, labels, points):
    """Write the number of points of each image as a CSV file, whole or not at all.

    Parameters
    ----------
    path : str or path
        The file. Its columns are ``image`` and ``count``, and ``frame`` after
        ``image`` if there are stacks.
    labels : sequence of str
        Label of each image.
    points : sequence of ndarray of shape (n_i, 2)
        Its points.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from pseudocell.io import write_counts
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "counts.csv"
    ...     write_counts(file, ["a.tif", "b.tif"], [np.zeros((3, 2)), np.zeros((0, 2))])
    ...     print(file.read_text())
    image,count
    a.tif,3
    b.tif,0
    """
    columns, cells = label_columns(check_labels(labels))
    counts = [_count(some, index) for index, some in enumerate(_list(points, "points"))]
    if len(counts) != len(cells):
        raise ValueError(
            f"points has {len(counts)} lists for {len(cells)} labels; expected one of "
            "each image."
        )
    rows = ([*one, count] for one, count in zip(cells, counts, strict=True))
    write_table(path, [*columns, "count"], rows)


def write_layer(path, points, scores, frames=None):
    """Write the points of an image or a stack as a layer that napari opens.

    Parameters
    ----------
    path : str or path
        The file, written whole or not at all. Its columns are ``index``, ``axis-0``,
        ``axis-1`` and ``score``; for a stack ``axis-0`` is the frame, and row and col
        are ``axis-1`` and ``axis-2``. `read_points` reads it.
    points : iterable of ndarray of shape (n_i, 2)
        (row, col) in pixels, one array an image or frame.
    scores : iterable of ndarray of shape (n_i,)
        Score of each point; napari shows it as a property.
    frames : iterable of int, optional
        Number of each frame, from 0. None for an image that is not in a stack.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from pseudocell.io import write_layer
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "movie.csv"
    ...     write_layer(file, [np.array([[4, 30.5]])], [np.array([0.9])], frames=[7])
    ...     print(file.read_text())
    index,axis-0,axis-1,axis-2,score
    0,7,4.00,30.50,0.9
    """
    is_stack = frames is not None
    if is_stack:
        frames = check_frames(frames)

    def start(index):
        return [frames[index]] if is_stack else []

    axes = [f"axis-{number}" for number in range(2 + is_stack)]
    n_frames = len(frames) if is_stack else None
    cells = (
        [*start(index), f"{row:.2f}", f"{col:.2f}", f"{score:.5g}"]
        for index, some, their in _scored(points, [("scores", scores)], n_frames)
        for (row, col), score in zip(some, their, strict=True)
    )
    rows = ([index, *one] for index, one in enumerate(cells))
    write_table(path, ["index", *axes, "score"], rows)


def check_labels(labels):
    """Return the labels of images as a list of texts."""
    labels = _list(labels, "labels")
    for index, label in enumerate(labels):
        if not isinstance(label, str):
            raise ValueError(
                f"labels[{index}] is {label!r:.80}; expected the name of an image."
            )
    return labels


def check_frames(frames):
    """Return the numbers of frames as a list."""
    frames = _list(frames, "frames")
    for index, frame in enumerate(frames):
        if not Number(Integral, 0).is_satisfied_by(frame):
            raise ValueError(
                f"frames[{index}] is {frame!r:.80}; expected the number of a frame, "
                "from 0."
            )
    return frames


def _scored(points, values, n_images):
    """Yield the number of each image, its points and what is known of them, checked.

    `values` are pairs of a name and an iterable with an array an image, of which one is
    in memory at a time.
    """
    given = [("points", points), *values]
    streams = {name: _items(its, name) for name, its in given}
    number = 0
    for row in zip_longest(*streams.values()):
        for name, one in zip(streams, row, strict=True):
            if one is None:
                raise ValueError(f"{name}[{number}] is missing; expected one an image.")
        if n_images is None or number < n_images:
            names = [f"{name}[{number}]" for name in streams]
            yield number, *_check_scored(*zip(names, row, strict=True))
        number += 1
    if n_images is not None and number != n_images:
        raise ValueError(
            f"points has {number} lists for {n_images} labels or frames; expected one "
            "of each image."
        )


def _check_scored(points, *values):
    """Return the points of an image and their values, from pairs of name and array."""
    try:
        (some,) = check_points([points[1]])
    except ValueError as error:
        raise ValueError(str(error).replace("points[0]", points[0])) from error
    checked = [some]
    for name, given in values:
        array = as_numbers(given, name)
        if array.shape != (len(some),) or not np.isfinite(array).all():
            raise ValueError(
                f"{name} has shape {array.shape} or values that are not finite; "
                f"expected one for each of {len(some)} points."
            )
        checked.append(array)
    return checked


def _count(points, index):
    try:
        return len(points)
    except TypeError as error:
        raise ValueError(
            f"points[{index}] is {points!r:.80}; expected the points of an image."
        ) from error


def _items(given, name):
    try:
        if not isinstance(given, str | bytes | dict | set):
            return iter(given)
    except TypeError:
        pass
    raise ValueError(f"{name} is {given!r:.80}; expected one item for each image.")


def _list(given, name):
    return list(_items(given, name))

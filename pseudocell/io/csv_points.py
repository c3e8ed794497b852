"""Tables of points that the package writes: all images in one, or a layer for each."""

from itertools import repeat

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
    columns, cells = label_columns(labels)
    columns = [*columns, "row", "col", "score"]
    if probabilities is not None:
        columns.append("probability")
    more = repeat(None) if probabilities is None else probabilities
    rows = (
        [*its_cells, f"{row:.2f}", f"{col:.2f}", *values]
        for its_cells, some, their, its in zip(
            cells, points, scores, more, strict=False
        )
        for (row, col), *values in zip(some, *_as_text(their, its), strict=True)
    )
    write_table(path, columns, rows)


def _as_text(scores, probabilities):
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
    columns, cells = label_columns(labels)
    rows = ([*one, len(some)] for one, some in zip(cells, points, strict=True))
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
    axes = [f"axis-{number}" for number in range(2 + is_stack)]
    starts = ([frame] for frame in frames) if is_stack else repeat([])
    found = zip(points, scores, strict=True)
    cells = (
        [*start, f"{row:.2f}", f"{col:.2f}", f"{score:.5g}"]
        for start, (some, their) in zip(starts, found, strict=is_stack)
        for (row, col), score in zip(some, their, strict=True)
    )
    rows = ([index, *one] for index, one in enumerate(cells))
    write_table(path, ["index", *axes, "score"], rows)

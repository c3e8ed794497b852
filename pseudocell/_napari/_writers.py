"""What napari saves by itself: a layer of points for other programs."""

from pathlib import Path

import numpy as np

from pseudocell.io.point_writers import write_files

__all__ = ["write_csv", "write_geojson", "write_roi_set"]


def write_csv(path, data, attributes):
    """Write a layer of points as a table with the columns image, row and col.

    Parameters
    ----------
    path : str
        The file.
    data : ndarray of shape (n, 2) or (n, 3)
        The points in pixels; of three columns, the first one is the frame.
    attributes : dict
        What else the layer holds; its scale says nothing of pixels and is left out.

    Returns
    -------
    paths : list of str
        What was written.

    Raises
    ------
    ValueError
        If the points have more axes, or a frame that is no whole number.
    """
    return _write("csv", path, data, attributes)


def write_roi_set(path, data, attributes):
    """Write a layer of points as a RoiSet of Fiji; arguments as in `write_csv`."""
    return _write("roi", path, data, attributes)


def write_geojson(path, data, attributes):
    """Write a layer of points as GeoJSON of QuPath; arguments as in `write_csv`."""
    return _write("geojson", path, data, attributes)


def _write(kind, path, data, attributes):
    points = np.asarray(data, dtype=float)
    n_axes = points.shape[1]
    if n_axes not in (2, 3):
        raise ValueError(
            f"The layer {attributes['name']} has {n_axes} axes; expected rows and "
            "columns, and at most frames before them."
        )
    name = Path(attributes["name"]).name
    labels, parts = [name], [points]
    if n_axes == 3:
        frames = np.round(points[:, 0]).astype(int)
        if not np.allclose(frames, points[:, 0]):
            raise ValueError(
                f"The layer {attributes['name']} has points between two frames."
            )
        numbers = np.unique(frames) if len(frames) else [0]
        labels = [f"{name}[{number}]" for number in numbers]
        parts = [points[frames == number, 1:] for number in numbers]
    return [str(one) for one in write_files(path, kind, labels, parts)]

"""The points inside of what somebody has drawn."""

import numpy as np
from skimage.measure import points_in_poly

__all__ = ["count_inside"]

AREAS = ("rectangle", "polygon", "ellipse")
N_ANGLES = 90


def count_inside(shapes, layer, points):
    """Count the points inside of any shape of a layer.

    Parameters
    ----------
    shapes : napari.layers.Shapes
        Rectangles, ellipses and polygons; lines and paths hold nothing.
    layer : napari.layers.Layer
        The layer of the points, of two dimensions.
    points : ndarray of shape (n, 2)
        In its pixels.

    Returns
    -------
    n_inside : int
        Number of points.
    """
    world = np.array([layer.data_to_world(point)[-2:] for point in points])
    inside = np.zeros(len(points), dtype=bool)
    for corners, kind in zip(shapes.data, shapes.shape_type, strict=True):
        if kind in AREAS and len(points):
            outline = _ellipse(corners) if kind == "ellipse" else np.asarray(corners)
            outline = [shapes.data_to_world(corner)[-2:] for corner in outline]
            inside |= points_in_poly(world, outline)
    return int(inside.sum())


def _ellipse(corners):
    """Return points on the ellipse in a box that may be turned."""
    corners = np.asarray(corners, dtype=float)
    middle = corners.mean(axis=0)
    half, other = (corners[1] - corners[0]) / 2, (corners[3] - corners[0]) / 2
    angle = 2 * np.pi * np.arange(N_ANGLES)[:, np.newaxis] / N_ANGLES
    return middle + np.cos(angle) * half + np.sin(angle) * other

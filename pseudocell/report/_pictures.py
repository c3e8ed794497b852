"""Pictures for a page: parts of images as JPEG, and marks on them as paths of SVG."""

import base64
import io
from typing import NamedTuple

import numpy as np
from PIL import Image

from pseudocell.plotting import to_colour

__all__ = ["Mark", "Picture", "close_up", "cut_picture", "fullest_part", "mark"]

# Side of a picture in cell radii, so that a cell can be seen, and in pixels at most.
SIDE, MOST_PIXELS = 40, 640
# Around a single cell, in cell radii.
CLOSE_SIDE = 8
QUALITY = 85


class Picture(NamedTuple):
    """A part of an image: ``data`` for its address, its corner, height and width."""

    data: str
    corner: tuple
    shape: tuple


class Mark(NamedTuple):
    """Points of one kind on a picture: ``path`` is their shape in SVG."""

    kind: str
    path: str
    number: int


def fullest_part(shape, points, cell_radius, side=SIDE):
    """Choose the part of an image with the most points.

    Parameters
    ----------
    shape : tuple of int
        Of the image.
    points : ndarray of shape (n, 2)
        (row, col) in pixels.
    cell_radius : float
        In pixels.
    side : float, default=40
        Of the part, in cell radii.

    Returns
    -------
    window : ((int, int), (int, int))
        Corner, and height and width; the whole image if it is smaller.
    """
    size = np.minimum(np.array(shape[:2]), max(8, int(side * cell_radius)))
    centres = points if len(points) else np.array([shape[:2]]) / 2
    # Some points are enough to choose from, and a distance of each pair is not.
    centres = centres[:: max(1, len(centres) // 100)]
    corners = np.clip(np.round(centres - size / 2), 0, np.array(shape[:2]) - size)
    inside = [((points >= c) & (points < c + size)).all(axis=1).sum() for c in corners]
    corner = corners[int(np.argmax(inside))].astype(int)
    return tuple(map(int, corner)), tuple(map(int, size))


def cut_picture(image, window, within=None):
    """Cut a part of an image as a picture.

    Parameters
    ----------
    image : Image
        The image.
    window : ((int, int), (int, int))
        Corner, and height and width.
    within : ((int, int), (int, int)), optional
        A larger part, whose grey values tell what is black and white.

    Returns
    -------
    picture : Picture
    """
    (row, col), (height, width) = within or window
    pixels = to_colour(np.asarray(image[row : row + height, col : col + width]))
    (top, left), shape = window
    pixels = pixels[top - row :, left - col :][: shape[0], : shape[1]]
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((MOST_PIXELS, MOST_PIXELS), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    picture.save(content, format="jpeg", quality=QUALITY, subsampling=0)
    data = base64.b64encode(content.getvalue()).decode()
    return Picture(f"data:image/jpeg;base64,{data}", window[0], window[1])


def close_up(image, point, cell_radius):
    """Cut what is around one cell, grey as in its surroundings.

    Parameters
    ----------
    image : Image
        The image.
    point : ndarray of shape (2,)
        (row, col) in pixels.
    cell_radius : float
        In pixels.

    Returns
    -------
    picture : Picture
    """
    point = np.reshape(point, (1, 2))
    window = fullest_part(image.shape, point, cell_radius, CLOSE_SIDE)
    return cut_picture(image, window, fullest_part(image.shape, point, cell_radius))


def mark(kind, picture, points, cell_radius):
    """Return the marks of points on a picture.

    Parameters
    ----------
    kind : str
        A key of ``SHAPES``.
    picture : Picture
        The part of the image.
    points : ndarray of shape (n, 2)
        (row, col) in pixels of the image; those outside of the part are left out.
    cell_radius : float
        In pixels.

    Returns
    -------
    marks : Mark
    """
    places = np.reshape(points, (-1, 2)) - picture.corner
    places = places[((places >= -0.5) & (places < picture.shape)).all(axis=1)] + 0.5
    draw = SHAPES[kind]
    path = "".join(draw(col, row, cell_radius) for row, col in places.tolist())
    return Mark(kind, path, len(places))


def _ring(x, y, r):
    arc = f"a{r:.1f} {r:.1f} 0 1 0"
    return f"M{x - r:.1f} {y:.1f}{arc} {2 * r:.1f} 0{arc} {-2 * r:.1f} 0"


def _dot(x, y, r):
    return _ring(x, y, 0.35 * r)


def _cross(x, y, r):
    half = 0.6 * r
    side = f"{2 * half:.1f}"
    return f"M{x - half:.1f} {y - half:.1f}l{side} {side}m0 -{side}l-{side} {side}"


def _diamond(x, y, r):
    return f"M{x:.1f} {y - r:.1f}l{r:.1f} {r:.1f}l-{r:.1f} {r:.1f}l-{r:.1f} -{r:.1f}z"


def _square(x, y, r):
    return f"M{x - r:.1f} {y - r:.1f}h{2 * r:.1f}v{2 * r:.1f}h-{2 * r:.1f}z"


# Each kind has a shape of its own, for those who cannot tell the colours.
SHAPES = {
    "click": _dot,
    "positive": _ring,
    "negative": _cross,
    "undecided": _diamond,
    "found": _ring,
    "wrong": _cross,
    "missed": _square,
}

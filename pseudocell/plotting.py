"""Pictures: points as rings on the image, and panels side by side."""

from __future__ import annotations

from itertools import count
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw, ImageFont

from pseudocell._geometry._matching import match_points
from pseudocell._images import Images
from pseudocell._parameters import DISTANCE, RADIUS, Number, checked
from pseudocell._validation import ListLike, check_image, check_images, check_points

__all__ = [
    "CLICK",
    "DETECTION",
    "MISSED",
    "WRONG",
    "draw_matches",
    "draw_panels",
    "draw_points",
    "to_colour",
]

# Colours that people with any kind of colour blindness tell apart: after Okabe, Ito,
# "Color Universal Design", 2008, and brighter for rings on grey.
CLICK = (255, 176, 0)
DETECTION = (64, 224, 255)
WRONG = (255, 92, 30)
MISSED = (255, 255, 255)
BACKGROUND = (250, 250, 250)
INK = (38, 42, 48)

# Percentiles that are shown black and white.
LOW, HIGH = 0.5, 99.5
MAX_SAMPLES = 250_000
# Longest side of a picture in pixels: small images are magnified until rings are
# crisp, large ones reduced until a viewer opens them at once.
SMALLEST_SIDE, LARGEST_SIDE = 900, 4000
LARGEST_ZOOM = 4
# Radius in pixels of the picture: magnify up to the first, never draw below the other.
CLEAR_RING, SMALLEST_RING = 8.0, 3.0


@checked(cell_radius=[RADIUS], color=[tuple, list], zoom=[RADIUS, None])
def draw_points(
    image: ArrayLike,
    points: ArrayLike,
    cell_radius: float,
    color: tuple[int, ...] = DETECTION,
    zoom: float | None = None,
) -> np.ndarray:
    """Draw points as rings on an image.

    Parameters
    ----------
    image : array-like of shape (H, W) or (H, W, C)
        Any real dtype. Its 0.5th and 99.5th percentiles become black and white;
        three channels are taken as red, green and blue, other numbers averaged.
    points : array-like of shape (n, 2)
        (row, col) in pixels of the image. Points outside are cut off or not seen.
    cell_radius : float
        Radius of the rings in pixels of the image.
    color : tuple of int, default=DETECTION
        Red, green and blue, 0 to 255.
    zoom : float, optional
        Pixels of the picture for one of the image. By default small images are
        magnified up to four times and very large ones reduced.

    Returns
    -------
    picture : uint8 ndarray of shape (round(H * zoom), round(W * zoom), 3)
        The picture.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell.plotting import draw_points
    >>> picture = draw_points(np.zeros((9, 9)), [(4, 4)], 3, (9, 0, 0), zoom=1)
    >>> picture[4, :, 0]
    array([0, 9, 0, 0, 0, 0, 0, 9, 0], dtype=uint8)
    """
    grey = Number(Integral, 0, 255)
    if len(color) != 3 or not all(map(grey.is_satisfied_by, color)):
        raise ValueError(f"color is {color!r:.80}; expected red, green, blue to 255.")
    points = _check_points(points, "points")
    return _draw_groups(image, [(points, color)], cell_radius, zoom)


@checked(cell_radius=[RADIUS], max_distance=[DISTANCE])
def draw_matches(
    image: ArrayLike,
    points_true: ArrayLike,
    points_pred: ArrayLike,
    cell_radius: float,
    max_distance: float,
) -> np.ndarray:
    """Draw which detections are right, which are wrong and which cells are missed.

    Parameters
    ----------
    image : array-like of shape (H, W) or (H, W, C)
        Any real dtype, shown as by `draw_points`.
    points_true : array-like of shape (n, 2)
        (row, col) of all the cells in pixels. Those without a detection get a ring
        of the colour ``MISSED``.
    points_pred : array-like of shape (m, 2)
        (row, col) of the detections, drawn in ``DETECTION`` where they match a cell
        and in ``WRONG`` where they do not.
    cell_radius : float
        Radius of the rings in pixels of the image.
    max_distance : float
        Largest distance of a match in pixels of the image.

    Returns
    -------
    picture : uint8 ndarray of shape (H', W', 3)
        The picture.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell.plotting import WRONG, draw_matches
    >>> found = [(20, 21), (70, 70)]
    >>> picture = draw_matches(np.zeros((90, 90)), [(20, 20)], found, 8, 8)
    >>> bool(np.any(np.all(picture == WRONG, axis=2)))  # the ring at (70, 70)
    True
    """
    true = _check_points(points_true, "points_true")
    pred = _check_points(points_pred, "points_pred")
    matched_true, matched_pred = match_points(true, pred, max_distance)
    missed = np.delete(true, matched_true, axis=0)
    wrong = np.delete(pred, matched_pred, axis=0)
    groups = [(missed, MISSED), (wrong, WRONG), (pred[matched_pred], DETECTION)]
    return _draw_groups(image, groups, cell_radius, None)


@checked(gap=[Number(Integral, 0)])
def draw_panels(
    pictures: ListLike, captions: Any, gap: int = 24, legend: Any = ()
) -> np.ndarray:
    """Put pictures side by side, each under its caption.

    Parameters
    ----------
    pictures : sequence of uint8 ndarray of shape (H, W, 3)
        They are scaled to the height of the first one.
    captions : sequence of (str, str)
        Title and a line below it for each picture, both short.
    gap : int, default=24
        Pixels between the pictures and around them.
    legend : sequence of (tuple of int, str), default=()
        Colours of rings and what they mean, for a line below the pictures.

    Returns
    -------
    figure : uint8 ndarray of shape (H', W', 3)
        The figure.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell.plotting import draw_panels
    >>> left, right = np.zeros((2, 300, 400, 3), dtype=np.uint8)
    >>> figure = draw_panels([left, right], [("Clicks", "6"), ("Found", "60")], gap=24)
    >>> figure.shape[1] == 3 * 24 + 2 * 400
    True
    """
    try:
        pictures = [*map(_check_picture, check_images(pictures), count())]
    except ValueError as error:
        raise ValueError(str(error).replace("images", "pictures")) from error
    captions = _check_pairs(captions, len(pictures))
    height = pictures[0].shape[0]
    panels = [_resize(one, height / one.shape[0]) for one in pictures]
    title_size, line_size = max(14, round(height / 26)), max(11, round(height / 36))
    top = round(gap * 0.75) + round(1.25 * title_size + 1.5 * line_size)
    width = sum(panel.shape[1] for panel in panels) + gap * (len(panels) + 1)
    below = top + height + gap
    n_rows = below + (round(2.5 * line_size) if legend else 0)
    figure = Image.new("RGB", (width, n_rows), BACKGROUND)
    pen = ImageDraw.Draw(figure)
    left = gap
    for panel, (title, line) in zip(panels, captions, strict=True):
        figure.paste(Image.fromarray(panel), (left, top))
        y = round(gap * 0.75)
        pen.text((left, y), title, INK, ImageFont.load_default(title_size))
        y += round(1.25 * title_size)
        pen.text((left, y), line, INK, ImageFont.load_default(line_size))
        left += panel.shape[1] + gap
    _draw_legend(pen, legend, gap, below, line_size)
    return np.asarray(figure)


def _check_image(image):
    """Return the pixels of an image; the error says "image" and no number."""
    try:
        return np.asarray(Images([image])[0])
    except ValueError as error:
        raise ValueError(str(error).replace("images[0]", "image")) from error


def _check_points(points, name):
    try:
        return check_points([points], name=name)[0]
    except ValueError as error:
        raise ValueError(str(error).replace(f"{name}[0]", name)) from error


def _check_picture(picture, index):
    array = check_image(picture, index)
    if array.dtype != np.uint8 or array.shape[2:] != (3,):
        raise ValueError(
            f"pictures[{index}] has shape {array.shape} and dtype {array.dtype}; "
            "expected (H, W, 3) of uint8, as draw_points returns."
        )
    return array


def _check_pairs(captions, n_pictures):
    """Return as many pairs of texts as there are pictures."""
    pairs = list(captions) if isinstance(captions, tuple | list) else []
    if len(pairs) != n_pictures or any(
        not isinstance(pair, tuple | list) or [*map(type, pair)] != [str, str]
        for pair in pairs
    ):
        raise ValueError(
            f"captions is {captions!r:.80}; expected a title and a line for each of "
            f"{n_pictures} pictures."
        )
    return pairs


def _draw_legend(pen, legend, left, top, size):
    font = ImageFont.load_default(size)
    for color, text in legend:
        box = (left, top, left + 1.2 * size, top + 1.2 * size)
        pen.ellipse(box, fill=color, outline=(90, 90, 90), width=2)
        left += 1.6 * size
        pen.text((left, top), text, INK, font)
        left += pen.textlength(text, font) + 2 * size


def _draw_groups(image, groups, cell_radius, zoom):
    """Draw groups of (points, color), the last one on top."""
    image = _check_image(image)
    if zoom is None:
        zoom = _choose_zoom(image.shape, cell_radius)
    picture = _resize(to_colour(image), zoom)
    ratio = np.array(picture.shape[:2]) / image.shape[:2]
    radius = max(SMALLEST_RING, cell_radius * float(ratio.mean()))
    # Thin on small cells, so that the cell can still be seen in its ring.
    width = float(np.clip(radius / 4.5, 1.0, 3.5))
    rings = [
        (centre, color)
        for points, color in groups
        for centre in (np.reshape(points, (-1, 2)).astype(float) + 0.5) * ratio - 0.5
    ]
    canvas = picture.astype(np.float32)
    for centre, _ in rings:  # a dark edge, for bright images
        _draw_ring(canvas, centre, radius, width + 2.5, (0, 0, 0), 0.6)
    for centre, color in rings:
        _draw_ring(canvas, centre, radius, width, color, 1.0)
    return (canvas + 0.5).astype(np.uint8)


def _choose_zoom(shape, cell_radius):
    longest = max(shape[:2])
    if longest > LARGEST_SIDE:
        return LARGEST_SIDE / longest
    # A whole number keeps all pixels of the image of the same size.
    wanted = max(round(SMALLEST_SIDE / longest), np.ceil(CLEAR_RING / cell_radius))
    return int(max(1, min(wanted, LARGEST_ZOOM, LARGEST_SIDE // longest)))


def to_colour(image: np.ndarray) -> np.ndarray:
    """Stretch an image between its percentiles.

    Parameters
    ----------
    image : ndarray of shape (H, W) or (H, W, C)
        Any real dtype, shown as by `draw_points`.

    Returns
    -------
    picture : uint8 ndarray of shape (H, W, 3)
        The picture.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell.plotting import to_colour
    >>> to_colour(np.arange(12.0).reshape(3, 4)).shape
    (3, 4, 3)
    """
    if image.ndim == 3 and image.shape[2] != 3:
        image = image.mean(axis=2)
    step = max(1, int(np.sqrt(image.size / MAX_SAMPLES)))
    low, high = np.percentile(image[::step, ::step].astype(np.float32), (LOW, HIGH))
    if high <= low:
        # A few bright spots on nothing: the percentiles are equal.
        low, high = float(image.min()), float(image.max())
    scale = 255 / (high - low) if high > low else 0.0
    grey = (image.astype(np.float32) - np.float32(low)) * np.float32(scale)
    grey = (np.clip(grey, 0, 255) + 0.5).astype(np.uint8)
    return grey if grey.ndim == 3 else np.repeat(grey[..., np.newaxis], 3, axis=2)


def _resize(picture, zoom):
    height, width = (max(1, round(side * zoom)) for side in picture.shape[:2])
    if (height, width) == picture.shape[:2]:
        return picture
    resized = Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(resized)


def _draw_ring(canvas, centre, radius, width, color, opacity):
    """Blend an anti-aliased ring into a float picture, in place."""
    reach = radius + width / 2 + 1
    row_0, col_0 = np.maximum(0, np.floor(centre - reach)).astype(int)
    row_1, col_1 = np.maximum(0, np.ceil(centre + reach) + 1).astype(int)
    window = canvas[row_0:row_1, col_0:col_1]
    rows = np.arange(row_0, row_0 + window.shape[0])[:, np.newaxis] - centre[0]
    cols = np.arange(col_0, col_0 + window.shape[1]) - centre[1]
    # Share of each pixel that the ring covers, by its distance from the line.
    off_line = np.abs(np.hypot(rows, cols) - radius)
    cover = opacity * np.clip((width + 1) / 2 - off_line, 0, 1)[..., np.newaxis]
    window += cover.astype(np.float32) * (np.float32(color) - window)

"""Clicks as people make them: not at random, not in the middle, not all on cells."""

import numpy as np
from scipy.spatial import cKDTree

from pseudocell._images import Images
from pseudocell._parameters import RADIUS, SEED, SHARE, checked
from pseudocell._validation import (
    check_image,
    check_images,
    check_points,
    check_points_inside,
)
from pseudocell.datasets._annotation import count_kept, drop_points

__all__ = ["CLICK_BIASES", "bias_clicks"]

# In cell radii: how far a click may be off the centre, how far a click on nothing is
# from every cell at least, and the outer edge of the ring around a cell.
OFF_CENTRE, CLEARANCE, RING = 0.3, 1.5, 1.5
STRAY_SHARE = 0.02
# Places that are tried in an image for a click on nothing.
N_PLACES = 10_000


@checked(fraction=[SHARE], cell_radius=[RADIUS], random_state=[*SEED])
def bias_clicks(images, points, kind, fraction=0.1, *, cell_radius, random_state=None):
    """Choose the clicks of a person who does not click at random.

    Where it is not said otherwise, ``ceil(fraction * n)`` of the n cells of each image
    are clicked, as many as `drop_points` keeps.

    ============  ======================================================================
    kind          which cells are clicked, and where
    ============  ======================================================================
    "brightest"   those that stand out most: largest absolute difference of the mean
                  grey value within one radius and that from there to 1.5 radii
    "corner"      those nearest to one corner of the image, a random one
    "off-centre"  random ones, each click up to 0.3 radii off, uniform in that disc
    "stray"       random ones; then 2 % of all clicks, at least one, are moved to a
                  random place of their image farther than 1.5 radii from every cell
    "one-image"   all of one image and none of the others: of the images with cells, the
                  one with the median number of them, whatever the fraction
    ============  ======================================================================

    Parameters
    ----------
    images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
        The images. Their pixels matter for "brightest" alone.
    points : sequence of array-like of shape (n_i, 2)
        All the cells of each image, one (row, col) per row, in pixels.
    kind : str
        One of `CLICK_BIASES`.
    fraction : float, default=0.1
        Share of the cells that is clicked, from 0 to 1.
    cell_radius : float
        Radius of a cell in pixels.
    random_state : int or numpy.random.Generator, optional
        Seed of the draws. "off-centre" and "stray" begin with the cells that
        `drop_points` keeps with the same seed.

    Returns
    -------
    clicks : list of float ndarray of shape (m_i, 2)
        The clicks of each image, inside of it, in the order of its points.

    Raises
    ------
    ValueError
        If an argument is not as described, or the images are so full of cells that
        there is no place for a click on nothing.

    Examples
    --------
    Of three cells, the dark one in the middle stands out most.

    >>> import numpy as np
    >>> from pseudocell.datasets import bias_clicks
    >>> points = [(5, 5), (5, 15), (5, 25)]
    >>> image = np.full((11, 31), 100)
    >>> for (row, col), grey in zip(points, [120, 40, 130]):
    ...     image[row - 2 : row + 3, col - 2 : col + 3] = grey
    >>> bias_clicks([image], [points], "brightest", cell_radius=3)
    [array([[ 5., 15.]])]
    """
    images = check_images(images)
    shapes = Images(images).shapes
    points = check_points(points, len(images))
    for index, (rows, shape) in enumerate(zip(points, shapes, strict=True)):
        check_points_inside(rows, shape, index)
    if not isinstance(kind, str) or kind not in _CHOOSE:
        raise ValueError(
            f"kind is {kind!r:.80}; expected one of {', '.join(CLICK_BIASES)}."
        )
    rng = np.random.default_rng(random_state)
    return _CHOOSE[kind](images, shapes, points, fraction, cell_radius, rng)


def _click_brightest(images, shapes, points, fraction, cell_radius, rng):
    clicks = []
    for index, rows in enumerate(points):
        if not len(rows):
            clicks.append(rows)
            continue
        image = check_image(images[index], index).astype(float)
        image = image.mean(axis=2) if image.ndim == 3 else image
        contrasts = [_contrast(image, point, cell_radius) for point in rows]
        clicks.append(_first(rows, -np.array(contrasts), fraction))
    return clicks


def _contrast(image, point, cell_radius):
    """Return how much a disc differs from its ring; 0 where one of them is empty."""
    low = np.maximum(np.floor(point - RING * cell_radius).astype(int), 0)
    high = np.ceil(point + RING * cell_radius).astype(int) + 1
    window = image[low[0] : high[0], low[1] : high[1]]
    row, col = np.indices(window.shape)
    distance = np.hypot(row + low[0] - point[0], col + low[1] - point[1]) / cell_radius
    disc, ring = distance <= 1, (distance > 1) & (distance <= RING)
    if not (disc.any() and ring.any()):
        return 0.0
    return abs(window[disc].mean() - window[ring].mean())


def _click_corner(images, shapes, points, fraction, cell_radius, rng):
    clicks = []
    for rows, shape in zip(points, shapes, strict=True):
        corner = rng.integers(2, size=2) * (np.array(shape[:2]) - 1)
        clicks.append(_first(rows, np.hypot(*(rows - corner).T), fraction))
    return clicks


def _first(rows, keys, fraction):
    """Return the share of the rows with the lowest keys, in their order."""
    order = np.argsort(keys, kind="stable")
    return rows[np.sort(order[: count_kept(len(rows), fraction)])]


def _click_off_centre(images, shapes, points, fraction, cell_radius, rng):
    clicks = drop_points(points, fraction, rng)
    for rows, shape in zip(clicks, shapes, strict=True):
        # The root makes it uniform in area.
        length = OFF_CENTRE * cell_radius * np.sqrt(rng.random(len(rows)))
        angle = rng.uniform(0, 2 * np.pi, len(rows))
        rows += np.column_stack([length * np.sin(angle), length * np.cos(angle)])
        # An image ends half a pixel outside the centre of its last one.
        np.clip(rows, -0.5, np.nextafter(np.array(shape[:2]) - 0.5, 0), out=rows)
    return clicks


def _click_stray(images, shapes, points, fraction, cell_radius, rng):
    clicks = drop_points(points, fraction, rng)
    places = [(i, j) for i, rows in enumerate(clicks) for j in range(len(rows))]
    n_left = count_kept(len(places), STRAY_SHARE)
    for number in rng.permutation(len(places)):
        if not n_left:
            break
        i, j = places[number]
        somewhere = rng.uniform(0, np.array(shapes[i][:2]) - 1.0, size=(N_PLACES, 2))
        distances, _ = cKDTree(points[i]).query(somewhere)
        free = somewhere[distances > CLEARANCE * cell_radius]
        if len(free):
            clicks[i][j] = free[0]
            n_left -= 1
    if n_left:
        raise ValueError(
            f"No place for a click on nothing: hardly any pixel is farther than "
            f"{CLEARANCE:g} times cell_radius={cell_radius:g} from every cell. Is the "
            "radius right?"
        )
    return clicks


def _click_one_image(images, shapes, points, fraction, cell_radius, rng):
    by_number = sorted(
        (index for index, rows in enumerate(points) if len(rows)),
        key=lambda index: len(points[index]),
    )
    chosen = by_number[len(by_number) // 2] if by_number else None
    return [rows if i == chosen else rows[:0] for i, rows in enumerate(points)]


_CHOOSE = {
    "brightest": _click_brightest,
    "corner": _click_corner,
    "off-centre": _click_off_centre,
    "stray": _click_stray,
    "one-image": _click_one_image,
}
CLICK_BIASES = tuple(_CHOOSE)

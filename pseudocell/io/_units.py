"""Points in other units than pixels: converted, or refused where they contradict."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from pseudocell.io._names import shorten
from pseudocell.io._point_formats import UNITS, PointUnit

__all__ = ["check_alike", "check_places", "check_unit", "pixel_size_of", "to_pixels"]

# Chance of clicks lying where another unit would put them; less is no chance.
NO_CHANCE = 1e-4
# In the unit that explains them, clicks reach so far across the image.
REACH = 0.6
# Clicks that are closer than that, in pixels, are on one cell.
SAME = 1.5
OTHER_WORDS = {
    "um": "micrometres",
    "fraction": "fractions of the size of the image",
    "percent": "percent of the size of the image",
}
FIX = "say it by --unit (read_points(..., unit=...)) or by column names such as x [px]"


@dataclass
class _Placed:
    """Points of one image that is here."""

    label: str
    points: np.ndarray
    shape: tuple
    pixel_size: np.ndarray | None


def pixel_size_of(image, given=None):
    """Return the pixel size of an image for row and col in micrometres, or None."""
    size = given if given is not None else getattr(image, "pixel_size", None)
    if size is None:
        return None
    size = np.broadcast_to(np.asarray(size, dtype=float), (2,))
    if not (np.isfinite(size) & (size > 0)).all():
        raise ValueError(
            f"The pixel size is {size.tolist()}; expected micrometres above 0."
        )
    return size


def to_pixels(points, unit, image, label, source, pixel_size=None):
    """Convert points of an image into pixels.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
        (row, col) in the unit.
    unit : PointUnit
        Theirs.
    image : image or None
        With `shape` and `pixel_size` (micrometres) as far as they are known.
    label, source : str
        For messages.
    pixel_size : float, optional
        Instead of that of the image.

    Returns
    -------
    points : ndarray of shape (n, 2)
        (row, col) in pixels, an integer is the centre of a pixel.
    note : str or None
        How they were taken, where it is not plain.

    Raises
    ------
    ValueError
        If the size of the image or of its pixels is needed and not known.
    """
    shape = getattr(image, "shape", None)
    size = pixel_size_of(image, pixel_size)
    if unit.name == "calibrated":
        if size is None or np.allclose(size, 1):
            return points - unit.half, None
        scaled = points / size - unit.half
        if (
            not _inside(scaled, shape).all()
            and _inside(points - unit.half, shape).all()
        ):
            return points - unit.half, (
                f"{source} is a Results table in pixels, though {label} has a pixel "
                f"size of {_text(size)} µm: divided by that they would lie outside."
            )
        return scaled, (
            f"{source} is a Results table of Fiji, taken to be in micrometres: "
            f"divided by the pixel size of {label}, {_text(size)} µm."
        )
    if unit.name == "um" and size is None:
        raise ValueError(
            f"{source} has points in micrometres, and the pixel size of {label} is "
            "not known; give it by --pixel-size (points_for_images(..., "
            "pixel_size=...))."
        )
    if unit.name in ("fraction", "percent") and shape is None:
        raise ValueError(
            f"{source} has points in {OTHER_WORDS[unit.name]}, and the size of {label} "
            "is not known; give the images."
        )
    return points * unit.scale(shape, size) - unit.half, None


def check_places(points, images, labels, source, pixel_size=None, in_doubt=True):
    """Check that points look like pixels of their images.

    Parameters
    ----------
    points : list of ndarray of shape (n_i, 2)
        (row, col) in what is taken for pixels.
    images : sequence
        The images; of those with a `shape` the points are checked against it.
    labels : list of str
        Of the images.
    source : str
        Where the points come from.
    pixel_size : float, optional
        Instead of that of the images.
    in_doubt : bool, default=True
        Whether nobody has said what the unit is.

    Returns
    -------
    notes : list of str
        What is doubtful.

    Raises
    ------
    ValueError
        If points lie outside, or where another unit would put them; with the cause.
    """
    placed = [
        _Placed(label, some, tuple(image.shape[:2]), pixel_size_of(image, pixel_size))
        for some, image, label in zip(points, images, labels, strict=True)
        if len(some) and getattr(image, "shape", None) is not None
    ]
    _check_one_pixel(points, source)
    for one in placed:
        _check_inside(one, source)
    if placed and in_doubt:
        _check_other_units(placed, source)
    return _doubles(points, labels, source)


def _check_one_pixel(points, source):
    """Refuse points that are all in one pixel, as fractions of an image are."""
    everything = np.concatenate(list(points)) if len(points) else np.zeros((0, 2))
    if len(everything) < 3:
        return
    if np.ptp(everything, axis=0).max() <= 1:
        low, high = everything.min(), everything.max()
        cause = "Is the wrong column taken, or the wrong unit?"
        if low >= 0 and high <= 1:
            cause = f"Are they {OTHER_WORDS['fraction']}? If so, {FIX}."
        raise ValueError(
            f"{source} has {len(everything)} points, and all are within one pixel, at "
            f"({everything[0, 0]:g}, {everything[0, 1]:g}). {cause}"
        )


def _check_inside(one, source):
    inside = _inside(one.points, one.shape)
    if inside.all():
        return
    row, col = one.points[~inside][0]
    cause = "Are they points of another image, or of another size of it?"
    if _inside(one.points[:, ::-1], one.shape).all():
        cause = (
            "Swapped they would fit: are they (x, y)? Name the columns x and y, or "
            "row and col."
        )
    elif (
        one.pixel_size is not None
        and _inside(one.points / one.pixel_size, one.shape).all()
    ):
        cause = (
            f"Divided by the pixel size of {_text(one.pixel_size)} µm they would fit: "
            f"are they in micrometres? If so, {FIX}."
        )
    raise ValueError(
        f"{source} has {int((~inside).sum())} of {len(one.points)} points outside "
        f"{one.label}, of {one.shape[0]} x {one.shape[1]} pixels, for example (row, "
        f"col) = ({row:g}, {col:g}). {cause}"
    )


def _check_other_units(placed, source):
    """Refuse points that lie just where another unit would put them, and reach far."""
    for name in ("um", "percent"):
        shares, chance = [], 1.0
        for one in placed:
            unit = PointUnit(name)
            if name == "um" and one.pixel_size is None:
                break
            extent = np.array(one.shape) / unit.scale(one.shape, one.pixel_size)
            share = (one.points + 0.5) / extent
            shares.append(share)
            part = float(np.prod(np.minimum(extent / np.array(one.shape), 1)))
            chance *= part ** len(one.points)
        else:
            shares = np.concatenate(shares)
            # In percent of an image as large as this one they would be pixels, too.
            fits = shares.max() <= 1.02 and shares.max(axis=0).min() >= REACH
            if name == "percent":
                fits = fits and shares.max(axis=0).min() >= 0.85 and len(shares) >= 10
            if fits and chance < NO_CHANCE:
                why = OTHER_WORDS[name]
                if name == "um":
                    why += f" (a pixel is {_text(placed[0].pixel_size)} µm)"
                names = shorten([one.label for one in placed])
                raise ValueError(
                    f"{source} has points in one corner of {names} only, all over the "
                    f"part where they would lie in {why}. If they are in "
                    f"{OTHER_WORDS[name]} or, after all, in pixels, {FIX}."
                )


def check_alike(pairs, max_distance, found, truth):
    """Refuse points that match the true ones only if swapped or scaled.

    Parameters
    ----------
    pairs : list of (ndarray of shape (n, 2), ndarray of shape (m, 2))
        True points and points found of each image.
    max_distance : float
        Of a match.
    found, truth : str
        Where they come from.

    Raises
    ------
    ValueError
        If they match far better when row and col change places, or when all are
        larger or smaller by one factor.
    """
    true, other = (np.concatenate(list(some)) for some in zip(*pairs, strict=True))
    if min(len(true), len(other)) < 8:
        return
    plain = _share_matched(pairs, max_distance)
    if plain > 0.3:
        return
    swapped = [(one, some[:, ::-1]) for one, some in pairs]
    causes = {"if row and col change places: is one of them (x, y)?": swapped}
    factor = np.quantile(true + 0.5, 0.98, axis=0) / np.maximum(
        np.quantile(other + 0.5, 0.98, axis=0), 1e-9
    )
    if abs(np.log(factor)).min() > 0.1 and abs(np.log(factor[0] / factor[1])) < 0.2:
        scale = float(np.sqrt(factor.prod()))
        text = f"if it is multiplied by about {scale:.3g}: are both in pixels?"
        # The factor is known to a few percent only.
        causes[text] = [
            max(
                (
                    [(one, some * scale * shade) for one, some in pairs]
                    for shade in np.linspace(0.94, 1.06, 13)
                ),
                key=lambda some: _share_matched(some, max_distance),
            )
        ][0]
    for text, changed in causes.items():
        if _share_matched(changed, max_distance) > max(0.5, 2 * plain):
            raise ValueError(f"{found} matches {truth} far better {text}")


def _share_matched(pairs, max_distance):
    """Share of the true points that have one near, one to many."""
    near = [
        cKDTree(some).query(true)[0] <= max_distance
        if len(some)
        else np.zeros(len(true))
        for true, some in pairs
        if len(true)
    ]
    return float(np.concatenate(near).mean())


def _doubles(points, labels, source):
    """Name the images with clicks on clicks."""
    found = []
    for some, label in zip(points, labels, strict=True):
        if len(some) < 2:
            continue
        second = cKDTree(some).query(some, k=2, distance_upper_bound=SAME)[0][:, 1]
        n_doubles = int(np.isfinite(second).sum())
        if n_doubles:
            found.append(f"{label} ({n_doubles})")
    if not found:
        return []
    return [
        f"{source} has points within {SAME:g} px of another one, as double clicks "
        f"make; each counts: {shorten(found)}."
    ]


def _inside(points, shape):
    if shape is None:
        return np.ones(len(points), dtype=bool)
    size = np.array(shape[:2])
    # Half a pixel more, for a click on the very edge in another convention.
    return ((points >= -1) & (points <= size)).all(axis=1)


def _text(size):
    return f"{size[0]:g}" if size[0] == size[1] else f"{size[0]:g} x {size[1]:g}"


def check_unit(unit):
    """Return a unit that was given by name, None for none."""
    if unit is not None and unit not in UNITS:
        raise ValueError(f"unit is {unit!r}; expected one of {', '.join(UNITS)}.")
    return unit

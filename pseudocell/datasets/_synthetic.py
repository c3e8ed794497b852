"""Draw microscopy images in which the position of every cell is known."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from pseudocell.datasets import _shapes

__all__ = ["make_brightfield", "make_phase_contrast"]

# What lies about in a well, and how often.
_DEBRIS = {
    _shapes.draw_speck: 0.6,
    _shapes.draw_clump: 0.2,
    _shapes.draw_ring: 0.1,
    _shapes.draw_fibre: 0.1,
}

# An image is full when so many places in a row were taken already.
_MAX_MISSES = 1000


@dataclass(frozen=True)
class _Look:
    """How the cells of one culture look."""

    crowding: float  # sum of the cell areas over the area of the image
    elongation: float  # length over width
    halo: float  # brightness of the halo in grey levels
    clustering: float  # share of the cells that lie next to another
    disorder: float  # spread of the directions in radians
    dividing: float  # share of rounded cells


_LOOKS = {
    "control": _Look(0.20, 2.5, 45, 0.3, 0.5, 0.05),
    "fgf2": _Look(0.14, 5.0, 75, 0.1, 0.3, 0.08),
    "bmp2": _Look(0.10, 1.5, 25, 0.2, 1.0, 0.02),
    "fgf2+bmp2": _Look(0.24, 3.5, 60, 0.8, 0.15, 0.05),
}


def make_brightfield(
    n_images=4,
    shape=(256, 256),
    *,
    n_cells=40,
    cell_radius=8.0,
    debris=1.5,
    random_state=None,
):
    """Draw round cells in bright field among debris, beside a well edge.

    Cells are lenses with a dark rim and a bright centre, about a third of them next
    to another. Between them lie specks, grainy lumps, rings of the wrong size and
    fibres, and a well edge crosses the image. A detector that has only ever seen
    the surroundings of a few cells takes much of that for cells, while a person
    does not: the difficulty that pseudo negatives are there to remove.

    Parameters
    ----------
    n_images : int, default=4
        Number of images.
    shape : tuple of int, default=(256, 256)
        Height and width in pixels.
    n_cells : int, default=40
        Cells in each image.
    cell_radius : float, default=8.0
        Mean radius of a cell in pixels; everything else scales with it.
    debris : float, default=1.5
        Pieces of debris for each cell, fewer where there is no room. 0 leaves out
        the well edge too.
    random_state : int or numpy.random.Generator, optional
        Seed. The same seed gives the same images, whatever their number; None
        gives others at each call.

    Returns
    -------
    images : list of uint8 ndarray of shape (H, W)
        The images.
    points : list of float ndarray of shape (n_cells, 2)
        (row, col) of the centre of every cell, in pixels.

    Raises
    ------
    ValueError
        If an argument is out of range or the cells do not fit into the image.

    Examples
    --------
    >>> from pseudocell.datasets import make_brightfield
    >>> images, points = make_brightfield(2, random_state=0)
    >>> images[0].shape, images[0].dtype, points[0].shape
    ((256, 256), dtype('uint8'), (40, 2))
    """
    _check(n_images, shape, n_cells, cell_radius)
    if not 0 <= debris < np.inf:
        raise ValueError(
            f"debris is {debris}; expected 0 or more pieces for each cell."
        )
    rng = np.random.default_rng(random_state)
    images, points = [], []
    for _ in range(n_images):
        canvas = _illumination(shape, 125.0, rng)
        free = np.ones(shape, dtype=bool)
        if debris:
            distance = _shapes.draw_well_edge(canvas, cell_radius, rng)
            free = distance > 2.2 * cell_radius
        # A little less than two radii: some rims touch.
        spread = 1.8 * cell_radius * np.eye(2)
        centres = _scatter_cells(n_cells, free, cell_radius / 2, spread, 0.3, rng)
        for centre in centres:
            _shapes.draw_round_cell(canvas, centre, cell_radius, rng)
        n_pieces = round(debris * n_cells)
        places = _scatter_debris(n_pieces, shape, centres, 2.2 * cell_radius, rng)
        kinds = rng.choice(len(_DEBRIS), size=len(places), p=list(_DEBRIS.values()))
        for place, kind in zip(places, kinds, strict=True):
            list(_DEBRIS)[kind](canvas, place, cell_radius, rng)
        images.append(_expose(canvas, rng))
        points.append(centres)
    return images, points


def make_phase_contrast(
    n_images=4,
    shape=(256, 256),
    *,
    look="control",
    n_cells=None,
    cell_radius=10.0,
    random_state=None,
):
    """Draw elongated adherent cells with halos in phase contrast.

    Cells have a dark body, a bright halo and two thin tails; a few are rounded and
    bright because they divide. Neighbours point in similar directions. The looks
    are named after the four cultures of C2C12 cells of Ker et al., "Phase contrast
    time-lapse microscopy datasets with automated and manual cell tracking
    annotations", Scientific Data 2018, doi:10.1038/sdata.2018.237, which they
    imitate freely:

    =============  =========  ============  ======  =================
    look           crowding   length/width  halo    neighbourhood
    =============  =========  ============  ======  =================
    ``control``    medium     2.5           medium  some in groups
    ``fgf2``       low        5             strong  scattered
    ``bmp2``       very low   1.5           faint   scattered
    ``fgf2+bmp2``  high       3.5           strong  aligned in groups
    =============  =========  ============  ======  =================

    Parameters
    ----------
    n_images : int, default=4
        Number of images.
    shape : tuple of int, default=(256, 256)
        Height and width in pixels.
    look : {"control", "fgf2", "bmp2", "fgf2+bmp2"}, default="control"
        Form, halo and grouping of the cells.
    n_cells : int, optional
        Cells in each image. None takes as many as the look has on this area.
    cell_radius : float, default=10.0
        Radius of a disc with the area of a mean cell, in pixels.
    random_state : int or numpy.random.Generator, optional
        Seed. The same seed gives the same images, whatever their number; None
        gives others at each call.

    Returns
    -------
    images : list of uint8 ndarray of shape (H, W)
        The images.
    points : list of float ndarray of shape (n_cells, 2)
        (row, col) of the centre of every cell, in pixels.

    Raises
    ------
    ValueError
        If an argument is out of range or the cells do not fit into the image.

    Examples
    --------
    >>> from pseudocell.datasets import make_phase_contrast
    >>> images, points = make_phase_contrast(1, look="fgf2", random_state=0)
    >>> images[0].shape, len(points[0])
    ((256, 256), 29)
    """
    if look not in _LOOKS:
        raise ValueError(f"look is {look!r}; expected one of {sorted(_LOOKS)}.")
    form = _LOOKS[look]
    _check(n_images, shape, n_cells or 0, cell_radius)
    if n_cells is None:
        n_cells = round(form.crowding * np.prod(shape) / (np.pi * cell_radius**2))
    rng = np.random.default_rng(random_state)
    images, points = [], []
    for _ in range(n_images):
        canvas = _illumination(shape, 95.0, rng)
        direction = rng.uniform(0, np.pi)
        sine, cosine = np.sin(direction), np.cos(direction)
        axes = np.array([[sine, cosine], [cosine, -sine]])
        half = cell_radius * np.sqrt(form.elongation) ** np.array([1, -1])
        free = np.ones(shape, dtype=bool)
        centres = _scatter_cells(
            n_cells, free, cell_radius / 2, 2.0 * axes * half, form.clustering, rng
        )
        angles = direction + rng.normal(0, form.disorder, size=n_cells)
        for centre, angle in zip(centres, angles, strict=True):
            if rng.random() < form.dividing:
                _shapes.draw_dividing_cell(canvas, centre, cell_radius, rng)
            else:
                _shapes.draw_spindle_cell(canvas, centre, cell_radius, form, angle, rng)
        images.append(_expose(canvas, rng))
        points.append(centres)
    return images, points


def _check(n_images, shape, n_cells, cell_radius):
    """Check what both kinds of images have in common."""
    if n_images < 1:
        raise ValueError(f"n_images is {n_images}; expected 1 or more.")
    if n_cells < 0:
        raise ValueError(f"n_cells is {n_cells}; expected 0 or more.")
    if not 1 <= cell_radius < np.inf:
        raise ValueError(f"cell_radius is {cell_radius}; expected 1 pixel or more.")
    if len(shape) != 2 or min(shape) < 4 * cell_radius:
        raise ValueError(
            f"shape is {shape}; expected (height, width) of at least 4 cell radii, "
            f"here {4 * cell_radius:g} pixels."
        )


def _illumination(shape, level, rng):
    """Light the empty field: a slope, and darker corners."""
    row = np.linspace(-1, 1, shape[0])[:, np.newaxis]
    col = np.linspace(-1, 1, shape[1])
    slope = rng.normal(0, 6, size=2)
    corners = rng.uniform(0, 8) * (row**2 + col**2)
    return level + slope[0] * row + slope[1] * col - corners


def _scatter_cells(n_cells, free, margin, spread, clustering, rng):
    """Draw centres on free pixels, not too near to each other or to the border.

    Two cells are at least 1 apart in the metric in which `spread`, of shape (2, 2),
    maps the unit circle to the nearest places of a neighbour, in pixels.
    """
    low, high = margin, np.array(free.shape) - 1 - margin
    to_metric = np.linalg.inv(spread)
    centres = np.empty((n_cells, 2))
    count = misses = 0
    while count < n_cells and misses < _MAX_MISSES:
        misses += 1
        centre = rng.uniform(low, high)
        if count and rng.random() < clustering:
            angle = rng.uniform(0, 2 * np.pi)
            step = rng.uniform(1, 1.2) * np.array([np.sin(angle), np.cos(angle)])
            centre = centres[count - 1] + spread @ step
        outside = (centre < low).any() or (centre > high).any()
        if outside or not free[tuple(centre.astype(int))]:
            continue
        gap = np.hypot(*(to_metric @ (centres[:count] - centre).T))
        if (gap >= 1).all():
            centres[count] = centre
            count, misses = count + 1, 0
    if count < n_cells:
        raise ValueError(
            f"n_cells is {n_cells}, but only {count} of these cells fit into "
            f"{free.shape} pixels. Draw fewer or smaller cells or larger images."
        )
    return centres


def _scatter_debris(n_pieces, shape, centres, clearance, rng):
    """Draw places at least `clearance` away from every cell."""
    places = rng.uniform(0, np.array(shape) - 1.0, size=(10 * n_pieces, 2))
    if len(centres):
        places = places[cKDTree(centres).query(places)[0] >= clearance]
    return places[:n_pieces]


def _expose(canvas, rng):
    """Blur by the optics, add the noise of the camera, return 8 bits."""
    picture = gaussian_filter(canvas, 0.7)
    picture += rng.normal(0, 3, size=canvas.shape)
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)

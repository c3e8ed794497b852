"""Draw microscopy images in which the position of every cell is known."""

from numbers import Integral

import numpy as np
from scipy.ndimage import gaussian_filter

from pseudocell._parameters import SEED, SHARE, Number, Shape, checked
from pseudocell.datasets import _phase_shapes, _shapes
from pseudocell.datasets._looks import PHASE_CONTRAST_LOOKS, PhaseContrastLook
from pseudocell.datasets._placement import scatter_cells, scatter_debris

__all__ = ["make_brightfield", "make_phase_contrast"]

# What lies about in a well, and how often.
_DEBRIS = {
    _shapes.draw_speck: 0.6,
    _shapes.draw_clump: 0.2,
    _shapes.draw_ring: 0.1,
    _shapes.draw_fibre: 0.1,
}

_PHASE_DEBRIS = {
    _phase_shapes.draw_remnant: 0.4,
    _phase_shapes.draw_bead: 0.2,
    _phase_shapes.draw_ghost: 0.2,
    _phase_shapes.draw_process: 0.2,
}

_COMMON = {
    "n_images": [Number(Integral, 1, words="1 or more")],
    "shape": [Shape()],
    "cell_radius": [Number(low=1, words="1 pixel or more")],
    "random_state": [*SEED],
}

# Grey levels by which the body of a cell is darker than the field.
_BODY = 38.0


@checked(
    n_cells=[Number(Integral, 0, words="0 or more")],
    clustering=[SHARE],
    debris=[Number(low=0, words="0 or more pieces for each cell")],
    **_COMMON,
)
def make_brightfield(
    n_images=4,
    shape=(256, 256),
    *,
    n_cells=40,
    cell_radius=8.0,
    clustering=0.3,
    debris=1.5,
    random_state=None,
):
    """Draw round cells in bright field among debris, beside a well edge.

    Cells are lenses with a dark rim and a bright centre. Between them lie specks,
    grainy lumps, rings of the wrong size and fibres, and a well edge crosses the
    image. A detector that has only ever seen the surroundings of a few cells takes
    much of that for cells, while a person does not: the difficulty that pseudo
    negatives are there to remove.

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
    clustering : float, default=0.3
        Share of the cells that are put next to another one, from 0 to 1.
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
    _check_size(shape, cell_radius)
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
        margin = cell_radius / 2
        centres = scatter_cells(n_cells, free, margin, spread, clustering, rng)
        for centre in centres:
            _shapes.draw_round_cell(canvas, centre, cell_radius, rng)
        n_pieces, clearance = round(debris * n_cells), 2.2 * cell_radius
        places = scatter_debris(n_pieces, shape, centres, clearance, spread, rng)
        _draw_debris(canvas, _DEBRIS, places, cell_radius, rng)
        images.append(_expose(canvas, rng))
        points.append(centres)
    return images, points


@checked(n_cells=[Number(Integral, 0, words="0 or more"), None], **_COMMON)
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

    Cells have a dark grainy body with a nucleus, a bright halo and two thin tails; a
    few are rounded and bright because they divide. Neighbours point in similar
    directions. Between them lie dark crumbs, bright droplets, lost processes and
    blobs out of focus.

    The named looks are those of the four cultures of C2C12 cells of Ker et al.,
    "Phase contrast time-lapse microscopy datasets with automated and manual cell
    tracking annotations", Scientific Data 2018, doi:10.1038/sdata.2018.237, which
    they imitate freely:

    =============  ========  ============  ======  =================
    look           density   length/width  halo    neighbourhood
    =============  ========  ============  ======  =================
    ``control``    medium    2.5           medium  some in groups
    ``fgf2``       low       5             strong  scattered
    ``bmp2``       very low  1.5           faint   scattered
    ``fgf2+bmp2``  high      3.5           strong  aligned in groups
    =============  ========  ============  ======  =================

    Parameters
    ----------
    n_images : int, default=4
        Number of images.
    shape : tuple of int, default=(256, 256)
        Height and width in pixels.
    look : str or PhaseContrastLook, default="control"
        Elongation, clustering, halo, density and debris: the name of a look in
        `PHASE_CONTRAST_LOOKS`, or a look of your own.
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
    >>> from dataclasses import replace
    >>> from pseudocell.datasets import PHASE_CONTRAST_LOOKS, make_phase_contrast
    >>> look = replace(PHASE_CONTRAST_LOOKS["fgf2"], halo=20, debris=0)
    >>> images, points = make_phase_contrast(1, look=look, random_state=0)
    >>> images[0].shape, len(points[0])
    ((256, 256), 29)
    """
    look = _check_look(look)
    _check_size(shape, cell_radius)
    if n_cells is None:
        n_cells = round(look.density * np.prod(shape) / (np.pi * cell_radius**2))
    rng = np.random.default_rng(random_state)
    images, points = [], []
    for _ in range(n_images):
        field = _illumination(shape, 95.0, rng)
        direction = rng.uniform(0, np.pi)
        spread = _neighbourhood(look, direction, cell_radius)
        free, margin = np.ones(shape, dtype=bool), cell_radius / 2
        centres = scatter_cells(n_cells, free, margin, spread, look.clustering, rng)
        phase = 0.05 * _shapes.grain(shape, 0.4 * cell_radius, rng)
        _draw_culture(phase, centres, look, direction, cell_radius, rng)
        n_pieces, clearance = round(look.debris * n_cells), 2 * cell_radius
        places = scatter_debris(n_pieces, shape, centres, clearance, spread, rng)
        _draw_debris(phase, _PHASE_DEBRIS, places, cell_radius, rng)
        images.append(_expose(_contrast(field, phase, look.halo, cell_radius), rng))
        points.append(centres)
    return images, points


def _check_look(look):
    """Look a name up; everything else must be a look."""
    if isinstance(look, PhaseContrastLook):
        return look
    if not isinstance(look, str) or look not in PHASE_CONTRAST_LOOKS:
        raise ValueError(
            f"look is {look!r}; expected a PhaseContrastLook or one of "
            f"{sorted(PHASE_CONTRAST_LOOKS)}."
        )
    return PHASE_CONTRAST_LOOKS[look]


def _check_size(shape, cell_radius):
    """Check that there is room for cells."""
    if min(shape) < 4 * cell_radius:
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


def _neighbourhood(look, direction, cell_radius):
    """Return the matrix that maps the unit circle to the nearest places of a neighbour.

    That is an ellipse along the mean direction. The more the directions differ, the
    rounder it is. Between any two cells there are two mean half axes and a little,
    as one in two is larger than the mean.
    """
    half = cell_radius * np.sqrt(look.elongation) ** np.array([1, -1])
    turned = min(look.disorder, np.pi / 4)
    half = np.hypot(half * np.cos(turned), half[::-1] * np.sin(turned))
    sine, cosine = np.sin(direction), np.cos(direction)
    return 2.2 * np.array([[sine, cosine], [cosine, -sine]]) * half


def _draw_culture(phase, centres, look, direction, cell_radius, rng):
    """Draw all the cells of an image in phase contrast."""
    angles = direction + rng.normal(0, look.disorder, size=len(centres))
    for centre, angle in zip(centres, angles, strict=True):
        if rng.random() < look.dividing:
            _phase_shapes.draw_dividing_cell(phase, centre, cell_radius, rng)
        else:
            _phase_shapes.draw_spindle_cell(
                phase, centre, cell_radius, look.elongation, angle, rng
            )


def _draw_debris(canvas, kinds, places, cell_radius, rng):
    """Draw a piece at each place, of a kind by the shares in `kinds`."""
    numbers = rng.choice(len(kinds), size=len(places), p=list(kinds.values()))
    for place, number in zip(places, numbers, strict=True):
        list(kinds)[number](canvas, place, cell_radius, rng)


def _contrast(field, phase, halo, cell_radius):
    """Turn phase into grey levels: dark where light is delayed, bright around it.

    The halo is what the phase plate lets through of the light that an object bends
    aside: as bright as a blurred picture of the object, where the object is not.
    """
    spilt = gaussian_filter(phase, 0.35 * cell_radius) - phase
    # A blurred step is one half at the edge, and less beside it.
    return field - _BODY * phase + 3 * halo * np.maximum(spilt, 0)


def _expose(canvas, rng):
    """Blur by the optics, add the noise of the camera, return 8 bits."""
    picture = gaussian_filter(canvas, 0.7)
    picture += rng.normal(0, 3, size=canvas.shape)
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)

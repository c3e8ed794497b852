"""Add one cell, or one piece of what is no cell, to a synthetic image."""

import numpy as np
from scipy.ndimage import gaussian_filter

__all__ = [
    "draw_clump",
    "draw_fibre",
    "draw_ring",
    "draw_round_cell",
    "draw_speck",
    "draw_spindle_cell",
    "draw_well_edge",
]

# Every function adds grey levels (of 255) to `canvas` in place and draws the size,
# the strength and the direction of its object from `rng`. Lengths are in pixels.


def draw_round_cell(canvas, centre, cell_radius, rng):
    """Add a round cell in bright field: a lens with a dark rim and a bright centre."""
    radius = cell_radius * np.clip(rng.normal(1, 0.07), 0.8, 1.2)
    view, row, col = _window(canvas, centre, 2 * radius)
    stretch = rng.uniform(0.93, 1.07)
    r = np.hypot(row * stretch, col / stretch) / radius
    lens = 75 * _bump(r, 0, 0.42) - 55 * _bump(r, 0.85, 0.22) + 14 * _bump(r, 1.3, 0.2)
    view += rng.uniform(0.75, 1.25) * lens


def draw_speck(canvas, centre, cell_radius, rng):
    """Add a dark or bright grain with one diffraction ring."""
    size = cell_radius * rng.uniform(0.12, 0.3)
    view, row, col = _window(canvas, centre, 4 * size)
    r = np.hypot(row, col) / size
    grey = rng.choice([-1, 1]) * rng.uniform(40, 80)
    view += grey * (_bump(r, 0, 1) - 0.3 * _bump(r, 1.9, 0.6))


def draw_clump(canvas, centre, cell_radius, rng):
    """Add an irregular grainy lump, as of dead cells or precipitate."""
    size = cell_radius * rng.uniform(0.6, 1.1)
    view, row, col = _window(canvas, centre, 2.5 * size)
    grain = gaussian_filter(rng.normal(size=view.shape), max(cell_radius / 6, 0.5))
    grain /= grain.std()
    along, across = _turn(row, col, rng.uniform(0, np.pi))
    stretch = rng.uniform(1, 1.6)
    r = np.hypot(along / stretch, across * stretch) / size
    view += 30 * grain * np.exp(-(r**4))


def draw_ring(canvas, centre, cell_radius, rng):
    """Add a bubble: a thin ring of the wrong size, without a lens in it."""
    small, large = rng.uniform(0.35, 0.5), rng.uniform(1.4, 1.9)
    radius = cell_radius * rng.choice([small, large], p=[0.7, 0.3])
    width = cell_radius / 6
    view, row, col = _window(canvas, centre, radius + 6 * width)
    r = (np.hypot(row, col) - radius) / width
    view += rng.choice([-1, 1]) * (28 * _bump(r, 0, 1) - 18 * _bump(r, 1.9, 1))


def draw_fibre(canvas, centre, cell_radius, rng):
    """Add a short bent thread with a bright and a dark side."""
    length, width = cell_radius * rng.uniform(0.8, 1.6), cell_radius / 6
    view, row, col = _window(canvas, centre, 1.5 * length)
    along, across = _turn(row, col, rng.uniform(0, np.pi))
    across = (across + rng.normal(0, 0.3) * along**2 / length) / width
    sides = _bump(across, 0.8, 0.9) - _bump(across, -0.8, 0.9)
    view += 50 * np.exp(-((along / length) ** 4)) * sides


def draw_well_edge(canvas, cell_radius, rng):
    """Add a dark and bright line, straight or curved; return the distance to it."""
    size = np.array(canvas.shape, dtype=float)
    row, col = np.ogrid[: canvas.shape[0], : canvas.shape[1]]
    angle = rng.uniform(0, 2 * np.pi)
    normal = np.array([np.sin(angle), np.cos(angle)])
    anchor = size * (0.5 + rng.uniform(0.2, 0.4) * normal)
    if rng.random() < 0.5:
        bend = size.max() * rng.uniform(0.6, 1.2)
        far = anchor - bend * normal
        offset = np.hypot(row - far[0], col - far[1]) - bend
    else:
        offset = normal[0] * (row - anchor[0]) + normal[1] * (col - anchor[1])
    distance = np.abs(offset)
    near = distance < 1.7 * cell_radius
    position = offset[near] / (cell_radius / 3)
    for place, grey in ((-2.4, 15), (-0.8, -45), (0.8, 35), (2.4, -12)):
        canvas[near] += grey * _bump(position, place, 1)
    return distance


def draw_spindle_cell(canvas, centre, cell_radius, look, angle, rng):
    """Add an adherent cell in phase contrast: dark body, bright halo, two tails."""
    size = cell_radius * np.clip(rng.normal(1, 0.12), 0.7, 1.3)
    long = size * np.sqrt(look.elongation) * rng.uniform(0.85, 1.15)
    wide = size**2 / long
    view, row, col = _window(canvas, centre, 2.2 * long)
    along, across = _turn(row, col, angle)
    across = across + rng.normal(0, 0.06) * along**2 / long
    # The exponents make pointed ends and round flanks; the outline is at 1.
    outline = np.abs(along / long) ** 1.4 + np.abs(across / wide) ** 2
    strength = rng.uniform(0.75, 1.25)
    body = 1 / (1 + np.exp(np.minimum(8 * (outline - 1), 50)))
    halo = _bump(np.sqrt(outline), 1.2, 0.24)
    thread = np.exp(-((along / (1.8 * long)) ** 4)) * _bump(across, 0, cell_radius / 7)
    nucleus = _bump(np.hypot(along, across), 0, 0.3 * wide)
    view += strength * (look.halo * halo - 38 * body + 14 * nucleus)
    view += 0.5 * look.halo * thread * (outline > 1)


def draw_dividing_cell(canvas, centre, cell_radius, rng):
    """Add a rounded cell in phase contrast: small, bright, with a strong halo."""
    radius = 0.7 * cell_radius * rng.uniform(0.9, 1.1)
    view, row, col = _window(canvas, centre, 2.5 * radius)
    r = np.hypot(row, col) / radius
    view += 110 * _bump(r, 0.9, 0.3) + 40 * _bump(r, 0, 0.4) - 12 * _bump(r, 1.7, 0.3)


def _window(canvas, centre, reach):
    """View the canvas within `reach` of a centre, with the offsets from it."""
    low = np.maximum(np.ceil(centre - reach).astype(int), 0)
    high = np.minimum(np.floor(centre + reach).astype(int) + 1, canvas.shape)
    row, col = np.ogrid[low[0] : high[0], low[1] : high[1]]
    return canvas[low[0] : high[0], low[1] : high[1]], row - centre[0], col - centre[1]


def _turn(row, col, angle):
    """Return the coordinates along and across a direction."""
    sine, cosine = np.sin(angle), np.cos(angle)
    return sine * row + cosine * col, cosine * row - sine * col


def _bump(x, position, width):
    return np.exp(-(((x - position) / width) ** 2))

"""Add one cell, or one piece of what is no cell, to a bright-field image."""

import numpy as np
from scipy.ndimage import gaussian_filter

__all__ = [
    "bump",
    "draw_clump",
    "draw_fibre",
    "draw_ring",
    "draw_round_cell",
    "draw_speck",
    "draw_well_edge",
    "grain",
    "turn",
    "window",
]

# Every function adds grey levels (of 255) to `canvas` in place and draws the size,
# the strength and the direction of its object from `rng`. Lengths are in pixels.


def draw_round_cell(canvas, centre, cell_radius, rng):
    """Add a round cell in bright field: a lens with a dark rim and a bright centre."""
    radius = cell_radius * np.clip(rng.normal(1, 0.07), 0.8, 1.2)
    view, row, col = window(canvas, centre, 2 * radius)
    stretch = rng.uniform(0.93, 1.07)
    r = np.hypot(row * stretch, col / stretch) / radius
    lens = 75 * bump(r, 0, 0.42) - 55 * bump(r, 0.85, 0.22) + 14 * bump(r, 1.3, 0.2)
    view += rng.uniform(0.75, 1.25) * lens


def draw_speck(canvas, centre, cell_radius, rng):
    """Add a dark or bright grain with one diffraction ring."""
    size = cell_radius * rng.uniform(0.12, 0.3)
    view, row, col = window(canvas, centre, 4 * size)
    r = np.hypot(row, col) / size
    grey = rng.choice([-1, 1]) * rng.uniform(40, 80)
    view += grey * (bump(r, 0, 1) - 0.3 * bump(r, 1.9, 0.6))


def draw_clump(canvas, centre, cell_radius, rng):
    """Add an irregular grainy lump, as of dead cells or precipitate."""
    size = cell_radius * rng.uniform(0.6, 1.1)
    view, row, col = window(canvas, centre, 2.5 * size)
    grains = grain(view.shape, max(cell_radius / 6, 0.5), rng)
    along, across = turn(row, col, rng.uniform(0, np.pi))
    stretch = rng.uniform(1, 1.6)
    r = np.hypot(along / stretch, across * stretch) / size
    view += 30 * grains * np.exp(-(r**4))


def draw_ring(canvas, centre, cell_radius, rng):
    """Add a bubble: a thin ring of the wrong size, without a lens in it."""
    small, large = rng.uniform(0.35, 0.5), rng.uniform(1.4, 1.9)
    radius = cell_radius * rng.choice([small, large], p=[0.7, 0.3])
    width = cell_radius / 6
    view, row, col = window(canvas, centre, radius + 6 * width)
    r = (np.hypot(row, col) - radius) / width
    view += rng.choice([-1, 1]) * (28 * bump(r, 0, 1) - 18 * bump(r, 1.9, 1))


def draw_fibre(canvas, centre, cell_radius, rng):
    """Add a short bent thread with a bright and a dark side."""
    length, width = cell_radius * rng.uniform(0.8, 1.6), cell_radius / 6
    view, row, col = window(canvas, centre, 1.5 * length)
    along, across = turn(row, col, rng.uniform(0, np.pi))
    across = (across + rng.normal(0, 0.3) * along**2 / length) / width
    sides = bump(across, 0.8, 0.9) - bump(across, -0.8, 0.9)
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
        canvas[near] += grey * bump(position, place, 1)
    return distance


def window(canvas, centre, reach):
    """View the canvas within `reach` of a centre, with the offsets from it."""
    low = np.maximum(np.ceil(centre - reach).astype(int), 0)
    high = np.minimum(np.floor(centre + reach).astype(int) + 1, canvas.shape)
    row, col = np.ogrid[low[0] : high[0], low[1] : high[1]]
    return canvas[low[0] : high[0], low[1] : high[1]], row - centre[0], col - centre[1]


def turn(row, col, angle):
    """Return the coordinates along and across a direction."""
    sine, cosine = np.sin(angle), np.cos(angle)
    return sine * row + cosine * col, cosine * row - sine * col


def bump(x, position, width):
    """Return a Gaussian of height 1."""
    return np.exp(-(((x - position) / width) ** 2))


def grain(shape, size, rng):
    """Return smooth noise of standard deviation 1 with spots of a size in pixels."""
    noise = gaussian_filter(rng.normal(size=shape), size)
    return noise / noise.std()

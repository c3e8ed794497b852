"""Add one cell, or one piece of what is no cell, to a phase-contrast image."""

import numpy as np

from pseudocell.datasets._shapes import bump, grain, turn, window

__all__ = [
    "draw_bead",
    "draw_dividing_cell",
    "draw_ghost",
    "draw_process",
    "draw_remnant",
    "draw_spindle_cell",
]

# Every function adds to `phase`, in place, by how much its object delays the light:
# 1 is the body of a cell, dark in the image; what is so thick that it looks bright is
# negative. Size, strength and direction are drawn from `rng`; lengths are in pixels.


def draw_spindle_cell(phase, centre, cell_radius, elongation, angle, rng):
    """Add an adherent cell: a grainy body with a nucleus, a tail at either end."""
    size = cell_radius * rng.uniform(0.75, 1.25)
    stretch = np.sqrt(elongation * rng.uniform(0.85, 1.2))
    long, wide = size * stretch, size / stretch
    view, row, col = window(phase, centre, 2.4 * long)
    along, across = turn(row, col, angle)
    across = across + rng.normal(0, 0.08) * along**2 / long
    # The exponents make pointed ends and round flanks; the outline is at 1.
    outline = np.abs(along / long) ** 1.4 + np.abs(across / wide) ** 2
    outline += 0.1 * grain(view.shape, cell_radius / 3, rng)
    body = 1 / (1 + np.exp(np.clip(12 * (outline - 1), -50, 50)))
    body *= 1 + 0.12 * grain(view.shape, cell_radius / 10, rng)
    # Lighter than the rest, with a dark spot in it.
    nucleus = np.hypot(along / 0.5, across / min(wide / size, 0.5)) / size
    body -= 0.3 * bump(nucleus, 0, 0.8) - 0.4 * bump(nucleus, 0, 0.25)
    lengths = np.where(along > 0, *rng.uniform(1.2, 2, size=2)) * long
    tail = np.exp(-((along / lengths) ** 4)) * bump(across, 0, cell_radius / 8)
    view += rng.uniform(0.65, 1.25) * (body + 0.5 * tail * (outline > 1))


def draw_dividing_cell(phase, centre, cell_radius, rng):
    """Add a rounded cell: small, with a bright ring in a dark one."""
    radius = 0.7 * cell_radius * rng.uniform(0.9, 1.1)
    view, row, col = window(phase, centre, 2.5 * radius)
    r = np.hypot(row, col) / radius
    view -= 1.5 * bump(r, 0.9, 0.3) + 0.8 * bump(r, 0, 0.4) - 0.4 * bump(r, 1.7, 0.3)


def draw_remnant(phase, centre, cell_radius, rng):
    """Add a dark crumb: smaller than a cell, without nucleus and tails."""
    radius = cell_radius * rng.uniform(0.2, 0.5)
    view, row, col = window(phase, centre, 3 * radius)
    along, across = turn(row, col, rng.uniform(0, np.pi))
    stretch = rng.uniform(1, 1.5)
    r = np.hypot(along / stretch, across * stretch) / radius
    rough = 1 + 0.2 * grain(view.shape, radius / 3, rng)
    view += rng.uniform(0.6, 1.3) * rough * np.exp(-(r**4))


def draw_process(phase, centre, cell_radius, rng):
    """Add a thin bent thread, as a cell leaves behind."""
    length, width = cell_radius * rng.uniform(0.6, 1.4), cell_radius / 8
    view, row, col = window(phase, centre, 1.5 * length)
    along, across = turn(row, col, rng.uniform(0, np.pi))
    across = across + rng.normal(0, 0.25) * along**2 / length
    line = np.exp(-((along / length) ** 4)) * bump(across, 0, width)
    view += rng.uniform(0.5, 1) * line


def draw_bead(phase, centre, cell_radius, rng):
    """Add a bright droplet in a thin dark ring, sometimes two that touch."""
    radius = cell_radius * rng.uniform(0.15, 0.35)
    view, row, col = window(phase, centre, 5 * radius)
    along, across = turn(row, col, rng.uniform(0, np.pi))
    for shift in (-1, 1)[: rng.integers(1, 3)]:
        r = np.hypot(along - shift * radius, across) / radius
        view -= rng.uniform(0.8, 1.6) * (bump(r, 0, 0.7) - 0.3 * bump(r, 1.4, 0.4))


def draw_ghost(phase, centre, cell_radius, rng):
    """Add something out of focus: a faint wide blob or ring."""
    radius = cell_radius * rng.uniform(0.7, 1.6)
    view, row, col = window(phase, centre, 2.5 * radius)
    r = np.hypot(row, col) / radius
    shape = bump(r, rng.choice([0, 0.9]), rng.uniform(0.4, 0.7))
    view += rng.uniform(0.2, 0.5) * shape

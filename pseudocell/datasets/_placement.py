"""Choose where cells and debris lie in a synthetic image."""

import numpy as np
from scipy.spatial import cKDTree

__all__ = ["scatter_cells", "scatter_debris"]

# An image is full when so many places in a row were taken already.
_HEMMED_IN = 100
_MAX_MISSES = 1000


def scatter_cells(n_cells, free, margin, spread, clustering, rng):
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
            # A group that is hemmed in grows from another of its cells.
            origin = count - 1 if misses < _HEMMED_IN else rng.integers(count)
            centre = centres[origin] + spread @ step
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


def scatter_debris(n_pieces, shape, centres, clearance, spread, rng):
    """Draw places at least `clearance` pixels away from every cell.

    They keep out of the ellipses too that `spread` makes of the unit circle around
    the cells, so that none lies on a long cell.
    """
    places = rng.uniform(0, np.array(shape) - 1.0, size=(10 * n_pieces, 2))
    if len(centres):
        to_metric = np.linalg.inv(spread).T
        gaps, _ = cKDTree(centres @ to_metric).query(places @ to_metric)
        distances, _ = cKDTree(centres).query(places)
        places = places[(distances >= clearance) & (gaps >= 1)]
    return places[:n_pieces]

"""Turn full annotation into what a user with little time would click."""

import math

import numpy as np

from pseudocell._parameters import SEED, SHARE, checked
from pseudocell._validation import check_points

__all__ = ["count_kept", "drop_points"]


@checked(fraction=[SHARE], random_state=[*SEED])
def drop_points(points, fraction=0.1, random_state=None):
    """Keep a random share of the points of each image, as if few were clicked.

    Of n points ``ceil(fraction * n)`` are kept, drawn without replacement, all
    with the same chance: so every image that has a point keeps at least one.

    Parameters
    ----------
    points : sequence of array-like of shape (n_i, 2)
        All the points of each image, one (row, col) per row.
    fraction : float, default=0.1
        Share of the points that is kept, from 0 to 1. In the paper it is 0.1.
    random_state : int or numpy.random.Generator, optional
        Seed of the draw. The same seed keeps the same points; None keeps others at
        each call.

    Returns
    -------
    kept : list of float ndarray of shape (ceil(fraction * n_i), 2)
        The kept points of each image in their original order.

    Raises
    ------
    ValueError
        If `fraction` is outside 0 to 1 or a point set is not of shape (n, 2).

    References
    ----------
    Fujii, Suehiro, Nishimura, Bise, "Cell Detection from Imperfect Annotation by
    Pseudo Label Selection Using P-classification", MICCAI 2021,
    doi:10.1007/978-3-030-87237-3_41.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell.datasets import drop_points
    >>> points = [np.zeros((25, 2)), np.zeros((4, 2)), np.zeros((0, 2))]
    >>> [len(kept) for kept in drop_points(points, 0.1, random_state=0)]
    [3, 1, 0]
    """
    points = check_points(points)
    rng = np.random.default_rng(random_state)
    return [_keep(rows, fraction, rng) for rows in points]


def count_kept(n_points, fraction):
    """Return how many points are kept.

    Parameters
    ----------
    n_points : int
        Points that there are.
    fraction : float
        Share that is kept.

    Returns
    -------
    n_kept : int
        ``ceil(fraction * n_points)``, free of rounding errors.
    """
    # Rounded first: 0.07 * 100 is 7.000000000000001, of which ceil would make 8.
    return math.ceil(round(fraction * n_points, 9))


def _keep(rows, fraction, rng):
    n_kept = count_kept(len(rows), fraction)
    return rows[np.sort(rng.choice(len(rows), size=n_kept, replace=False))]

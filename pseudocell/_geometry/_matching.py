"""Pair the points of two sets one to one within a distance."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix, csr_matrix, diags, hstack
from scipy.sparse.csgraph import (
    connected_components,
    min_weight_full_bipartite_matching,
)
from scipy.spatial import cKDTree

from pseudocell._validation import check_points

__all__ = ["match_points"]

# A full cost matrix is faster than a sparse one up to this many cells, or this many
# cells per pair (so that its memory, too, is bounded by the number of pairs).
_DENSE_CELLS = 2_500
_DENSE_CELLS_PER_PAIR = 8
# About 60 bytes are needed for each pair of neighbours: some 1.5 GB at the limit.
_MAX_PAIRS = 25_000_000


def match_points(first, second, max_distance):
    """Match two point sets one to one, as many pairs as possible.

    Among all the one-to-one matchings whose pairs are at most `max_distance`
    apart, take one with the most pairs, and of these one with the least total
    distance. The result is exact, and the same at every call.

    Parameters
    ----------
    first : array-like of shape (n_first, 2)
        Points in pixels, one (row, col) per row.
    second : array-like of shape (n_second, 2)
        Points in pixels, one (row, col) per row.
    max_distance : float
        Largest Euclidean distance of a pair, in pixels. A pair at exactly this
        distance may be matched.

    Returns
    -------
    index_first : ndarray of int, shape (n_pairs,)
        Rows of `first`, in increasing order.
    index_second : ndarray of int, shape (n_pairs,)
        The rows of `second` that they are matched with.

    Raises
    ------
    ValueError
        If a point set is not of shape (n, 2) or not finite, if `max_distance` is
        negative or not finite, or if it is so large against the spacing of the
        points that more than 25 million pairs lie within it.

    Notes
    -----
    Pairs that can be matched form a sparse graph, found with k-d trees, which
    falls apart into connected components; each is a small assignment problem.
    Memory grows with the number of pairs within `max_distance`, not with
    ``n_first * n_second``.

    Large components are solved by the shortest augmenting paths of Jonker and
    Volgenant, "A shortest augmenting path algorithm for dense and sparse linear
    assignment problems", Computing 38, 1987, doi:10.1007/BF02278710, small ones
    by the variant in Crouse, "On implementing 2D rectangular assignment
    algorithms", IEEE Transactions on Aerospace and Electronic Systems 52, 2016,
    doi:10.1109/TAES.2016.140952.

    Examples
    --------
    The first point of `first` is nearer to the second of `second`, but gives it
    up so that both can be matched.

    >>> from pseudocell._geometry._matching import match_points
    >>> i, j = match_points([[0, 3], [0, 7]], [[0, 0], [0, 4]], max_distance=3)
    >>> i.tolist(), j.tolist()
    ([0, 1], [0, 1])
    """
    first, second = check_points([first, second], name="(first, second)")
    max_distance = check_distance(max_distance)
    pairs = _pairs_within(first, second, max_distance)
    matched = _match_components(*pairs, len(first), len(second), max_distance)
    matched = matched[np.argsort(pairs[0][matched])]
    return pairs[0][matched], pairs[1][matched]


def check_distance(max_distance):
    """Return `max_distance` as a finite float that is not negative."""
    distance = float(max_distance)
    if not 0 <= distance < np.inf:
        raise ValueError(
            f"max_distance is {max_distance}; expected a finite number of pixels, "
            "0 or more, about one cell radius."
        )
    return distance


def _pairs_within(first, second, max_distance):
    """Find the indices and distances of all the pairs within `max_distance`."""
    if not len(first) or not len(second):
        return np.empty(0, int), np.empty(0, int), np.empty(0)
    trees = cKDTree(first), cKDTree(second)
    n_pairs = trees[0].count_neighbors(trees[1], max_distance)
    if n_pairs > _MAX_PAIRS:
        raise ValueError(
            f"max_distance={max_distance:g} puts {n_pairs} pairs of points within "
            f"reach of each other; expected at most {_MAX_PAIRS}. It should be about "
            "one cell radius."
        )
    # The tree compares squares, which round differently: search a little further
    # and compare the distances themselves.
    found = trees[0].sparse_distance_matrix(
        trees[1], max_distance * (1 + 1e-9), output_type="ndarray"
    )
    found = found[found["v"] <= max_distance]
    return found["i"], found["j"], found["v"]


def _match_components(i, j, distance, n_first, n_second, max_distance):
    """Find the positions in the list of pairs (i, j) of those that are matched."""
    n_nodes = n_first + n_second
    graph = coo_matrix((np.ones(len(i), bool), (i, n_first + j)), (n_nodes, n_nodes))
    component = connected_components(graph, directed=False)[1][i]
    # Ties are broken by this order, so it must not come from the layout of a tree.
    order = np.lexsort((j, i, component))
    starts = np.flatnonzero(np.diff(component[order], prepend=-1))
    sizes = np.diff(starts, append=len(order))
    matched = [order[starts[sizes == 1]]]
    for start, size in zip(starts[sizes > 1], sizes[sizes > 1], strict=True):
        block = order[start : start + size]
        kept = _match_component(i[block], j[block], distance[block], max_distance)
        matched.append(block[kept])
    return np.concatenate(matched)


def _match_component(i, j, distance, max_distance):
    """Find the positions of the matched pairs of one connected component."""
    n_rows, row = _relabel(i)
    n_cols, col = _relabel(j)
    if n_rows > n_cols:
        n_rows, n_cols, row, col = n_cols, n_rows, col, row
    # Sparse costs must not be 0. A constant on each pair changes no comparison
    # between matchings with the same number of pairs.
    offset = max_distance
    cost = distance + offset
    # Dearer than any matching: one more pair always pays.
    unmatched = (n_rows + 1) * 2 * offset
    dense = n_rows * n_cols <= max(_DENSE_CELLS, _DENSE_CELLS_PER_PAIR * len(cost))
    solve = _assign_dense if dense else _assign_sparse
    partner = solve(row, col, cost, (n_rows, n_cols), unmatched)
    return np.flatnonzero(partner[row] == col)


def _relabel(labels):
    """Replace the distinct labels, in increasing order, by 0, 1, ..."""
    distinct, number = np.unique(labels, return_inverse=True)
    return len(distinct), number


def _assign_dense(row, col, cost, shape, unmatched):
    """Find the partner of each row with a full cost matrix."""
    costs = np.full(shape, unmatched)
    costs[row, col] = cost
    return linear_sum_assignment(costs)[1]


def _assign_sparse(row, col, cost, shape, unmatched):
    """Find the partner of each row with a sparse matrix; n_cols or more: none."""
    # A column of its own for each row makes a full matching possible.
    own = diags(np.full(shape[0], unmatched))
    costs = hstack([csr_matrix((cost, (row, col)), shape), own], format="csr")
    return min_weight_full_bipartite_matching(costs)[1]

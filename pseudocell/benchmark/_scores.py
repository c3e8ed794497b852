"""From the points of a run to its scores."""

import math

import numpy as np

from pseudocell._geometry._matching import match_points
from pseudocell._geometry._peaks import are_far
from pseudocell.metrics import detection_scores

__all__ = ["distance_key", "right_negatives", "right_positives", "score_record"]

# Where the heatmap of the truth, a Gaussian of half a cell radius, falls to a half. A
# pseudo negative nearer than that to a cell teaches the contrary of the truth; one
# farther away, say a second peak on a long cell, does not.
ON_A_CELL = 0.5 * math.sqrt(2 * math.log(2))
# For the best threshold: so many cuts, from a tenth to ten times as many detections as
# there are cells.
N_CUTS, CUT_RANGE = 31, 10.0


def distance_key(distance):
    """Return the name of a matching distance in a record."""
    return f"{distance:g}"


def score_record(record, data, distances):
    """Add the scores at some matching distances to a record.

    Parameters
    ----------
    record : dict
        From `run_job`; the scores go to ``record["scores"][distance]``: "test" and
        "train" with a dict of counts and scores a round, "labels" with the purity of
        the pseudo labels a round, and "oracle" with the best threshold.
    data : DetectionSet
        The truth; what is not known is None.
    distances : sequence of float
        In pixels.

    Returns
    -------
    changed : bool
        Whether a distance was missing before.
    """
    scores = record.setdefault("scores", {})
    missing = [d for d in distances if distance_key(d) not in scores]
    for distance in missing:
        scores[distance_key(distance)] = {
            "test": [
                _detections(found, data.test_points, distance)
                for found in record["test"]
            ],
            "train": [
                _detections(found, data.train_points, distance)
                for found in record["train"]
            ],
            "labels": [_purity(labels, data, distance) for labels in record["rounds"]],
            "oracle": _oracle(record["candidates"], data.test_points, distance),
        }
    return bool(missing)


def _detections(found, truth, distance):
    if truth is None:
        return {"n_found": sum(map(len, found))}
    scores = detection_scores(truth, found, distance)
    return {
        "n_found": scores.n_predicted,
        "n_true": scores.n_true,
        "n_matched": scores.n_matched,
        "precision": scores.precision,
        "recall": scores.recall,
        "f1": scores.f1,
    }


def right_positives(points, cells, distance):
    """Tell which pseudo positives of an image are cells.

    Parameters
    ----------
    points, cells : array-like of shape (n, 2) and (m, 2)
        The pseudo positives and all the cells.
    distance : float
        Matching distance in pixels.

    Returns
    -------
    right : bool ndarray of shape (n,)
        True if it is matched to a cell, one to one: of two on one cell, one is wrong.
    """
    right = np.zeros(len(points), dtype=bool)
    right[match_points(points, cells, distance)[0]] = True
    return right


def right_negatives(points, cells, cell_radius):
    """Tell which pseudo negatives of an image are background.

    Parameters
    ----------
    points, cells : array-like of shape (n, 2) and (m, 2)
        The pseudo negatives and all the cells.
    cell_radius : float
        In pixels.

    Returns
    -------
    right : bool ndarray of shape (n,)
        False if it lies on a cell, within 0.59 cell radii of its centre.
    """
    return are_far(np.reshape(points, (-1, 2)), cells, ON_A_CELL * cell_radius)


def _purity(labels, data, distance):
    """Count the pseudo labels, and tell which share of them is right."""
    scores = {f"n_{kind}": sum(map(len, points)) for kind, points in labels.items()}
    rules = {
        "positives": (right_positives, distance),
        "negatives": (right_negatives, data.cell_radius),
    }
    for kind, (rule, length) in rules.items():
        if data.train_points is not None and scores.get(f"n_{kind}"):
            pairs = zip(labels[kind], data.train_points, strict=True)
            right = sum(int(rule(*pair, length).sum()) for pair in pairs)
            scores[f"purity_{kind}"] = right / scores[f"n_{kind}"]
    return scores


def _oracle(candidates, truth, distance):
    """Return the best F1 that any one threshold reaches; the truth chooses it."""
    if candidates is None or truth is None:
        return None
    heights = -np.sort([-h for some in candidates for *_, h in some])
    n_cells = sum(map(len, truth))
    if not len(heights) or not n_cells:
        return None
    cuts = np.geomspace(n_cells / CUT_RANGE, n_cells * CUT_RANGE, N_CUTS)
    cuts = np.unique(np.clip(cuts.astype(int), 1, len(heights)))
    best = {"f1": -1.0}
    for threshold in np.unique(heights[cuts - 1]):
        found = [[p[:2] for p in some if p[2] >= threshold] for some in candidates]
        scores = detection_scores(truth, found, distance)
        if scores.f1 > best["f1"]:
            best = {"f1": scores.f1, "threshold": float(threshold)}
    return best

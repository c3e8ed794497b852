"""From the points of a run to its scores."""

import math

import numpy as np
from scipy.spatial import KDTree

from pseudocell._geometry._matching import match_points
from pseudocell._geometry._peaks import are_far
from pseudocell.metrics import detection_scores

__all__ = [
    "calibration_error",
    "distance_key",
    "recall_crowded",
    "right_negatives",
    "right_positives",
    "score_record",
]

# Raised when a score is added or means something else: records are scored anew.
SCORING = 2
# Distances to the nearest neighbour in radii, and bins of probabilities.
CROWDED, N_BINS = (1.5, 2.0), 10
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
        the pseudo labels a round, "oracle" with the best threshold, and
        "calibration_error" where heights are probabilities.
    data : DetectionSet
        The truth; what is not known is None.
    distances : sequence of float
        In pixels.

    Returns
    -------
    changed : bool
        Whether a distance was missing before, or scored by an older rule.
    """
    if record.get("scoring") != SCORING:
        record |= {"scoring": SCORING, "scores": {}}
    scores = record["scores"]
    missing = [d for d in distances if distance_key(d) not in scores]
    for distance in missing:
        stages = {
            split: [
                _detections(found, truth, distance, data.cell_radius)
                for found in record[split]
            ]
            for split, truth in (
                ("test", data.test_points),
                ("train", data.train_points),
            )
        }
        candidates = record["candidates"], data.test_points, distance
        scores[distance_key(distance)] = {
            **stages,
            "labels": [_purity(labels, data, distance) for labels in record["rounds"]],
            "oracle": _oracle(*candidates),
            "calibration_error": (
                calibration_error(*candidates) if record.get("probabilities") else None
            ),
        }
    return bool(missing)


def _detections(found, truth, distance, cell_radius):
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
        "recall_crowded": recall_crowded(truth, found, distance, cell_radius),
    }


def recall_crowded(truth, found, distance, cell_radius):
    """Return the share of the crowded cells of all images that are found, or None.

    The nearest neighbour of a crowded cell is 1.5 to 2 radii away. Nearer ones may be
    one cell that was marked twice, and farther ones do not touch.
    """
    n_crowded = n_found = 0
    for cells, points in zip(truth, found, strict=True):
        if len(cells) < 2:
            continue
        nearest = KDTree(cells).query(cells, k=2)[0][:, 1] / cell_radius
        crowded = (nearest >= CROWDED[0]) & (nearest <= CROWDED[1])
        n_crowded += crowded.sum()
        n_found += crowded[match_points(points, cells, distance)[1]].sum()
    return n_found / n_crowded if n_crowded else None


def calibration_error(candidates, truth, distance):
    """Return how far the probabilities of the candidates are from the truth.

    That is the difference of their mean probability and the share of cells among them,
    its absolute value averaged over those of ten bins of equal width that hold any.
    None if there are no candidates, or the cells are not known.
    """
    if candidates is None or truth is None or not any(candidates):
        return None
    stated, right = [], []
    for some, cells in zip(candidates, truth, strict=True):
        some = np.reshape(some, (-1, 3))
        stated.append(some[:, 2])
        right.append(right_positives(some[:, :2], cells, distance))
    stated, right = np.concatenate(stated), np.concatenate(right)
    bins = np.minimum((stated * N_BINS).astype(int), N_BINS - 1)
    counts = np.bincount(bins, minlength=N_BINS)
    differences = np.bincount(bins, stated - right, N_BINS)[counts > 0]
    return float(np.mean(np.abs(differences) / counts[counts > 0]))


def right_positives(points, cells, distance):
    """Tell which points of an image are cells, one to one: of two on one, one is."""
    right = np.zeros(len(points), dtype=bool)
    right[match_points(points, cells, distance)[0]] = True
    return right


def right_negatives(points, cells, cell_radius):
    """Tell which points of an image are on no cell: 0.59 radii from each, or more."""
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

"""The model of a session: what is trained, round by round."""

import copy
import warnings

import numpy as np
from sklearn.base import clone

from pseudocell._detection._detector import HeatmapDetector
from pseudocell._pseudo_label import PseudoLabelCellDetector
from pseudocell._rounds import with_threshold as part_with_threshold

__all__ = ["QUICK_IMAGES", "labels_to_fit", "new_detector", "train", "with_threshold"]

# A first answer on a laptop: so many steps of each net, on so many images.
QUICK_STEPS, QUICK_IMAGES = 40, 8
# Fewer clicks than that are no sample to learn from: corrections then count as clicks.
SMALLEST_SAMPLE = 10


def new_detector(cell_radius, quick, template=None):
    """Return a detector to train, for a first answer or for a good one."""
    if template is not None:
        detector = clone(template)
        more = {"max_iter": 0} if quick else {}
        return detector.set_params(cell_radius=cell_radius, **more)
    if not quick:
        return PseudoLabelCellDetector(cell_radius, random_state=0)
    part = HeatmapDetector(n_nets=2, held_out="places", max_steps=QUICK_STEPS)
    return PseudoLabelCellDetector(
        cell_radius, max_iter=0, detector=part, random_state=0
    )


def labels_to_fit(annotations):
    """Return the arguments of `fit` besides the images.

    Parameters
    ----------
    annotations : list of Annotations
        What a person has said of each image.

    Returns
    -------
    labels : dict of str to list of ndarray of shape (n_i, 2)
        Clicks, further cells (those that are no random sample), and what is no cell.
    """
    corrections = [one.is_correction for one in annotations]
    if sum((~some).sum() for some in corrections) < SMALLEST_SAMPLE:
        corrections = [np.zeros_like(some) for some in corrections]
    pairs = list(zip(annotations, corrections, strict=True))
    return {
        "partial_points": [one.clicks[~some] for one, some in pairs],
        "positives": [one.clicks[some] for one, some in pairs],
        "negatives": [one.not_cells for one in annotations],
    }


def train(detector, images, labels):
    """Yield a fitted detector after each round, the last one with all of them.

    Parameters
    ----------
    detector : PseudoLabelCellDetector
        As it is to be trained; it is changed.
    images : sequence of images
        The images.
    labels : dict
        From `labels_to_fit`.

    Yields
    ------
    fitted : PseudoLabelCellDetector
        A copy, which later rounds do not change.
    is_last : bool
        Whether no other one comes.
    """
    n_rounds = detector.max_iter
    for number in range(n_rounds + 1):
        detector.set_params(max_iter=number, warm_start=number > 0)
        with warnings.catch_warnings(record=True) as notes:
            warnings.simplefilter("always")
            detector.fit(images, **labels)
        is_last = number == n_rounds or detector.termination_condition_ != "max_iter"
        fitted = copy.copy(detector)
        fitted.rounds_ = [*detector.rounds_]
        fitted.set_params(max_iter=n_rounds, warm_start=False)
        if is_last:
            # Of the rounds before, nobody need know: they are not the result.
            for note in notes:
                warnings.warn(note.message, note.category, stacklevel=2)
        yield fitted, is_last
        if is_last:
            return


def with_threshold(detector, threshold):
    """Return a detector with another threshold; None leaves it as it is."""
    if threshold is None:
        return detector
    if not hasattr(detector, "detector_"):
        return part_with_threshold(detector, threshold)
    # That of the whole is that of its part.
    changed = copy.copy(detector)
    changed.detector_ = part_with_threshold(detector.detector_, threshold)
    return changed

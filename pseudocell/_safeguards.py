"""What held-out clicks say against a round of pseudo labels: rules on numbers."""

import numpy as np
from scipy.stats import norm
from skimage.filters import threshold_otsu
from sklearn.metrics import roc_auc_score

from .metrics import lee_liu_score

__all__ = ["WARNINGS", "clicks_stand_out", "is_worse", "threshold_without_clicks"]

# A detector is worse if its recall^2 / detections is below this share of the other's.
# Smaller differences are within what a few clicks can tell.
WORSE = 0.8
# Were clicks random, a clicked cell would stand higher than another find as often as
# not; if 4 of 10 finds are no cells and all of them low, 70 times in 100.
STAND_OUT = 0.7
CONFIDENCE = 0.95


# What a user hears when the rounds end for a reason.
WARNINGS = {
    "no_candidates": (
        "No pseudo label could be chosen, so that the detector knows the clicks only: "
        "no peak of it is at a clicked cell, or none is elsewhere. Click more cells"
    ),
    "odd_clicks": (
        "The clicked cells stand out from the others that are found, as if only those "
        "of one kind were clicked, such as the brightest. The rounds end here, with "
        "less weight of what is not labelled, and a threshold chosen without the "
        "clicks: look at what is found. Click cells of every kind"
    ),
    "worse": (
        "The pseudo labels made the detector worse on held-out clicks, so that the one "
        "that knows the clicks only is kept. Click more cells"
    ),
}


def is_worse(held_out, other):
    r"""Return whether held-out clicks say that a detector is clearly worse.

    Both are judged by :math:`r^2 / n`, with the recall r on held-out clicks and n
    detections: proportional to precision times recall, whatever the number of cells.

    Parameters
    ----------
    held_out, other : HeldOut
        Of the two detectors, fitted on the same clicks.

    Returns
    -------
    worse : bool
        False if no click was held out.

    References
    ----------
    Lee, Liu, "Learning with Positive and Unlabeled Examples Using Weighted Logistic
    Regression", ICML 2003.
    """
    if len(held_out.clicked) == 0:
        return False
    return bool(_merit(held_out) < WORSE * _merit(other))


def clicks_stand_out(held_out):
    r"""Return whether the clicked cells differ from the other cells that are found.

    To learn unlabelled cells as background, weakly, takes that the clicked ones are a
    random sample. If they are of one kind, such as the brightest, the cells of
    another kind are learnt as what they are not: background. That
    shows among the detections: the probability

    .. math:: A = P(h_\text{clicked} > h_\text{other})

    that a clicked cell, in the heatmap of a net that has not seen it, stands higher
    than an unclicked detection is 1/2 for random clicks, a bit more if
    some detections are no cells, and near 1 if the clicks are of one kind.

    Parameters
    ----------
    held_out : HeldOut
        Of a detector that has learnt unlabelled pixels as background.

    Returns
    -------
    stand_out : bool
        Whether A, on images with clicks, is above 0.7 at a level of 0.05. False
        if no click was held out, or most of the detections there are clicked: the
        others may then be what is no cell.

    References
    ----------
    The assumption, "selected completely at random": Elkan, Noto, "Learning
    classifiers from only positive and unlabeled data", KDD 2008,
    doi 10.1145/1401890.1401920. A as the area under a ROC curve: Hanley, McNeil, "The
    meaning and use of the area under a receiver operating characteristic (ROC) curve",
    Radiology 1982, doi 10.1148/radiology.143.1.7063747.
    """
    clicked, others = (
        heights[heights > held_out.threshold]
        for heights in (held_out.clicked, held_out.others)
    )
    if len(clicked) == 0 or len(others) < held_out.n_clicks:
        return False
    is_click = np.arange(len(clicked) + len(others)) < len(clicked)
    area = roc_auc_score(is_click, np.concatenate([clicked, others]))
    margin = norm.ppf(CONFIDENCE) * _deviation(STAND_OUT, len(clicked), len(others))
    return bool(area > STAND_OUT + margin)


def threshold_without_clicks(held_out):
    """Return the threshold that splits the peaks into low and high ones.

    For clicks that stand out, from which no threshold for the other cells follows.

    Parameters
    ----------
    held_out : HeldOut
        Of the detector.

    Returns
    -------
    threshold : float
        That of Otsu for the square roots of the heights, but not above its own.

    References
    ----------
    Otsu, "A Threshold Selection Method from Gray-Level Histograms", IEEE Transactions
    on Systems, Man, and Cybernetics 1979, doi 10.1109/TSMC.1979.4310076.
    """
    heights = held_out.found
    if len(heights) == 0:  # The threshold is below all that counts as a peak.
        return held_out.threshold
    return float(min(threshold_otsu(np.sqrt(heights)) ** 2, held_out.threshold))


def _deviation(area, n_some, n_others):
    """Return the standard deviation of the area, by Hanley and McNeil."""
    two_others = area / (2 - area) - area**2
    two_some = 2 * area**2 / (1 + area) - area**2
    spread = area * (1 - area) + (n_some - 1) * two_others + (n_others - 1) * two_some
    return np.sqrt(spread / (n_some * n_others))


def _merit(held_out):
    """Return recall^2 / detections, the recall on held-out clicks."""
    n_found = int(np.sum(held_out.found > held_out.threshold))
    recall = np.mean(held_out.clicked > held_out.threshold)
    return lee_liu_score(recall, n_found) if n_found else 0.0

"""The threshold of a heatmap: how high a peak must be to be a cell."""

import numpy as np

from .._geometry._matching import match_points

__all__ = [
    "chances_of_peaks",
    "choose_threshold",
    "share_seen",
    "threshold_from_clicks",
]

# A peak of this height is as likely a cell as not, if clicked cells have height 1.
THRESHOLD = 0.5
# Of the paper, for heatmaps that are stretched to 0 .. 1: 128 of 0 .. 255.
THRESHOLD_IF_STRETCHED = 128 / 255

# A net that learnt unlabelled cells as background rates every cell lower, also clicked
# ones that it has not seen: what counts is this quantile of their heights. The
# threshold is at least so much of it.
QUANTILE, THRESHOLD_OF_QUANTILE = 0.25, 2 / 3


def choose_threshold(detector, click_heights, peak_heights, searched):
    """Return the threshold of a detector, by its parameters and held-out clicks.

    Parameters
    ----------
    detector : HeatmapDetector
        Its nets are trained.
    click_heights : list of ndarray of shape (n_i,)
        How high clicked cells stand for nets that have not seen them.
    peak_heights : ndarray of shape (m,)
        The heights of the peaks of all nets, in the images with clicks.
    searched : float
        Which share of the area of all images these are.

    Returns
    -------
    threshold : float
        The parameter; without one 0.5, or what `threshold_from_clicks` says of nets
        that learnt unlabelled pixels as background; 128/255 of a stretched heatmap.
    """
    if detector.threshold is not None:
        return float(detector.threshold)
    if detector.normalize == "min-max":
        return THRESHOLD_IF_STRETCHED
    if detector.masked:
        return THRESHOLD
    heights, share = np.concatenate(click_heights), 0.0
    if detector.n_nets > 1:
        # Cells of the other images count: they stand lower than those learnt.
        share = share_seen(heights, peak_heights, detector.n_nets, searched)
    return threshold_from_clicks(heights, share, detector.background_weight)


def threshold_from_clicks(click_heights, share, weight):
    r"""Return the threshold of nets that learnt unlabelled pixels as background.

    Of a net that has seen a share s of the cells labelled, and all the rest as
    background of weight b, a place that is a cell with probability q gets the
    height :math:`sq / (sq + b (1 - sq))`. One that is as likely a cell as not,
    q = 1/2, has of the height of a sure one

    .. math:: \frac{s (1 - b) + b}{s (1 - b) + 2 b},

    from 1/2, if hardly any cell is clicked, up to nearly 1. That share of the lower
    quartile of the clicks is the threshold, but at least two thirds of it.

    Parameters
    ----------
    click_heights : ndarray of shape (n,)
        How high clicked cells stand for nets that have not seen them.
    share : float
        The share of the cells that a net has seen labelled, in [0, 1].
    weight : float
        The weight of a pixel that is not labelled, in [0, 1].

    Returns
    -------
    threshold : float
        In [0, 1].

    References
    ----------
    Elkan, Noto, "Learning classifiers from only positive and unlabeled data", KDD 2008,
    doi 10.1145/1401890.1401920.
    """
    known = share * (1 - weight)
    if_in_doubt = (known + weight) / (known + 2 * weight) if known + weight else 0.5
    ratio = max(THRESHOLD_OF_QUANTILE, if_in_doubt)
    return float(ratio * np.quantile(click_heights, QUANTILE))


def share_seen(click_heights, peak_heights, n_nets, searched):
    """Return what share of the cells each net has seen labelled.

    Parameters
    ----------
    click_heights : ndarray of shape (n,)
        How high clicked cells stand for the net that has not seen them.
    peak_heights : ndarray of shape (m,)
        The heights of the peaks of all nets, in a part of the images.
    n_nets : int
        Number of nets, each without its share of the clicks.
    searched : float
        How large that part is, in (0, 1]. Cells outside of it are taken to be as
        dense.

    Returns
    -------
    share : float
        In [0, 1]. Three quarters of the cells stand above the lower quartile of the
        clicks.
    """
    n_seen = len(click_heights) * (n_nets - 1) / n_nets
    n_high = np.sum(peak_heights > np.quantile(click_heights, QUANTILE)) / n_nets
    n_cells = n_high / (1 - QUANTILE) / searched
    return min(1, n_seen / max(n_cells, 1))


def chances_of_peaks(peaks, clicks, positives, undecided, probabilities, *, radius):
    """Return the probability that each peak of an image is a cell.

    Parameters
    ----------
    peaks : ndarray of shape (n, 2)
        The peaks.
    clicks, positives, undecided : ndarray of shape (m, 2)
        What is known of the image; the first two are cells.
    probabilities : ndarray of shape (m,)
        Of the undecided.
    radius : float
        A peak within this distance is matched to one of them.

    Returns
    -------
    chances : ndarray of shape (n,)
        0 of a peak that is not matched one to one.
    """
    known = np.concatenate([clicks, positives, undecided])
    its = np.concatenate([np.ones(len(clicks) + len(positives)), probabilities])
    at_peak, at_known = match_points(peaks, known, radius)
    chances = np.zeros(len(peaks))
    chances[at_peak] = its[at_known]
    return chances

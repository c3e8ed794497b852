"""A detection threshold from clicks alone."""

import numpy as np

__all__ = ["choose_threshold"]


def choose_threshold(click_heights, heights):
    """Choose the threshold with the largest recall^2 / (number of detections).

    Parameters
    ----------
    click_heights : ndarray of shape (n_clicks,)
        Heights of clicked cells that the net has not seen.
    heights : ndarray of shape (n_peaks,)
        Heights of all peaks.

    Returns
    -------
    threshold : float
        Detections are the peaks above it.

    References
    ----------
    Lee, Liu, "Learning with Positive and Unlabeled Examples Using Weighted Logistic
    Regression", ICML 2003.
    """
    candidates = np.linspace(0.05, 0.95, 91)
    recall = (click_heights[:, np.newaxis] > candidates).mean(axis=0)
    n_detections = (heights[:, np.newaxis] > candidates).sum(axis=0)
    score = recall**2 / np.maximum(n_detections, 1)
    return float(candidates[np.argmax(score)])

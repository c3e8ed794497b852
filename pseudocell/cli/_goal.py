"""A wanted precision or recall, as a threshold of a detector."""

import copy

import click

from pseudocell._rounds import with_threshold

__all__ = ["at_goal", "calibration_of"]


def calibration_of(detector):
    """Return what the heights of a detector mean, None if it cannot be told."""
    return getattr(detector, "calibration_", None)


def at_goal(detector, precision=None, recall=None):
    """Return a detector with the threshold for a precision or a recall, and say it.

    Parameters
    ----------
    detector : estimator
        Fitted.
    precision, recall : float, optional
        What is wanted; at most one of them.

    Returns
    -------
    detector : estimator
        The same if nothing is wanted, else a copy that shares its nets.

    Raises
    ------
    ValueError
        If the detector cannot tell, or it is expected at no threshold.
    """
    if precision is None and recall is None:
        return detector
    calibration = calibration_of(detector)
    if calibration is None:
        raise ValueError(
            f"--precision and --recall need a detector that knows how probable its "
            f"finds are; this {type(detector).__name__} does not. Fit it anew with "
            "`pseudocell fit`, with clicks in both halves of the images."
        )
    threshold = calibration.threshold(precision=precision, recall=recall)
    click.echo(
        f"Threshold {threshold:.2f}: {calibration.precision(threshold):.0%} of the "
        f"finds are expected to be cells, and {calibration.recall(threshold):.0%} of "
        "the cells to be found."
    )
    if not hasattr(detector, "detector_"):
        return with_threshold(detector, threshold)
    changed = copy.copy(detector)
    changed.detector_ = with_threshold(detector.detector_, threshold)
    return changed

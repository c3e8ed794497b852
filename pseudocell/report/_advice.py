"""What gives reason to doubt, in words, with what to do about it."""

import numpy as np

from pseudocell._safeguards import WARNINGS
from pseudocell.report._look import count_all

__all__ = ["advise"]

# Fewer clicks than this tell little of how good a detector is.
FEW_CLICKS = 20
# Expected precision or recall below which a user should know.
LOW = 0.8
# Width of the interval of the total, as a share of it.
WIDE = 0.5
# Images among which one can be odd, and by how many deviations of the square root of
# its count from the median; the median deviation of a normal distribution is 0.6745.
ENOUGH_IMAGES, ODD, MEDIAN_DEVIATION = 8, 4.0, 0.6745
# Names in a sentence.
MOST_NAMES = 5


def advise(detector, looks, failed, names, counts):
    """Return what a reader should doubt, the gravest first.

    Parameters
    ----------
    detector : estimator
        Fitted.
    looks : list of Look
        What was found.
    failed : list of (str, str)
        Images that could not be used, and why.
    names : list of str
        Names of all images.
    counts : dict of int to int
        Number of cells by number of the image.

    Returns
    -------
    warnings : list of (str, str)
        What is wrong, and what to do.
    """
    warnings = [*_of_training(detector), *_of_threshold(detector, looks)]
    for name, reason in failed[:MOST_NAMES]:
        warnings.append((f"{name} could not be used: {reason}", "Mend or remove it."))
    if len(failed) > MOST_NAMES:
        more = f"{len(failed) - MOST_NAMES} more images could not be used."
        warnings.append((more, "Look at the warnings of the command."))
    return [*warnings, *_of_counts(names, counts)]


def _of_training(detector):
    reason = getattr(detector, "termination_condition_", None)
    n_rounds = getattr(detector, "n_iter_", 0)
    if reason in WARNINGS and not (reason == "no_candidates" and n_rounds):
        wrong, _, remedy = WARNINGS[reason].rpartition(". ")
        yield f"{wrong}.", f"{remedy}, or check the cell radius."
    n_clicks = sum(map(len, getattr(detector, "clicks_", [])))
    if 0 < n_clicks < FEW_CLICKS:
        yield (
            f"Only {n_clicks} cells were clicked: nothing here is known well.",
            f"Click {FEW_CLICKS} or more, in several images.",
        )


def _of_threshold(detector, looks):
    calibration = getattr(detector, "calibration_", None)
    if calibration is None:
        yield (
            "How sure each find is was not measured: no clicks were held out, or the "
            "model is an older one.",
            "Look at the finds, or give the truth of some images (--truth).",
        )
        return
    for name, remedy in (
        ("precision", "Raise the threshold, or click more cells"),
        ("recall", "Lower the threshold, or click more cells, of every look they have"),
    ):
        value = float(getattr(calibration, name)(detector.threshold_))
        if value < LOW:
            yield f"The expected {name} is {value:.2f} only.", f"{remedy}."
    number, low, high = count_all(calibration, looks)
    if high - low > WIDE * number:
        yield (
            f"The number of cells is not known well: from {low:.0f} to {high:.0f}.",
            "Click more cells: the interval becomes narrower.",
        )


def _of_counts(names, counts):
    values = np.array([*counts.values()], dtype=float)
    indices = [*counts]
    empty = [names[index] for index, n in counts.items() if n == 0]
    if empty:
        yield (
            f"No cell was found in {_list(empty)}.",
            "If there are cells, click some of them and fit again.",
        )
    if len(values) < ENOUGH_IMAGES:
        return
    roots = np.sqrt(values)
    away = np.abs(roots - np.median(roots))
    # The root of a count that only chance changes has a deviation of one half.
    deviation = max(0.5, np.median(away) / MEDIAN_DEVIATION)
    odd = [i for i in np.argsort(-away) if away[i] > ODD * deviation and values[i]]
    if odd:
        yield (
            f"The counts of {_list([names[indices[i]] for i in odd])} are far from "
            "those of the other images.",
            "Look at these images: they may be out of focus, or of another kind.",
        )


def _list(names):
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:MOST_NAMES])} and {len(names) - MOST_NAMES} more images"

"""One look at the images of a fit: what nets say of what they have not seen."""

from dataclasses import dataclass

import numpy as np

from .._geometry._scale import points_from_nominal, points_to_nominal
from ._calibration import Calibration, calibrate
from ._held_out import (
    heights_at,
    heights_unseen,
    off_clicks,
    pick_images,
    with_clicks,
)
from ._threshold import chances_of_peaks, choose_threshold
from ._training import MASK
from ._unseen import LOWEST_PEAK

__all__ = ["Look", "look_at_clicks", "look_at_places"]


@dataclass(frozen=True, eq=False)
class Look:
    """What was seen.

    Attributes
    ----------
    click_heights : list of ndarray of shape (n_i,)
        How high each clicked cell stands for a net that has not seen it.
    threshold : float
        Above it a peak is a cell.
    found : ndarray of shape (m,)
        The heights of the peaks in some images.
    others : ndarray of shape (k,)
        Of those at no click, in images with clicks.
    calibration : Calibration or None
        What heights mean, if labels have told how probable candidates are.
    """

    click_heights: list
    threshold: float
    found: np.ndarray
    others: np.ndarray
    calibration: Calibration | None = None


def look_at_clicks(detector, drawing, images, clicks):
    """Look at single clicks that a net has not seen, on images that it has.

    Parameters
    ----------
    detector : HeatmapDetector
        Trained; has `click_folds_`.
    drawing : Drawing
        Its nets.
    images : Images
        The images of the fit.
    clicks : list of ndarray of shape (n_i, 2)
        Clicked cells.

    Returns
    -------
    look : Look
    """
    n_nets, scale = detector.n_nets, drawing.scale
    of_all, of_clicked = pick_images(clicks)
    clicked = with_clicks(clicks)
    looked_at = sorted({*of_all, *of_clicked, *clicked})
    found = drawing.find_by_each(images, looked_at, LOWEST_PEAK, detector.n_jobs)
    heights = [
        heights_unseen(
            points_to_nominal(clicks[index], shape, scale),
            detector.click_folds_[index],
            found.get(index, [])[:n_nets],
            MASK * detector.nominal_radius,
        )
        for index, shape in enumerate(images.shapes)
    ]
    peaks = [high for index in clicked for _, high in found[index][:n_nets]]
    searched = images.areas[clicked].sum() / images.areas.sum()
    threshold = choose_threshold(detector, heights, np.concatenate(peaks), searched)
    peaks = [found[index][-1] for index in of_all]
    if threshold < LOWEST_PEAK:
        peaks = detector.find_candidates(images.take(of_all), threshold)
    means = [
        (points_from_nominal(points, images[index].shape, scale), high)
        for index in of_clicked
        for points, high in [found[index][-1]]
    ]
    others = off_clicks(means, [clicks[i] for i in of_clicked], detector.cell_radius_)
    return Look(heights, threshold, np.concatenate([high for _, high in peaks]), others)


def look_at_places(detector, images, clicks, positives, undecided, probabilities):
    """Look where no net was trained: there the clicks stand for all cells.

    Parameters
    ----------
    detector : HeatmapDetector
        Trained; has `find_unseen`.
    images : Images
        The images of the fit.
    clicks, positives, undecided : list of ndarray of shape (n_i, 2)
        Clicked cells, pseudo positives, and what may be a cell, in pixels.
    probabilities : list of ndarray of shape (n_i,) or None
        How probable that is; None if nobody has told.

    Returns
    -------
    look : Look
    """
    radius, clicked = detector.cell_radius_, with_clicks(clicks)
    found = detector.find_unseen(images, LOWEST_PEAK, indices=clicked)
    heights = [np.zeros(0) for _ in clicks]
    for index, peaks in zip(clicked, found, strict=True):
        heights[index] = heights_at(clicks[index], *peaks, MASK * radius)
    high = np.concatenate([its for _, its in found])
    others = off_clicks(found, [clicks[index] for index in clicked], radius)
    if probabilities is None:
        threshold = choose_threshold(detector, heights, high, 1.0)
        return Look(heights, threshold, high, others)
    known = list(zip(clicks, positives, undecided, probabilities, strict=True))
    chances = [
        chances_of_peaks(points, *known[index], radius=radius)
        for index, (points, _) in zip(clicked, found, strict=True)
    ]
    n_cells = sum(
        len(known[i][0]) + len(known[i][1]) + known[i][3].sum() for i in clicked
    )
    n_clicks = sum(map(len, clicks))
    calibration = calibrate(high, n_clicks, np.concatenate(chances), n_cells)
    threshold = detector.threshold
    threshold = calibration.threshold() if threshold is None else float(threshold)
    return Look(heights, threshold, high, others, calibration)

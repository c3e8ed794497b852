"""BlobDetector: bright or dark blobs of the size of a cell, without training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_laplace

from pseudocell._geometry._peaks import find_peaks
from pseudocell._parameters import RADIUS, Numbers

from ._click_tuned import ClickTunedDetector

__all__ = ["BlobDetector"]

# In cell radii: at this scale the filter responds most in the centre of a disc.
_SIGMA = 1 / np.sqrt(2)
_PEAK_DISTANCE = 1.25


class BlobDetector(ClickTunedDetector):
    """Detect cells as blobs: peaks of the Laplacian of a Gaussian.

    The filter of `skimage.feature.blob_log` at the size of a cell. The clicks choose
    the scale among a few, dark or bright cells, the channel of colour images (or their
    mean) and the threshold, see `fit`. Nothing is trained.

    Parameters
    ----------
    cell_radius : float, default=None
        Radius of a cell in pixels of the images; every length follows from it. None
        estimates it from the images around the clicks.
    scales : sequence of float, default=(0.35, 0.5, 0.7, 1.0, 1.4)
        Scales to choose from: radii of the discs that the filter answers best to, in
        cell radii. The standard deviation of the Gaussian is the radius over
        the root of 2.
    nominal_radius : float, default=6.0
        Images are resampled so that a cell has this radius, in pixels.

    Attributes
    ----------
    cell_radius_ : float
        The radius that is used, in pixels of the images.
    n_channels_ : int
        Number of channels of the images.
    filter_ : tuple of (int or None, str, float)
        The channel (None is the mean of all), "dark" or "bright", and the scale.
    finder_ : tuple
        Empty: peaks are found in one way only.
    threshold_ : float
        A peak of the filtered image is a cell if it is higher.

    References
    ----------
    Lindeberg, "Feature Detection with Automatic Scale Selection", International Journal
    of Computer Vision 1998, doi 10.1023/A:1008045108935. The choice by clicks: Lee,
    Liu, "Learning with Positive and Unlabeled Examples Using Weighted Logistic
    Regression", ICML 2003, pages 448-455.

    Examples
    --------
    One of three squares is clicked.

    >>> import numpy as np
    >>> from pseudocell.baselines import BlobDetector
    >>> image = np.zeros((60, 60))
    >>> image[10:20, 10:20] = image[10:20, 40:50] = image[40:50, 12:22] = 1
    >>> detector = BlobDetector(cell_radius=5).fit([image], [[(14.5, 14.5)]])
    >>> len(detector.predict([image])[0])
    3
    """

    _parameter_constraints = {
        "cell_radius": [RADIUS, None],
        "scales": [Numbers()],
        "nominal_radius": [RADIUS],
    }

    def __init__(
        self,
        cell_radius: float | None = None,
        *,
        scales: Sequence[float] = (0.35, 0.5, 0.7, 1.0, 1.4),
        nominal_radius: float = 6.0,
    ):
        self.cell_radius = cell_radius
        self.scales = scales
        self.nominal_radius = nominal_radius

    def _filters(self):
        channels = [None]
        if self.n_channels_ > 1:
            channels += range(self.n_channels_)
        return [
            (channel, polarity, scale)
            for channel in channels
            for polarity in ("dark", "bright")
            for scale in self.scales
        ]

    def _filter(self, image, setting):
        channel, polarity, scale = setting
        grey = image.mean(axis=2) if channel is None else image[..., channel]
        sigma = scale * _SIGMA * self.nominal_radius
        # Times sigma ** 2, so that responses at all scales compare.
        response = sigma**2 * gaussian_laplace(grey, sigma, mode="reflect")
        return response if polarity == "dark" else -response

    def _finders(self, maps):
        return [()]

    def _find(self, filtered, setting):
        return find_peaks(filtered, _PEAK_DISTANCE * self.nominal_radius, 0.0)

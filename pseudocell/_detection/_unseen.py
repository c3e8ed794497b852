"""UnseenMixin: what a detector says of places that no net of it was trained on."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._images import Images
from ._calibration import Calibration
from ._places import Places

__all__ = ["LOWEST_PEAK", "UnseenMixin"]

# Peaks below this height are noise at any threshold.
LOWEST_PEAK = 0.05


class UnseenMixin:
    """Peaks in the images of the fit, of a detector with `places_`."""

    @property
    def calibration_(self):
        """What heights mean, a `Calibration`; None unless probabilities were given."""
        check_is_fitted(self)
        if getattr(self, "knots_", None) is None:
            return None
        clicks = sum(map(len, self.click_heights_))
        return Calibration(self.knots_, self.found_heights_, self.n_cells_, clicks)

    def keep_calibration(self, calibration):
        """Keep what a file can hold of a calibration, or that there is none."""
        self.knots_ = None if calibration is None else calibration.knots
        self.n_cells_ = None if calibration is None else float(calibration.n_cells)

    def find_unseen(self, images, threshold=LOWEST_PEAK, known=None, indices=None):
        """Return the peaks in images of the fit, by nets that were not trained there.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images of the fit.
        threshold : float, default=0.05
            Peaks at or below it are left out.
        known : sequence of array-like of shape (m_i, 2), optional
            Places that are candidates in any case, unless a peak is near.
        indices : sequence of int, optional
            Which images to look at; all if not given.

        Returns
        -------
        candidates : list of (points, heights)
            Of each of these images as from `find_candidates`, which is called unless
            nets were kept off places.
        """
        check_is_fitted(self)
        images = Images(images, self.n_channels_)
        indices = range(len(images)) if indices is None else indices
        if self.places_ is None:
            known = known and [known[index] for index in indices]
            return self.find_candidates(images.take(indices), threshold, known)
        places = Places(*self.places_)
        return self._drawing().find_unseen(
            images, indices, places, threshold, known, self.n_jobs
        )

    def fold_of(self, index, points, shape):
        """Return the number of the net that was not trained at each point, or -1.

        Parameters
        ----------
        index : int
            Number of an image of the fit.
        points : ndarray of shape (n, 2)
            (row, col) in its pixels.
        shape : tuple of int
            (H, W) of it.

        Returns
        -------
        fold : int ndarray of shape (n,)
        """
        if self.places_ is None:
            return np.full(len(points), -1)
        return Places(*self.places_).fold_of(index, points, shape)

"""DetectorMixin: what all detectors of cells have in common."""

from sklearn.utils.validation import check_is_fitted

from ..metrics import MATCHING_DISTANCE, detection_f1
from ._summary import SummaryMixin

__all__ = ["DetectorMixin"]


class DetectorMixin(SummaryMixin):
    """Prediction, score and tags of a detector.

    A detector has, once it is fitted, ``find_candidates(images, threshold)``, which
    returns (points, scores) of each image, the highest first and all above the
    threshold, and without one all that could matter; `threshold_`, above which a
    candidate is a cell; and `cell_radius_`, in pixels. What it predicts follows.
    """

    def predict(self, images):
        """Find the cells.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images.

        Returns
        -------
        points : list of float ndarray of shape (n_i, 2)
            (row, col) in pixels, the strongest first.

        Raises
        ------
        ValueError
            If the images are not as described, or have other channels than in `fit`.
        """
        return [points for points, _ in self.predict_scored(images)]

    def predict_scored(self, images):
        """Find the cells, and say how sure each is.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images.

        Returns
        -------
        found : list of (points, scores)
            Points as from `predict`, and their scores as from `find_candidates`, of
            shape (n_i,), all above `threshold_`.

        Raises
        ------
        ValueError
            If the images are not as described, or have other channels than in `fit`.
        """
        check_is_fitted(self)
        return self.find_candidates(images, self.threshold_)

    def score(self, images, points, sample_weight=None):
        """Return the F1 score when all cells are known.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images.
        points : sequence of array-like of shape (n_i, 2)
            **All** cells; scores against partial clicks mean nothing.
        sample_weight : array-like of shape (n_images,), default=None
            How much each image counts; None counts all alike.

        Returns
        -------
        f1 : float
            With one-to-one matching within 1.25 cell radii, over all images.
        """
        predicted = self.predict(images)
        distance = MATCHING_DISTANCE * self.cell_radius_
        return detection_f1(points, predicted, distance, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags

"""DetectorMixin: what all detectors of cells have in common."""

from ..metrics import MATCHING_DISTANCE, detection_f1

__all__ = ["DetectorMixin"]


class DetectorMixin:
    """Score and tags of an estimator with `predict` and `cell_radius_`."""

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

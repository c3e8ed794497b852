"""Images and points to patches in which a cell has the nominal size."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._geometry._patches import cut_patches
from .._geometry._radius import estimate_cell_radius
from .._geometry._scale import normalise_image, points_to_nominal, to_nominal
from .._images import Images, check_clicked
from .._parameters import RADIUS, CheckedMixin, Odd

__all__ = ["PatchExtractor"]


class PatchExtractor(CheckedMixin, TransformerMixin, BaseEstimator):
    """Cut a patch around each point, at a size at which all cells look alike.

    Each image is normalised (robust percentiles of each channel), resampled so that a
    cell has the nominal radius, and cut around its points; beyond the border it is
    reflected. Cells of 5 and of 50 pixels therefore give patches that the same net can
    look at.

    Parameters
    ----------
    cell_radius : float, default=None
        Radius of a cell in pixels of the images. None estimates it in `fit` from the
        images and the points.
    nominal_radius : float, default=6.0
        Radius of a cell in the patches, in pixels.
    size : int, default=21
        Side of a patch in pixels, odd. 21 at a nominal radius of 6 shows 1.7 times the
        radius each way: the cell and its edge against what surrounds it.

    Attributes
    ----------
    cell_radius_ : float
        The radius that is used, in pixels of the images.
    n_channels_ : int
        Number of channels of the images.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell import PatchExtractor
    >>> image, points = np.eye(40), np.array([[20, 20], [0, 39]])
    >>> extractor = PatchExtractor(cell_radius=12, size=5)
    >>> extractor.fit_transform([(image, points)]).shape
    (2, 5, 5)
    """

    _parameter_constraints = {
        "cell_radius": [RADIUS, None],
        "nominal_radius": [RADIUS],
        "size": [Odd()],
    }

    def __init__(self, cell_radius=None, *, nominal_radius=6.0, size=21):
        self.cell_radius = cell_radius
        self.nominal_radius = nominal_radius
        self.size = size

    def fit(self, X, y=None):
        """Take the cell radius, or estimate it.

        Parameters
        ----------
        X : list of (image, points)
            Made by ``list(zip(images, points))``: images of shape (H, W) or (H, W, C),
            points of shape (n_i, 2) as (row, col) in pixels of the image.
        y : None
            Ignored.

        Returns
        -------
        self : PatchExtractor

        Raises
        ------
        ValueError
            If a parameter, an image or a list of points is not as described.
        """
        self._validate_params()
        images, points = _check_pairs(X)
        self.n_channels_ = images.n_channels
        if self.cell_radius is None:
            self.cell_radius_ = float(estimate_cell_radius(images, points))
        else:
            self.cell_radius_ = float(self.cell_radius)
        return self

    def transform(self, X):
        """Cut the patches.

        Images are read one at a time, and only those with points.

        Parameters
        ----------
        X : list of (image, points)
            As in `fit`.

        Returns
        -------
        patches : float32 ndarray of shape (n, size, size) or (n, size, size, C)
            In the order of the images and, in an image, of its points; images of one
            channel give patches without a channel axis.

        Raises
        ------
        ValueError
            If an image or a list of points is not as described, a point lies outside
            its image, or the number of channels is not that of `fit`.
        """
        check_is_fitted(self)
        scale = self.nominal_radius / self.cell_radius_
        images, points = _check_pairs(X, self.n_channels_)
        patches = [np.zeros((0, self.size, self.size, self.n_channels_), np.float32)]
        for image, shape, rows in zip(images, images.shapes, points, strict=True):
            if len(rows) == 0:
                continue
            nominal = to_nominal(normalise_image(image), scale)
            centres = points_to_nominal(rows, shape, scale)
            patches.append(cut_patches(nominal, centres, self.size))
        patches = np.concatenate(patches)
        return patches[..., 0] if self.n_channels_ == 1 else patches

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags


def _check_pairs(X, n_channels=None):
    """Split a list of (image, points) into checked images and points."""
    for index, pair in enumerate(X):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise ValueError(
                f"X[{index}] is a {type(pair).__name__}; expected a pair (image, "
                "points). Make X by list(zip(images, points))."
            )
    images = Images([image for image, _ in X], n_channels)
    points = check_clicked(images, [each for _, each in X], "points", needed=False)
    return images, points

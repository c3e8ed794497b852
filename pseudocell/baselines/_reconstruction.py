"""ReconstructionDetector: undo the phase contrast optics, then one seed a cell."""

from itertools import product
from numbers import Integral

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter
from skimage.filters import threshold_otsu
from skimage.transform import resize
from sklearn.utils.validation import check_is_fitted

from pseudocell._geometry._peaks import find_peaks
from pseudocell._images import Images
from pseudocell._parameters import RADIUS, Number, Numbers

from ._click_tuned import ClickTunedDetector
from ._phase_contrast import phase_contrast_kernel, restore_object

__all__ = ["ReconstructionDetector"]

# Width over outer radius of the phase ring: 800 over 4000 in the published settings.
_RING = 0.2
# A thin ring of radius u is dark up to the first zero of J0, where r = 0.383 / u.
_FIRST_ZERO = 0.383
# Of the maps of distances before their maxima are taken, in cell radii.
_BLUR = 0.3
_PEAK_DISTANCE = 0.7
# Pixels looked at for Otsu's threshold; more do not change it.
_MAX_SAMPLES = 250_000


class ReconstructionDetector(ClickTunedDetector):
    r"""Detect cells by undoing the optics of phase contrast, without training.

    A phase contrast image g is modelled as H f + C: f >= 0 is the object, C a smooth
    background, and H a point minus an obscured Airy pattern, which gives cells their
    halos. f is the smooth and sparse solution; `transform` returns it. It is cut at a
    threshold, and the maxima of the smoothed distance to the cut are the cells.

    The optics are not known: the clicks choose the core of the kernel, its extent, its
    sign, the sparsity and the thresholds among a few, see `fit`.

    Parameters
    ----------
    cell_radius : float, default=None
        Radius of a cell in pixels of the images; every length follows from it. None
        estimates it from the images around the clicks.
    cores : sequence of float, default=(1.0, 0.7, 0.5, 0.35)
        Radii of the core of the kernel to choose from, in cell radii.
    reaches : sequence of float, default=(1.0, 2.0)
        Extents of the kernel to choose from, in radii of its core. 1 leaves the halo
        out; more than 2 adds rings that are rarely seen.
    sparsities : sequence of float, default=(0.1,)
        Weights of the sparsity to choose from, for images with grey values in [-1, 1].
    smoothness : float, default=0.1
        Weight of the smoothness, 0 or more.
    gamma : float, default=0.1
        Where the re-weighted sparsity bends: values far above it are hardly lowered.
    levels : sequence of float, default=(0.5, 1.0, 1.5)
        Where the object may be cut, times Otsu's threshold.
    max_iter : int, default=100
        Largest number of iterations of the solver.
    tolerance : float, default=1e-3
        The solver stops when an iteration lowers the objective by less than this share.
    nominal_radius : float, default=4.0
        Images are resampled so that a cell has this radius, in pixels.

    Attributes
    ----------
    cell_radius_ : float
        The radius that is used, in pixels of the images.
    n_channels_ : int
        Number of channels of the images; the mean of them is restored.
    filter_ : tuple of (str, float, float, float)
        "dark" or "bright" cells, core, reach and sparsity.
    finder_ : tuple of (float, str)
        Level at which the object is cut, and whether cells are ranked by their "size"
        or their "brightness". Set by clicks only.
    threshold_ : float
        A cell must be larger (distance to the cut in nominal pixels) or brighter. Set
        by clicks only.

    Notes
    -----
    What differs from the publications: f is found by a projected gradient instead of
    multiplicative updates, and C together with f instead of before it; images are
    mirrored at their border; lengths of the kernel are in cell radii and chosen by
    clicks; the size or the brightness of a cell is thresholded, too.

    References
    ----------
    Yin, Kanade, Chen, "Understanding the phase contrast optics to restore artifact-free
    microscopy images for segmentation", Medical Image Analysis 2012,
    doi 10.1016/j.media.2011.12.006. The seeds: Vicar et al., "Cell segmentation methods
    for label-free contrast microscopy: review and comprehensive comparison", BMC
    Bioinformatics 2019, doi 10.1186/s12859-019-2880-8.

    Examples
    --------
    Half of the cells are clicked; most of the others are found.

    >>> from pseudocell.baselines import ReconstructionDetector
    >>> from pseudocell.datasets import make_brightfield
    >>> images, points = make_brightfield(1, (96, 96), n_cells=6, random_state=0)
    >>> detector = ReconstructionDetector(cell_radius=8).fit(images, [points[0][:3]])
    >>> round(detector.score(images, points), 2)
    0.8
    >>> detector.transform(images)[0].shape
    (96, 96)
    """

    _parameter_constraints = {
        "cell_radius": [RADIUS, None],
        "cores": [Numbers()],
        "reaches": [Numbers()],
        "sparsities": [Numbers()],
        "smoothness": [Number(low=0)],
        "gamma": [Number(low=0, closed="neither")],
        "levels": [Numbers()],
        "max_iter": [Number(Integral, 1)],
        "tolerance": [Number(low=0)],
        "nominal_radius": [RADIUS],
    }

    def __init__(
        self,
        cell_radius=None,
        *,
        cores=(1.0, 0.7, 0.5, 0.35),
        reaches=(1.0, 2.0),
        sparsities=(0.1,),
        smoothness=0.1,
        gamma=0.1,
        levels=(0.5, 1.0, 1.5),
        max_iter=100,
        tolerance=1e-3,
        nominal_radius=4.0,
    ):
        self.cell_radius = cell_radius
        self.cores = cores
        self.reaches = reaches
        self.sparsities = sparsities
        self.smoothness = smoothness
        self.gamma = gamma
        self.levels = levels
        self.max_iter = max_iter
        self.tolerance = tolerance
        self.nominal_radius = nominal_radius

    def fit(self, images, partial_points=None):
        """Choose settings and thresholds, or take the first ones for `transform`.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images; sizes may differ.
        partial_points : sequence of array-like of shape (n_i, 2), optional
            Clicked cells as (row, col) in pixels, drawn at random. None takes dark
            cells and the first core, reach and sparsity, for `transform` only.

        Returns
        -------
        self : ReconstructionDetector
            The fitted detector.

        Raises
        ------
        ValueError
            If an argument is not as described, no cell is clicked in any image, or
            neither points nor the cell radius are given.
        """
        if partial_points is not None:
            return super().fit(images, partial_points)
        self._validate_params()
        if self.cell_radius is None:
            raise ValueError(
                "cell_radius and partial_points are None; expected clicks, or the "
                "radius in pixels, to know the size of the cells."
            )
        self.cell_radius_ = float(self.cell_radius)
        self.n_channels_ = Images(images).n_channels
        self.filter_ = self._filters()[0]
        # Left from an earlier fit, they would belong to other images.
        for name in ("finder_", "threshold_"):
            vars(self).pop(name, None)
        return self

    def transform(self, images):
        """Restore the objects behind the images.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images.

        Returns
        -------
        restored : list of float32 ndarray of shape (H_i, W_i)
            0 or more, largest in the cells. Details below the nominal size of a pixel
            are lost: give ``nominal_radius=cell_radius`` to keep them.

        Raises
        ------
        ValueError
            If the images are not as described, or have other channels than in `fit`.
        """
        check_is_fitted(self, "filter_")
        restored = []
        for image in Images(images, self.n_channels_):
            found = self._filter(self._to_nominal(image), self.filter_)
            restored.append(resize(found, image.shape[:2], order=1, mode="reflect"))
        return restored

    def _filters(self):
        choices = self.cores, self.reaches, self.sparsities
        return list(product(("dark", "bright"), *choices))

    def _filter(self, image, setting):
        polarity, core, reach, sparsity = setting
        core = core * self.nominal_radius
        outer = _FIRST_ZERO / core / (1 - _RING / 2)
        extent = max(1, round(reach * core))
        kernel = phase_contrast_kernel(outer, _RING * outer, extent)
        return restore_object(
            image.mean(axis=2),
            kernel if polarity == "dark" else -kernel,
            smoothness=self.smoothness,
            sparsity=sparsity,
            gamma=self.gamma,
            max_iter=self.max_iter,
            tolerance=self.tolerance,
        )[0]

    def _finders(self, maps):
        pixels = np.concatenate([found.ravel() for found in maps])
        pixels = pixels[:: max(1, len(pixels) // _MAX_SAMPLES)]
        otsu = threshold_otsu(pixels) if np.ptp(pixels) > 0 else 0.0
        levels = [float(level * otsu) for level in self.levels]
        return list(product(levels, ("size", "brightness")))

    def _find(self, filtered, setting):
        level, ranking = setting
        mask = filtered > level
        if mask.all():
            return np.zeros((0, 2)), np.zeros(0)  # No border, so no distance to it.
        blur = _BLUR * self.nominal_radius
        distance = gaussian_filter(distance_transform_edt(mask), blur)
        points, sizes = find_peaks(distance, _PEAK_DISTANCE * self.nominal_radius, 0.0)
        if ranking == "size":
            return points, sizes
        brightness = gaussian_filter(filtered, blur)[tuple(points.astype(int).T)]
        order = np.argsort(-brightness, kind="stable")
        return points[order], brightness[order]

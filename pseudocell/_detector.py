"""HeatmapDetector: a U-Net that regresses a heatmap of cell positions."""

import numpy as np
from scipy.spatial import cKDTree
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._crops import CropBatches
from ._heatmap import render_heatmap, render_mask
from ._peaks import find_peaks
from ._radius import estimate_cell_radius
from ._scale import (
    nominal_shape,
    normalise_image,
    points_from_nominal,
    points_to_nominal,
    to_nominal,
)
from ._skorch import build_module, choose_device, fit_net, forward_net, map_threads
from ._threshold import choose_threshold
from ._tiling import map_tiles
from ._validation import check_image, check_images, check_points, check_points_inside
from .losses import MaskedMSELoss
from .metrics import detection_f1
from .nets import UNet

__all__ = ["HeatmapDetector"]

# All lengths follow from the cell radius, in the proportions of the published code:
# sigma 6, mask 12, peaks 6, matching 15 pixels for cells of radius 12.
SIGMA = 0.5
MASK = 1.0
PEAK_DISTANCE = 0.5
MATCHING_DISTANCE = 1.25
# Peaks below this height are noise at any threshold.
LOWEST_PEAK = 0.05


class HeatmapDetector(BaseEstimator):
    """Detect cells as the peaks of a heatmap that a U-Net regresses.

    The target is a Gaussian at every labelled cell. With the masked loss only the
    pixels in discs around labelled points count: the net finds nearly all cells, and
    too much else, because it never saw the rest of the image. Otherwise every pixel
    counts, the clicked discs more than the rest: as most cells are not clicked,
    their pixels are background by name only.

    Parameters
    ----------
    cell_radius : float, default=None
        Radius of a cell in pixels of the images; every length follows from it. None
        estimates it from the images around the clicks.
    masked : bool, default=True
        True counts only the pixels within one radius of a labelled point. False
        counts the others too, with the weight `background_weight`.
    background_weight : float, default=0.1
        Weight of a pixel that is not labelled against one that is, unless `masked`:
        about the share of the cells that are clicked (Elkan and Noto 2008).
    threshold : float, default=None
        A peak is a cell if it is higher, in (0, 1). None chooses it by the clicks that
        a net has not seen (see `pseudocell.metrics.lee_liu_score`) when there are
        several nets, and takes 0.5 otherwise.
    n_nets : int, default=1
        1 trains one net on all clicks. More train each net without its own share of
        the clicks of every image, and average their heatmaps.
    nominal_radius : float, default=6.0
        Images are resampled so that a cell has this radius, in pixels.
    net : callable, default=None
        Called as ``net(in_channels=C)``; returns a torch module from images to
        heatmaps with the attributes `stride` and `reach`. None takes
        `pseudocell.nets.UNet`.
    max_steps : int, default=500
        Number of batches that a net is trained on.
    batch_size : int, default=8
        Crops in a batch.
    learning_rate : float, default=3e-3
        The largest learning rate of the cycle.
    device : str, default="auto"
        "auto", "cpu", "cuda" or "mps".
    n_jobs : int, default=None
        Number of threads for nets and images. None means all cores, but one inside
        a worker of joblib.
    random_state : int, RandomState instance or None, default=None
        Seed; the same seed gives the same points on any number of threads.
    verbose : int, default=0
        1 shows progress bars.

    Attributes
    ----------
    cell_radius_ : float
        The radius that is used, in pixels of the images.
    threshold_ : float
        The threshold that is used.
    nets_ : list of skorch.NeuralNet
        The fitted nets.
    n_channels_ : int
        Number of channels of the images.
    click_heights_ : list of float ndarray of shape (n_i,)
        How high each clicked cell stands in the heatmap of a net that has not seen it
        (of the only net, if there is one).

    References
    ----------
    Nishimura, Ker, Bise, "Weakly supervised cell instance segmentation by propagating
    from detection response", MICCAI 2019, doi 10.1007/978-3-030-32239-7_72. The masked
    loss: Fujii, Suehiro, Nishimura, Bise, "Cell Detection from Imperfect Annotation by
    Pseudo Label Selection Using P-classification", MICCAI 2021,
    doi 10.1007/978-3-030-87237-3_41. The weights: Elkan, Noto, "Learning classifiers
    from only positive and unlabeled data", KDD 2008, doi 10.1145/1401890.1401920.

    Examples
    --------
    >>> from pseudocell import HeatmapDetector
    >>> from pseudocell.datasets import make_brightfield
    >>> images, points = make_brightfield(1, (96, 96), n_cells=6, random_state=0)
    >>> detector = HeatmapDetector(cell_radius=8, max_steps=2, random_state=0)
    >>> len(detector.fit(images, points).predict(images))
    1
    """

    def __init__(
        self,
        cell_radius=None,
        *,
        masked=True,
        background_weight=0.1,
        threshold=None,
        n_nets=1,
        nominal_radius=6.0,
        net=None,
        max_steps=500,
        batch_size=8,
        learning_rate=3e-3,
        device="auto",
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.cell_radius = cell_radius
        self.masked = masked
        self.background_weight = background_weight
        self.threshold = threshold
        self.n_nets = n_nets
        self.nominal_radius = nominal_radius
        self.net = net
        self.max_steps = max_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, images, points, *, positives=None, negatives=None, undecided=None):
        """Train the nets.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images; sizes may differ.
        points : sequence of array-like of shape (n_i, 2)
            Clicked cells as (row, col) in pixels; they need not be all cells.
        positives : sequence of array-like of shape (m_i, 2), optional
            Pseudo positives: further cells, which every net sees.
        negatives : sequence of array-like of shape (m_i, 2), optional
            Pseudo negatives: places that are no cell.
        undecided : sequence of array-like of shape (m_i, 2), optional
            Places that may be a cell. When they are given, the rest of the images is
            background, whose pixels count with `background_weight`, and only
            the discs around the undecided places do not count, also when `masked`.

        Returns
        -------
        self : HeatmapDetector

        Raises
        ------
        ValueError
            If an argument is not as described, or no cell is clicked in any image.
        """
        points = check_points(points, len(check_images(images)))
        labels = {"points": points}
        for name, more in (
            ("positives", positives),
            ("negatives", negatives),
            ("undecided", undecided),
        ):
            labels[name] = (
                [np.zeros((0, 2))] * len(points)
                if more is None
                else check_points(more, len(images), name)
            )
        if sum(map(len, points)) == 0:
            raise ValueError(
                "points holds no click in any image; expected at least one clicked "
                "cell to learn from."
            )
        rng = check_random_state(self.random_state)
        self._check_lengths(images, points)
        nominal, shapes = self._read(images)
        for name, lists in labels.items():
            for index, shape in enumerate(shapes):
                check_points_inside(lists[index], shape, index, name)
            labels[name] = [
                points_to_nominal(array, shape, self._scale)
                for array, shape in zip(lists, shapes, strict=True)
            ]
        folds = _deal(labels["points"], self.n_nets, rng)
        seeds = rng.randint(2**31 - 1, size=2 * len(folds))
        background = self.background_weight
        if self.masked and undecided is None:
            background = 0.0
        trainings = []
        for fold, held_out in enumerate(folds):
            seen = [
                np.concatenate([array[~mask], extra])
                for array, mask, extra in zip(
                    labels["points"], held_out, labels["positives"], strict=True
                )
            ]
            module = build_module(
                UNet if self.net is None else self.net,
                seeds[2 * fold],
                in_channels=self.n_channels_,
            )
            trainings.append((fold, module, seen, seeds[2 * fold + 1]))

        def train(training):
            fold, module, seen, seed = training
            batches = self._batches(nominal, seen, labels, background, seed)
            return fit_net(
                module,
                MaskedMSELoss(),
                batches,
                learning_rate=self.learning_rate,
                device=choose_device(self.device),
                description=f"Training net {fold + 1} of {len(folds)}",
                verbose=self.verbose,
            )

        self.nets_ = map_threads(train, trainings, self.n_jobs)
        self._choose_threshold(nominal, labels["points"], folds)
        return self

    def predict(self, images):
        """Detect the cells.

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
        return [points for points, _ in self.find_candidates(images, self.threshold_)]

    def find_candidates(self, images, threshold=LOWEST_PEAK, known=None):
        """Return the peaks above any threshold, with their heights.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images.
        threshold : float, default=0.05
            Peaks at or below it are left out.
        known : sequence of array-like of shape (m_i, 2), optional
            Places that are candidates in any case, unless a peak is near.

        Returns
        -------
        candidates : list of (points, heights)
            Points of shape (n_i, 2) as (row, col) in pixels and heights of shape
            (n_i,) in the heatmap, the highest first.
        """
        check_is_fitted(self)

        def find(index):
            image = check_image(images[index], index, self.n_channels_)
            heatmap = np.mean(self._heatmaps(self._to_nominal(image)), axis=0)
            points, heights = self._peaks(heatmap, threshold)
            if known is not None:
                extra = points_to_nominal(known[index], image.shape, self._scale)
                extra = extra[~_any_near(extra, points, PEAK_DISTANCE * self.nominal_radius)]
                rows, cols = np.round(extra).astype(int).T
                points = np.concatenate([points, extra])
                heights = np.concatenate([heights, heatmap[rows, cols]])
            return points_from_nominal(points, image.shape, self._scale), heights

        return map_threads(find, range(len(check_images(images))), self.n_jobs)

    def predict_heatmap(self, images):
        """Return the heatmaps at the nominal cell size.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images.

        Returns
        -------
        heatmaps : list of float32 ndarray of shape (H'_i, W'_i)
            Mean over the nets, near 1 at a cell and near 0 elsewhere; one pixel is
            ``cell_radius_ / nominal_radius`` pixels of the image.
        """
        check_is_fitted(self)

        def render(index):
            image = check_image(images[index], index, self.n_channels_)
            return np.mean(self._heatmaps(self._to_nominal(image)), axis=0)

        return map_threads(render, range(len(check_images(images))), self.n_jobs)

    def score(self, images, points):
        """Return the F1 score when all cells are known.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images.
        points : sequence of array-like of shape (n_i, 2)
            **All** cells; scores against partial clicks mean nothing.

        Returns
        -------
        f1 : float
            With one-to-one matching within 1.25 cell radii, over all images.
        """
        predicted = self.predict(images)
        return detection_f1(points, predicted, MATCHING_DISTANCE * self.cell_radius_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags

    @property
    def _scale(self):
        return self.nominal_radius / self.cell_radius_

    def _check_lengths(self, images, points):
        """Settle the cell radius."""
        for name in ("cell_radius", "nominal_radius"):
            radius = getattr(self, name)
            if radius is not None and not (np.isfinite(radius) and radius > 0):
                raise ValueError(
                    f"{name} is {radius!r}; expected a number of pixels above 0."
                )
        if self.cell_radius is None:
            self.cell_radius_ = estimate_cell_radius(images, points)
        else:
            self.cell_radius_ = float(self.cell_radius)

    def _read(self, images):
        """Read all images; return them at the nominal size, and their true shapes."""
        nominal, shapes = [], []
        self.n_channels_ = None
        for index in range(len(images)):
            image = check_image(images[index], index, self.n_channels_)
            self.n_channels_ = 1 if image.ndim == 2 else image.shape[2]
            shapes.append(image.shape)
            nominal.append(self._to_nominal(image))
        return nominal, shapes

    def _to_nominal(self, image):
        return to_nominal(normalise_image(image), self._scale)

    def _batches(self, images, seen, labels, background, seed):
        """Render the targets and cut batches of crops."""
        radius = MASK * self.nominal_radius
        heatmaps, weights = [], []
        for index, image in enumerate(images):
            shape = image.shape[:2]
            heatmap = render_heatmap(seen[index], shape, SIGMA * self.nominal_radius)
            weight = np.full(shape, background, dtype=np.float32)
            weight[render_mask(labels["undecided"][index], shape, radius)] = 0
            negative = render_mask(labels["negatives"][index], shape, radius)
            weight[negative] = 1
            weight[render_mask(seen[index], shape, radius)] = 1
            heatmaps.append(heatmap)
            weights.append(weight)
        return CropBatches(
            images,
            heatmaps,
            weights,
            [_with_index(seen), _with_index(labels["negatives"])],
            n_steps=self.max_steps,
            batch_size=self.batch_size,
            size=_crop_size(self.nominal_radius),
            anywhere=0.5 if background else 0.0,
            random_state=seed,
        )

    def _heatmaps(self, nominal_image):
        """Return the heatmap of each net for one image at the nominal size."""
        heatmaps = []
        for net in self.nets_:
            heatmaps.append(
                map_tiles(
                    lambda tile, net=net: forward_net(net, tile[np.newaxis])[0],
                    nominal_image,
                    stride=net.module_.stride,
                    halo=net.module_.reach,
                )
            )
        return np.array(heatmaps)

    def _peaks(self, heatmap, threshold):
        return find_peaks(heatmap, PEAK_DISTANCE * self.nominal_radius, threshold)

    def _choose_threshold(self, images, points, folds):
        """See how high held-out clicks stand, and choose the threshold by them."""
        radius = MASK * self.nominal_radius

        def look(index):
            heatmaps = self._heatmaps(images[index])
            heights = np.zeros(len(points[index]))
            for heatmap, held_out in zip(heatmaps, folds, strict=True):
                mask = held_out[index] if len(folds) > 1 else slice(None)
                peaks = self._peaks(heatmap, LOWEST_PEAK)
                heights[mask] = _heights_at(points[index][mask], *peaks, radius)
            return heights, self._peaks(heatmaps.mean(axis=0), LOWEST_PEAK)[1]

        looks = map_threads(look, range(len(images)), self.n_jobs)
        self.click_heights_ = [heights for heights, _ in looks]
        if self.threshold is not None:
            self.threshold_ = float(self.threshold)
        elif len(folds) == 1:
            self.threshold_ = 0.5
        else:
            self.threshold_ = choose_threshold(
                np.concatenate(self.click_heights_),
                np.concatenate([heights for _, heights in looks]),
            )


def _deal(points, n_nets, rng):
    """Deal the clicks of each image out, one share a net that will not see it."""
    n_nets = min(n_nets, sum(map(len, points)))
    folds = [[] for _ in range(n_nets)]
    start = 0
    for array in points:
        share = rng.permutation(np.arange(start, start + len(array)) % max(n_nets, 1))
        start += len(array)
        for fold in range(n_nets):
            folds[fold].append((share == fold) & (n_nets > 1))
    return folds


def _with_index(points):
    """Return (image, row, col) of all points."""
    return np.concatenate(
        [np.insert(array, 0, index, axis=1) for index, array in enumerate(points)]
    )


def _any_near(points, others, radius):
    """Return for each point whether any other point lies within the radius."""
    if len(others) == 0 or len(points) == 0:
        return np.zeros(len(points), dtype=bool)
    return cKDTree(others).query(points)[0] <= radius


def _heights_at(points, peaks, heights, radius):
    """Return the height of the highest peak within a radius of each point, or 0."""
    if len(points) == 0 or len(peaks) == 0:
        return np.zeros(len(points))
    near = np.linalg.norm(points[:, np.newaxis] - peaks, axis=2) <= radius
    return np.max(near * heights, axis=1)


def _crop_size(nominal_radius):
    """Return about 11 radii, a multiple of 32 pixels: 64 at a radius of 6."""
    return int(np.ceil(nominal_radius * 64 / 6 / 32) * 32)

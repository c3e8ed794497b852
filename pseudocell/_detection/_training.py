"""Labels and images to the batches that a net is trained on."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from sklearn.exceptions import NotFittedError

from .._geometry._heatmap import render_heatmap, render_mask, render_weights
from .._geometry._scale import NominalImage, nominal_shape
from .._net_parameters import split_samples
from .._threads import map_threads
from ._batches import CropBatches
from ._held_out import seen_clicks

__all__ = [
    "MASK",
    "NominalLabels",
    "Targets",
    "crop_size",
    "cut_crops",
    "find_start",
    "plan_batches",
    "weigh_background",
]

# All lengths follow from the cell radius, in the proportions of the published code:
# sigma 6, mask 12 pixels for cells of radius 12.
SIGMA = 0.5
MASK = 1.0
# What a net takes to settle, on however small images.
FEWEST_STEPS = 30
# Candidates that are rather cells than not: as many crops lie around cells like them
# as around clicks.
PROBABLE = 0.5


@dataclass(frozen=True, eq=False)
class NominalLabels:
    """What nets learn from, in pixels of the nominal size; one array an image each.

    Attributes
    ----------
    clicks, positives, negatives : list of ndarray of shape (n_i, 2)
        Clicked cells, pseudo positives and pseudo negatives.
    undecided : list of ndarray of shape (n_i, 2)
        Further candidates.
    centres : list of ndarray of shape (n_i, 2)
        Places that crops lie around as they do around clicks.
    probabilities : list of ndarray of shape (n_i,)
        How probably each of these is a cell.
    """

    clicks: list
    positives: list
    negatives: list
    undecided: list
    centres: list
    probabilities: list


@dataclass(frozen=True, eq=False)
class Targets:
    """What a net should draw, and how much each pixel counts.

    Attributes
    ----------
    cells : list of ndarray of shape (n_i, 2)
        Where a bump is, in pixels of the nominal size.
    labelled : list of ndarray of shape (m_i, 2)
        The centres of the discs that count fully.
    undecided : list of (points, probabilities)
        Where a bump is as high as it is probable, and counts as much.
    weights : ndarray of shape (n_images,)
        What the other pixels of each image count.
    nominal_radius : float
        Radius of a cell.
    seen : callable or None
        Called as ``seen(index, corner, shape)``; which pixels of a part count at all,
        True for all of them.
    """

    cells: list
    labelled: list
    undecided: list
    weights: np.ndarray
    nominal_radius: float
    seen: Callable | None = None

    def draw(self, index, corner, shape):
        """Draw a part of an image, which begins at a corner.

        Parameters
        ----------
        index : int
            Number of the image.
        corner, shape : tuple of int
            First pixel, height and width of the part.

        Returns
        -------
        heatmap, weight : float32 ndarray of that shape
        """
        weight = np.full(shape, self.weights[index], dtype=np.float32)
        radius = MASK * self.nominal_radius
        sigma = SIGMA * self.nominal_radius
        heatmap = render_heatmap(self.cells[index], shape, sigma, corner)
        points, chances = self.undecided[index]
        if len(points):
            # Of (f - g)^2 with the chance w and f^2 with 1 - w remains (f - w g)^2.
            maybe = render_heatmap(points, shape, sigma, corner, chances)
            discs = render_weights(points, chances, shape, radius, corner)
            np.maximum(heatmap, maybe, out=heatmap)
            np.maximum(weight, discs, out=weight)
        weight[render_mask(self.labelled[index], shape, radius, corner)] = 1
        if self.seen is not None:
            weight *= self.seen(index, corner, shape)
        return heatmap, weight


def weigh_background(clicks, weight, masked):
    """Return the weight of the unlabelled pixels of each image.

    Parameters
    ----------
    clicks : list of ndarray of shape (n_i, 2)
        Clicked cells.
    weight : float
        About the share of the cells that are clicked: none of them, in an image that
        nobody clicked in; 1 says that all are, if there are any.
    masked : bool
        Whether unlabelled pixels count nowhere.

    Returns
    -------
    weights : ndarray of shape (n_images,)
    """
    if masked:
        return np.zeros(len(clicks))
    counts = np.array([len(array) > 0 for array in clicks])
    counts |= weight == 1
    return np.where(counts, weight, 0.0)


def find_start(detector):
    """Return the fitted detector to go on from.

    Parameters
    ----------
    detector : HeatmapDetector
        Has the parameters `warm_start` and `init`.

    Returns
    -------
    start : HeatmapDetector or None
        None to start with new nets.

    Raises
    ------
    ValueError
        If that detector is not fitted, or of another size.
    """
    if detector.warm_start and hasattr(detector, "nets_"):
        start, name = detector, "the fit before"
    elif detector.init is None:
        return None
    else:
        start, name = getattr(detector.init, "detector_", detector.init), "init"
    if not hasattr(start, "nets_"):
        raise NotFittedError(
            f"init is a {type(start).__name__} without fitted nets; expected a "
            "fitted HeatmapDetector. In a part or a search pass "
            "init=sklearn.frozen.FrozenEstimator(fitted): a clone forgets the nets."
        )
    there = {"n_nets": len(start.nets_), "nominal_radius": start.nominal_radius}
    for key, value in there.items():
        if getattr(detector, key) != value:
            raise ValueError(
                f"{key} is {getattr(detector, key)}, but {name} has {value}; expected "
                "the same, to go on from its nets."
            )
    return start


def plan_batches(detector, images, labels, held_out, places, *, most, seeds):
    """Draw the crops that each net is trained on; their pixels are to come.

    Parameters
    ----------
    detector : HeatmapDetector
        Says how it is trained, by its parameters, `n_channels_`, and `n_steps_` before.
    images : Images
        Their shapes; and when crops are drawn, which pixels do not count.
    labels : NominalLabels
        At the nominal size.
    held_out : list of int ndarray of shape (n_i,)
        Which net does not see which click.
    places : Places or None
        Which net is kept off which place.
    most : int
        Number of batches, unless the background is small.
    seeds : int ndarray of shape (n_nets,)
        A seed a net.

    Returns
    -------
    batches : list of CropBatches
        One of each net.
    valid : list of CropBatches or None
        Around the clicks that `train_split` keeps off each net.
    """
    radius = detector.nominal_radius
    scale = radius / detector.cell_radius_
    shapes = [nominal_shape(shape, scale) for shape in images.shapes]
    weights = weigh_background(
        labels.clicks, detector.background_weight, detector.masked
    )
    where = weights > 0 if weights.any() else None
    n_steps = _count_steps(detector, shapes, weights, places, most)
    batches, every_valid = [], []
    for number, seed in enumerate(seeds):
        known, positives, negatives, sure, undecided = _labels_of(
            number, labels, held_out, places, shapes
        )
        seen, valid = _split_clicks(detector.train_split, known)
        # What is less probable than the background weighs is background.
        least = detector.background_weight
        undecided = [(p[w > least], w[w > least]) for p, w in undecided]
        cells = _join(seen, positives)
        # Pseudo positives are the clear cells, and many. Crops around any cell would be
        # theirs, and the clicks, which stand for all the others, be crowded out.
        probable = _join(positives, [p[w >= PROBABLE] for p, w in undecided])
        centres = [_join(seen, sure), probable]
        if detector.masked:
            # A few sure ones among the negatives are not worth half of the crops.
            centres = [_join(_without(cells, sure), sure), _without(negatives, sure)]
        area = _area_of(number, places, shapes)
        targets = Targets(
            cells,
            _join(cells, negatives),
            undecided,
            weights,
            radius,
            partial(_counting, images, shapes, area),
        )
        plan = partial(
            CropBatches,
            shapes,
            detector.n_channels_,
            batch_size=detector.batch_size,
            size=crop_size(radius),
            random_state=seed,
        )
        planned = plan(
            [*map(_with_index, centres)],
            targets.draw,
            n_steps=n_steps,
            first_step=detector.n_steps_,
            anywhere=0.0 if where is None else 0.5,
            where=where,
            is_seen=area and partial(_is_in, area),
        )
        batches.append(planned)
        places_of_valid = _with_index(valid)
        n_valid = -(-len(places_of_valid) // detector.batch_size)
        if n_valid == 0:
            every_valid.append(None)
            continue
        # The same crops after every epoch; beside them only what is background counts.
        targets = replace(targets, cells=_join(known, positives), labelled=valid)
        crops = plan([places_of_valid], targets.draw, n_steps=n_valid, anywhere=0.0)
        every_valid.append(crops)
    return batches, every_valid


def _split_clicks(train_split, clicks):
    """Split the clicks of all images together into those to train on and others."""
    counts = [len(array) for array in clicks]
    _, valid = split_samples(train_split, sum(counts), name="clicks")
    is_valid = np.zeros(sum(counts), dtype=bool)
    is_valid[valid] = True
    kept_off = np.split(is_valid, np.cumsum(counts)[:-1])
    parts = [
        (array[~off], array[off]) for array, off in zip(clicks, kept_off, strict=True)
    ]
    return [*zip(*parts, strict=True)]


def _labels_of(number, labels, held_out, places, shapes):
    """Return the labels that a net sees: with places, those where it is trained."""
    undecided = list(zip(labels.undecided, labels.probabilities, strict=True))
    if places is None:
        seen = seen_clicks(number, labels.clicks, held_out)
        return seen, labels.positives, labels.negatives, labels.centres, undecided

    def sees(index, points):
        return places.fold_of(index, points, shapes[index]) != number

    points = [
        [array[sees(index, array)] for index, array in enumerate(each)]
        for each in (labels.clicks, labels.positives, labels.negatives, labels.centres)
    ]
    chances = [
        (array[sees(index, array)], chance[sees(index, array)])
        for index, (array, chance) in enumerate(undecided)
    ]
    return *points, chances


def _area_of(number, places, shapes):
    """Return a function that tells which pixels a net is trained on, None for all."""
    if places is None:
        return None
    return lambda index, corner, part: places.seen_by(
        number, index, corner, part, shapes[index]
    )


def _counting(images, shapes, area, index, corner, part):
    """Return which pixels of a part teach a net: those of its area that count."""
    seen = True if area is None else area(index, corner, part)
    # The image was read before: crops of it were cut.
    mask = images[index].mask
    if mask is None:
        return seen
    return seen & ~mask.resampled(corner, part, shapes[index])


def _is_in(area, index, point):
    return bool(area(index, tuple(np.asarray(point, dtype=int)), (1, 1)).all())


def _count_steps(detector, shapes, weights, places, most):
    """Return the number of batches, fewer where the background is small."""
    if detector.max_passes is None or not weights.any():
        return most
    area = np.prod(shapes, axis=1)[weights > 0].sum()
    if places is not None:
        area *= 1 - 1 / detector.n_nets
    batch_area = detector.batch_size * crop_size(detector.nominal_radius) ** 2
    enough = max(FEWEST_STEPS, int(np.ceil(detector.max_passes * area / batch_area)))
    return min(most, enough)


def cut_crops(images, batches, scale, n_jobs):
    """Read the images, each once and only those needed, and cut the crops.

    Parameters
    ----------
    images : Images
        The images.
    batches : list of CropBatches or None
        Those of each net.
    scale : float
        Nominal radius over the cell radius in pixels.
    n_jobs : int or None
        Number of threads.
    """
    batches = [some for some in batches if some is not None]
    needed = sorted(set().union(*(some.images_needed for some in batches)))

    def cut(index):
        image = np.asarray(NominalImage(images[index], scale))
        for some in batches:
            some.cut(index, image)

    map_threads(cut, needed, n_jobs)


def crop_size(nominal_radius):
    """Return about 11 radii, a multiple of 32 pixels: 64 at a radius of 6."""
    return int(np.ceil(nominal_radius * 64 / 6 / 32) * 32)


def _join(some, others):
    """Join the points of each image."""
    return list(map(np.concatenate, zip(some, others, strict=True)))


def _without(points, others):
    """Leave out the points of each image that are among others."""
    return [
        some[~(some[:, np.newaxis] == those).all(axis=2).any(axis=1)]
        for some, those in zip(points, others, strict=True)
    ]


def _with_index(points):
    """Return (image, row, col) of all points."""
    return np.concatenate(
        [np.insert(array, 0, index, axis=1) for index, array in enumerate(points)]
    )

"""Labels and images to the batches that a net is trained on."""

from dataclasses import dataclass

import numpy as np

from .._geometry._heatmap import render_heatmap, render_mask
from .._geometry._scale import NominalImage
from .._threads import map_threads
from ._batches import CropBatches

__all__ = [
    "MASK",
    "Targets",
    "count_steps",
    "crop_size",
    "cut_crops",
    "plan_batches",
    "weigh_background",
]

# All lengths follow from the cell radius, in the proportions of the published code:
# sigma 6, mask 12 pixels for cells of radius 12.
SIGMA = 0.5
MASK = 1.0
# What a net takes to settle, on however small images.
FEWEST_STEPS = 30


@dataclass(frozen=True, eq=False)
class Targets:
    """What a net should draw, and how much each pixel counts.

    Attributes
    ----------
    cells : list of ndarray of shape (n_i, 2)
        Where a bump is, in pixels of the nominal size.
    labelled : list of ndarray of shape (m_i, 2)
        The centres of the discs that count fully.
    weights : ndarray of shape (n_images,)
        What the other pixels of each image count.
    nominal_radius : float
        Radius of a cell.
    """

    cells: list
    labelled: list
    weights: np.ndarray
    nominal_radius: float

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
        weight[render_mask(self.labelled[index], shape, radius, corner)] = 1
        sigma = SIGMA * self.nominal_radius
        return render_heatmap(self.cells[index], shape, sigma, corner), weight


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


def plan_batches(
    shapes, labels, weights, *, masked, nominal_radius, n_channels, **settings
):
    """Draw the crops that a net is trained on; their pixels are to come.

    Parameters
    ----------
    shapes : list of (H_i, W_i)
        Shapes of the images at the nominal size.
    labels : tuple of three lists of ndarray of shape (n_i, 2)
        The clicks that the net sees, pseudo positives and pseudo negatives.
    weights : ndarray of shape (n_images,)
        From `weigh_background`.
    masked : bool
        Whether the net learns from the discs around labels alone.
    nominal_radius : float
        Radius of a cell.
    n_channels : int
        Number of channels of the images.
    **settings
        Further arguments of `CropBatches`.

    Returns
    -------
    batches : CropBatches
    """
    clicks, positives, negatives = labels
    cells = _join(clicks, positives)
    # Pseudo positives are the clear cells, and many. Crops around any cell would
    # be theirs, and the clicks, which stand for all the others, be crowded out.
    centres = [cells, negatives] if masked else [clicks, positives]
    targets = Targets(cells, _join(cells, negatives), weights, nominal_radius)
    where = weights > 0 if weights.any() else None
    return CropBatches(
        shapes,
        n_channels,
        [*map(_with_index, centres)],
        targets.draw,
        size=crop_size(nominal_radius),
        anywhere=0.0 if where is None else 0.5,
        where=where,
        **settings,
    )


def count_steps(shapes, weights, *, most, max_epochs, batch_size, nominal_radius):
    """Return the number of batches, fewer where the background is small.

    Parameters
    ----------
    shapes : list of (H_i, W_i)
        Shapes of the images at the nominal size.
    weights : ndarray of shape (n_images,)
        From `weigh_background`.
    most : int
        Number of batches unless the background is small.
    max_epochs : float or None
        How often the crops may cover the images whose background counts.
    batch_size : int
        Crops in a batch.
    nominal_radius : float
        Radius of a cell.

    Returns
    -------
    n_steps : int
    """
    if max_epochs is None or not weights.any():
        return most
    area = np.prod(shapes, axis=1)[weights > 0].sum()
    batch_area = batch_size * crop_size(nominal_radius) ** 2
    enough = max(FEWEST_STEPS, int(np.ceil(max_epochs * area / batch_area)))
    return min(most, enough)


def cut_crops(images, batches, scale, n_jobs):
    """Read the images, each once and only those needed, and cut the crops.

    Parameters
    ----------
    images : Images
        The images.
    batches : list of CropBatches
        One of each net.
    scale : float
        Nominal radius over the cell radius in pixels.
    n_jobs : int or None
        Number of threads.
    """
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


def _with_index(points):
    """Return (image, row, col) of all points."""
    return np.concatenate(
        [np.insert(array, 0, index, axis=1) for index, array in enumerate(points)]
    )

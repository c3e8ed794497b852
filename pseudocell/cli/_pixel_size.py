"""Images of another magnification: the cell radius in their own pixels."""

import copy
import math
import warnings

import numpy as np

from pseudocell.cli._terminal import counted, say

__all__ = ["common_pixel_size", "radii_for", "with_radius"]

# Sizes of a pixel that differ by less are those of one magnification.
TOLERANCE = 0.05


def common_pixel_size(images):
    """Return the size of a pixel that images have in common.

    Parameters
    ----------
    images : list of ImageFile
        The images.

    Returns
    -------
    pixel_size : float or None
        Micrometres; None if not all files say so, or they differ.

    Warns
    -----
    UserWarning
        If they differ: they are trained on as if cells were equally large in all.
    """
    sizes = [image.pixel_size for image in images]
    known = [size for size in sizes if size is not None]
    if not known:
        return None
    if max(known) > min(known) * (1 + TOLERANCE):
        warnings.warn(
            f"The images have pixels of {min(known):.4g} to {max(known):.4g} "
            "micrometres; one cell radius stands for all of them.",
            stacklevel=2,
        )
        return None
    return float(np.median(known)) if len(known) == len(sizes) else None


def radii_for(detector, images, cell_radius=None):
    """Return the radius of a cell in each image, in its own pixels.

    Parameters
    ----------
    detector : estimator
        Fitted, with `cell_radius_` and perhaps `pixel_size_` in micrometres.
    images : list of ImageFile
        The images.
    cell_radius : float, optional
        The radius in all of them, in pixels.

    Returns
    -------
    radii : list of float
        Pixels. That of the detector where its images or these have no pixel size, or
        the same.
    """
    if cell_radius is not None:
        return [float(cell_radius)] * len(images)
    radius = float(detector.cell_radius_)
    trained = getattr(detector, "pixel_size_", None)
    radii = []
    for image in images:
        factor = trained / image.pixel_size if trained and image.pixel_size else 1.0
        same = abs(math.log(factor)) < math.log1p(TOLERANCE)
        radii.append(radius if same else radius * factor)
    scaled = [one for one in radii if one != radius]
    if scaled:
        low, high = min(scaled), max(scaled)
        text = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
        say(
            f"{counted(len(scaled), 'image')} of another magnification than the "
            f"{trained:.4g} micrometres a pixel of the training: the cell radius is "
            f"{text} px there instead of {radius:.3g}; --cell-radius overrides it."
        )
    return radii


def with_radius(detector, radius):
    """Return a detector that looks for cells of this radius.

    Parameters
    ----------
    detector : estimator
        Fitted.
    radius : float
        Pixels.

    Returns
    -------
    detector : estimator
        The same if that is its radius, else a copy that shares its nets.
    """
    if radius == detector.cell_radius_:
        return detector
    changed = copy.copy(detector)
    changed.cell_radius_ = radius
    if hasattr(changed, "detector_"):
        changed.detector_ = with_radius(changed.detector_, radius)
    return changed

"""Synthetic counterparts of the five data sets of the paper."""

from numbers import Integral

import numpy as np

from pseudocell._parameters import SEED, SHARE, Number, Shape, checked
from pseudocell.datasets._annotation import drop_points
from pseudocell.datasets._detection_set import DetectionSet
from pseudocell.datasets._synthetic import make_brightfield, make_phase_contrast

__all__ = ["CELL_RADIUS", "CONDITIONS", "MAX_DISTANCE", "TITLES", "make_condition"]

# The order and the words of Table 1.
TITLES = {
    "control": "Control",
    "fgf2": "FGF2",
    "bmp2": "BMP2",
    "fgf2+bmp2": "FGF2+BMP2",
    "hsc": "HSC",
}
CONDITIONS = tuple(TITLES)

# Those of the published code: sigma 6, mask 12, matching 15 pixels.
CELL_RADIUS = 12.0
MAX_DISTANCE = 15.0

# Grouped round cells in a littered well.
_HSC = {"clustering": 0.5, "debris": 3.0}
# Sum of the cell areas over the area of the image.
_HSC_DENSITY = 0.12


@checked(
    n_train=[Number(Integral, 1, words="1 or more")],
    n_test=[Number(Integral, 1, words="1 or more")],
    shape=[Shape()],
    fraction=[SHARE],
    random_state=[*SEED],
)
def make_condition(
    name, *, n_train=4, n_test=4, shape=(384, 384), fraction=0.1, random_state=None
):
    """Make a synthetic counterpart of one data set of the paper, with clicks.

    The paper compares detectors on four cultures of C2C12 cells in phase contrast
    and on haematopoietic stem cells in bright field, after 10 % of the cells were
    clicked. These images imitate what made each hard, and need no network:

    =============  ==============  ===========================================
    condition      microscopy      what is hard
    =============  ==============  ===========================================
    ``control``    phase contrast  dark crumbs and lost processes among cells
    ``fgf2``       phase contrast  long thin cells with strong halos
    ``bmp2``       phase contrast  few flat cells with faint halos, much debris
    ``fgf2+bmp2``  phase contrast  crowds of aligned cells
    ``hsc``        bright field    groups of round cells, a well edge, debris
    =============  ==============  ===========================================

    Parameters
    ----------
    name : {"control", "fgf2", "bmp2", "fgf2+bmp2", "hsc"}
        The condition.
    n_train : int, default=4
        Number of images to train on.
    n_test : int, default=4
        Number of other images to test on.
    shape : tuple of int, default=(384, 384)
        Height and width of an image in pixels.
    fraction : float, default=0.1
        Share of the cells of each training image that is clicked, rounded up.
    random_state : int or numpy.random.Generator, optional
        Seed. The same seed gives the same images and clicks, and more images leave
        the first ones unchanged; None gives others at each call.

    Returns
    -------
    condition : DetectionSet
        Named "drawn Control" and so on. A cell has a radius of 12 pixels, that of a
        disc with the area of a mean cell; a detection is matched within 15 pixels.

    Raises
    ------
    ValueError
        If the name is unknown, a number is out of range, or the image is too small.

    References
    ----------
    Fujii, Suehiro, Nishimura, Bise, "Cell Detection from Imperfect Annotation by
    Pseudo Label Selection Using P-classification", MICCAI 2021,
    doi:10.1007/978-3-030-87237-3_41. The cultures: Ker et al., "Phase contrast
    time-lapse microscopy datasets with automated and manual cell tracking
    annotations", Scientific Data 2018, doi:10.1038/sdata.2018.237. The stem cells:
    BF-C2DL-HSC of the Cell Tracking Challenge, Ulman et al., "An objective
    comparison of cell-tracking algorithms", Nature Methods 2017,
    doi:10.1038/nmeth.4473.

    Examples
    --------
    >>> from pseudocell.datasets import make_condition
    >>> condition = make_condition("fgf2", n_train=2, n_test=1, random_state=0)
    >>> [len(points) for points in condition.train_points]
    [46, 46]
    >>> [len(clicks) for clicks in condition.train_clicks]
    [5, 5]
    """
    if not isinstance(name, str) or name not in CONDITIONS:
        raise ValueError(f"name is {name!r:.80}; expected one of {list(CONDITIONS)}.")
    # Streams of their own, so that neither number changes the rest.
    streams = np.random.default_rng(random_state).spawn(3)
    train_images, train_points = _draw(name, n_train, shape, streams[0])
    test_images, test_points = _draw(name, n_test, shape, streams[1])
    return DetectionSet(
        name=f"drawn {TITLES[name]}",
        train_images=train_images,
        train_points=train_points,
        train_clicks=drop_points(train_points, fraction, streams[2]),
        test_images=test_images,
        test_points=test_points,
        cell_radius=CELL_RADIUS,
        max_distance=MAX_DISTANCE,
    )


def _draw(name, n_images, shape, rng):
    """Draw the images of a condition."""
    same = {"cell_radius": CELL_RADIUS, "random_state": rng}
    if name != "hsc":
        return make_phase_contrast(n_images, shape, look=name, **same)
    n_cells = round(_HSC_DENSITY * np.prod(shape) / (np.pi * CELL_RADIUS**2))
    return make_brightfield(n_images, shape, n_cells=n_cells, **_HSC, **same)

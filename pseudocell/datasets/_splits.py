"""The paper's five conditions: which frames to train on and which clicks to give."""

import warnings
from pathlib import Path

from pseudocell.datasets._annotation import drop_points
from pseudocell.datasets._c2c12 import fetch_c2c12, read_c2c12
from pseudocell.datasets._cell_tracking import (
    count_tracks,
    download_cell_tracking,
    read_cell_tracking,
)
from pseudocell.datasets._conditions import (
    CELL_RADIUS,
    CONDITIONS,
    MAX_DISTANCE,
    TITLES,
)
from pseudocell.datasets._detection_set import DetectionSet

__all__ = ["paper_split"]

# Experiment and field after the published code, frames, and whose cells are the truth.
FILMS = {
    "control": ("090303", 2, range(600, 800, 2), "computer"),
    "fgf2": ("090303", 6, range(0, 760, 2), "computer"),
    "bmp2": ("090303", 9, range(580, 780, 2), "human"),
    "fgf2+bmp2": ("090318", 17, range(600, 800, 2), "computer"),
}
# Of C2C12 every tenth image trains; of HSC every 20th, 13 of them.
C2C12_STRIDE = 10
HSC_STRIDE, HSC_TRAIN, HSC_IMAGES, HSC_CELLS = 20, 13, 264, 80


def paper_split(name, folder=None, *, annotation=None, data_home=None, random_state=0):
    """Return one of the paper's five conditions: images, clicks and truth.

    The numbers of images are those of section 4 of the paper; 10 % of the cells of
    each training image are clicked, 125 in all of ``hsc``:

    =============  =====  ====  =========================================
    name           train  test  frames, our reading
    =============  =====  ====  =========================================
    ``control``       10    90  C2C12 090303, field 2: 600, 602 ... 798
    ``fgf2``          38   342  C2C12 090303, field 6: 0, 2 ... 758
    ``bmp2``          10    90  C2C12 090303, field 9: 580, 582 ... 778
    ``fgf2+bmp2``     10    90  C2C12 090318, field 17: 600, 602 ... 798
    ``hsc``           13   251  BF-C2DL-HSC 02: the 264 with over 80 cells
    =============  =====  ====  =========================================

    Parameters
    ----------
    name : {"control", "fgf2", "bmp2", "fgf2+bmp2", "hsc"}
        The condition.
    folder : str or path, optional
        Holds the film and its annotation, see `read_c2c12`, or the unpacked set, see
        `read_cell_tracking`. None downloads them.
    annotation : {"computer", "human"} or path, optional
        Where the truth of C2C12 comes from. The paper's was clicked for it and is not
        published. Pass the path of an XML file to use your own. None takes "human" for
        ``bmp2``, the only film of which it holds every cell, else "computer".
    data_home : str or path, optional
        Where data sets are kept, see `get_data_home`.
    random_state : int or numpy.random.Generator, default=0
        Seed of the draw of the clicks.

    Returns
    -------
    split : DetectionSet
        Images of 1040 x 1392 pixels, or 1010 x 1010, read when touched.

    Raises
    ------
    ImportError, OSError, ValueError
        If the name is unknown, `annotation` is given for ``hsc``, or as in
        `fetch_c2c12` and `fetch_cell_tracking`.

    Warns
    -----
    UserWarning
        If the truth is that of a program or of a few cells only, or if other than 264
        frames hold more than 80 cells.

    Notes
    -----
    The films are those that the published code names; **which frames were used is not
    published**. The paper has nine test images for each training image of C2C12, and
    the code trains on every 20th frame. Both hold where every second frame is used and
    every tenth of these trains. Frame 600 is in the code; ``fgf2`` begins with frame 0,
    as 760 frames do not follow on 600; ``bmp2`` ends where its annotation does. Of
    ``hsc``, the first 13 of every 20th frame train, and all others test. How far its
    clicks are from 125 tells how well that is read.

    References
    ----------
    Fujii, Suehiro, Nishimura, Bise, "Cell Detection from Imperfect Annotation by
    Pseudo Label Selection Using P-classification", MICCAI 2021,
    doi:10.1007/978-3-030-87237-3_41, and github.com/FujiiKazuma/CDFIAPLSUP.

    Examples
    --------
    >>> from pseudocell.datasets import paper_split
    >>> split = paper_split("hsc", "BF-C2DL-HSC")  # doctest: +SKIP
    """
    if name not in CONDITIONS:
        raise ValueError(f"name is {name!r}; expected one of {list(CONDITIONS)}.")
    if name == "hsc":
        if annotation is not None:
            raise ValueError(
                f"annotation is {annotation!r}; expected None for 'hsc', whose set "
                "has one truth."
            )
        images, points = _read_hsc(folder, data_home)
        train = range(0, len(images), HSC_STRIDE)[:HSC_TRAIN]
    else:
        images, points = _read_c2c12(name, folder, annotation, data_home)
        train = range(0, len(images), C2C12_STRIDE)
    test = [index for index in range(len(images)) if index not in train]
    train_points = [points[index] for index in train]
    return DetectionSet(
        name=TITLES[name],
        train_images=[images[index] for index in train],
        train_clicks=drop_points(train_points, 0.1, random_state),
        train_points=train_points,
        test_images=[images[index] for index in test],
        test_points=[points[index] for index in test],
        cell_radius=CELL_RADIUS,
        max_distance=MAX_DISTANCE,
    )


def _read_hsc(folder, data_home):
    if folder is None:
        folder = download_cell_tracking("BF-C2DL-HSC", data_home)
    counts = count_tracks(Path(folder), "02")
    frames = sorted(frame for frame, n in counts.items() if n > HSC_CELLS)
    if not frames:
        raise ValueError(
            f"No frame of {folder}, sequence 02, holds more than {HSC_CELLS} cells; is "
            "it BF-C2DL-HSC?"
        )
    if len(frames) != HSC_IMAGES:
        warnings.warn(
            f"{len(frames)} frames of {folder}, sequence 02, hold more than "
            f"{HSC_CELLS} cells; the paper had {HSC_IMAGES}: this is not its split.",
            stacklevel=3,
        )
    return read_cell_tracking(folder, "02", frames=frames)


def _read_c2c12(name, folder, annotation, data_home):
    experiment, field, frames, default = FILMS[name]
    annotation = default if annotation is None else annotation
    if annotation == "computer" or (annotation == "human" and name != "bmp2"):
        held = "only a few cells" if annotation == "human" else "what a program found"
        warnings.warn(
            f"The {annotation} annotation of film {experiment}, field {field}, holds "
            f"{held}, not every cell: scores against it are not those of the paper. "
            "Pass annotation= with a file of all cells if you have one.",
            stacklevel=3,
        )
    arguments = {"frames": frames, "annotation": annotation}
    if folder is None:
        return fetch_c2c12(experiment, field, **arguments, data_home=data_home)
    return read_c2c12(folder, experiment, field, **arguments)

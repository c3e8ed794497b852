"""The paper's five conditions: which frames to train on and which clicks to give."""

import warnings
from dataclasses import dataclass

from pseudocell.datasets._annotation import drop_points
from pseudocell.datasets._c2c12 import fetch_c2c12, read_c2c12
from pseudocell.datasets._cell_tracking import fetch_cell_tracking, read_cell_tracking

__all__ = [
    "PaperSplit",
    "paper_split_bmp2",
    "paper_split_control",
    "paper_split_fgf2",
    "paper_split_fgf2_bmp2",
    "paper_split_hsc",
]

# Every 20th image trains and the others test, as in the published code.
STRIDE = 20


@dataclass(frozen=True)
class PaperSplit:
    """Images, clicks and truth of one condition of the paper, ready to be compared on.

    `pseudocell.benchmark.run_benchmark` takes it as one of its sets.

    Attributes
    ----------
    name : str
        Name of the condition.
    train_images : list of Frame
        Images to train on, read from their files when touched.
    train_clicks : list of float ndarray of shape (ceil(0.1 n_i), 2)
        (row, col) of 10 % of the cells of each, in pixels: what is given to ``fit``.
    train_points : list of float ndarray of shape (n_i, 2)
        All cells of the images to train on: for full supervision and for diagnosis.
    test_images : list of Frame
        Images to test on.
    test_points : list of float ndarray of shape (m_i, 2)
        All cells of the images to test on.
    cell_radius : float
        The paper's radius of the disc around a cell in which the loss counts, in
        pixels.
    max_distance : float
        Within how many pixels a detection matches a cell.
    """

    name: str
    train_images: list
    train_clicks: list
    train_points: list
    test_images: list
    test_points: list
    cell_radius: float = 12.0
    max_distance: float = 15.0


def paper_split_control(
    folder=None, *, annotation="computer", data_home=None, random_state=0
):
    """Return the paper's condition Control: C2C12 without growth factors.

    Film 090303, field 2, after the published code; 10 images to train on. Which 200
    frames were used is not published: frames 600 to 799 are our choice, because the
    code names frame 600.

    Parameters
    ----------
    folder : str or path, optional
        Holds the film and its annotation, see `read_c2c12`. None downloads them.
    annotation : {"computer", "human"} or path, default="computer"
        Where the truth comes from. The paper's was clicked for it and is not
        published; the public human annotation of this film follows only a few
        cells. Pass the path of an XML file to use your own.
    data_home : str or path, optional
        Where data sets are kept, see `get_data_home`.
    random_state : int or numpy.random.Generator, default=0
        Seed of the draw of the clicks.

    Returns
    -------
    split : PaperSplit
        10 images to train on and 190 to test on, of 1040 x 1392 pixels.

    Raises
    ------
    ImportError, OSError, ValueError
        As in `fetch_c2c12` and `read_c2c12`.

    Warns
    -----
    UserWarning
        If the truth is that of the tracking program or of a few cells only.

    References
    ----------
    Fujii, Suehiro, Nishimura, Bise, "Cell Detection from Imperfect Annotation by
    Pseudo Label Selection Using P-classification", MICCAI 2021,
    doi:10.1007/978-3-030-87237-3_41.

    Examples
    --------
    >>> from pseudocell.datasets import paper_split_control
    >>> split = paper_split_control()  # doctest: +SKIP
    """
    film = ("control", "090303", 2, range(600, 800))
    return _split_c2c12(film, folder, annotation, data_home, random_state)


def paper_split_fgf2(
    folder=None, *, annotation="computer", data_home=None, random_state=0
):
    """Return the paper's condition FGF2: C2C12 with fibroblast growth factor.

    Film 090303, field 6; everything else as in `paper_split_control`.

    Parameters
    ----------
    folder, annotation, data_home, random_state : see paper_split_control
        As in `paper_split_control`.

    Returns
    -------
    split : PaperSplit
        10 images to train on and 190 to test on, of 1040 x 1392 pixels.
    """
    film = ("fgf2", "090303", 6, range(600, 800))
    return _split_c2c12(film, folder, annotation, data_home, random_state)


def paper_split_bmp2(
    folder=None, *, annotation="human", data_home=None, random_state=0
):
    """Return the paper's condition BMP2: C2C12 with bone morphogenetic protein.

    Film 090303, field 9, the only one of which the public human annotation holds
    every cell. The paper speaks of 38 images to train on without saying of which
    condition, and of no frames; that these are every 20th of frames 0 to 759 of this
    film is our reading. Everything else is as in `paper_split_control`.

    Parameters
    ----------
    folder, annotation, data_home, random_state : see paper_split_control
        As in `paper_split_control`, but `annotation` is "human" by default.

    Returns
    -------
    split : PaperSplit
        38 images to train on and 722 to test on, of 1040 x 1392 pixels.
    """
    film = ("bmp2", "090303", 9, range(760))
    return _split_c2c12(film, folder, annotation, data_home, random_state)


def paper_split_fgf2_bmp2(
    folder=None, *, annotation="computer", data_home=None, random_state=0
):
    """Return the paper's condition FGF2+BMP2: C2C12 with both growth factors.

    Film 090318, field 17; everything else as in `paper_split_control`.

    Parameters
    ----------
    folder, annotation, data_home, random_state : see paper_split_control
        As in `paper_split_control`.

    Returns
    -------
    split : PaperSplit
        10 images to train on and 190 to test on, of 1040 x 1392 pixels.
    """
    film = ("fgf2+bmp2", "090318", 17, range(600, 800))
    return _split_c2c12(film, folder, annotation, data_home, random_state)


def paper_split_hsc(folder=None, *, data_home=None, random_state=0):
    """Return the paper's condition BF-C2DL-HSC: blood stem cells in bright field.

    Sequence 02, after the published code; 13 images to train on. Which 260 frames were
    used is not published. The paper has 125 clicks, so some 90 cells an image, which
    the film reaches towards its end: the last 260 frames, 1504 to 1763, are our
    choice. How far the number of clicks is from 125 tells how well it was made.

    Parameters
    ----------
    folder : str or path, optional
        The unpacked set, see `read_cell_tracking`. None downloads it, 2 GB.
    data_home : str or path, optional
        Where data sets are kept, see `get_data_home`.
    random_state : int or numpy.random.Generator, default=0
        Seed of the draw of the clicks.

    Returns
    -------
    split : PaperSplit
        13 images to train on and 247 to test on, of 1010 x 1010 pixels.

    Raises
    ------
    ImportError, OSError, ValueError
        As in `fetch_cell_tracking` and `read_cell_tracking`.

    Examples
    --------
    >>> from pseudocell.datasets import paper_split_hsc
    >>> split = paper_split_hsc("BF-C2DL-HSC")  # doctest: +SKIP
    """
    frames = range(1504, 1764)
    if folder is None:
        images, points = fetch_cell_tracking(
            "BF-C2DL-HSC", "02", frames=frames, data_home=data_home
        )
    else:
        images, points = read_cell_tracking(folder, "02", frames=frames)
    return _split("hsc", images, points, random_state)


def _split_c2c12(film, folder, annotation, data_home, random_state):
    name, experiment, field, frames = film
    is_whole = annotation == "human" and (experiment, field) == ("090303", 9)
    if annotation in ("human", "computer") and not is_whole:
        held = "only a few cells" if annotation == "human" else "what a program found"
        warnings.warn(
            f"The {annotation} annotation of film {experiment}, field {field}, holds "
            f"{held}, not every cell: scores against it are not those of the paper. "
            "Pass annotation= with a file of all cells if you have one.",
            stacklevel=3,
        )
    if folder is None:
        images, points = fetch_c2c12(
            experiment, field, frames=frames, annotation=annotation, data_home=data_home
        )
    else:
        images, points = read_c2c12(
            folder, experiment, field, frames=frames, annotation=annotation
        )
    return _split(name, images, points, random_state)


def _split(name, images, points, random_state):
    train = slice(None, None, STRIDE)
    tests = [index for index in range(len(images)) if index % STRIDE]
    return PaperSplit(
        name=name,
        train_images=images[train],
        train_clicks=drop_points(points[train], 0.1, random_state),
        train_points=points[train],
        test_images=[images[index] for index in tests],
        test_points=[points[index] for index in tests],
    )

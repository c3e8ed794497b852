"""The sets of a benchmark: images, clicks and truth, from a folder or made."""

from dataclasses import fields
from pathlib import Path

from pseudocell._parameters import DISTANCE, RADIUS, File, checked
from pseudocell.datasets import CONDITIONS, DetectionSet, make_condition
from pseudocell.io import points_for_images, read_images, read_points
from pseudocell.metrics import MATCHING_DISTANCE

__all__ = ["DetectionSet", "as_detection_set", "read_set"]


def as_detection_set(data):
    """Return anything with the attributes of a set as a set.

    Parameters
    ----------
    data : object
        For example a Bunch of scikit-learn.

    Returns
    -------
    detection_set : DetectionSet
        The set.

    Raises
    ------
    ValueError
        If an attribute is missing or not as described.
    """
    if isinstance(data, DetectionSet):
        return data
    names = [field.name for field in fields(DetectionSet)]
    missing = [name for name in names if not hasattr(data, name)]
    if missing:
        raise ValueError(
            f"A set of type {type(data).__name__} lacks {', '.join(missing)}; expected "
            "the attributes of pseudocell.benchmark.DetectionSet. Read a folder with "
            "pseudocell.benchmark.read_set."
        )
    return DetectionSet(**{name: getattr(data, name) for name in names})


@checked(folder=[File()], cell_radius=[RADIUS], max_distance=[DISTANCE, None])
def read_set(folder, cell_radius, max_distance=None, *, name=None):
    r"""Read a set from a folder.

    The folder holds ``train/images``, ``train/clicks.csv`` (some of the cells) and,
    where known, ``train/points.csv`` (all of them), ``test/images`` and
    ``test/points.csv``. What is not there cannot be reported; one of the two files
    in ``train`` must be there. Images are read when they are needed.

    Parameters
    ----------
    folder : str or path
        The folder.
    cell_radius : float
        Radius of a cell in pixels.
    max_distance : float, optional
        Largest distance in pixels of a cell and the point that finds it; 1.25 cell
        radii if not given.
    name : str, optional
        What it is called in tables; the name of the folder if not given.

    Returns
    -------
    detection_set : DetectionSet
        The set.

    Raises
    ------
    ValueError
        If the folder is not laid out like that, or a file in it cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from skimage.io import imsave
    >>> from pseudocell.benchmark import read_set
    >>> with TemporaryDirectory() as folder:
    ...     for part in ("train", "test"):
    ...         file = Path(folder, part, "images", "a.png")
    ...         file.parent.mkdir(parents=True)
    ...         imsave(file, np.eye(40, dtype=np.uint8), check_contrast=False)
    ...     clicks = Path(folder, "train", "clicks.csv")
    ...     _ = clicks.write_text("image,row,col\na.png,8,9")
    ...     read_set(folder, cell_radius=8, name="mine").max_distance
    10.0
    """
    folder = Path(folder)
    if not (folder / "train" / "images").is_dir():
        raise ValueError(
            f"The set {folder} has no folder train/images; expected train/images, "
            "train/clicks.csv, test/images and test/points.csv."
        )
    train_images = read_images(folder / "train" / "images")
    has_test = (folder / "test" / "images").is_dir()
    test_images = read_images(folder / "test" / "images") if has_test else []
    if max_distance is None:
        max_distance = MATCHING_DISTANCE * cell_radius
    return DetectionSet(
        name=folder.resolve().name if name is None else name,
        train_images=train_images,
        train_clicks=_read_points(folder / "train" / "clicks.csv", train_images),
        train_points=_read_points(folder / "train" / "points.csv", train_images),
        test_images=test_images,
        test_points=_read_points(folder / "test" / "points.csv", test_images),
        cell_radius=float(cell_radius),
        max_distance=float(max_distance),
    )


def _read_points(path, images):
    if not path.is_file() or not images:
        return None
    return points_for_images(read_points(path), images)


def synthetic_sets(name=None):
    """Make the synthetic counterparts of the conditions of the paper.

    Parameters
    ----------
    name : str, optional
        One of them, such as "control"; all of them if not given.

    Returns
    -------
    sets : list of DetectionSet
        Always the same images.

    Raises
    ------
    ValueError
        If the name is not known.
    """
    if name is not None and name not in CONDITIONS:
        raise ValueError(
            f"The synthetic set {name} is not known; expected one of "
            f"{', '.join(CONDITIONS)}."
        )
    names = CONDITIONS if name is None else [name]
    return [make_condition(one, random_state=0) for one in names]

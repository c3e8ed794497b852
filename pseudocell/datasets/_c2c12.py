"""C2C12: films of muscle cells in phase contrast, with tracks as XML."""

import os
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from pseudocell._validation import check_points
from pseudocell.datasets import _osf
from pseudocell.datasets._download import get_data_home
from pseudocell.datasets._frames import Frame, pick_frames

__all__ = ["fetch_c2c12", "read_c2c12", "read_c2c12_annotation"]

# The layers of the annotation tool that hold cell centres, by hand and by program.
LAYERS = ("Annotate DarkSpot Center", "Cells")
KINDS = {"human": "Human", "computer": "Computer"}


def fetch_c2c12(
    experiment="090303",
    field=9,
    *,
    frames=range(0, 780, 20),
    annotation="human",
    data_home=None,
):
    """Download frames of a film of C2C12 cells and read them with their cells.

    The 48 films are on https://osf.io/ysaq2, one image a file, 3 MB each: only the
    frames that are asked for are downloaded, and each file once. OSF knows their
    SHA-256, against which they are checked.

    Parameters
    ----------
    experiment : str, default="090303"
        The date with which the name of the experiment begins: ``"090303"``,
        ``"090318"`` or ``"090325"``.
    field : int, default=9
        Number of the field of view, 9 for the files ``exp1_F0009-*.tif``.
    frames : iterable of int, default=range(0, 780, 20)
        Numbers of the frames, from 0.
    annotation : {"human", "computer"} or path, default="human"
        Whose centres to read, see `read_c2c12`.
    data_home : str or path, optional
        Where data sets are kept, see `get_data_home`.

    Returns
    -------
    images, points : list of Frame, list of float ndarray of shape (n_i, 2)
        As in `read_c2c12`.

    Raises
    ------
    ImportError
        If pooch is not installed.
    OSError
        If a file cannot be downloaded, or OSF does not have it.
    ValueError
        If `annotation` is unknown, or a file is damaged.

    References
    ----------
    Ker et al., "Phase contrast time-lapse microscopy datasets with automated and
    manual cell tracking annotations", Scientific Data 2018,
    doi:10.1038/sdata.2018.237. The data are under CC BY 4.0.

    Examples
    --------
    >>> from pseudocell.datasets import fetch_c2c12
    >>> images, points = fetch_c2c12(frames=[0, 400])  # doctest: +SKIP
    """
    if not os.path.isfile(annotation):
        _check_kind(annotation)
    frames = list(frames)
    folder = get_data_home(data_home) / "C2C12"
    arguments = {"frames": frames, "annotation": annotation}
    try:
        return read_c2c12(folder, experiment, field, **arguments)
    except FileNotFoundError:
        _download(folder, experiment, field, **arguments)
    return read_c2c12(folder, experiment, field, **arguments)


def read_c2c12(
    folder, experiment="090303", field=9, *, frames=None, annotation="human"
):
    """Read a film of C2C12 cells and its cells.

    The human annotation is complete for one film alone, field 9 of experiment
    ``"090303"``, and there for the first 780 frames; of every other film it follows
    three cells and their descendants. The computer's annotation holds all that a
    tracking program found, with its errors.

    Parameters
    ----------
    folder : str or path
        Holds the images ``exp1_F0009-00001.tif`` and so on and the annotation
        ``Human Full Annotation_exp1_F0009 Data.xml`` (or ``Human exp1_...``,
        ``Computer exp1_...``) anywhere below.
    experiment : str, default="090303"
        The date with which the folder of the experiment begins. It tells films of
        the same field apart, and counts only where there are several.
    field : int, default=9
        Number of the field of view.
    frames : iterable of int, optional
        Numbers of the frames to read, in this order; frame 0 is in file 00001. None
        reads all of them.
    annotation : {"human", "computer"} or path, default="human"
        Whose centres to read. Of human ones, the full annotation before the other.
        Or an XML file in the same form, such as one of your own.

    Returns
    -------
    images : list of Frame
        The images, read from their files when touched.
    points : list of float ndarray of shape (n_i, 2)
        (row, col) of every annotated cell in pixels. Cells that have left the image
        do not count.

    Raises
    ------
    FileNotFoundError
        If the annotation or the image of a frame is missing.
    ValueError
        If `annotation` is unknown, a file is damaged, or several films fit.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from skimage.io import imsave
    >>> from pseudocell.datasets import read_c2c12
    >>> text = '''<root><fs><f name="Cells"><as><a id="1">
    ...     <ss><s i="0" x="30.5" y="12" s="1"/></ss></a></as></f></fs></root>'''
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "Human exp1_F0009 Data.xml").write_text(text)
    ...     file = Path(folder, "exp1_F0009-00001.tif")
    ...     imsave(file, np.eye(40, dtype=np.uint8), check_contrast=False)
    ...     images, points = read_c2c12(folder)
    >>> points
    [array([[12. , 30.5]])]
    """
    folder = Path(folder)
    pattern = f"exp1_F{field:04d}-([0-9]+)[.]tif"
    files = _find(folder, pattern, experiment, "images")
    paths = {int(re.fullmatch(pattern, path.name)[1]) - 1: path for path in files}
    if annotation in KINDS:
        pattern = _annotation_pattern(field, annotation)
        found = _find(folder, pattern, experiment, f"{annotation} annotation")
        # "Human Full Annotation_exp1_F0009" is longer than "Human exp1_F0009".
        annotation = max(found, key=lambda path: len(path.name))
    elif not os.path.isfile(annotation):
        _check_kind(annotation)
    if frames is None:
        frames = range(min(paths), max(paths) + 1)
    frames = list(frames)
    chosen = pick_frames(paths, frames, "image", folder)
    images = [Frame(str(path)) for path in chosen]
    centres = read_c2c12_annotation(annotation)
    nowhere = np.empty((0, 2))
    height, width = images[0].shape if images else (0, 0)
    points = [centres.get(frame, nowhere) for frame in frames]
    last = (height - 0.5, width - 0.5)
    inside = [((rows >= -0.5) & (rows < last)).all(axis=1) for rows in points]
    points = [rows[keep] for rows, keep in zip(points, inside, strict=True)]
    return images, check_points(points)


def read_c2c12_annotation(path):
    """Read the cell centres of every frame from an annotation of C2C12.

    An annotation holds layers (``f``) of cells (``a``), which hold their daughters
    and their states (``s``: frame ``i``, column ``x``, row ``y``).

    Parameters
    ----------
    path : str or path
        The XML file.

    Returns
    -------
    points : dict of int to float ndarray of shape (n, 2)
        For each frame with cells, from 0, the (row, col) of each in pixels.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, holds no cells, or several layers of them.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from pseudocell.datasets import read_c2c12_annotation
    >>> text = '''<root><fs><f name="Cells"><as><a id="1">
    ...     <ss><s i="0" x="30.5" y="12" s="1"/><s i="1" x="31" y="12" s="7"/></ss>
    ...     <as><a id="2"><ss><s i="2" x="28" y="12" s="1"/></ss></a>
    ...     <a id="3"><ss><s i="2" x="34" y="13" s="1"/></ss></a></as>
    ... </a></as></f></fs></root>'''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "Computer exp1_F0001 Data.xml")
    ...     _ = path.write_text(text)
    ...     points = read_c2c12_annotation(path)
    >>> points[0], points[2]
    (array([[12. , 30.5]]), array([[12., 28.],
           [13., 34.]]))
    """
    try:
        root = ElementTree.parse(path).getroot()
        layer = _pick_layer(root, path)
        centres = {}
        for state in layer.iterfind(".//ss/s"):
            row, col = float(state.attrib["y"]), float(state.attrib["x"])
            if np.isfinite([row, col]).all():
                centres.setdefault(int(state.attrib["i"]), []).append((row, col))
    except (ElementTree.ParseError, KeyError, TypeError) as error:
        raise ValueError(
            f"The annotation {path} cannot be read ({error}); it is empty, damaged or "
            "of another kind. Download it again."
        ) from error
    return {frame: np.array(rows) for frame, rows in sorted(centres.items())}


def _download(folder, experiment, field, frames, annotation):
    """Download what OSF has of a film and is not there yet."""
    names = {f"exp1_F{field:04d}-{frame + 1:05d}.tif" for frame in frames}
    titles = [experiment, f"exp1_F{field:04d}"]
    _osf.download_files(titles, names.__contains__, folder)
    if annotation in KINDS:
        titles = [experiment, f"Annotation_{KINDS[annotation]}"]
        is_wanted = re.compile(_annotation_pattern(field, annotation)).fullmatch
        _osf.download_files(titles, is_wanted, folder)


def _annotation_pattern(field, annotation):
    return rf"{KINDS[annotation]}\b.*exp1_F{field:04d}\b.*[.]xml"


def _pick_layer(root, path):
    """Return the layer of cell centres: the only one, or the one of a known name."""
    layers = [f for f in root.iter("f") if f.find(".//ss/s") is not None]
    known = [layer for layer in layers if layer.get("name") in LAYERS]
    if len(layers) == 1:
        return layers[0]
    if len(known) == 1:
        return known[0]
    names = ", ".join(repr(layer.get("name")) for layer in layers) or "none"
    raise ValueError(
        f"The annotation {path} has {len(layers)} layers of cells ({names}); expected "
        f"one, or one of the name {LAYERS[0]!r} or {LAYERS[1]!r}."
    )


def _check_kind(annotation):
    if annotation not in KINDS:
        raise ValueError(
            f"annotation is {str(annotation)!r}; expected 'human', 'computer' or the "
            "path of an XML file that is there."
        )


def _find(folder, pattern, experiment, what):
    """Find the files of one film; the experiment counts if there are several."""
    found = [p for p in folder.rglob("*") if re.fullmatch(pattern, p.name)]
    if len({path.parent for path in found}) > 1:
        of_experiment = [p for p in found if experiment in str(p.relative_to(folder))]
        found = of_experiment or found
    if not found:
        raise FileNotFoundError(
            f"The folder {folder} holds no {what}: no file has a name like {pattern}. "
            "Download the film and its annotation from https://osf.io/ysaq2 and pass "
            "the folder that holds both."
        )
    places = sorted({str(path.parent) for path in found})
    if len(places) > 1:
        raise ValueError(
            f"The folder {folder} holds {what} that fit in {len(places)} places: "
            f"{', '.join(places[:3])}. Pass one of these, or the folder above it."
        )
    return found

"""BBBC039 of the Broad Bioimage Benchmark Collection: nuclei in fluorescence."""

from pathlib import Path

import numpy as np
from PIL import Image
from skimage.measure import label

from pseudocell.datasets._download import download_folder, get_data_home
from pseudocell.datasets._frames import Frame, label_centroids

__all__ = ["fetch_bbbc039", "read_bbbc039"]

ADDRESS = "https://data.broadinstitute.org/bbbc/BBBC039/"
# SHA-256 of the archives. The collection publishes none; two public projects name the
# same ones for images and masks (torch-em is one), one of them that of the lists.
CHECKSUMS = {
    "images": "6f30a5d4fe38c928ded972704f085975f8dc0d65d9aa366df00e5a9d449fddd7",
    "masks": "f9e6043d8ca56344a4886f96a700d804d6ee982f31e2b2cd3194af2a053c2710",
    "metadata": "a2c1f900bed9ba92a99553efd4c2ae98598433691c7401d818653ab61110deb2",
}
SUBSETS = ("training", "validation", "test")
# Smaller specks are slips of the pen: a nucleus has some 500 pixels. Our choice.
MIN_AREA = 10


def fetch_bbbc039(subset="training", *, data_home=None, verify=True):
    """Download BBBC039, nuclei of U2OS cells in fluorescence, and read a part of it.

    The first call downloads 80 MB: 200 images of 520 x 696 pixels and 16 bits, with
    some 23 000 nuclei drawn by experts. Later calls find them.

    Parameters
    ----------
    subset : {"training", "validation", "test"}, default="training"
        Which of the published lists of images.
    data_home : str or path, optional
        Where data sets are kept, see `get_data_home`.
    verify : bool, default=True
        Check the archives against their known SHA-256.

    Returns
    -------
    images : list of Frame
        The images, read from their files when touched.
    points : list of float ndarray of shape (n_i, 2)
        (row, col) of every nucleus in pixels.

    Raises
    ------
    ImportError
        If pooch is not installed.
    OSError
        If an archive cannot be downloaded, or a file is missing.
    ValueError
        If there is no such subset, or a file is damaged.

    References
    ----------
    Image set BBBC039v1 (Caicedo et al. 2018), Broad Bioimage Benchmark Collection;
    Ljosa, Sokolnicki, Carpenter, "Annotated high-throughput microscopy image sets for
    validation", Nature Methods 2012, doi:10.1038/nmeth.2083.

    Examples
    --------
    >>> from pseudocell.datasets import fetch_bbbc039
    >>> images, points = fetch_bbbc039("test")  # doctest: +SKIP
    """
    _check_subset(subset)
    folder = get_data_home(data_home) / "BBBC039"
    for name, checksum in CHECKSUMS.items():
        url = f"{ADDRESS}{name}.zip"
        download_folder(url, folder, name, checksum if verify else None)
    return read_bbbc039(folder, subset)


def read_bbbc039(folder, subset="training"):
    """Read a part of BBBC039 from its unpacked archives.

    A nucleus is a connected region of one value in the first channel of its mask, as
    the collection explains; its point is the mean position of its pixels. Specks of
    less than 10 pixels do not count.

    Parameters
    ----------
    folder : str or path
        Holds the folders ``images``, ``masks`` and ``metadata``.
    subset : {"training", "validation", "test"}, default="training"
        Which of the lists in ``metadata``.

    Returns
    -------
    images, points : list of Frame, list of float ndarray of shape (n_i, 2)
        As in `fetch_bbbc039`, in the order of the list.

    Raises
    ------
    FileNotFoundError
        If the list, an image or a mask is missing.
    ValueError
        If there is no such subset, or a mask is damaged.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from skimage.io import imsave
    >>> from pseudocell.datasets import read_bbbc039
    >>> nuclei = np.zeros((40, 40, 3), dtype=np.uint8)
    >>> nuclei[10:15, 20:25, 0] = 1
    >>> with TemporaryDirectory() as folder:
    ...     for name, file in [("images", "a.tif"), ("masks", "a.png")]:
    ...         Path(folder, name).mkdir()
    ...         pixels = nuclei if name == "masks" else nuclei[..., 0]
    ...         imsave(Path(folder, name, file), pixels, check_contrast=False)
    ...     Path(folder, "metadata").mkdir()
    ...     _ = Path(folder, "metadata", "training.txt").write_text("a.png")
    ...     images, points = read_bbbc039(folder)
    >>> points
    [array([[12., 22.]])]
    """
    _check_subset(subset)
    folder = Path(folder)
    names = folder / "metadata" / f"{subset}.txt"
    _check_file(names)
    stems = [
        Path(line).stem
        for line in names.read_text("utf-8").splitlines()
        if line.strip()
    ]
    images = [folder / "images" / f"{stem}.tif" for stem in stems]
    masks = [folder / "masks" / f"{stem}.png" for stem in stems]
    for path in images + masks:
        _check_file(path)
    return [Frame(str(path)) for path in images], [_read_points(path) for path in masks]


def _check_subset(subset):
    if subset not in SUBSETS:
        raise ValueError(f"subset is {subset!r}; expected one of {', '.join(SUBSETS)}.")


def _check_file(path):
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file {path}. Pass a folder that holds the folders images, "
            "masks and metadata of BBBC039 as they were unpacked."
        )


def _read_points(path):
    try:
        with Image.open(path) as opened:
            mask = np.asarray(opened)
    except (OSError, SyntaxError) as error:  # Pillow's for a damaged PNG
        raise ValueError(
            f"The mask {path} cannot be read ({error}); it is empty or damaged. Unpack "
            "it again."
        ) from error
    nuclei = label(mask if mask.ndim == 2 else mask[..., 0])
    areas = np.bincount(nuclei.ravel())
    nuclei[areas[nuclei] < MIN_AREA] = 0
    return label_centroids(nuclei)

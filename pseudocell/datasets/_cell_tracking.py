"""The two-dimensional training sets of the Cell Tracking Challenge."""

from collections import Counter
from pathlib import Path

import numpy as np

from pseudocell.datasets._download import download_folder, get_data_home
from pseudocell.datasets._frames import (
    Frame,
    label_centroids,
    numbered_files,
    pick_frames,
)

__all__ = [
    "count_tracks",
    "download_cell_tracking",
    "fetch_cell_tracking",
    "read_cell_tracking",
]

ADDRESS = "https://data.celltrackingchallenge.net/training-datasets/"
# SHA-256 of the archives. The challenge publishes none; these are the ones against
# which the package torch-em (github.com/constantinpape/torch-em) checks them.
CHECKSUMS = dict(
    line.split()
    for line in """
BF-C2DL-HSC 0aa68ec37a9b06e72a5dfa07d809f56e1775157fb674bb75ff904936149657b1
BF-C2DL-MuSC ca72b59042809120578a198ba236e5ed3504dd6a122ef969428b7c64f0a5e67d
DIC-C2DH-HeLa 832fed2d05bb7488cf9c51a2994b75f8f3f53b3c3098856211f2d39023c34e1a
Fluo-C2DL-Huh7 1912658c1b3d8b38b314eb658b559e7b39c256917150e9b3dd8bfdc77347617d
Fluo-C2DL-MSC a083521f0cb673ae02d4957c5e6580c2e021943ef88101f6a2f61b944d671af2
Fluo-N2DH-GOWT1 1a7bd9a7d1d10c4122c7782427b437246fb69cc3322a975485c04e206f64fc2c
Fluo-N2DH-SIM+ 3e809148c87ace80c72f563b56c35e0d9448dcdeb461a09c83f61e93f5e40ec8
Fluo-N2DL-HeLa 35dd99d58e071aba0b03880128d920bd1c063783cc280f9531fbdc5be614c82e
PhC-C2DH-U373 b18185c18fce54e8eeb93e4bbb9b201d757add9409bbf2283b8114185a11bc9e
PhC-C2DL-PSC 9d54bb8febc8798934a21bf92e05d92f5e8557c87e28834b2832591cdda78422
""".strip().splitlines()
)


def fetch_cell_tracking(
    name="BF-C2DL-HSC", sequence="01", *, frames=None, data_home=None, verify=True
):
    """Download a set of the Cell Tracking Challenge and read one of its sequences.

    The first call downloads the archive, 2 GB for ``BF-C2DL-HSC``; later ones find
    it. The conditions of use of the challenge ask to cite it and not to pass the
    data on.

    Parameters
    ----------
    name : str, default="BF-C2DL-HSC"
        Name of a two-dimensional training set, such as ``"PhC-C2DL-PSC"``.
    sequence : {"01", "02"}, default="01"
        Which of its films.
    frames : iterable of int, optional
        Numbers of the frames to read, in this order. None reads all of them.
    data_home : str or path, optional
        Where data sets are kept, see `get_data_home`.
    verify : bool, default=True
        Check the archive against its known SHA-256.

    Returns
    -------
    images, points : list of Frame, list of float ndarray of shape (n_i, 2)
        As in `read_cell_tracking`.

    Raises
    ------
    ImportError
        If pooch is not installed.
    OSError
        If the archive cannot be downloaded, or a frame is missing.
    ValueError
        If there is no set of this name, or a file is damaged.

    References
    ----------
    Maška et al., "The Cell Tracking Challenge: 10 years of objective benchmarking",
    Nature Methods 2023, doi:10.1038/s41592-023-01879-y.

    Examples
    --------
    >>> from pseudocell.datasets import fetch_cell_tracking
    >>> images, points = fetch_cell_tracking(
    ...     "BF-C2DL-HSC", "02", frames=range(0, 1700, 100)
    ... )  # doctest: +SKIP
    """
    folder = download_cell_tracking(name, data_home, verify)
    return read_cell_tracking(folder, sequence, frames=frames)


def read_cell_tracking(folder, sequence="01", *, frames=None):
    """Read a sequence in the layout of the Cell Tracking Challenge.

    A cell is where its marker of the tracking truth is: at the mean position of the
    pixels of ``TRA/man_track*.tif`` with one label. A frame whose markers are all
    background has no cells.

    Parameters
    ----------
    folder : str or path
        The unpacked set: it holds ``01/t0000.tif`` and ``01_GT/TRA/man_track0000.tif``
        (or numbers of three digits).
    sequence : str, default="01"
        Which of its films.
    frames : iterable of int, optional
        Numbers of the frames to read, in this order. None reads all of them.

    Returns
    -------
    images : list of Frame
        The images, read from their files when touched.
    points : list of float ndarray of shape (n_i, 2)
        (row, col) of every cell in pixels, by rising label.

    Raises
    ------
    FileNotFoundError
        If a folder, an image or the markers of a frame are missing.
    ValueError
        If a file of markers is damaged or not two-dimensional.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from tifffile import imwrite
    >>> from pseudocell.datasets import read_cell_tracking
    >>> markers = np.zeros((6, 8), np.uint16)
    >>> markers[1:4, 2:5] = 7  # one cell, its centre at row 2, column 3
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, pixels in [
    ...         ("01/t000.tif", markers),
    ...         ("01_GT/TRA/man_track000.tif", markers),
    ...     ]:
    ...         Path(folder, name).parent.mkdir(parents=True)
    ...         imwrite(Path(folder, name), pixels)
    ...     images, points = read_cell_tracking(folder)
    >>> points
    [array([[2., 3.]])]
    """
    folder = Path(folder)
    image_folder = folder / sequence
    truth_folder = folder / f"{sequence}_GT" / "TRA"
    images = numbered_files(image_folder, r"t([0-9]+)\.tiff?")
    markers = numbered_files(truth_folder, r"man_track([0-9]+)\.tiff?")
    frames = sorted(images.keys() | markers.keys()) if frames is None else list(frames)
    chosen = pick_frames(images, frames, "image", image_folder)
    truth = pick_frames(markers, frames, "markers", truth_folder)
    return (
        [Frame(str(path)) for path in chosen],
        [_read_centroids(path) for path in truth],
    )


def download_cell_tracking(name, data_home=None, verify=True):
    """Download a set, unless it is there.

    Parameters
    ----------
    name, data_home, verify : str, path, bool
        As in `fetch_cell_tracking`.

    Returns
    -------
    folder : pathlib.Path
        Where it is, unpacked.
    """
    if name not in CHECKSUMS:
        raise ValueError(
            f"name is {name!r}; expected one of {', '.join(CHECKSUMS)}. Download "
            "another set by hand and read it with read_cell_tracking."
        )
    checksum = CHECKSUMS[name] if verify else None
    home = get_data_home(data_home) / "cell_tracking"
    return download_folder(f"{ADDRESS}{name}.zip", home, name, checksum)


def count_tracks(folder, sequence):
    """Count the cells of each frame by the table of tracks, without an image.

    A row of ``TRA/man_track.txt`` is a label, its first and last frame, its parent.

    Parameters
    ----------
    folder : pathlib.Path
        The unpacked set.
    sequence : str
        Which of its films.

    Returns
    -------
    counts : dict of int to int
        For each frame with cells their number.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such table, or it is damaged.
    """
    path = folder / f"{sequence}_GT" / "TRA" / "man_track.txt"
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file {path}. Pass the folder as it was unpacked."
        )
    try:
        tracks = np.loadtxt(path, int, usecols=(1, 2), ndmin=2)
    except (ValueError, IndexError) as error:
        raise ValueError(
            f"The table of tracks {path} cannot be read ({error}); it is empty or "
            "damaged. Unpack it again."
        ) from error
    return Counter(frame for first, last in tracks for frame in range(first, last + 1))


def _read_centroids(path):
    labels = np.asarray(Frame(str(path)))
    if labels.ndim != 2:
        raise ValueError(
            f"The markers in {path} have shape {labels.shape}; expected (H, W). Sets "
            "with three dimensions are not supported."
        )
    return label_centroids(labels)

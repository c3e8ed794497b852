"""The files of results: tables, layers for napari, and overlays."""

import os
import warnings
from collections import Counter
from itertools import groupby, tee

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pseudocell.io import write_counts, write_layer, write_points
from pseudocell.io._output import prepare_folder, whole_file
from pseudocell.io._search import DRAWN

__all__ = [
    "is_whole_picture",
    "overlay_files",
    "write_layers",
    "write_picture",
    "write_results",
]

# The chunk that ends each PNG file: its type and its checksum.
PNG_END = b"IEND\xaeB`\x82"


def write_results(folder, labels, found, probability=None):
    """Write points.csv and counts.csv, each whole or not at all.

    Parameters
    ----------
    folder : pathlib.Path
        Where to.
    labels : sequence of str
        Label of each image.
    found : iterable of (points, scores)
        Points of shape (n_i, 2) and scores of shape (n_i,) of each image; of a lazy
        iterable only one image is in memory at a time.
    probability : callable, optional
        From scores to the probability of being a cell, for a column of its own.
    """
    counts = []

    def points_of(pairs):
        for points, _ in pairs:
            counts.append(len(points))
            yield points

    first, second, third = tee(found, 3)
    all_scores = (scores for _, scores in second)
    chances = probability and (probability(scores) for _, scores in third)
    write_points(folder / "points.csv", labels, points_of(first), all_scores, chances)
    # As many numbers as there were points: they are only counted.
    write_counts(folder / "counts.csv", labels, map(range, counts))


def overlay_files(folder, images):
    """Choose a PNG file for each image, and make the folders.

    Parameters
    ----------
    folder : pathlib.Path
        Where to.
    images : list of ImageFile
        The images.

    Returns
    -------
    files : dict of str to pathlib.Path
        The file for each label: the name of the image, with its suffix only where
        two would collide, and with the frame in a stack.
    """
    frames = Counter(image.name for image in images)
    stems = _stems(frames)
    files = {}
    for image in images:
        stem = stems[image.name]
        if image.frame is not None:
            # As many digits as the last frame, so that viewers sort them right.
            digits = len(str(frames[image.name] - 1))
            stem = f"{stem}_frame{image.frame:0{digits}d}"
        files[image.label] = folder / f"{stem}.png"
    return _with_folders(files)


def write_layers(folder, images, found):
    """Write the points of each image file or stack as a layer for napari.

    Where nothing was found there is no file: napari cannot open an empty layer.

    Parameters
    ----------
    folder : pathlib.Path
        Where to. The files are named like the images, as in `overlay_files`.
    images : list of ImageFile
        The images that are done, the frames of a stack one after the other.
    found : FoundPoints
        What was found in them.
    """
    stems = _stems({image.name for image in images})
    files = _with_folders({name: folder / f"{stems[name]}.csv" for name in stems})
    for name, group in groupby(images, key=lambda image: image.name):
        frames, labels = zip(*((one.frame, one.label) for one in group), strict=True)
        if not any(map(found.count, labels)):
            files[name].unlink(missing_ok=True)
            continue
        first, second = tee(map(found.read, labels))
        try:
            write_layer(
                files[name],
                (points for points, _ in first),
                (scores for _, scores in second),
                None if frames == (None,) else frames,
            )
        except OSError as error:
            # A name may be too long for a file here; the others are written.
            reason = error.strerror or error
            warnings.warn(f"{files[name]} is not written: {reason}.", stacklevel=2)


def write_picture(path, picture, is_drawn=True):
    """Write a picture as a PNG file, whole or not at all.

    Parameters
    ----------
    path : str or path
        The file.
    picture : uint8 ndarray of shape (H, W, 3) or (H, W)
        The picture.
    is_drawn : bool, default=True
        Whether points are drawn on it, so that it is no image to find cells in.
    """
    with whole_file(path) as temporary:
        mark = PngInfo()
        if is_drawn:
            mark.add_text(*DRAWN)
        Image.fromarray(picture).save(temporary, format="png", pnginfo=mark)


def is_whole_picture(path):
    """Tell whether a PNG file is there with its end, after a crash of the machine."""
    try:
        with open(path, "rb") as file:
            file.seek(-len(PNG_END), os.SEEK_END)
            return file.read() == PNG_END
    except OSError:
        return False


def _stems(names):
    """Names without their suffixes, where that leaves them different."""
    stems = {name: os.path.splitext(name)[0] for name in names}
    shared = Counter(stems.values())
    return {name: name if shared[stem] > 1 else stem for name, stem in stems.items()}


def _with_folders(files):
    for parent in {file.parent for file in files.values()}:
        prepare_folder(parent)
    return files

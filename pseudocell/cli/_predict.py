"""pseudocell predict: from images and a saved detector to points, counts, overlays."""

import os
import warnings
from collections import Counter
from pathlib import Path

import click
from joblib import effective_n_jobs
from PIL import Image

from pseudocell.cli._terminal import Stopped, counted, progress
from pseudocell.io import load_model, read_images, write_counts, write_points
from pseudocell.io._names import shorten
from pseudocell.io._output import prepare_folder, whole_file
from pseudocell.plotting import draw_points

__all__ = ["overlay_files", "run_predict", "write_picture", "write_results"]


def run_predict(sources, model, output, overlays, device, n_jobs):
    """Find the cells in images, and write what was found.

    Parameters
    ----------
    sources : sequence of str
        Folders, files and patterns of images.
    model : str
        File of the detector.
    output : str
        Folder for the results.
    overlays : bool
        Whether to draw the points on the images.
    device : str
        Where to compute.
    n_jobs : int
        Processor cores.
    """
    from pseudocell._skorch import choose_device

    folder = prepare_folder(output)
    choose_device(device)
    detector = load_model(model)
    _use_machine(detector, device=device, n_jobs=n_jobs, verbose=0)
    images = read_images(sources)
    pictures = overlay_files(folder / "overlays", images) if overlays else None
    found, failed = [], []
    stopped = False
    try:
        for batch in progress(_batches(images, n_jobs), len(images), "Finding cells"):
            for image, points, scores in _detect(detector, batch, failed):
                if overlays:
                    picture = draw_points(image, points, detector.cell_radius_)
                    write_picture(pictures[image.label], picture)
                found.append((image.label, points, scores))
    except KeyboardInterrupt:
        stopped = True
    if found:
        write_results(folder, *zip(*found, strict=True))
    _report(folder, found, failed, len(images), stopped)


def write_results(folder, labels, points, scores):
    """Write points.csv and counts.csv, each whole or not at all.

    Parameters
    ----------
    folder : pathlib.Path
        Where to.
    labels : sequence of str
        Label of each image.
    points : sequence of ndarray of shape (n_i, 2)
        The points.
    scores : sequence of ndarray of shape (n_i,)
        Their scores.
    """
    write_points(folder / "points.csv", labels, points, scores)
    write_counts(folder / "counts.csv", labels, points)


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
    stems = {name: os.path.splitext(name)[0] for name in frames}
    shared = Counter(stems.values())
    files = {}
    for image in images:
        stem = stems[image.name]
        stem = image.name if shared[stem] > 1 else stem
        if image.frame is not None:
            # As many digits as the last frame, so that viewers sort them right.
            digits = len(str(frames[image.name] - 1))
            stem = f"{stem}_frame{image.frame:0{digits}d}"
        files[image.label] = folder / f"{stem}.png"
    for parent in {file.parent for file in files.values()}:
        prepare_folder(parent)
    return files


def write_picture(path, picture):
    """Write a picture as a PNG file, whole or not at all.

    Parameters
    ----------
    path : str or path
        The file.
    picture : uint8 ndarray of shape (H, W, 3)
        The picture.
    """
    with whole_file(path) as temporary:
        Image.fromarray(picture).save(temporary, format="png")


def _use_machine(detector, **settings):
    """Set what depends on the machine, on a detector and on its fitted part."""
    for part in (detector, getattr(detector, "detector_", detector)):
        known = part.get_params(deep=False)
        part.set_params(**{name: settings[name] for name in settings if name in known})


def _batches(images, n_jobs):
    """Cut the images into batches of one for each core, so that few are in memory."""
    size = max(1, effective_n_jobs(n_jobs))
    return [images[start : start + size] for start in range(0, len(images), size)]


def _detect(detector, images, failed):
    """Return (image, points, scores) of the images that can be used."""
    try:
        found = detector.predict_scored(images)
    except ValueError as error:
        if len(images) > 1:
            one_by_one = [_detect(detector, [image], failed) for image in images]
            return [found for some in one_by_one for found in some]
        reason = str(error).replace("images[0]", "it").rstrip(".")
        failed.append(f"{images[0].label} ({reason})")
        return []
    return [
        (image, points, scores)
        for image, (points, scores) in zip(images, found, strict=True)
    ]


def _report(folder, found, failed, n_images, stopped):
    if failed:
        left_out = f"{len(failed)} of {n_images} images left out: {shorten(failed)}."
        if len(failed) == n_images:
            raise ValueError(left_out)
        warnings.warn(left_out, stacklevel=2)
    if stopped:
        where = f"their points are in {folder}" if found else "nothing was written"
        raise Stopped(f"Stopped after {len(found)} of {n_images} images; {where}.")
    n_points = sum(len(points) for _, points, _ in found)
    where = Path(folder) / "points.csv"
    found_in = counted(len(found), "image")
    click.echo(f"{counted(n_points, 'cell')} in {found_in}: {where}")

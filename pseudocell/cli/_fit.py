"""pseudocell fit: from images and clicks to a saved detector."""

import re
import warnings
from pathlib import Path

from pseudocell.cli._pixel_size import common_pixel_size
from pseudocell.cli._report import check_report, save_report
from pseudocell.cli._terminal import (
    Stopped,
    counted,
    is_terminal,
    say,
    table_line,
    tell,
)
from pseudocell.io import (
    UnreadableImageError,
    points_for_images,
    read_images,
    read_points,
    save_model,
)
from pseudocell.io._output import prepare_folder

__all__ = ["fit_readable", "new_detector", "rename_images", "run_fit"]

COLUMNS = {
    "iteration": "iteration",
    "n_positive": "positives",
    "n_negative": "negatives",
    "n_candidates": "candidates",
    "n_detections": "found",
    "seconds": "seconds",
}


def new_detector(**parameters):
    """Make the detector that the commands train."""
    from pseudocell._pseudo_label import PseudoLabelCellDetector

    return PseudoLabelCellDetector(**parameters, verbose=int(is_terminal()))


def run_fit(
    sources,
    points,
    output,
    parameters,
    unit=None,
    pixel_size=None,
    reading=None,
    report=None,
    corrections=None,
    not_cells=None,
):
    """Train a detector and save it.

    Parameters
    ----------
    sources : sequence of str
        Folders, files and patterns of images.
    points : str
        File or folder of clicks.
    output : str
        File of the model.
    parameters : dict
        Parameters of the detector.
    unit : str, optional
        Of the clicks, instead of what their file says.
    pixel_size : float, optional
        Micrometres of a pixel, instead of what the images say.
    reading : Reading, optional
        How image files are read that leave it open.
    report : str, optional
        File for a report.
    corrections, not_cells : str, optional
        Files of further cells, and of places that are none.
    """
    from pseudocell._inference import choose_device

    check_report(report)
    output = Path(output)
    if output.is_dir():
        raise ValueError(f"The output {output} is a folder; expected a file name.")
    prepare_folder(output.parent)
    choose_device(parameters["device"])
    images = read_images(sources, reading)

    def read(file):
        return points_for_images(read_points(file, unit), images, pixel_size)

    clicks = read(points)
    files = {"positives": corrections, "negatives": not_cells}
    more = {name: read(file) for name, file in files.items() if file}
    n_clicks = sum(map(len, clicks))
    say(
        f"Training on {counted(len(images), 'image')} with {counted(n_clicks, 'click')}"
    )
    detector = new_detector(**parameters)
    try:
        images, clicks = fit_readable(detector, images, clicks, **more)
        detector.pixel_size_ = common_pixel_size(images)
        save_model(detector, output)
    except KeyboardInterrupt as error:
        raise Stopped(
            f"Stopped before the training was finished; {output} was not written."
        ) from error
    _report_history(detector.history_)
    origin = "given" if "cell_radius" in parameters else "estimated from the clicks"
    tell(f"Cell radius: {detector.cell_radius_:.1f} px ({origin})")
    tell(f"Model: {output}")
    save_report(report, detector, images, clicks)


def fit_readable(detector, images, points, **more):
    """Fit a detector, without the images that turn out to be damaged.

    Damage in the middle of a file is found when its pixels are first read, so no
    file is read for the check alone.

    Parameters
    ----------
    detector : estimator
        It is fitted.
    images : list of ImageFile
        The images.
    points : list of ndarray of shape (n_i, 2)
        The clicks.
    **more : list of ndarray of shape (n_i, 2)
        Further points.

    Returns
    -------
    images, points : list
        Those that it was fitted on.

    Raises
    ------
    ValueError
        The error of the detector, with the names of the images.
    """
    labels = [image.label for image in images]
    while True:
        try:
            detector.fit(images, points, **more)
            return images, points
        except UnreadableImageError as error:
            good = [i for i, image in enumerate(images) if image.path != error.path]
            if not good or len(good) == len(images):
                raise
            warnings.warn(f"{error} It is left out.", stacklevel=2)
            images = [images[i] for i in good]
            points = [points[i] for i in good]
            more = {name: [some[i] for i in good] for name, some in more.items()}
            labels = [labels[i] for i in good]
        except ValueError as error:
            raise ValueError(rename_images(str(error), labels)) from error


def _report_history(history):
    """Print a line for each iteration, with the columns that are known."""
    keys = [key for key in COLUMNS if any(key in record for record in history)]
    titles = [COLUMNS[key] for key in keys]
    widths = [max(5, len(title)) for title in titles]
    tell(table_line(titles, widths))
    for record in history:
        cells = [record.get(key) for key in keys]
        cells = [f"{x:.0f}" if isinstance(x, float) else x for x in cells]
        tell(table_line(cells, widths))


def rename_images(message, labels):
    """Say in a message about ``images[3]`` or ``points[3]`` which image that is."""
    names = "images|points|partial_points|positives|negatives"

    def rename(match):
        index = int(match[2])
        return f"{match[0]} ({labels[index]})" if index < len(labels) else match[0]

    return re.sub(rf"\b({names})\[(\d+)\]", rename, message)

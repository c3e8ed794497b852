"""pseudocell report: one page of what a detector was told and what it finds."""

from pathlib import Path

from pseudocell.cli._pixel_size import radii_for, with_radius
from pseudocell.cli._terminal import command_line, counted, say, tell
from pseudocell.io import load_model, points_for_images, read_images, read_points

__all__ = ["check_report", "run_report", "save_report"]


def run_report(
    sources, model, output, points, truth, unit, pixel_size, cell_radius, reading, run
):
    """Write the page.

    Parameters
    ----------
    sources : sequence of str
        Folders, files and patterns of images.
    model : str
        File of the detector.
    output : str
        File of the page.
    points, truth : str or None
        Files or folders of the clicks, and of all cells.
    unit : str or None
        Of these points, instead of what their files say.
    pixel_size : float or None
        Micrometres of a pixel, instead of what the images say.
    cell_radius : float or None
        Radius of a cell in these images, in pixels.
    reading : Reading or None
        How image files are read that leave it open.
    run : dict
        The parameters of the detector that say how to run.
    """
    from pseudocell._inference import choose_device
    from pseudocell.cli._predict import use_machine

    check_report(output)
    choose_device(run["device"])
    detector = load_model(model)
    use_machine(detector, **run)
    images = read_images(sources, reading)
    clicks, cells = (
        None
        if path is None
        else points_for_images(read_points(path, unit), images, pixel_size)
        for path in (points, truth)
    )
    if cells is not None:
        # A table cannot say of an image that it has no cell.
        cells = [some if len(some) else None for some in cells]
        n_unknown = sum(some is None for some in cells)
        if n_unknown:
            say(f"{counted(n_unknown, 'image')} without a cell in {truth}: not scored")
    radii = radii_for(detector, images, cell_radius)
    save_report(output, detector, images, clicks, cells, radii=radii)


def check_report(path, radii=None):
    """Raise what would keep a report from being written, before the long work.

    Parameters
    ----------
    path : str or None
        File of the page; None if none is wanted.
    radii : sequence of float, optional
        Radius of a cell in each image.

    Raises
    ------
    ValueError
        If the file cannot be one, a package is missing, or cells differ in size.
    """
    if path is None:
        return
    from pseudocell.report._write import check_extras

    check_extras()
    if Path(path).is_dir():
        raise ValueError(f"The report {path} is a folder; expected a file name.")
    if len(set(radii or ())) > 1:
        raise ValueError(
            "A report takes images with cells of one size in pixels, but these images "
            f"have cells of {min(radii):.3g} to {max(radii):.3g} px by their pixel "
            "sizes; make one report for each pixel size."
        )


def save_report(
    path, detector, images, points=None, truth=None, radii=None, counts=None
):
    """Write the report of a command, and say where it is.

    Parameters
    ----------
    path : str or None
        File of the page; None if none is wanted.
    detector : estimator
        Fitted.
    images : list of ImageFile
        The images.
    points, truth : list of ndarray of shape (n_i, 2), optional
        Clicks, and all cells.
    radii : sequence of float, optional
        Radius of a cell in each image.
    counts : list of int, optional
        How many cells were found in each image.
    """
    if path is None:
        return
    from pseudocell.report import write_report

    check_report(path, radii)
    if radii:
        detector = with_radius(detector, radii[0])
    names = [image.label for image in images]
    write_report(path, detector, images, points, truth, names, command_line(), counts)
    tell(f"Report: {path}")

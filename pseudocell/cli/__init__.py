"""The commands; their work is imported inside, so that --help answers at once."""

import click

from pseudocell.cli._completion import completion
from pseudocell.cli._options import (
    ABOVE_ZERO,
    DEVICE,
    IMAGES,
    N_JOBS,
    PIXEL_SIZE,
    QUIET,
    REPORT,
    SEED,
    SHARE,
    UNIT,
)
from pseudocell.cli._reading import reading_options
from pseudocell.cli._terminal import OneLineGroup

__all__ = ["main"]


@click.group(
    cls=OneLineGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="pseudocell", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx, debug):
    """Find every cell from clicks on a few of them.

    IMAGES are folders, files or patterns such as "plate/*.tif"; times are frames.
    Points are CSV files with named columns, or files of other programs.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@main.command()
@click.option(
    "-o", "--output", default="demo", show_default=True, help="Folder for the results."
)
@SEED
@DEVICE
@N_JOBS
@QUIET
def demo(output, seed, device, n_jobs):
    """Make images, click a tenth of the cells, and find all of them.

    Writes overview.png (few clicks in, all cells out), iterations.png, overlays,
    points.csv, counts.csv and model.pseudocell, and the images and clicks to try the
    other commands on.
    """
    from pseudocell.cli._demo import run_demo

    run_demo(output, seed, device, n_jobs)


@main.command()
@IMAGES
@click.option(
    "-p",
    "--points",
    required=True,
    help="The clicks: a CSV file with the columns image, row, col (or image, y, x), "
    "a file of napari, Fiji, QuPath and others, or a folder with one for each image.",
)
@click.option(
    "--not-cells", help="Places that are surely no cell: a file or folder of points."
)
@click.option(
    "--corrections",
    help="Further cells, which an earlier model has missed or asked about: they teach, "
    "but stand for no others, as the clicks do.",
)
@click.option("-o", "--output", required=True, help="File for the model (.pseudocell).")
@click.option(
    "--cell-radius",
    type=ABOVE_ZERO,
    help="Radius of a cell in pixels; estimated from the clicks if not given.",
)
@click.option(
    "--alpha", type=SHARE, help="Share of the candidates taken for cells each round."
)
@click.option(
    "--beta", type=SHARE, help="Share of the candidates taken for background."
)
@click.option("--p", type=ABOVE_ZERO, help="Push of the ranking towards its top.")
@UNIT
@PIXEL_SIZE
@click.option(
    "--max-iter", type=click.IntRange(0), help="Rounds of pseudo labelling; 0 is none."
)
@reading_options
@REPORT
@SEED
@DEVICE
@N_JOBS
@QUIET
def fit(images, points, output, unit, pixel_size, reading, report, **parameters):
    """Train a detector on images in which a few cells are clicked.

    Images without clicks take part, too. Clicks on images that are not given are
    left out with a warning.
    """
    from pseudocell.cli._fit import run_fit

    given = {name: value for name, value in parameters.items() if value is not None}
    given["random_state"] = given.pop("seed")
    files = {name: given.pop(name, None) for name in ("corrections", "not_cells")}
    given_files = {"report": report, **files}
    run_fit(images, points, output, given, unit, pixel_size, reading, **given_files)


@main.command()
@IMAGES
@click.option("-m", "--model", required=True, help="A model that fit has written.")
@click.option("-o", "--output", required=True, help="Folder for the results.")
@click.option(
    "--overlays/--no-overlays",
    default=True,
    show_default=True,
    help="Draw the points on each image.",
)
@click.option(
    "--restart", is_flag=True, help="Forget what an earlier run has found there."
)
@click.option(
    "--cell-radius",
    type=ABOVE_ZERO,
    help="Radius of a cell in these images, in pixels, if it is another than in those "
    "of fit. Without it the sizes of a pixel in the files tell.",
)
@click.option(
    "--precision", type=SHARE, help="Take only as many finds as keep this share cells."
)
@click.option(
    "--recall", type=SHARE, help="Take as many finds as bring this share of the cells."
)
@reading_options
@REPORT
@DEVICE
@N_JOBS
@QUIET
def predict(
    images,
    model,
    output,
    overlays,
    restart,
    cell_radius,
    precision,
    recall,
    reading,
    report,
    device,
    n_jobs,
):
    """Find the cells in images with a trained detector.

    Writes points.csv, counts.csv, napari/NAME.csv and overlays/NAME.png. Each image is
    written to found.jsonl when it is done: stop it and run it again, and it goes on
    where it was. A .joblib model can run code when it is loaded: use only your own.
    """
    from pseudocell.cli._predict import run_predict

    run_predict(
        images,
        model,
        output,
        overlays,
        device,
        n_jobs,
        restart,
        cell_radius=cell_radius,
        reading=reading,
        report=report,
        precision=precision,
        recall=recall,
    )


@main.command()
@IMAGES
@click.option("-m", "--model", required=True, help="A model that fit has written.")
@click.option("-o", "--output", required=True, help="File for the page (.html).")
@click.option("-p", "--points", help="The clicks on these images, if there are any.")
@click.option(
    "-t",
    "--truth",
    help="All the cells of these images, if they are known: for scores.",
)
@UNIT
@PIXEL_SIZE
@click.option(
    "--cell-radius",
    type=ABOVE_ZERO,
    help="Radius of a cell in these images, in pixels.",
)
@reading_options
@DEVICE
@N_JOBS
@QUIET
def report(
    images,
    model,
    output,
    points,
    truth,
    unit,
    pixel_size,
    cell_radius,
    reading,
    **run,
):
    """Write a page of what a detector was told, what it finds, and how sure that is.

    Clicks and rounds with --points, scores with --truth; one file for a lab notebook,
    with pictures, counts, the least certain finds and what to doubt.
    """
    from pseudocell.cli._report import run_report

    files = output, points, truth
    run_report(images, model, *files, unit, pixel_size, cell_radius, reading, run)


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@reading_options
def info(files, reading):
    """Say how FILES are read: axes, channels, size of a pixel, range, points."""
    from pseudocell.cli._info import run_info

    run_info(files, reading)


@main.command()
@click.option("-p", "--points", required=True, help="The points found, a CSV file.")
@click.option("-t", "--truth", required=True, help="All the true points, a CSV file.")
@click.option(
    "-d",
    "--max-distance",
    type=click.FloatRange(0),
    required=True,
    help="Largest distance in pixels between a true point and the one found; about "
    "the radius of a cell.",
)
@click.option("-o", "--output", help="File for the table of scores (.csv).")
@click.option(
    "-i",
    "--images",
    multiple=True,
    help="The images, to convert points that are not in pixels, and to check them.",
)
@PIXEL_SIZE
def evaluate(points, truth, max_distance, output, images, pixel_size):
    """Compare points with the true ones: precision, recall and F1.

    The truth must hold all the cells of its images: against clicks on a few of them,
    every other cell would count as wrong.
    """
    from pseudocell.cli._evaluate import run_evaluate

    run_evaluate(points, truth, max_distance, output, images, pixel_size)


@main.command()
@click.argument("points", metavar="IN")
@click.argument("output", metavar="OUT")
@click.option(
    "-f",
    "--format",
    "kind",
    help="What to write: csv, csv-um (micrometres), napari, roi, cellcounter, "
    "cellfinder, geojson, qupath (TSV), trackmate, labelme, cvat, coco, labelstudio; "
    "by the suffix of OUT if not given.",
)
@click.option(
    "-i",
    "--images",
    multiple=True,
    help="The images of the points, where their size or pixel size is needed.",
)
@UNIT
@PIXEL_SIZE
def convert(points, output, kind, images, unit, pixel_size):
    """Turn points of one program into those of another.

    IN is a file or folder of points: napari, ImageJ and Fiji, QuPath, Cell Counter,
    cellfinder, TrackMate, LabelMe, CVAT, COCO, Label Studio, or a table. OUT is a
    file (.csv, .zip, .geojson, .tsv), or a folder with a file for each image.
    """
    from pseudocell.cli._convert import run_convert

    run_convert(points, output, kind, images, unit, pixel_size)


@main.command()
@click.option(
    "-s",
    "--set",
    "sets",
    multiple=True,
    required=True,
    metavar="FOLDER:RADIUS[:DISTANCE]",
    help="A folder with train/images, train/clicks.csv, train/points.csv, test/images "
    "and test/points.csv, the radius of a cell and the matching distance in pixels "
    "(1.25 radii if not given); NAME=FOLDER:... gives it a name. Or a made set: "
    "synthetic:control, fgf2, bmp2, fgf2+bmp2 or hsc; synthetic is all five.",
)
@click.option(
    "-m",
    "--method",
    "methods",
    multiple=True,
    metavar="NAME",
    help="A method, all of them if none is named; NAME=MODULE:FUNCTION adds one.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Number of seeds, from 0.",
)
@click.option(
    "--share",
    default="0.1",
    show_default=True,
    help="Shares of the cells that are labelled, with commas between them. The clicks "
    "of a set stand for 0.1.",
)
@click.option(
    "--vary",
    multiple=True,
    metavar="NAME=VALUE,...",
    help="A parameter and its values, one at a time: alpha=0.02,0.05,0.1.",
)
@click.option(
    "--clicks",
    default="random",
    show_default=True,
    help="Ways of clicking, with commas: random, brightest, corner, off-centre, stray "
    "(some on nothing), one-image. All but random are simulated from "
    "train/points.csv; random is always among them.",
)
@click.option(
    "--radius-factors",
    default="1",
    show_default=True,
    help="Wrong cell radii, as multiples of that of the set, with commas: 0.67,1,1.33.",
)
@click.option(
    "--distances",
    default="1",
    show_default=True,
    help="Matching distances as multiples of that of the set, with commas.",
)
@click.option(
    "--redraw", is_flag=True, help="Draw the clicks anew for each seed, in all sets."
)
@click.option(
    "--leave-one-out",
    is_flag=True,
    help="Print for each set the method that the other sets would have chosen, and "
    "what it loses there.",
)
@click.option(
    "-o",
    "--output",
    default="benchmark",
    show_default=True,
    help="Folder for the results.",
)
@click.option(
    "--jobs",
    type=int,
    default=1,
    show_default=True,
    help="Runs at a time; they share the cores. -1 is one a core.",
)
@DEVICE
def benchmark(sets, methods, seeds, share, distances, output, jobs, **options):
    """Compare methods on sets: the tables and figures of the paper.

    Writes index.html, results.csv and a file for each finished run. What is finished
    is never run again: stop it and call it again, or ask for more.
    """
    from pseudocell.cli._benchmark import run_benchmark_command

    run_benchmark_command(
        sets, methods, seeds, share, distances, output, n_jobs=jobs, **options
    )


main.add_command(completion)

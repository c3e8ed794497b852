"""Options that several commands share."""

import click

from pseudocell.cli._terminal import be_quiet

__all__ = [
    "ABOVE_ZERO",
    "DEVICE",
    "IMAGES",
    "N_JOBS",
    "PIXEL_SIZE",
    "QUIET",
    "REPORT",
    "SEED",
    "SHARE",
    "UNIT",
]

IMAGES = click.argument("images", nargs=-1, required=True, metavar="IMAGES...")
DEVICE = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where to compute; auto takes a GPU if there is one.",
)
N_JOBS = click.option(
    "--n-jobs",
    type=int,
    default=-1,
    show_default=True,
    help="Processor cores to use; -1 is all of them.",
)
SEED = click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Seed of everything random: the same seed gives the same points.",
)
UNIT = click.option(
    "--unit",
    type=click.Choice(["px", "um", "fraction", "percent"]),
    help="Unit of the points, instead of what their file says.",
)
PIXEL_SIZE = click.option(
    "--pixel-size",
    type=click.FloatRange(0, min_open=True),
    help="Micrometres of a pixel, where the image files do not say.",
)
REPORT = click.option(
    "--report",
    metavar="FILE",
    help="Write a page (.html) of what was learnt and found, and how sure that is.",
)
SHARE = click.FloatRange(0, 1)
ABOVE_ZERO = click.FloatRange(0, min_open=True)
QUIET = click.option(
    "-q",
    "--quiet",
    is_flag=True,
    expose_value=False,
    callback=be_quiet,
    help="Say nothing but warnings and mistakes.",
)

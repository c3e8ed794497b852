"""The options that say how image files are read where these leave it open."""

from functools import wraps

import click

__all__ = ["reading_options"]

OPTIONS = (
    click.option(
        "--axes",
        help="Axes of the image files in their order, such as TCYX or YXC, instead of "
        "what the files say.",
    ),
    click.option("--channel", help="Channels to read, from 0: 1, or 0,2."),
    click.option(
        "--scene",
        type=click.IntRange(0),
        help="The scene to read of files with several, from 0; all if not given.",
    ),
    click.option(
        "--projection",
        help="What becomes of the planes of a stack in depth: max, mean, frames (an "
        "image each), or the number of one plane, from 0.",
    ),
    click.option(
        "--mask",
        help="Masks of the images: where one is 0, pixels do not count and no cell is "
        "found. A file for all images, or a folder or pattern with one of each name.",
    ),
)


def reading_options(command):
    """Give a command the options, and the argument `reading` made of them."""

    @wraps(command)
    def with_reading(*args, axes, channel, scene, projection, mask, **kwargs):
        from pseudocell.io import Reading

        if channel is not None:
            channel = _numbers(channel)
        if projection is not None and projection.isdigit():
            projection = int(projection)
        reading = Reading(
            None if axes is None else axes.upper(), channel, scene, projection, mask
        )
        return command(*args, reading=reading, **kwargs)

    for option in reversed(OPTIONS):
        with_reading = option(with_reading)
    return with_reading


def _numbers(text):
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise ValueError(
            f"--channel is {text!r}; expected numbers from 0, such as 1 or 0,2."
        ) from error

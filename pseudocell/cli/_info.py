"""pseudocell info: how files are read."""

import os
import warnings

import click
import numpy as np

from pseudocell._images import Images
from pseudocell.cli._terminal import counted
from pseudocell.io import read_images, read_points
from pseudocell.io._formats import describe
from pseudocell.io._search import SUFFIXES

__all__ = ["run_info"]

POINTS = (".csv", ".tsv", ".txt", ".zip", ".roi", ".xml", ".json", ".geojson", ".yaml")


def run_info(sources, reading):
    """Say how each file is read.

    Parameters
    ----------
    sources : sequence of str
        Image files, folders and patterns, and files of points.
    reading : Reading
        What the user has asked for.
    """
    for source in sources:
        suffix = os.path.splitext(source)[1].lower()
        if os.path.isfile(source) and suffix in POINTS and suffix not in SUFFIXES:
            _show_points(source)
            continue
        images = read_images(source, reading)
        for path in dict.fromkeys(image.path for image in images):
            _show_images(path, [image for image in images if image.path == path])


def _show_images(path, images):
    click.echo(path)
    scenes = describe(path)
    first = images[0]
    for number, scene in enumerate(scenes):
        sizes = zip(scene.axes, scene.shape, strict=True)
        axes = " ".join(f"{axis}={size}" for axis, size in sizes)
        name = f"scene {number}" if len(scenes) > 1 else "axes"
        click.echo(f"  {name}: {axes}, {scene.dtype} ({scene.kind})")
    channels = first.shape[2] if first.ndim == 3 else 1
    height, width = first.shape[:2]
    click.echo(
        f"  read as: {counted(len(images), 'image')} of {height} x {width} pixels "
        f"(rows x columns), {counted(channels, 'channel')}"
    )
    n_alpha = scenes[0].n_alpha
    if n_alpha:
        click.echo(f"  no channel: {counted(n_alpha, 'alpha channel')} unless chosen")
    size = first.pixel_size
    click.echo(
        "  pixel size: " + ("unknown" if size is None else f"{size:.5g} micrometres")
    )
    image = Images([first])[0]
    pixels, mask = np.asarray(image), image.mask
    click.echo(f"  range of {first.label}: {pixels.min():g} to {pixels.max():g}")
    if mask is not None:
        share = 100 * mask[:, :].mean()
        click.echo(f"  masked or NaN: {share:.3g} % of its pixels, which do not count")


def _show_points(path):
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        points = read_points(path).points
    total = sum(map(len, points.values()))
    click.echo(path)
    click.echo(f"  {counted(total, 'point')} in {counted(len(points), 'image')}")

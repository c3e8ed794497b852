"""pseudocell evaluate: detected points against all the true ones."""

import warnings
from pathlib import Path

import click
import numpy as np

from pseudocell.cli._terminal import table_line
from pseudocell.io import points_for_images, read_images, read_points
from pseudocell.io._names import shorten
from pseudocell.io._output import prepare_folder, write_table
from pseudocell.io._units import check_alike, check_places
from pseudocell.io.points import (
    label_columns,
    refuse_two_for_one,
    resolve_labels,
    split_label,
)
from pseudocell.metrics import detection_scores

__all__ = ["run_evaluate"]

COLUMNS = ("true", "found", "matched", "precision", "recall", "F1")
FILE_COLUMNS = (
    "n_true",
    "n_predicted",
    "n_matched",
    "precision",
    "recall",
    "f1",
    "max_distance",
)


def run_evaluate(points, truth, max_distance, output, images=(), pixel_size=None):
    """Print the scores of each image and of all of them together.

    Parameters
    ----------
    points : str
        The points that were found.
    truth : str
        All the true points.
    max_distance : float
        Largest distance of a match in pixels.
    output : str or None
        File for the scores.
    images : sequence of str
        Folders, files and patterns of the images, to check and convert points by.
    pixel_size : float, optional
        Micrometres of a pixel, instead of what the images say.
    """
    if output is not None:
        prepare_folder(Path(output).parent)
    tables = [read_points(truth), read_points(points)]
    if images:
        true, found = _of_images(*tables, read_images(images), pixel_size)
    else:
        true, found = _pair(*tables)
    labels = list(true)
    pairs = [(true[label], found[label]) for label in labels]
    check_alike(pairs, max_distance, tables[1].source, tables[0].source)
    scores = [detection_scores([true[x]], [found[x]], max_distance) for x in labels]
    total = detection_scores(
        list(true.values()), [found[x] for x in labels], max_distance
    )
    widths = [max(5, *map(len, labels))] + [9] * len(COLUMNS)
    click.echo(table_line(["image", *COLUMNS], widths))
    for label, one in zip([*labels, "total"], [*scores, total], strict=True):
        click.echo(table_line([label, *_values(one)], widths))
    click.echo(f"F1 {total.f1:.3f} at a matching distance of {max_distance:g} px")
    if output is not None:
        columns, cells = label_columns([*labels, "total"])
        write_table(
            output,
            [*columns, *FILE_COLUMNS],
            (
                [*cell, *_values(one, 6), max_distance]
                for cell, one in zip(cells, [*scores, total], strict=True)
            ),
        )


def _of_images(truth, found, images, pixel_size):
    """Return true and found points in pixels, by the labels of the images."""
    labels = [image.label for image in images]
    return [
        dict(zip(labels, points_for_images(one, images, pixel_size), strict=True))
        for one in (truth, found)
    ]


def _pair(truth, found):
    """Return true and found points by the same labels, whatever the file spellings."""
    for table in (truth, found):
        if any(unit.name != "calibrated" for unit in table.units.values()):
            raise ValueError(
                f"{table.source} has points that are not in pixels; give the images "
                "(--images), which tell their size and that of their pixels."
            )
        some, labels = list(table.points.values()), list(table.points)
        unseen = [None] * len(labels)
        for note in check_places(some, unseen, labels, table.source):
            warnings.warn(note, stacklevel=3)
    if truth.has_names:
        aliases = resolve_labels(found, _names(truth))
        true, other = dict(truth.points), _relabel(found, aliases)
    else:
        aliases = resolve_labels(truth, _names(found))
        true, other = _relabel(truth, aliases), dict(found.points)
    if not true:
        raise ValueError(f"{truth.source} holds no points to compare with.")
    missing = [label for label in true if label not in other]
    extra = [label for label in other if label not in true]
    if other and len(missing) == len(true):
        raise ValueError(
            f"{found.source} and {truth.source} have no image in common: "
            f"{shorten(extra)} there, {shorten(missing)} here."
        )
    if missing:
        warnings.warn(
            f"No points were found in {shorten(missing)}: all true points there count "
            "as missed.",
            stacklevel=3,
        )
    if extra:
        warnings.warn(
            f"{truth.source} has no points in {shorten(extra)}: all points found there "
            "count as wrong.",
            stacklevel=3,
        )
    nothing = np.zeros((0, 2))
    labels = [*true, *extra]
    return (
        {label: true.get(label, nothing) for label in labels},
        {label: other.get(label, nothing) for label in labels},
    )


def _names(table):
    return {split_label(label)[0] for label in table.points}


def _relabel(table, aliases):
    """Return the points of a table by other labels; two spellings become one."""
    refuse_two_for_one(table, aliases)
    points = {}
    for label, some in table.points.items():
        points.setdefault(aliases[label] or label, []).append(some)
    return {label: np.concatenate(parts) for label, parts in points.items()}


def _values(scores, digits=None):
    ratios = (float(scores.precision), float(scores.recall), float(scores.f1))
    if digits is not None:
        ratios = tuple(round(ratio, digits) for ratio in ratios)
    return (scores.n_true, scores.n_predicted, scores.n_matched, *ratios)

"""Write results.csv and one HTML page with everything in it."""

from __future__ import annotations

import base64
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import lazy_loader

from pseudocell.benchmark._extras import check_extras
from pseudocell.benchmark._leave_one_out import leave_one_out_table
from pseudocell.benchmark._rows import main_rows, tidy_rows
from pseudocell.benchmark._tables import (
    METHOD_TABLES,
    Table,
    ablation_tables,
    ablations,
    cost_table,
    method_table,
    round_tables,
)
from pseudocell.io._output import prepare_folder, whole_file

if TYPE_CHECKING:
    from pseudocell.benchmark._run import BenchmarkResult

__all__ = ["write_report"]

pd = lazy_loader.load("pandas")


def write_report(
    result: BenchmarkResult, folder: str | Path, *, command: str = ""
) -> Path:
    """Write the results of a benchmark: ``results.csv`` and ``index.html``.

    Parameters
    ----------
    result : BenchmarkResult
        From `run_benchmark`.
    folder : str or path
        Made if it is not there.
    command : str, default=""
        What made the results, for the page.

    Returns
    -------
    page : pathlib.Path
        The page: one file that needs no other, with tables and pictures.

    Raises
    ------
    ValueError
        If the folder cannot be written, or pandas, matplotlib or Jinja2 is missing.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from pseudocell.baselines import BlobDetector
    >>> from pseudocell.benchmark import run_benchmark, write_report
    >>> from pseudocell.datasets import DetectionSet, make_brightfield
    >>> images, truth = make_brightfield(2, (96, 96), n_cells=10, random_state=0)
    >>> made = DetectionSet(
    ...     "made", images[:1], None, truth[:1], images[1:], truth[1:], 8, 10
    ... )
    >>> blob = {"blob": lambda cell_radius, random_state: BlobDetector(cell_radius)}
    >>> result = run_benchmark([made], blob)
    >>> with TemporaryDirectory() as folder:
    ...     write_report(result, folder).name
    'index.html'
    """
    check_extras()
    from jinja2 import Environment

    place = prepare_folder(folder)
    rows = tidy_rows(result)
    with whole_file(place / "results.csv") as temporary:
        table = rows.astype({"is_main": int, "is_result": int})
        table.to_csv(temporary, index=False, float_format="%.6g")
    template = resources.files("pseudocell.benchmark") / "page.html"
    environment = Environment(autoescape=True, trim_blocks=True)
    text = environment.from_string(template.read_text(encoding="utf-8")).render(
        summary=_summary(result),
        main=_main_tables(result, rows),
        sets=_set_table(result),
        methods=[(name, _describe(m)) for name, m in result.methods.items()],
        sections=_sections(result, rows),
        command=command,
        origin=_origin(result),
    )
    page = place / "index.html"
    with whole_file(page) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return page


def _main_tables(result, rows):
    known = [key for key in METHOD_TABLES if rows[key].notna().any()]
    tables = [method_table(result, rows, key) for key in dict.fromkeys(["f1", *known])]
    try:
        return [*tables, leave_one_out_table(result, rows)]
    except ValueError:  # nothing to choose from
        return tables


def _sections(result, rows):
    from pseudocell.benchmark._curves import draw_curves
    from pseudocell.benchmark._pictures import draw_detections, draw_rounds

    detections = [
        _figure(
            name,
            "A typical part of the test images: of all parts around a cell that with "
            "the median F1, mean over the methods. Counts and F1 are those of the "
            "part (Fig. 2 of the paper).",
            draw_detections(result, name),
        )
        for name in result.sets
    ]
    labels = [
        _figure(
            f"{method} on {name}",
            "What the detector of each iteration finds, and the pseudo labels that the "
            "next one learns from; counts are those of the part (Fig. 3 of the paper).",
            draw_rounds(result, name, method),
        )
        for name in result.sets
        for method in result.methods
    ]
    everything = [n for n, method in result.methods.items() if method.labels == "all"]
    best = main_rows(result, rows)
    best = best[best["method"].isin(everything[:1])]
    goals = best.groupby("set")["f1"].mean().dropna().to_dict()
    curves = [
        _figure(
            f"F1 by {name}",
            "Mean over the seeds; error bars are standard deviations. Dashed: the "
            "method that is given all the cells.",
            draw_curves(result, name, scores, goals),
        )
        for name, scores in ablations(result, rows).items()
    ]
    return [
        _section("Detections", figures=detections),
        _section("Rounds", tables=round_tables(result, rows)),
        _section("Pseudo labels", figures=labels),
        _section("Ablation", figures=curves, tables=ablation_tables(result, rows)),
        _section("Cost", tables=[cost_table(result, rows)]),
    ]


def _section(title, figures=(), tables=()):
    return {
        "anchor": title.lower().replace(" ", "-"),
        "title": title,
        "figures": [figure for figure in figures if figure is not None],
        "tables": [table for table in tables if len(table.cells)],
    }


def _figure(title, caption, drawn):
    """Return what the page needs of a picture that comes with its words."""
    if drawn is None:
        return None
    png, seen = drawn
    data = base64.b64encode(png).decode()
    return {"title": title, "caption": caption, "data": data, "alt": f"{title}: {seen}"}


def _set_table(result):
    lines = [
        {
            "set": name,
            "radius": f"{data.cell_radius:g}",
            "distance": f"{result.distance({'set': name}):g}",
            "train images": len(data.train_images),
            "clicks": _count(data.train_clicks),
            "cells": _count(data.train_points),
            "test images": len(data.test_images),
            "cells there": _count(data.test_points),
        }
        for name, data in result.sets.items()
    ]
    caption = "Radius and matching distance in pixels."
    return Table("", caption, pd.DataFrame(lines))


def _count(points):
    return "not known" if points is None else str(sum(map(len, points)))


def _summary(result):
    seeds = sorted({record["seed"] for record in result.records})
    n_bad = sum(record["status"] != "done" for record in result.records)
    text = (
        f"{_number_of(result.methods, 'method')} on {_number_of(result.sets, 'set')}, "
        f"{_number_of(result.records, 'run')}, "
        f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}, "
        f"{100 * result.share:g} % of the cells labelled unless stated otherwise."
    )
    bad = f"{n_bad} run{'s' * (n_bad > 1)} failed or skipped."
    return text + (f" {bad}" if n_bad else "")


def _number_of(things, name):
    return f"{len(things)} {name}{'s' * (len(things) != 1)}"


def _describe(method):
    text = method.description or getattr(method.factory, "__name__", "")
    text += f" In the paper: {method.in_paper}." if method.in_paper else ""
    return f"{text} It is given all the cells." if method.labels == "all" else text


def _origin(result):
    """Tell with what the records were made, which may not be what runs now."""
    made = sorted({record["made"] for record in result.records})
    parts = {"pseudocell": {record["pseudocell"] for record in result.records}}
    for record in result.records:
        for package, version in record["versions"].items():
            parts.setdefault(package, set()).add(version)
    versions = ", ".join(f"{k} {' or '.join(sorted(v))}" for k, v in parts.items())
    machines = sorted({record["machine"] for record in result.records})
    period = made[0] if made[0] == made[-1] else f"{made[0]} to {made[-1]}"
    return [("When", period), ("With", versions), ("On", ", ".join(machines))]

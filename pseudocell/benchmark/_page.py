"""Write results.csv and one HTML page with everything in it."""

import base64
from importlib import resources
from statistics import fmean

from pseudocell.benchmark._tables import (
    Table,
    ablation_tables,
    ablations,
    method_table,
    round_tables,
    tidy_rows,
    write_rows,
)
from pseudocell.io._output import prepare_folder, whole_file

__all__ = ["check_report", "write_report"]


def check_report():
    """Check that pictures and pages can be made here.

    Call it before the long work begins.

    Raises
    ------
    ValueError
        If matplotlib or Jinja2 is missing.
    """
    try:
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ValueError(
            f"The report needs {error.name}, which is not installed: "
            "pip install 'pseudocell[plot]'."
        ) from error


def write_report(result, folder, *, command=""):
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
        If the folder cannot be written, or matplotlib or Jinja2 is missing.
    """
    check_report()
    from jinja2 import Environment

    folder = prepare_folder(folder)
    rows = tidy_rows(result)
    write_rows(folder / "results.csv", rows)
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
    page = folder / "index.html"
    with whole_file(page) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return page


def _main_tables(result, rows):
    tables = [method_table(result, rows)]
    if any(row["oracle_f1"] is not None for row in rows):
        tables.append(method_table(result, rows, "oracle_f1"))
    return tables


def _sections(result, rows):
    from pseudocell.benchmark._figures import draw_curves, draw_detections, draw_rounds

    detections = [
        _figure(
            name,
            "The fullest part of the first test image; the scores are those of the "
            "whole image.",
            draw_detections(result, name),
        )
        for name in result.sets
    ]
    labels = [
        _figure(
            f"{method} on {name}",
            "The fullest part of the training image with the most pseudo positives.",
            draw_rounds(result, name, method),
        )
        for name in result.sets
        for method in result.methods
    ]
    curves = [
        _figure(
            f"F1 by {name}",
            "Mean over the seeds; bars are standard deviations.",
            draw_curves(result, name, points),
        )
        for name, points in ablations(result, rows).items()
    ]
    return [
        _section("Detections", figures=detections),
        _section("Rounds", tables=round_tables(result, rows)),
        _section("Pseudo labels", figures=labels),
        _section("Ablation", figures=curves, tables=ablation_tables(result, rows)),
        _section("Cost", tables=[_cost_table(result)]),
    ]


def _section(title, figures=(), tables=()):
    return {
        "title": title,
        "figures": [figure for figure in figures if figure is not None],
        "tables": [table for table in tables if table.rows],
    }


def _figure(title, caption, png):
    if png is None:
        return None
    data = base64.b64encode(png).decode()
    return {"title": title, "caption": caption, "data": data}


def _set_table(result):
    table = Table(
        "",
        "Radius and matching distance in pixels.",
        ["set", "radius", "distance", "train images", "clicks", "cells"],
    )
    table.columns += ["test images", "cells"]
    for name, data in result.sets.items():
        train, clicks = data.train_images, data.train_clicks
        distance = result.distances[0] * data.max_distance
        lengths = [f"{data.cell_radius:g}", f"{distance:g}"]
        table.rows.append(
            [name, *lengths, str(len(train)), _count(clicks), _count(data.train_points)]
            + [str(len(data.test_images)), _count(data.test_points)]
        )
    return table


def _count(points):
    return "not known" if points is None else str(sum(map(len, points)))


def _cost_table(result):
    table = Table(
        "Seconds",
        "Of a fit, mean over all its runs here: on the clock, and of the processor. "
        "Runs at the same time slow each other down.",
        ["method", *result.sets],
    )
    for method in result.methods:
        line = [method]
        for name in result.sets:
            here = [
                record
                for record in result.records
                if record["status"] == "done"
                and (record["method"], record["set"]) == (method, name)
            ]
            clock = [record["fit_seconds"] for record in here]
            cpu = [record["fit_cpu_seconds"] for record in here]
            line.append(f"{fmean(clock):.1f} / {fmean(cpu):.1f}" if here else "–")
        table.rows.append(line)
    return table


def _summary(result):
    seeds = sorted({record["seed"] for record in result.records})
    n_bad = sum(record["status"] != "done" for record in result.records)
    text = (
        f"{len(result.methods)} methods on {len(result.sets)} sets, "
        f"{len(result.records)} runs, seeds {', '.join(map(str, seeds))}, "
        f"{100 * result.share:g} % of the cells labelled unless stated otherwise."
    )
    return text + (f" {n_bad} runs failed or were skipped." if n_bad else "")


def _describe(method):
    text = method.description or getattr(method.factory, "__name__", "")
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

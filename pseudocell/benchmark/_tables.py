"""From tidy rows to the tables of the paper."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import lazy_loader
import numpy as np

from pseudocell.benchmark._rows import main_rows, usual_values

if TYPE_CHECKING:
    import pandas as pd

    from pseudocell.benchmark._run import BenchmarkResult
else:
    pd = lazy_loader.load("pandas")

__all__ = [
    "METHOD_TABLES",
    "Table",
    "ablation_tables",
    "ablations",
    "cost_table",
    "method_table",
    "round_tables",
]

METHOD_TABLES = {
    "f1": (
        "Methods",
        "F1 on the test images, one-to-one matching, mean ± standard deviation over "
        "the seeds. Bold: the best of those that see clicks only.",
        "max",
    ),
    "share_of_full": (
        "Share of full supervision",
        "F1 as a share of the mean F1 of the first method that is given all the cells.",
        "max",
    ),
    "oracle_f1": (
        "Best threshold",
        "F1 on the test images if the truth itself chose the threshold: an oracle "
        "that nobody has, to tell a bad ranking from a bad threshold.",
        "max",
    ),
    "threshold_loss": (
        "Threshold loss",
        "F1 at the best threshold minus F1 at the chosen one.",
        "min",
    ),
    "recall_crowded": (
        "Recall of crowded cells",
        "Of the cells whose nearest neighbour is 1.5 to 2 radii away.",
        "max",
    ),
    "calibration_error": (
        "Calibration error",
        "Between the probabilities of the candidates and the share of cells among "
        "them, mean of ten bins.",
        "min",
    ),
}


@dataclass
class Table:
    """A table for people.

    Attributes
    ----------
    title, caption : str
        What it is about, and how to read it.
    cells : pandas.DataFrame
        Text; its first column names the rows.
    strong : set of (int, int)
        Row and column of the cells to make bold.
    notes : list of str
        Lines below it.
    """

    title: str
    caption: str
    cells: pd.DataFrame
    strong: set = field(default_factory=set)
    notes: list = field(default_factory=list)


def method_table(result: BenchmarkResult, rows: pd.DataFrame, key: str = "f1") -> Table:
    """Return Table 1: methods by sets.

    Parameters
    ----------
    result : BenchmarkResult
        From `run_benchmark`.
    rows : pandas.DataFrame
        From `tidy_rows`.
    key : str, default="f1"
        Column of the rows to show: "f1", "share_of_full", "oracle_f1" for the best
        threshold, "threshold_loss", "recall_crowded" or "calibration_error".

    Returns
    -------
    table : Table
        Mean over the seeds, with the standard deviation where there are several.

    Examples
    --------
    >>> from pseudocell.baselines import BlobDetector
    >>> from pseudocell.benchmark import run_benchmark, method_table, tidy_rows
    >>> from pseudocell.datasets import DetectionSet, make_brightfield
    >>> images, truth = make_brightfield(2, (96, 96), n_cells=10, random_state=0)
    >>> made = DetectionSet(
    ...     "made", images[:1], None, truth[:1], images[1:], truth[1:], 8, 10
    ... )
    >>> blob = {"blob": lambda cell_radius, random_state: BlobDetector(cell_radius)}
    >>> result = run_benchmark([made], blob)
    >>> method_table(result, tidy_rows(result)).cells.columns.to_list()
    ['method', 'made', 'average']
    """
    title, caption, best = METHOD_TABLES[key]
    grid = {"index": [*result.methods], "columns": [*result.sets]}
    chosen = main_rows(result, rows)
    groups = chosen.dropna(subset=key).groupby(["method", "set"])[key]
    means = groups.mean().unstack().reindex(**grid)
    means["average"] = means.mean(axis=1, skipna=False)
    cells = groups.agg(_spread).unstack().reindex(**grid).astype(object).fillna("–")
    cells["average"] = means["average"].map(_number)
    bad = rows[rows["is_main"] & (rows["status"] != "done")]
    notes = [f"{r.method} on {r.set}, {r.status}: {r.note}" for r in bad.itertuples()]
    for (method, name), failed in bad.groupby(["method", "set"]):
        n_done = groups.size().get((method, name), 0)
        text = f" ({n_done} of {n_done + len(failed)})"
        first = failed["status"].iloc[0]
        cells.loc[method, name] = cells.loc[method, name] + text if n_done else first
    if key == "f1":
        told = chosen[chosen["note"] != ""]
        notes += [f"{r.method} on {r.set}: {r.note}" for r in told.itertuples()]
    clicked = [n for n, method in result.methods.items() if method.labels == "clicks"]
    of_clicks = means.loc[clicked]
    strong = of_clicks.eq(of_clicks.agg(best)).reindex(means.index, fill_value=False)
    cells = cells.rename_axis(index="method", columns=None).reset_index()
    first = 1
    in_paper = [method.in_paper for method in result.methods.values()]
    if any(in_paper):
        cells.insert(1, "in the paper", in_paper)
        first = 2
    return Table(
        title,
        caption,
        cells,
        {(int(i), int(j) + first) for i, j in np.argwhere(strong)},
        list(dict.fromkeys(notes)),
    )


def round_tables(result, rows):
    """Return Tables 2 and 3 in one for each set and each method that has rounds."""
    rows = rows[usual_values(result, rows).all(axis=1) & rows["round"].notna()]
    scores, tables = ["precision", "recall", "f1"], []
    for (name, method), group in rows.groupby(["set", "method"], sort=False):
        parts = dict(iter(group.groupby("split")))
        cells = {
            f"{split} {key[0].upper()}": part.groupby("round")[key].agg(_spread)
            for split, part in sorted(parts.items(), reverse=True)
            for key in scores
        }
        train = parts["train"].groupby("round")
        for kind in ("positives", "negatives"):
            cells[kind] = train[f"n_{kind}"].agg(_spread, decimals=0)
            cells[f"purity of {kind}"] = train[f"purity_{kind}"].agg(_spread)
        cells["runs"] = train.size().astype(str)
        cells = pd.DataFrame(cells).fillna("–").reset_index()
        cells["round"] = cells["round"].map("{:g}".format)
        tables.append(
            Table(
                f"Rounds of {method} on {name}",
                "Round 0 knows the clicks only. Purity is that of the pseudo labels "
                "that the round has learnt from.",
                cells,
            )
        )
    return tables


def ablation_tables(result, rows):
    """Return a table for each thing that was varied: F1 by value."""
    tables = []
    for name, scores in ablations(result, rows).items():
        keys = ["set", "method", "value"]
        cells = scores.groupby(keys)["f1"].agg(_spread).unstack("value").fillna("–")
        cells = cells.reindex(
            index=pd.MultiIndex.from_frame(scores[keys[:2]].drop_duplicates()),
            columns=scores["value"].unique(),
        )
        cells = cells.rename(columns=_value).rename_axis(columns=None).reset_index()
        caption = "On the test images, mean ± standard deviation over the seeds."
        tables.append(Table(f"F1 by {name}", caption, cells))
    return tables


def ablations(result, rows):
    """Return what was varied, and how well each value does.

    That is, by the name of what was varied, a frame with the columns "set", "method",
    "value" and "f1"; values that are numbers in their order, others as they came.
    """
    rows = rows[rows["is_result"] & (rows["split"] == "test") & rows["f1"].notna()]
    usual = usual_values(result, rows)
    lengths = {name: data.max_distance for name, data in result.sets.items()}
    values = {
        "labelled share": rows["share"],
        "way of clicking": rows["clicking"],
        "radius factor": rows["radius_factor"],
        "matching distance": (rows["max_distance"] / rows["set"].map(lengths)).round(6),
    }
    clicked = [n for n, method in result.methods.items() if method.labels == "clicks"]
    found = {}
    for name, value in values.items():
        scores = rows.assign(value=value)[usual.drop(columns=name).all(axis=1)]
        scores = scores.dropna(subset="value")
        n_values = scores.groupby("method")["value"].nunique().reindex(clicked)
        if (n_values > 1).any():
            found[name] = _in_order(scores)
    main = usual.drop(columns="parameter").all(axis=1)
    for name, scores in rows[main].groupby("parameter", sort=False):
        found[name] = _in_order(scores)
    return found


def _in_order(scores):
    """Return the scores in the order of their values, if these are numbers."""
    kinds = {*scores["value"].map(type)} - {int, float}
    if kinds:
        scores = scores.assign(value=scores["value"].map(_value))
    else:
        scores = scores.assign(value=pd.to_numeric(scores["value"]))
        scores = scores.sort_values("value", kind="stable")
    return scores[["set", "method", "value", "f1"]]


def cost_table(result, rows):
    """Return a table of the seconds of a fit, methods by sets."""
    means = rows.groupby(["method", "set"])[["fit_seconds", "fit_cpu_seconds"]].mean()
    cells = means.dropna().apply(lambda pair: "{:.1f} / {:.1f}".format(*pair), axis=1)
    grid = {"index": [*result.methods], "columns": [*result.sets]}
    cells = cells.unstack().reindex(**grid).fillna("–")
    return Table(
        "Seconds",
        "Of a fit, mean over all its runs here: on the clock, and of the processor. "
        "Runs at the same time slow each other down.",
        cells.rename_axis(index="method", columns=None).reset_index(),
    )


def _spread(values, decimals=3):
    """Return mean and standard deviation as text."""
    values = values.dropna()
    if values.empty:
        return "–"
    text = _number(values.mean(), decimals)
    if len(values) > 1:
        text += f" ± {_number(values.std(), decimals)}"
    return text


def _number(value, decimals=3):
    return "–" if pd.isna(value) else f"{value:.{decimals}f}"


def _value(value):
    return f"{value:g}" if isinstance(value, int | float) else str(value)

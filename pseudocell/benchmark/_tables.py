"""From records to tidy rows, and from these to the tables of the paper."""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import fmean, stdev

from pseudocell.benchmark._scores import distance_key
from pseudocell.io._output import write_table

__all__ = [
    "COLUMNS",
    "Table",
    "ablation_tables",
    "method_table",
    "round_tables",
    "tidy_rows",
    "write_rows",
]

RUN = ("set", "method", "labels", "share", "seed", "parameter", "value")
SCORES = ("precision", "recall", "f1", "n_true", "n_found", "n_matched")
LABELS = ("n_positives", "n_negatives", "n_undecided")
PURITY = ("purity_positives", "purity_negatives")
COLUMNS = (
    *RUN,
    *("split", "round", "is_result", "max_distance"),
    *SCORES,
    *("oracle_f1", "oracle_threshold"),
    "n_clicks",
    *LABELS,
    *PURITY,
    *("fit_seconds", "fit_cpu_seconds", "predict_seconds", "status", "note"),
)
NO_TRUTH = {
    "test": "no test/points.csv: detections are counted, not scored",
    "train": "no train/points.csv: detections are counted, not scored",
}


@dataclass
class Table:
    """A table for people.

    Attributes
    ----------
    title, caption : str
        What it is about, and how to read it.
    columns : list of str
        Heads.
    rows : list of list of str
        Cells; the first of a row is its name.
    strong : set of (int, int)
        Row and column of the cells to make bold.
    notes : list of str
        Lines below it.
    """

    title: str
    caption: str
    columns: list
    rows: list = field(default_factory=list)
    strong: set = field(default_factory=set)
    notes: list = field(default_factory=list)


def tidy_rows(result):
    """Return one row for each run, split, round and matching distance.

    Parameters
    ----------
    result : BenchmarkResult
        From `run_benchmark`.

    Returns
    -------
    rows : list of dict
        Keys are `COLUMNS`; None where something is not known or does not apply. A run
        that failed or was skipped has one row, with the reason as its "note".
    """
    rows = []
    for record in result.records:
        if record["status"] != "done":
            rows.append(_row(record, note=record["error"]))
            continue
        for multiple in result.distances:
            distance = result.distance(record, multiple)
            rows += _rows_at(record, distance)
    return rows


def _rows_at(record, distance):
    scores = record["scores"][distance_key(distance)]
    note = " ".join(record["warnings"])
    rows = []
    for split in ("test", "train"):
        stages = scores[split]
        for number, stage in enumerate(stages):
            is_result = number == len(stages) + record["kept"]
            more = {"note": note if "f1" in stage else NO_TRUTH[split]}
            if is_result and split == "test" and scores["oracle"]:
                more["oracle_f1"] = scores["oracle"]["f1"]
                more["oracle_threshold"] = scores["oracle"]["threshold"]
            # Detector k has learnt from the labels of the round before.
            if 0 < number <= len(scores["labels"]):
                more |= scores["labels"][number - 1]
            rounds = number if len(stages) > 1 or record["rounds"] else None
            where = {"split": split, "round": rounds, "is_result": is_result}
            rows.append(_row(record, max_distance=distance, **where, **stage, **more))
    return rows


def _row(record, **more):
    row = dict.fromkeys(COLUMNS)
    row.update({key: record.get(key) for key in COLUMNS if key in record})
    return row | more


def write_rows(path, rows):
    """Write tidy rows to a CSV file.

    Parameters
    ----------
    path : str or path
        The file.
    rows : list of dict
        From `tidy_rows`.
    """
    cells = ([_csv_cell(row[column]) for column in COLUMNS] for row in rows)
    write_table(path, COLUMNS, cells)


def _csv_cell(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    return f"{value:.6g}" if isinstance(value, float) else value


def select(result, rows, **wanted):
    """Return the rows of the kept round at the main distance that match."""
    chosen = []
    for row in rows:
        if row["is_result"] is False or row["status"] != "done":
            continue
        if row["max_distance"] != result.distance(row):
            continue
        if all(row[key] == value for key, value in wanted.items()):
            chosen.append(row)
    return chosen


def main_share(result, method):
    """Return the share of labels that the main tables show of a method."""
    return 1.0 if result.methods[method].labels == "all" else result.share


def method_table(result, rows, key="f1"):
    """Return Table 1: methods by sets.

    Parameters
    ----------
    result : BenchmarkResult
        From `run_benchmark`.
    rows : list of dict
        From `tidy_rows`.
    key : str, default="f1"
        Column of the rows to show: "f1", or "oracle_f1" for the best threshold.

    Returns
    -------
    table : Table
        Mean over the seeds, with the standard deviation where there are several.
    """
    title, caption = METHOD_TABLES[key]
    table = Table(title, caption, ["method", *result.sets, "average"])
    means = {}
    for i, method in enumerate(result.methods):
        cells = [_method_cell(result, rows, method, s, key, table) for s in result.sets]
        values = [value for value, _ in cells]
        known = None not in values and values
        average = fmean(values) if known else None
        table.rows.append([method, *(text for _, text in cells), _number(average)])
        if result.methods[method].labels == "clicks":
            means |= {(i, j): v for j, v in enumerate([*values, average], 1)}
    for j in range(1, len(table.columns)):
        column = {place: v for place, v in means.items() if place[1] == j}
        known = [v for v in column.values() if v is not None]
        table.strong |= {p for p, v in column.items() if known and v == max(known)}
    table.notes = list(dict.fromkeys(table.notes))
    return table


METHOD_TABLES = {
    "f1": (
        "Methods",
        "F1 on the test images, one-to-one matching, mean ± standard deviation over "
        "the seeds. Bold: the best of those that see clicks only.",
    ),
    "oracle_f1": (
        "Best threshold",
        "F1 on the test images if the truth itself chose the threshold: an oracle "
        "that nobody has, to tell a bad ranking from a bad threshold.",
    ),
}


def _method_cell(result, rows, method, name, key, table):
    """Return the mean and the text of a cell; notes go to the table."""
    share = main_share(result, method)
    wanted = {"method": method, "set": name, "share": share, "parameter": None}
    here = [row for row in rows if all(row[k] == v for k, v in wanted.items())]
    bad = [row for row in here if row["status"] != "done"]
    for row in bad:
        table.notes.append(f"{method} on {name}, {row['status']}: {row['note']}")
    chosen = select(result, here, split="test")
    values = [row[key] for row in chosen if row[key] is not None]
    if key == "f1":
        table.notes += [
            f"{method} on {name}: {row['note']}" for row in chosen if row["note"]
        ]
    if not values:
        return None, bad[0]["status"] if bad else "–"
    text = _spread(values)
    if bad:
        text += f" ({len(values)} of {len(values) + len(bad)})"
    return fmean(values), text


def round_tables(result, rows):
    """Return Tables 2 and 3 in one: scores and labels by round.

    Parameters
    ----------
    result : BenchmarkResult
        From `run_benchmark`.
    rows : list of dict
        From `tidy_rows`.

    Returns
    -------
    tables : list of Table
        One for each set and each method that works in rounds.
    """
    groups = defaultdict(list)
    for row in rows:
        if row["round"] is None or row["parameter"] is not None:
            continue
        at_main = row["share"] == main_share(result, row["method"])
        if at_main and row["max_distance"] == result.distance(row):
            groups[row["set"], row["method"]].append(row)
    tables = []
    for (name, method), group in groups.items():
        table = Table(
            f"Rounds of {method} on {name}",
            "Round 0 knows the clicks only. Purity is that of the pseudo labels that "
            "the round has learnt from.",
            ["round", *(f"{s} {k}" for s in ("train", "test") for k in "PRF")],
        )
        table.columns += ["positives", "purity", "negatives", "purity", "runs"]
        for number in sorted({row["round"] for row in group}):
            here = [row for row in group if row["round"] == number]
            table.rows.append(_round_line(number, here))
        tables.append(table)
    return tables


def _round_line(number, rows):
    line = [str(number)]
    for split in ("train", "test"):
        some = [row for row in rows if row["split"] == split]
        line += [_spread(_known(some, key)) for key in ("precision", "recall", "f1")]
    train = [row for row in rows if row["split"] == "train"]
    for kind in ("positives", "negatives"):
        line.append(_spread(_known(train, f"n_{kind}"), 0))
        line.append(_spread(_known(train, f"purity_{kind}")))
    return [*line, str(len(train))]


def ablation_tables(result, rows):
    """Return a table for each thing that was varied: F1 by value.

    Parameters
    ----------
    result : BenchmarkResult
        From `run_benchmark`.
    rows : list of dict
        From `tidy_rows`.

    Returns
    -------
    tables : list of Table
        Of the share of labels, of each parameter, of the way of clicking, of the
        radius, of the matching distance.
    """
    tables = []
    for name, points in ablations(result, rows).items():
        values = sorted(dict.fromkeys(value for _, _, value in points), key=_order)
        table = Table(
            f"F1 by {name}",
            "On the test images, mean ± standard deviation over the seeds.",
            ["set", "method", *map(_value, values)],
        )
        for key in dict.fromkeys((data, method) for data, method, _ in points):
            scores = [points.get((*key, value), []) for value in values]
            table.rows.append([*key, *map(_spread, scores)])
        tables.append(table)
    return tables


def ablations(result, rows):
    """Return for each thing that was varied {(set, method, value): [f1 a seed]}."""
    found = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["split"] != "test" or not row["is_result"] or row["f1"] is None:
            continue
        key = row["set"], row["method"]
        at_main = row["share"] == main_share(result, row["method"])
        if row["max_distance"] == result.distance(row):
            if row["parameter"] is not None:
                found[row["parameter"]][(*key, row["value"])].append(row["f1"])
            else:
                found["labelled share"][(*key, row["share"])].append(row["f1"])
        if row["parameter"] is None and at_main:
            value = row["max_distance"] / result.sets[row["set"]].max_distance
            found["matching distance"][(*key, round(value, 6))].append(row["f1"])
    clicked = [m for m in result.methods if result.methods[m].labels == "clicks"]
    return {
        name: dict(points)
        for name, points in found.items()
        if any(
            len({value for _, m, value in points if m == method}) > 1
            for method in clicked
        )
        or (points and name not in ("labelled share", "matching distance"))
    }


def _known(rows, key):
    return [row[key] for row in rows if row[key] is not None]


def _spread(values, decimals=3):
    if not values:
        return "–"
    text = _number(fmean(values), decimals)
    if len(values) > 1:
        text += f" ± {_number(stdev(values), decimals)}"
    return text


def _number(value, decimals=3):
    return "–" if value is None or math.isnan(value) else f"{value:.{decimals}f}"


def _value(value):
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _order(value):
    """Return a key that sorts numbers, and leaves the rest as it is behind them."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return (0, value) if is_number else (1, 0)

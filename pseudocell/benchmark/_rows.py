"""From records to one frame of tidy rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

from pseudocell.benchmark._extras import check_extras
from pseudocell.benchmark._scores import distance_key

if TYPE_CHECKING:
    import pandas as pd

    from pseudocell.benchmark._run import BenchmarkResult
else:
    pd = lazy_loader.load("pandas")

__all__ = ["COLUMNS", "main_rows", "tidy_rows", "usual_values"]

RUN = ("set", "method", "labels", "share", "seed")
VARIED = ("clicking", "radius_factor", "parameter", "value")
NUMBERS = (
    *("round", "max_distance", "precision", "recall", "f1"),
    *("n_true", "n_found", "n_matched", "recall_crowded"),
    *("oracle_f1", "oracle_threshold", "threshold_loss"),
    *("calibration_error", "share_of_full", "n_clicks"),
    *("n_positives", "n_negatives", "n_undecided"),
    *("purity_positives", "purity_negatives"),
    *("fit_seconds", "fit_cpu_seconds", "predict_seconds"),
)
COLUMNS = (*RUN, *VARIED, "is_main", "split", "is_result", *NUMBERS, "status", "note")
NO_TRUTH = {
    "test": "no test/points.csv: detections are counted, not scored",
    "train": "no train/points.csv: detections are counted, not scored",
}


def tidy_rows(result: BenchmarkResult) -> pd.DataFrame:
    """Return one row for each run, split, round and matching distance.

    Parameters
    ----------
    result : BenchmarkResult
        From `run_benchmark`.

    Returns
    -------
    rows : pandas.DataFrame
        Its columns are described in the documentation of the benchmark; what is not
        known or does not apply is missing. A run that failed or was skipped has one
        row, with the reason as its "note".

    Raises
    ------
    ValueError
        If pandas, matplotlib or Jinja2 is missing.

    Examples
    --------
    >>> from pseudocell.baselines import BlobDetector
    >>> from pseudocell.benchmark import run_benchmark, tidy_rows
    >>> from pseudocell.datasets import DetectionSet, make_brightfield
    >>> images, truth = make_brightfield(2, (96, 96), n_cells=10, random_state=0)
    >>> made = DetectionSet(
    ...     "made", images[:1], None, truth[:1], images[1:], truth[1:], 8, 10
    ... )
    >>> blob = {"blob": lambda cell_radius, random_state: BlobDetector(cell_radius)}
    >>> result = run_benchmark([made], blob)
    >>> tidy_rows(result)[["method", "split", "n_true"]]
      method  split  n_true
    0   blob   test      10
    1   blob  train      10
    """
    check_extras()
    lines = [line for record in result.records for line in _lines(result, record)]
    rows = pd.DataFrame(lines, columns=COLUMNS)
    rows[[*NUMBERS]] = rows[[*NUMBERS]].apply(pd.to_numeric)
    rows["note"] = rows["note"].fillna("")
    usual = usual_values(result, rows)
    rows["is_main"] = usual.drop(columns="matching distance").all(axis=1)
    rows["threshold_loss"] = rows["oracle_f1"] - rows["f1"]
    everything = [n for n, method in result.methods.items() if method.labels == "all"]
    final = rows["is_result"] & (rows["split"] == "test")
    # Mean of full supervision over its seeds, on the same set at the same distance.
    goal = rows["f1"].where(
        final & rows["is_main"] & rows["method"].isin(everything[:1])
    )
    goal = goal.groupby([rows["set"], rows["max_distance"]]).transform("mean")
    rows["share_of_full"] = (rows["f1"] / goal.where(goal > 0)).where(final)
    return rows


def usual_values(result, rows):
    """Tell of each row which of the things that may be varied are as usual."""
    shares = {
        name: 1.0 if method.labels == "all" else result.share
        for name, method in result.methods.items()
    }
    lengths = {name: result.distance({"set": name}) for name in result.sets}
    return pd.DataFrame(
        {
            "labelled share": rows["share"] == rows["method"].map(shares),
            "way of clicking": rows["clicking"].fillna("random") == "random",
            "radius factor": rows["radius_factor"] == 1,
            "matching distance": rows["max_distance"] == rows["set"].map(lengths),
            "parameter": rows["parameter"].isna(),
        }
    )


def main_rows(result, rows):
    """Return what the main tables are about: the results where nothing is varied."""
    main = usual_values(result, rows).all(axis=1)
    return rows[main & rows["is_result"] & (rows["split"] == "test")]


def _lines(result, record):
    """Yield the rows of a record as dicts."""
    known = {column: record[column] for column in COLUMNS if column in record}
    if record["status"] != "done":
        yield known | {"is_result": False, "note": record["error"]}
        return
    warned = " ".join(record["warnings"])
    for multiple in result.distances:
        distance = result.distance(record, multiple)
        scores = record["scores"][distance_key(distance)]
        for split in ("test", "train"):
            stages = scores[split]
            for number, stage in enumerate(stages):
                is_result = number == len(stages) + record["kept"]
                in_rounds = len(stages) > 1 or record["rounds"]
                more = {"split": split, "is_result": is_result}
                more |= {"round": number if in_rounds else None}
                more |= {"note": warned if "f1" in stage else NO_TRUTH[split]}
                if is_result and split == "test":
                    oracle = scores["oracle"] or {}
                    more |= {f"oracle_{key}": value for key, value in oracle.items()}
                    more |= {"calibration_error": scores["calibration_error"]}
                # Detector k has learnt from the labels of the round before.
                if 0 < number <= len(scores["labels"]):
                    more |= scores["labels"][number - 1]
                yield known | {"max_distance": distance} | stage | more

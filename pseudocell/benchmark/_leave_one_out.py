"""What the other sets would have chosen, and what it loses on this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

from pseudocell.benchmark._rows import main_rows
from pseudocell.benchmark._tables import Table

if TYPE_CHECKING:
    import pandas as pd

    from pseudocell.benchmark._run import BenchmarkResult
else:
    pd = lazy_loader.load("pandas")

__all__ = ["leave_one_out_table"]


def leave_one_out_table(result: BenchmarkResult, rows: pd.DataFrame) -> Table:
    """Return, for each set, the method that the other sets would have chosen.

    Of the methods that are given clicks, that is the one with the largest mean share
    of full supervision on the others. What it loses on the set that is left out is
    what the choice of a method, or of the numbers that make it, owes to having seen
    that set.

    Parameters
    ----------
    result : BenchmarkResult
        From `run_benchmark`, with at least two sets, two methods to choose from and
        one that is given all the cells.
    rows : pandas.DataFrame
        From `tidy_rows`.

    Returns
    -------
    table : Table
        A row for each set, and their mean. A method without a score on each set takes
        no part.

    Raises
    ------
    ValueError
        If there is nothing to choose from.

    Examples
    --------
    >>> from pseudocell.baselines import BlobDetector
    >>> from pseudocell.benchmark import (
    ...     Method,
    ...     leave_one_out_table,
    ...     run_benchmark,
    ...     tidy_rows,
    ... )
    >>> from pseudocell.datasets import DetectionSet, make_brightfield
    >>> images, truth = make_brightfield(1, (96, 96), n_cells=10, random_state=0)
    >>> sets = [
    ...     DetectionSet(name, images, None, truth, images, truth, 8, 10)
    ...     for name in "ab"
    ... ]
    >>> def blob(cell_radius, random_state):
    ...     return BlobDetector(cell_radius)
    >>> methods = {"blob": blob, "same": blob, "all": Method(blob, labels="all")}
    >>> result = run_benchmark(sets, methods)
    >>> table = leave_one_out_table(result, tidy_rows(result))
    >>> table.cells["chosen by the others"].to_list()
    ['blob', 'blob', '']
    """
    clicked = [n for n, method in result.methods.items() if method.labels == "clicks"]
    shares = main_rows(result, rows).pivot_table(
        index="method", columns="set", values="share_of_full", dropna=False
    )
    shares = shares.reindex(index=clicked, columns=[*result.sets])
    whole = shares.dropna()
    if len(whole) < 2 or len(result.sets) < 2:
        raise ValueError(
            f"{len(whole)} methods that are given clicks have a share of full "
            f"supervision on each of the {len(result.sets)} sets; leaving one set out "
            "needs at least 2 such methods and 2 sets, all with test/points.csv, and a "
            "method that is given all the cells, such as full-supervision."
        )
    lines = []
    for name in whole.columns:
        chosen = whole.drop(columns=name).mean(axis=1).idxmax()
        here = whole[name]
        loss = here.max() - here[chosen]
        lines.append([name, chosen, here[chosen], here.idxmax(), here.max(), loss])
    heads = ["set", "chosen by the others", "its share here", "best here"]
    cells = pd.DataFrame(lines, columns=[*heads, "share of the best", "loss"])
    cells.loc[len(cells)] = cells.mean(numeric_only=True)
    cells = cells.fillna({"set": "mean"}).fillna("")
    left_out = [name for name in clicked if name not in whole.index]
    return Table(
        "One set left out",
        "Shares of full supervision.",
        cells.map(lambda value: value if isinstance(value, str) else f"{value:.3f}"),
        notes=[
            f"{name} has no score on some set and takes no part" for name in left_out
        ],
    )

"""pseudocell benchmark: the paper's tables and figures, for any methods and sets."""

import ast
import importlib
import re
import shlex
import sys
from pathlib import Path

import click

from pseudocell.cli._terminal import Stopped, counted, say

__all__ = ["run_benchmark_command"]

SYNTHETIC = "synthetic"


def run_benchmark_command(
    sets, methods, seeds, shares, distances, output, *, vary, leave_one_out, **how
):
    """Run a benchmark, print its first table and write its report.

    Parameters
    ----------
    sets, methods : sequence of str
        As on the command line.
    seeds : int
        Number of seeds.
    shares, distances : str
        Numbers with commas between them.
    output : str
        Folder for everything.
    vary : sequence of str
        ``name=value,value`` each.
    leave_one_out : bool
        Whether to print what the other sets would have chosen for each.
    **how : dict
        Other arguments of `run_benchmark`, `clicks` and `radius_factors` with commas.
    """
    from pseudocell._inference import choose_device
    from pseudocell.benchmark import (
        leave_one_out_table,
        method_table,
        run_benchmark,
        tidy_rows,
        write_report,
    )
    from pseudocell.benchmark._extras import check_extras

    check_extras()
    choose_device(how["device"])
    how["clicks"] = [kind.strip() for kind in how["clicks"].split(",")]
    how["radius_factors"] = _numbers(how["radius_factors"], "--radius-factors")
    sets = [one for text in sets for one in _read_sets(text)]
    methods = _choose_methods(methods)
    say(
        f"{counted(len(methods), 'method')} on {counted(len(sets), 'set')} with "
        f"{counted(seeds, 'seed')}; finished runs are kept in {Path(output) / 'runs'}"
    )
    try:
        result = run_benchmark(
            sets,
            methods,
            seeds=range(seeds),
            shares=_numbers(shares, "--share"),
            distances=_numbers(distances, "--distances"),
            vary=dict(_parameter(text) for text in vary),
            output=output,
            verbose=1,
            **how,
        )
        page = write_report(result, output, command=_command())
    except KeyboardInterrupt as error:
        raise Stopped(
            f"Stopped; finished runs are in {Path(output) / 'runs'}, and the same "
            "command goes on with the others."
        ) from error
    rows = tidy_rows(result)
    _print_table(method_table(result, rows))
    if leave_one_out:
        click.echo()
        _print_table(leave_one_out_table(result, rows))
    click.echo(f"Look at {page}; all numbers are in {page.parent / 'results.csv'}")


def _read_sets(text):
    """Return the sets that an option means."""
    from pseudocell.benchmark import read_set
    from pseudocell.benchmark._sets import synthetic_sets

    if text.split(":")[0] == SYNTHETIC:
        return synthetic_sets(text.partition(":")[2] or None)
    number = r"[0-9]*\.?[0-9]+"
    match = re.fullmatch(rf"(?:([^=:/\\]+)=)?(.+?):({number})(?::({number}))?", text)
    if match is None:
        raise ValueError(
            f"--set {text}: expected FOLDER:RADIUS or FOLDER:RADIUS:DISTANCE with the "
            "radius of a cell and the matching distance in pixels, for example "
            "plates/a:12:15, or synthetic:control."
        )
    name, folder, radius, distance = match.groups()
    distance = None if distance is None else float(distance)
    return [read_set(folder, float(radius), distance, name=name)]


def _choose_methods(texts):
    """Return the methods by their names; none given means all of them."""
    from pseudocell.benchmark import METHODS

    chosen = {}
    for text in texts:
        name, is_own, place = text.partition("=")
        if is_own:
            chosen[name] = _import_method(text, place)
            continue
        name = " ".join(re.split(r"[\s_-]+", text.strip().lower()))
        if name not in METHODS:
            raise ValueError(
                f"--method {text} is not known; expected one of {', '.join(METHODS)}, "
                "or NAME=MODULE:FUNCTION for one of your own."
            )
        chosen[name] = METHODS[name]
    return chosen or dict(METHODS)


def _import_method(text, place):
    from pseudocell.benchmark._methods import as_method

    module, _, attribute = place.partition(":")
    # A module beside the user, as for python -m.
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return as_method(getattr(importlib.import_module(module), attribute))
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"--method {text}: expected NAME=MODULE:FUNCTION, where the function takes "
            f"the cell radius and the seed and returns an estimator ({error})."
        ) from error


def _numbers(text, option):
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise ValueError(
            f"{option} {text}: expected numbers with commas between them, for example "
            "0.05,0.1."
        ) from error


def _parameter(text):
    name, _, values = text.partition("=")
    if not name or not values:
        raise ValueError(
            f"--vary {text}: expected NAME=VALUE,VALUE, for example alpha=0.02,0.05."
        )
    return name, [_value(part) for part in values.split(",")]


def _value(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _command():
    return shlex.join(["pseudocell", *sys.argv[1:]])


def _print_table(table):
    named = table.cells.set_index(table.cells.columns[0])
    named = named.rename_axis(index=None, columns=table.cells.columns[0])
    click.echo(named.to_string())
    for note in table.notes:
        say(note)

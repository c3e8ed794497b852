"""From the arguments of a benchmark to the list of its runs."""

import sys
from numbers import Real

from pseudocell.benchmark._job import Job
from pseudocell.datasets import CLICK_BIASES

__all__ = ["check_arguments", "plan_jobs"]


def check_arguments(sets, methods, seeds, distances, *, shares, clicks, radius_factors):
    """Raise a ValueError for what can be known to be wrong before the first run."""
    lists = {
        "methods": methods,
        "seeds": seeds,
        "shares": shares,
        "distances": distances,
    }
    for name, values in lists.items():
        if len(values) == 0 or len(set(values)) < len(values):
            raise ValueError(
                f"{name} is {list(values)}; expected at least one, and none twice."
            )
    _check_each("shares", shares, 1, "a share up to 1. Divide a percentage by 100")
    multiple = "a multiple of the matching distance of each set"
    _check_each("distances", distances, sys.float_info.max, multiple)
    multiple = "what the true radius is multiplied by, such as 0.67"
    _check_each("radius_factors", radius_factors, sys.float_info.max, multiple)
    known = ("random", *CLICK_BIASES)
    for index, kind in enumerate(clicks):
        if kind not in known:
            raise ValueError(
                f"clicks[{index}] is {kind!r}; expected one of {', '.join(known)}."
            )
    for data in sets.values() if {*clicks} - {"random"} else ():
        if data.train_points is None:
            raise ValueError(
                f"clicks is {list(clicks)}, but not all the cells of the training "
                f"images of the set {data.name} are known (no train/points.csv), and "
                "these are needed to simulate clicks. Add them, or leave out the set."
            )


def _check_each(name, values, highest, expected):
    for index, value in enumerate(values):
        if not (isinstance(value, Real) and 0 < value <= highest):
            raise ValueError(
                f"{name}[{index}] is {value}; expected a number above 0, {expected}."
            )


def plan_jobs(
    sets, methods, seeds, main, given, *, shares, vary, clicks, radius_factors
):
    """List the runs, those of a seed together, so that a first table comes early.

    One thing is varied at a time, all but the share at the `main` one. No run is there
    twice, and the usual one (random clicks, the true radius, no setting) is there.
    """
    takers = {name: _takers(methods, name) for name in vary}
    jobs = {}
    for seed in seeds:
        for data in sets.values():
            for name, method in methods.items():
                variants = [{"share": float(share)} for share in shares]
                if method.labels == "clicks":
                    variants += [{"clicks": kind} for kind in clicks]
                variants += [
                    {"radius_factor": float(f)} for f in sorted(radius_factors)
                ]
                for parameter, values in vary.items():
                    if name in takers[parameter]:
                        variants += [{"setting": (parameter, v)} for v in values]
                for variant in variants:
                    variant = {"share": main} | variant
                    if method.labels == "all":
                        # Nothing can be kept from a method that is given everything.
                        variant["share"] = 1.0
                    job = Job(data, name, method, seed, **variant, **given)
                    key = (data.name, name, seed, job.share, str(job.varied()))
                    jobs.setdefault(key, job)
    return list(jobs.values())


def _takers(methods, parameter):
    """Return the names of the methods that have this parameter."""
    known, takers = set(), []
    for name, method in methods.items():
        try:
            parameters = method.factory(1.0, 0).get_params()
        except Exception:  # its runs will say why
            continue
        known |= set(parameters)
        if parameter in parameters:
            takers.append(name)
    if not takers:
        raise ValueError(
            f"vary[{parameter!r}] is a parameter of none of the methods; expected one "
            f"of {', '.join(sorted(known)) or 'none: they have no parameters'}."
        )
    return takers

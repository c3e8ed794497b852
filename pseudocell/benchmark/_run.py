"""Run every method on every set, and no run twice."""

import json
import sys
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass

from joblib import Parallel, cpu_count, delayed, effective_n_jobs
from joblib.parallel import get_active_backend
from tqdm import tqdm

from pseudocell.benchmark._habits import CLICKS, RADIUS, check_habits
from pseudocell.benchmark._job import Job, run_job
from pseudocell.benchmark._methods import METHODS, as_method
from pseudocell.benchmark._scores import score_record
from pseudocell.benchmark._sets import as_detection_set
from pseudocell.io._output import prepare_folder, whole_file

__all__ = ["BenchmarkResult", "run_benchmark"]


@dataclass(frozen=True)
class BenchmarkResult:
    """What a benchmark has found.

    Attributes
    ----------
    sets : dict of str to DetectionSet
        The sets by their names.
    methods : dict of str to Method
        The methods by their names.
    records : list of dict
        A record a run: what defines it, "status", points, seconds, versions and
        scores.
    share : float
        Share of labelled cells that the tables are about, where it is not varied.
    distances : tuple of float
        Matching distances, in those of the sets; tables are about the first one.
    """

    sets: dict
    methods: dict
    records: list
    share: float
    distances: tuple

    def distance(self, record, multiple=None):
        """Return the matching distance of a record.

        Parameters
        ----------
        record : dict
            The record of a run.
        multiple : float, optional
            Of the distance of the set. None takes the first one that was asked for.

        Returns
        -------
        distance : float
            In pixels.
        """
        multiple = self.distances[0] if multiple is None else multiple
        return multiple * self.sets[record["set"]].max_distance


def run_benchmark(
    sets,
    methods=None,
    *,
    seeds=(0,),
    shares=(0.1,),
    vary=None,
    clicks=("random",),
    radius_factors=(1.0,),
    distances=(1.0,),
    redraw=False,
    output=None,
    device="auto",
    n_jobs=None,
    verbose=0,
):
    """Fit and score methods on sets.

    A run is one method on one set with one seed, share of labels and parameter. With
    `output` each finished run is kept in a file, and the next call computes
    only what is not there: an interrupted benchmark goes on, and a larger one takes
    over what a smaller one has done. A run that fails is named in the results and
    tried again by the next call; the others go on.

    Parameters
    ----------
    sets : sequence of DetectionSet
        From `read_set`, or anything with the same attributes.
    methods : dict of str to Method or callable, default=None
        Methods by their names; a callable is a factory, see `Method`. None takes
        `METHODS`.
    seeds : sequence of int, default=(0,)
        Seeds of the methods, and of the labels that are drawn.
    shares : sequence of float, default=(0.1,)
        Shares of the cells of each image that are labelled, in (0, 1]. The clicks of
        a set, if there are any, stand for 0.1.
    vary : dict of str to sequence, default=None
        Parameters of the estimators and the values that they take, one parameter at
        a time, at the main share: an ablation. Methods without the parameter take no
        part.
    clicks : sequence of str, default=("random",)
        How people click, varied at the main share: "random", which is always among
        them and means the labels as otherwise, and the kinds of
        `pseudocell.datasets.bias_clicks`, simulated from all the cells. Methods that
        are given all the cells take no part.
    radius_factors : sequence of float, default=(1.0,)
        What the radius that a method is given is, as a multiple of the true one,
        varied at the main share; 1 is always among them. Scores are not concerned.
    distances : sequence of float, default=(1.0,)
        Matching distances, as multiples of the `max_distance` of each set. Another
        distance needs no new run.
    redraw : bool, default=False
        Whether the clicks are drawn anew for each seed, also of sets that have some.
    output : str or path, default=None
        Folder for the runs. None keeps nothing.
    device : str, default="auto"
        "auto", "cpu", "cuda" or "mps", for methods with this parameter.
    n_jobs : int, default=None
        Runs at a time. None takes what ``joblib.parallel_config`` says, and else 1. The
        cores are divided among the runs; on a cluster each run has one.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    result : BenchmarkResult
        The records; `tidy_rows` and `write_report` make tables of them.

    Raises
    ------
    ValueError
        If an argument is not as described. An error in a run is in its record.
    RuntimeError
        If a worker died. It says during which run that may have been; finished runs are
        kept in `output`.

    Examples
    --------
    >>> from pseudocell.benchmark import DetectionSet, run_benchmark, tidy_rows
    >>> from pseudocell.datasets import drop_points, make_brightfield
    >>> class Oracle:
    ...     def fit(self, images, points):
    ...         return self
    ...     def predict(self, images):
    ...         return truth[:len(images)]
    >>> images, truth = make_brightfield(1, (96, 96), n_cells=6, random_state=0)
    >>> made = DetectionSet("made", images, None, truth, images, truth, 8, 10)
    >>> result = run_benchmark([made], {"all": lambda cell_radius, seed: Oracle()})
    >>> [(row["split"], row["f1"]) for row in tidy_rows(result)]
    [('test', 1.0), ('train', 1.0)]
    """
    sets = _by_name(sets)
    methods = METHODS if methods is None else methods
    methods = {name: as_method(method) for name, method in methods.items()}
    _check_numbers(methods, seeds, shares, distances)
    habits = check_habits(sets.values(), clicks, radius_factors)
    share = 0.1 if 0.1 in shares else shares[0]
    given = {"redraw": redraw, "device": device}
    varied = (vary or {}) | habits
    jobs = _plan(sets, methods, seeds, shares, share, varied, given)
    folder = None if output is None else prepare_folder(output) / "runs"
    if folder is not None:
        prepare_folder(folder)
    identities = [job.identity() for job in jobs]
    files = [
        job.file_name(identity) for job, identity in zip(jobs, identities, strict=True)
    ]
    # A parameter that takes its default value is not run once more.
    runs = dict(zip(files, zip(jobs, identities, strict=True), strict=True))
    n_threads = _threads_of_a_run(n_jobs)
    done = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_resume)(*run, distances, n_threads, folder and folder / file)
        for file, run in runs.items()
    )
    # In a log file a line now and then is enough.
    interval = 0.1 if sys.stderr.isatty() else 30
    bar = tqdm(
        done, "Runs", len(runs), disable=not verbose, mininterval=interval, leave=False
    )
    records = {}
    try:
        for file, record in zip(runs, bar, strict=True):
            records[file] = record
    except Exception as error:
        if not _is_death(error):
            raise
        left = {
            file: job
            for file, (job, identity) in runs.items()
            if file not in records
            and (folder is None or _read(folder / file, identity) is None)
        }
        raise RuntimeError(_name_dead(left, len(runs), n_jobs, folder)) from error
    records = [
        {**records[file], **job.varied()} for file, job in zip(files, jobs, strict=True)
    ]
    return BenchmarkResult(sets, methods, records, share, tuple(distances))


def _by_name(sets):
    named = {}
    for data in map(as_detection_set, sets):
        if data.name in named:
            raise ValueError(
                f"Two sets are called {data.name}; expected a name of its own for each."
            )
        named[data.name] = data
    if not named:
        raise ValueError("sets is empty; expected at least one set.")
    return named


def _check_numbers(methods, seeds, shares, distances):
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
    for index, share in enumerate(shares):
        if not 0 < share <= 1:
            raise ValueError(
                f"shares[{index}] is {share}; expected a share above 0 and up to 1. "
                "Divide a percentage by 100."
            )
    for index, distance in enumerate(distances):
        if not 0 < distance < float("inf"):
            raise ValueError(
                f"distances[{index}] is {distance}; expected a multiple above 0 of the "
                "matching distance of each set."
            )


def _plan(sets, methods, seeds, shares, main, vary, given):
    """List the runs, those of a seed together, so that a first table comes early."""
    takers = {name: _takers(methods, name) for name in vary}
    jobs = {}
    for seed in seeds:
        for data in sets.values():
            for name, method in methods.items():
                wanted = [(share, None) for share in shares]
                for parameter, values in vary.items():
                    if name in takers[parameter]:
                        wanted += [(main, (parameter, value)) for value in values]
                for share, parameter in wanted:
                    # Nothing can be kept from a method that is given everything.
                    share = 1.0 if method.labels == "all" else float(share)
                    job = Job(data, name, method, seed, share, parameter, **given)
                    key = (seed, data.name, name, share, repr(parameter))
                    jobs.setdefault(key, job)
    return list(jobs.values())


def _takers(methods, parameter):
    """Return the names of the methods for which this can be varied."""
    if parameter == RADIUS:
        return list(methods)
    if parameter == CLICKS:
        return [name for name in methods if methods[name].labels == "clicks"]
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


def _threads_of_a_run(n_jobs):
    """Return the number of threads for each run, None for the default of a worker."""
    backend, _ = get_active_backend()
    if type(backend).__module__ != "joblib._parallel_backends":
        # The cores of a cluster are not those of this machine.
        return None
    return max(1, cpu_count() // max(1, effective_n_jobs(n_jobs)))


def _is_death(error):
    """Whether a worker was killed; the error of Dask is known by its name alone."""
    dead = any(kind.__name__ == "KilledWorker" for kind in type(error).__mro__)
    return dead or isinstance(error, BrokenExecutor)


def _name_dead(left, n_runs, n_jobs, folder):
    """Say which runs a worker may have died of: they begin in this order."""
    n_named = max(1, min(effective_n_jobs(n_jobs), 8))
    named = [
        f"{job.name} on {job.data.name} with seed {job.seed} and share {job.share:g}"
        for job in list(left.values())[:n_named]
    ]
    kept = "Without output nothing is kept"
    if folder is not None:
        kept = (
            f"{n_runs - len(left)} of {n_runs} runs are finished and kept in {folder}"
        )
    return (
        "A worker died, out of memory or by a crash, probably during "
        f"{' or '.join(named)}. {kept}. Call again to go on, with fewer runs at a time "
        "if memory was short."
    )


def _resume(job, identity, distances, n_threads, path):
    """Return the record of a run: from its file if it is there, else run it."""
    distances = [multiple * job.data.max_distance for multiple in distances]
    record = None if path is None else _read(path, identity)
    if record is None:
        record = run_job(job, identity, distances, n_threads)
    elif not score_record(record, job.data, distances):
        return record
    if path is not None:
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(record))
    return record


def _read(path, identity):
    """Return a finished record, None if there is none or it is of something else."""
    try:
        record = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    same = all(record.get(key) == value for key, value in identity.items())
    return record if same and record.get("status") == "done" else None

"""Run every method on every set, and no run twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pseudocell._parameters import HOW_TO_RUN, Values, checked
from pseudocell.benchmark._methods import METHODS, as_method
from pseudocell.benchmark._plan import check_arguments, plan_jobs
from pseudocell.benchmark._sets import as_detection_set
from pseudocell.benchmark._workers import run_all
from pseudocell.io._output import prepare_folder

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

    Examples
    --------
    >>> from pseudocell.baselines import BlobDetector
    >>> from pseudocell.benchmark import run_benchmark
    >>> from pseudocell.datasets import DetectionSet, make_brightfield
    >>> images, truth = make_brightfield(2, (96, 96), n_cells=10, random_state=0)
    >>> made = DetectionSet(
    ...     "made", images[:1], None, truth[:1], images[1:], truth[1:], 8, 10
    ... )
    >>> blob = {"blob": lambda cell_radius, random_state: BlobDetector(cell_radius)}
    >>> result = run_benchmark([made], blob)
    >>> [record["status"] for record in result.records]
    ['done']
    """

    sets: dict
    methods: dict
    records: list
    share: float
    distances: tuple

    def distance(self, record: dict, multiple: float | None = None) -> float:
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


@checked(
    sets=[list, tuple],
    methods=[Mapping, None],
    seeds=[Values()],
    shares=[Values()],
    vary=[Mapping, None],
    clicks=[Values()],
    radius_factors=[Values()],
    distances=[Values()],
    redraw=["boolean"],
    n_jobs=HOW_TO_RUN["n_jobs"],
    verbose=HOW_TO_RUN["verbose"],
)
def run_benchmark(
    sets: Sequence,
    methods: Mapping | None = None,
    *,
    seeds: Sequence[int] = (0,),
    shares: Sequence[float] = (0.1,),
    vary: Mapping | None = None,
    clicks: Sequence[str] = ("random",),
    radius_factors: Sequence[float] = (1.0,),
    distances: Sequence[float] = (1.0,),
    redraw: bool = False,
    output: str | Path | None = None,
    device: str = "auto",
    n_jobs: int | None = None,
    verbose: int = 0,
) -> BenchmarkResult:
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
    >>> tidy_rows(result)[["split", "f1"]]
       split   f1
    0   test  1.0
    1  train  1.0
    """
    named = _by_name(sets)
    given = METHODS if methods is None else methods
    methods = {name: as_method(method) for name, method in given.items()}
    varied = {"shares": shares, "clicks": clicks, "radius_factors": radius_factors}
    check_arguments(named, methods, seeds, distances, **varied)
    share = 0.1 if 0.1 in shares else float(shares[0])
    how = {"redraw": redraw, "device": device}
    jobs = plan_jobs(named, methods, seeds, share, how, vary=vary or {}, **varied)
    folder = None if output is None else prepare_folder(output) / "runs"
    if folder is not None:
        prepare_folder(folder)
    identities = [job.identity() for job in jobs]
    files = [job.file_name(one) for job, one in zip(jobs, identities, strict=True)]
    # A parameter that takes its default value is not run once more.
    runs = dict(zip(files, zip(jobs, identities, strict=True), strict=True))
    done = run_all(runs, distances, folder, n_jobs, verbose)
    records = [
        {**done[file], **job.varied()} for file, job in zip(files, jobs, strict=True)
    ]
    return BenchmarkResult(named, methods, records, share, tuple(distances))


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

"""Runs over workers: what is finished is read, and a dead worker is named."""

import json
import sys
from concurrent.futures import BrokenExecutor

from joblib import Parallel, cpu_count, delayed, effective_n_jobs
from joblib.parallel import get_active_backend
from tqdm import tqdm

from pseudocell.benchmark._record import run_job
from pseudocell.benchmark._scores import score_record
from pseudocell.io._output import whole_file

__all__ = ["run_all"]


def run_all(runs, distances, folder, n_jobs, verbose):
    """Return the record of each run by its file.

    `runs` holds jobs with their identities by the names of their files in `folder`,
    where there is one. A RuntimeError says during which run a worker died.
    """
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
        left = [
            job
            for file, (job, identity) in runs.items()
            if file not in records
            and (folder is None or _read(folder / file, identity) is None)
        ]
        raise RuntimeError(_name_dead(left, len(runs), n_jobs, folder)) from error
    return records


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
        for job in left[:n_named]
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

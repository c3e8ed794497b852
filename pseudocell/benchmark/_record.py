"""From a run to its record: fit, predict, keep the points."""

import platform
import time
import warnings
from importlib import metadata

import numpy as np
from joblib import cpu_count

from pseudocell.benchmark._job import one_line
from pseudocell.benchmark._scores import score_record

__all__ = ["run_job"]

# Candidates of an image that are kept for the best threshold, the highest.
MAX_CANDIDATES = 5000
PACKAGES = ("numpy", "scipy", "scikit-learn", "scikit-image", "torch", "skorch")


def run_job(job, identity, distances, n_threads=None):
    """Fit, predict and score; whatever goes wrong is in the record.

    Parameters
    ----------
    job : Job
        The run.
    identity : dict
        From `Job.identity`.
    distances : sequence of float
        Matching distances in pixels.
    n_threads : int, optional
        Threads for the estimator.

    Returns
    -------
    record : dict
        What JSON can hold. ``record["status"]`` is "done", "failed" (with the
        "error") or "skipped" (with the "error" that says what is not known).
    """
    record = {**identity, "made": time.strftime("%Y-%m-%d %H:%M"), **_versions()}
    try:
        labels = job.labels()
    except ValueError as error:  # no place for a click on nothing
        return {**record, "status": "failed", "error": one_line(error)}
    if labels is None:
        return {**record, "status": "skipped", "error": _no_labels(job)}
    record["clicks"] = _as_lists(labels)
    record["n_clicks"] = sum(map(len, labels))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            _fit_and_predict(job, labels, n_threads, record)
            score_record(record, job.data, distances)
            record["status"] = "done"
        except Exception as error:  # the other runs go on
            record.update(status="failed", error=one_line(error))
    mine = [w.message for w in caught if issubclass(w.category, UserWarning)]
    record["warnings"] = sorted({" ".join(str(message).split()) for message in mine})
    return record


def _fit_and_predict(job, labels, n_threads, record):
    data = job.data
    estimator = job.make_estimator(n_threads)
    wall, cpu = time.perf_counter(), time.process_time()
    estimator.fit(data.train_images, labels)
    record["fit_seconds"] = round(time.perf_counter() - wall, 3)
    record["fit_cpu_seconds"] = round(time.process_time() - cpu, 3)
    wall = time.perf_counter()
    record["test"] = _stages(estimator, data.test_images)
    record["predict_seconds"] = round(time.perf_counter() - wall, 3)
    record["train"] = _stages(estimator, data.train_images)
    record["kept"] = _kept_round(estimator)
    record["rounds"] = [
        {kind: _as_lists(points) for kind, points in labelled.items()}
        for labelled in getattr(estimator, "labels_", ())
    ]
    record["candidates"] = _candidates(estimator, data.test_images)
    record["probabilities"] = getattr(estimator, "heights_are_probabilities", False)


def _stages(estimator, images):
    """Return the points of each round, or of the only one, the last one last."""
    if not len(images):
        return []
    if hasattr(estimator, "staged_predict"):
        return [_as_lists(points) for points in estimator.staged_predict(images)]
    return [_as_lists(estimator.predict(images))]


def _kept_round(estimator):
    """Return the round that `predict` goes by, from the end: rounds may be refused."""
    rounds = getattr(estimator, "detectors_", [])
    kept = getattr(estimator, "detector_", None)
    same = [number - len(rounds) for number, one in enumerate(rounds) if one is kept]
    return same[-1] if same else -1


def _candidates(estimator, images):
    """Return candidates with their heights, if the method has such, highest first."""
    if not len(images) or not hasattr(estimator, "find_candidates"):
        return None
    return [
        [[*place, round(float(height), 4)] for place, height in _highest(*pair)]
        for pair in estimator.find_candidates(images)
    ]


def _highest(points, heights):
    order = np.argsort(-np.asarray(heights), kind="stable")[:MAX_CANDIDATES]
    (rounded,) = _as_lists([np.asarray(points)[order]])
    return zip(rounded, np.asarray(heights)[order], strict=True)


def _as_lists(points):
    """Round to a hundredth of a pixel: the scores are of what is in the record."""
    return [np.round(np.reshape(some, (-1, 2)), 2).tolist() for some in points]


def _no_labels(job):
    if job.share == 1:
        return "needs all the cells of the training images (no train/points.csv)"
    return f"a share of {job.share:g} cannot be drawn (no train/points.csv)"


def _versions():
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    machine = f"{platform.system()} {platform.machine()}, {cpu_count()} cores"
    return {"versions": versions, "machine": machine}

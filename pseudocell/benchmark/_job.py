"""One run of a benchmark: a method on a set, with its points, as a record."""

import hashlib
import json
import platform
import re
import time
import warnings
from dataclasses import dataclass
from importlib import metadata

import numpy as np
from joblib import cpu_count

from pseudocell import __version__
from pseudocell.benchmark._habits import CLICKS, RADIUS
from pseudocell.benchmark._methods import Method
from pseudocell.benchmark._scores import score_record
from pseudocell.benchmark._sets import DetectionSet
from pseudocell.datasets import CLICK_BIASES, bias_clicks

__all__ = ["Job", "run_job"]

# Raised when a record means something else than before.
FORMAT = 1
# Parameters that say how to compute and not what; the results are the same.
HOW = ("n_jobs", "verbose")
# Candidates of an image that are kept for the best threshold, the highest.
MAX_CANDIDATES = 5000
PACKAGES = ("numpy", "scipy", "scikit-learn", "scikit-image", "torch", "skorch")


@dataclass(frozen=True)
class Job:
    """What defines a run.

    Attributes
    ----------
    data : DetectionSet
        The set.
    name : str
        Name of the method.
    method : Method
        The method.
    seed : int
        Seed of the method, and of the labels if they are drawn.
    share : float
        Share of the cells that is labelled.
    parameter : tuple of (str, object) or None
        A parameter of the estimator and its value, if that is varied; or `CLICKS`
        or `RADIUS` and its value.
    redraw : bool
        Whether the labels are drawn even if the set has clicks.
    device : str
        Where nets are computed.
    """

    data: DetectionSet
    name: str
    method: Method
    seed: int
    share: float
    parameter: tuple | None = None
    redraw: bool = False
    device: str = "auto"

    def make_estimator(self, n_threads=None):
        """Return the estimator, not fitted, with the parameters of this run."""
        radius, factor = self.data.cell_radius, self._habit(RADIUS, 1)
        # Untouched where it is right: 12 and 12.0 are different text in an identity.
        radius = radius if factor == 1 else factor * radius
        estimator = self.method.factory(radius, self.seed)
        known = _parameters(estimator)
        settings = {}
        for key in known:
            last = key.split("__")[-1]
            if last == "n_jobs":
                settings[key] = n_threads
            elif last == "device":
                settings[key] = self.device
        if self.parameter is not None and self.parameter[0] not in (CLICKS, RADIUS):
            settings[self.parameter[0]] = self.parameter[1]
        return estimator.set_params(**settings) if settings else estimator

    def identity(self):
        """Return all that the result depends on, as what JSON can hold."""
        try:
            estimator = _describe(self.make_estimator())
        except Exception as error:  # the run will fail with it, and say so
            estimator = [_one_line(error), str(self.parameter)]
        kind, factor = self._habit(CLICKS, "random"), self._habit(RADIUS, 1)
        if kind == "random":
            _, origin = self.data.labels(self.share, self.seed, self.redraw)
        # Nothing more for the usual: its runs may be finished.
        habit = {} if factor == 1 else {"radius_factor": factor}
        return {
            "format": FORMAT,
            "pseudocell": __version__,
            "set": self.data.name,
            "content": self.data.fingerprint,
            "method": self.name,
            "estimator": estimator,
            "seed": self.seed,
            "share": self.share,
            "labels": origin if kind == "random" else kind,
            **habit,
        }

    def labels(self):
        """Return the labelled cells of each image, or None if they are not known."""
        kind = self._habit(CLICKS, "random")
        if kind == "random":
            return self.data.labels(self.share, self.seed, self.redraw)[0]
        return bias_clicks(
            self.data.train_images,
            self.data.train_points,
            kind,
            self.share,
            cell_radius=self.data.cell_radius,
            random_state=self.seed,
        )

    def _habit(self, name, usual):
        """Return the value of `CLICKS` or `RADIUS` in this run."""
        varied, value = self.parameter or (None, None)
        return value if varied == name else usual

    def varied(self):
        """Return name and value of the parameter that is varied, or None twice."""
        name, value = self.parameter or (None, None)
        return {"parameter": name, "value": _plain(value)}

    def file_name(self, identity):
        """Return a file name that people can read and that no other run has."""
        text = json.dumps(identity, sort_keys=True)
        digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        parts = [self.data.name, self.name, f"share-{self.share:g}"]
        parts.append(f"seed-{self.seed}")
        if identity["labels"] in CLICK_BIASES:
            parts.append(identity["labels"])
        if "radius_factor" in identity:
            parts.append(f"radius-{identity['radius_factor']:g}")
        parts.append(digest)
        safe = [re.sub(r"[^A-Za-z0-9.+-]+", "-", part)[:60] for part in parts]
        return "__".join(safe) + ".json"


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
        return {**record, "status": "failed", "error": _one_line(error)}
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
            record.update(status="failed", error=_one_line(error))
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
    if not len(images):
        return None
    # Of a loop, the candidates are those of the round that it keeps.
    for source, method in (
        (estimator, "find_candidates"),
        (getattr(estimator, "detector_", None), "find_candidates"),
        (estimator, "predict_scored"),
    ):
        if hasattr(source, method):
            found = getattr(source, method)(images)
            return [
                [[*place, round(float(height), 4)] for place, height in some]
                for some in (_highest(*pair) for pair in found)
            ]
    return None


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


def _parameters(estimator):
    return estimator.get_params() if hasattr(estimator, "get_params") else {}


def _describe(estimator):
    """Return class and parameters as text, without addresses in memory."""
    own = {
        key: _plain(value)
        for key, value in sorted(_parameters(estimator).items())
        if key.split("__")[-1] not in HOW
    }
    return [f"{type(estimator).__module__}.{type(estimator).__qualname__}", own]


def _plain(value):
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, "get_params"):  # its parameters have lines of their own
        return f"{type(value).__module__}.{type(value).__qualname__}"
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


def _one_line(error):
    return f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")


def _versions():
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    machine = f"{platform.system()} {platform.machine()}, {cpu_count()} cores"
    return {"versions": versions, "machine": machine}

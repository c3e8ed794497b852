"""One run of a benchmark: all that defines it, and its name."""

import hashlib
import json
import re
from dataclasses import dataclass

from pseudocell import __version__
from pseudocell.benchmark._methods import Method
from pseudocell.benchmark._sets import DetectionSet
from pseudocell.datasets import CLICK_BIASES, bias_clicks

__all__ = ["Job", "one_line"]

# Raised when a record means something else than before.
FORMAT = 1
# Parameters that say how to compute and not what; the results are the same.
HOW = ("n_jobs", "verbose")


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
    clicks : str, default="random"
        How people click: "random", for the labels as they are otherwise, or one of
        `CLICK_BIASES`.
    radius_factor : float, default=1.0
        What the radius of the set is multiplied by before the method is given it.
    setting : tuple of (str, object) or None
        A parameter of the estimator and its value, if that is varied.
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
    clicks: str = "random"
    radius_factor: float = 1.0
    setting: tuple | None = None
    redraw: bool = False
    device: str = "auto"

    def make_estimator(self, n_threads=None):
        """Return the estimator, not fitted, with the parameters of this run."""
        radius = self.data.cell_radius
        # Untouched where it is right: 12 and 12.0 are different text in an identity.
        radius = radius if self.radius_factor == 1 else self.radius_factor * radius
        estimator = self.method.factory(radius, self.seed)
        given = {"n_jobs": n_threads, "device": self.device}
        settings = {
            key: given[key.split("__")[-1]]
            for key in _parameters(estimator)
            if key.split("__")[-1] in given
        }
        if self.setting is not None:
            settings[self.setting[0]] = self.setting[1]
        return estimator.set_params(**settings) if settings else estimator

    def identity(self):
        """Return all that the result depends on, as what JSON can hold."""
        try:
            estimator = _describe(self.make_estimator())
        except Exception as error:  # the run will fail with it, and say so
            estimator = [one_line(error), str(self.setting)]
        origin = self.clicks
        if origin == "random":
            _, origin = self.data.labels(self.share, self.seed, self.redraw)
        # Nothing more for the true radius: such runs may be finished.
        factor = self.radius_factor
        radius = {} if factor == 1 else {"radius_factor": factor}
        return {
            "format": FORMAT,
            "pseudocell": __version__,
            "set": self.data.name,
            "content": self.data.fingerprint,
            "method": self.name,
            "estimator": estimator,
            "seed": self.seed,
            "share": self.share,
            "labels": origin,
            **radius,
        }

    def labels(self):
        """Return the labelled cells of each image, or None if they are not known."""
        if self.clicks == "random":
            return self.data.labels(self.share, self.seed, self.redraw)[0]
        return bias_clicks(
            self.data.train_images,
            self.data.train_points,
            self.clicks,
            self.share,
            cell_radius=self.data.cell_radius,
            random_state=self.seed,
        )

    def varied(self):
        """Return what may be varied, as the columns of a table."""
        parameter, value = self.setting or (None, None)
        return {
            # Who is given all the cells does not click.
            "clicking": self.clicks if self.method.labels == "clicks" else None,
            "radius_factor": self.radius_factor,
            "parameter": parameter,
            "value": _plain(value),
        }

    def file_name(self, identity):
        """Return a file name that people can read and that no other run has."""
        text = json.dumps(identity, sort_keys=True)
        digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        parts = [self.data.name, self.name, f"share-{self.share:g}"]
        parts.append(f"seed-{self.seed}")
        if self.clicks in CLICK_BIASES:
            parts.append(self.clicks)
        if self.radius_factor != 1:
            parts.append(f"radius-{self.radius_factor:g}")
        parts.append(digest)
        safe = [re.sub(r"[^A-Za-z0-9.+-]+", "-", part)[:60] for part in parts]
        return "__".join(safe) + ".json"


def one_line(error):
    """Return the kind and the text of an error on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")


def _parameters(estimator):
    return estimator.get_params() if hasattr(estimator, "get_params") else {}


def _describe(estimator):
    """Return class and parameters as text, without addresses in memory."""
    own = {
        key: _plain(value)
        for key, value in sorted(_parameters(estimator).items())
        if key.split("__")[-1] not in HOW
    }
    return [_class_name(estimator), own]


def _plain(value):
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, "get_params"):  # its parameters have lines of their own
        return _class_name(value)
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


def _class_name(value):
    """Name a class by where it is public: a private module may be moved."""
    parts = type(value).__module__.split(".")
    public = [part for part in parts if not part.startswith("_")]
    return ".".join([*public, type(value).__qualname__])

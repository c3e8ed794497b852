"""The methods of a benchmark: a name, what makes the estimator, what it may see."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

__all__ = ["METHODS", "Method", "as_method"]


@dataclass(frozen=True)
class Method:
    """A method to compare.

    Attributes
    ----------
    factory : callable
        Called as ``factory(cell_radius, random_state)``; returns an estimator with
        ``fit(images, points)`` and ``predict(images)``. What else it has is reported
        too: `staged_predict` and `labels_` for the rounds, ``find_candidates(images)``
        for the best threshold. Where `heights_are_probabilities` is true, what it gives
        with the candidates is the probability that they are cells.
    labels : {"clicks", "all"}, default="clicks"
        Whether it is given some of the cells of the training images, or all.
    description : str
        One sentence for the report.
    in_paper : str
        What the paper's Table 1 calls it, if it is there.

    Examples
    --------
    >>> from pseudocell import HeatmapDetector
    >>> from pseudocell.benchmark import Method
    >>> def long(radius, seed):
    ...     return HeatmapDetector(radius, max_steps=900, random_state=seed)
    >>> Method(long, labels="all").labels
    'all'
    """

    factory: Callable
    labels: str = "clicks"
    description: str = ""
    in_paper: str = ""

    def __post_init__(self):
        if not callable(self.factory):
            raise ValueError(
                f"factory is {self.factory!r}; expected a function of (cell_radius, "
                "random_state) that returns an estimator."
            )
        if self.labels not in ("clicks", "all"):
            raise ValueError(f"labels is {self.labels!r}; expected 'clicks' or 'all'.")


def as_method(value):
    """Return a method, from one or from a bare factory.

    Parameters
    ----------
    value : Method or callable
        The method, or what makes its estimator.

    Returns
    -------
    method : Method
        The method.
    """
    return value if isinstance(value, Method) else Method(value)


# The parts are imported when an estimator is made: the names alone need no torch.


def _make(name, cell_radius, random_state, **settings):
    import pseudocell
    from pseudocell import baselines

    kind = getattr(pseudocell, name, None) or getattr(baselines, name)
    if "random_state" in inspect.signature(kind).parameters:
        settings["random_state"] = random_state
    return kind(cell_radius, **settings)


def _make_tuned(cell_radius, random_state, labels="clicks", **settings):
    """Make a net for which all that is not labelled is background, more or less."""
    from pseudocell.baselines import TunedThresholdDetector

    net = _make("HeatmapDetector", cell_radius, random_state, masked=False, **settings)
    return TunedThresholdDetector(net, labels=labels)


WEIGHTED = {"background_weight": 0.1, "max_steps": 500}
# The paper's net and its rule of detection: heatmaps from 0 to 255, peaks above 128.
PAPER_NET = partial(_make, "HeatmapDetector", normalize="min-max")
EVERYWHERE = {"masked": False, "background_weight": 1.0}

METHODS = {
    "supervised on clicks": Method(
        partial(PAPER_NET, **EVERYWHERE),
        description="Heatmap net for which all that is not clicked is background "
        "(Nishimura 2019), by the paper's rule: heatmaps from 0 to 255, peaks above "
        "128.",
        in_paper="Nishimura",
    ),
    "supervised tuned": Method(
        partial(_make_tuned, background_weight=1.0),
        description="The same net, with a threshold from the clicks.",
    ),
    "masked": Method(
        PAPER_NET,
        description="The same net, taught in discs around the clicks only, by the "
        "paper's rule: round 0 of the paper recipe.",
        in_paper="With mask",
    ),
    "masked raw": Method(
        partial(_make, "HeatmapDetector"),
        description="The same, but peaks above one half of the heatmap as it is.",
    ),
    "reconstruction": Method(
        partial(_make, "ReconstructionDetector"),
        description="Phase contrast reconstruction and distance transform, without "
        "learning (Yin 2012, Vicar 2019).",
        in_paper="Vicar",
    ),
    "pu": Method(
        partial(_make, "PUDetector"),
        description="Positive-unlabelled learning decides about the candidates of "
        "the masked net directly (Yang 2020).",
        in_paper="Yang",
    ),
    "blob": Method(
        partial(_make, "BlobDetector"),
        description="Blob filter of the size of a cell, threshold from the clicks.",
    ),
    "weighted": Method(
        partial(_make_tuned, **WEIGHTED),
        description="Heatmap net for which unlabelled pixels are background, but "
        "count a tenth (Elkan and Noto 2008); threshold from the clicks that it "
        "has learnt from.",
    ),
    "weighted two nets": Method(
        partial(_make_tuned, n_nets=2, **WEIGHTED),
        description="Two such nets, averaged; threshold from the clicks that each "
        "has not seen.",
    ),
    "paper recipe": Method(
        partial(_make, "paper_recipe", full_size=False),
        description="The whole loop by the rules of the paper, with small nets.",
        in_paper="Ours",
    ),
    "default": Method(
        partial(_make, "PseudoLabelCellDetector"),
        description="The whole loop, PseudoLabelCellDetector as it is.",
        in_paper="Ours, our rules",
    ),
    "full supervision": Method(
        # Without the weight, the empty part of sparse images would drown the cells.
        partial(_make_tuned, labels="all", background_weight=1 / 3, max_steps=800),
        labels="all",
        description="Heatmap net on all the cells, balanced, threshold from the "
        "training images: what more clicks could bring.",
    ),
    "fully supervised": Method(
        partial(PAPER_NET, max_steps=800, **EVERYWHERE),
        labels="all",
        description="Heatmap net on all the cells, by the paper's rule.",
        in_paper="Fully supervised",
    ),
}

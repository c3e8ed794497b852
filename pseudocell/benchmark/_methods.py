"""The methods of a benchmark: a name, what makes the estimator, what it may see."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["METHODS", "Method", "as_method"]


@dataclass(frozen=True)
class Method:
    """A method to compare.

    Attributes
    ----------
    factory : callable
        Called as ``factory(cell_radius, random_state)``; returns an estimator with
        ``fit(images, points)`` and ``predict(images)``. What else it has is reported
        too: `staged_predict` and `labels_` for the rounds, `find_candidates` or
        `predict_scored` for the best threshold.
    labels : {"clicks", "all"}, default="clicks"
        Whether it is given some of the cells of the training images, or all.
    description : str
        One sentence for the report.
    """

    factory: Callable
    labels: str = "clicks"
    description: str = ""

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


def _supervised_on_clicks(cell_radius, random_state):
    from pseudocell import HeatmapDetector
    from pseudocell.baselines import TunedThresholdDetector

    # Half of the range, as published, would find next to nothing.
    return TunedThresholdDetector(
        HeatmapDetector(
            cell_radius, masked=False, background_weight=1.0, random_state=random_state
        )
    )


def _masked(cell_radius, random_state):
    from pseudocell import HeatmapDetector

    return HeatmapDetector(cell_radius, random_state=random_state)


def _reconstruction(cell_radius, random_state):
    from pseudocell.baselines import ReconstructionDetector

    return ReconstructionDetector(cell_radius)


def _pu(cell_radius, random_state):
    from pseudocell.baselines import PUDetector

    return PUDetector(cell_radius, random_state=random_state)


def _blob(cell_radius, random_state):
    from pseudocell.baselines import BlobDetector

    return BlobDetector(cell_radius)


def _weighted(cell_radius, random_state, n_nets=1):
    from pseudocell import HeatmapDetector
    from pseudocell.baselines import TunedThresholdDetector

    return TunedThresholdDetector(
        HeatmapDetector(
            cell_radius,
            masked=False,
            background_weight=0.1,
            n_nets=n_nets,
            max_steps=500,
            random_state=random_state,
        )
    )


def _weighted_two_nets(cell_radius, random_state):
    return _weighted(cell_radius, random_state, n_nets=2)


def _paper_recipe(cell_radius, random_state):
    from pseudocell import paper_recipe

    return paper_recipe(cell_radius, full_size=False, random_state=random_state)


def _default(cell_radius, random_state):
    from pseudocell import PseudoLabelCellDetector

    return PseudoLabelCellDetector(cell_radius, random_state=random_state)


def _full_supervision(cell_radius, random_state):
    from pseudocell import HeatmapDetector
    from pseudocell.baselines import TunedThresholdDetector

    # Without the weight, the empty part of sparse images would drown the cells.
    detector = HeatmapDetector(
        cell_radius,
        masked=False,
        background_weight=1 / 3,
        max_steps=800,
        random_state=random_state,
    )
    return TunedThresholdDetector(detector, labels="all")


METHODS = {
    "supervised on clicks": Method(
        _supervised_on_clicks,
        description="Heatmap net for which all that is not clicked is background "
        "(Nishimura 2019).",
    ),
    "masked": Method(
        _masked,
        description="The same net, taught in discs around the clicks only: round 0 "
        "of the loop.",
    ),
    "reconstruction": Method(
        _reconstruction,
        description="Phase contrast reconstruction and distance transform, without "
        "learning (Yin 2012, Vicar 2019).",
    ),
    "pu": Method(
        _pu,
        description="Positive-unlabelled learning decides about the candidates of "
        "the masked net directly (Yang).",
    ),
    "blob": Method(
        _blob,
        description="Blob filter of the size of a cell, threshold from the clicks.",
    ),
    "weighted": Method(
        _weighted,
        description="Heatmap net for which unlabelled pixels are background, but "
        "count a tenth (Elkan and Noto 2008); threshold from the clicks that it "
        "has learnt from.",
    ),
    "weighted two nets": Method(
        _weighted_two_nets,
        description="Two such nets, averaged; threshold from the clicks that each "
        "has not seen.",
    ),
    "paper recipe": Method(
        _paper_recipe,
        description="The whole loop by the rules of the paper, with small nets.",
    ),
    "default": Method(
        _default, description="The whole loop, PseudoLabelCellDetector as it is."
    ),
    "full supervision": Method(
        _full_supervision,
        labels="all",
        description="Heatmap net on all the cells, balanced, threshold from the "
        "training images: what more clicks could bring.",
    ),
}

"""paper_recipe: the rules and sizes of the paper and its published code."""

from ._detection._detector import HeatmapDetector
from ._detection._threshold import THRESHOLD_IF_STRETCHED
from ._parameters import checked
from ._pseudo_label import PseudoLabelCellDetector
from ._ranking._extractor import PatchExtractor
from ._ranking._featurizer import NNPUFeaturizer
from ._ranking._published_ranker import PublishedRanker
from ._ranking._selector import ShareSelector
from .nets import PaperPatchCNN

__all__ = ["paper_recipe"]

# Where the published code does what the text does not say: the loss in the PU risk, and
# the share of the unlabelled that count as positive where the bottom is ranked.
VARIANTS = {"text": ("sigmoid", 0.0), "code": ("log", 0.2)}


@checked(full_size=["boolean"])
def paper_recipe(
    cell_radius=12.0, *, variant="text", full_size=True, random_state=None, **parameters
):
    """Return the method as published, to compare with.

    Cells and candidates are the peaks above 128 of a heatmap from 0 to 255, the
    detector learns in discs around labels only, in every round, candidates are ranked
    by the look of their patches alone, and pseudo labels are fixed shares of them.
    Where the text is silent the published code is followed. What still differs from
    both is listed, and tested line by line, in the documentation ("The paper, line by
    line").

    Parameters
    ----------
    cell_radius : float, default=12.0
        Radius of a cell in pixels. Images are not resampled at 12, where the lengths
        are those of the published code: sigma 6, discs 12, patches 27 x 27 pixels.
    variant : {"text", "code"}, default="text"
        "text" has the zero-one loss in the PU risk, by its sigmoid surrogate, and ranks
        the bottom with the labels swapped. "code" has the logarithmic loss, and the
        bottom is ranked with the top 20 % of the unlabelled counted as positive.
    full_size : bool, default=True
        True takes the published nets (U-Net of 64 channels and depth 4, 2304 patch
        features), which need hours on a processor. False takes the nets, the nominal
        radius and the training of the defaults, and only the rules of the paper.
    random_state : int, RandomState instance or None, default=None
        Seed.
    **parameters
        Other parameters of `PseudoLabelCellDetector`.

    Returns
    -------
    detector : PseudoLabelCellDetector
        Not fitted.

    Raises
    ------
    ValueError
        If the variant is not known.

    References
    ----------
    Fujii, Suehiro, Nishimura, Bise, "Cell Detection from Imperfect Annotation by
    Pseudo Label Selection Using P-classification", MICCAI 2021,
    doi 10.1007/978-3-030-87237-3_41, and github.com/FujiiKazuma/CDFIAPLSUP.

    Examples
    --------
    >>> from pseudocell import paper_recipe
    >>> paper_recipe(9).selector
    ShareSelector(rounding='down')
    >>> paper_recipe(9, variant="code").ranker
    PublishedRanker(promoted=0.2)
    """
    if not (isinstance(variant, str) and variant in VARIANTS):
        raise ValueError(f"variant is {variant!r}; expected 'text' or 'code'.")
    surrogate, promoted = VARIANTS[variant]
    # The risk as printed: below zero its negative part is cut off, and not undone.
    risk = {"criterion__surrogate": surrogate, "criterion__correction": False}
    parts = _full_size_parts(risk) if full_size else _small_parts(risk)
    rules = {
        "alpha": 0.05,
        "beta": 0.05,
        "p": 4.0,
        "max_iter": 2,
        "class_prior": 0.5,
        "ranker": PublishedRanker(promoted=promoted),
        "selector": ShareSelector(rounding="down"),
        "learn_background": False,
        "rank_by_height": False,
        "candidate_threshold": THRESHOLD_IF_STRETCHED,
        "max_candidates": 10**6,
        "max_search": None,
    }
    return PseudoLabelCellDetector(
        cell_radius, random_state=random_state, **{**rules, **parts, **parameters}
    )


def _full_size_parts(risk):
    """Return the nets of the published code, and their training."""
    return {
        "detector": HeatmapDetector(
            nominal_radius=12.0,
            normalize="min-max",
            module__base_channels=64,
            module__depth=4,
            # 30 epochs of 13 images in batches of 2.
            max_steps=195,
            batch_size=16,
            lr=1e-3,
        ),
        "extractor": PatchExtractor(nominal_radius=12.0, size=27),
        "featurizer": NNPUFeaturizer(
            module=PaperPatchCNN,
            lr=1e-4,
            max_steps=400,
            **risk,
        ),
    }


def _small_parts(risk):
    return {
        "detector": HeatmapDetector(normalize="min-max"),
        "extractor": PatchExtractor(size=13),
        "featurizer": NNPUFeaturizer(**risk),
    }

"""paper_recipe: the rules and sizes of the paper and its published code."""

from ._detection._detector import HeatmapDetector
from ._pseudo_label import PseudoLabelCellDetector
from ._ranking._extractor import PatchExtractor
from ._ranking._featurizer import NNPUFeaturizer
from ._ranking._ranker import PClassificationRanker
from ._ranking._selector import ShareSelector
from .nets import PaperPatchCNN

__all__ = ["paper_recipe"]


def paper_recipe(cell_radius=12.0, *, full_size=True, random_state=None, **parameters):
    """Return the method as published, to compare with.

    Pseudo labels are fixed shares of the candidates, the detector learns in discs
    around labels only, in every round, and candidates are the peaks above half of
    the range, ranked by the look of their patches alone.

    Two things differ from the published code: the nets learn from random crops around
    the labels instead of whole images, with as many steps, and one net is trained a
    round instead of five of which the one with the most peaks is kept.

    Parameters
    ----------
    cell_radius : float, default=12.0
        Radius of a cell in pixels. Images are not resampled at 12, where the lengths
        are those of the published code: sigma 6, discs 12, patches 27 x 27 pixels.
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

    References
    ----------
    Fujii, Suehiro, Nishimura, Bise, "Cell Detection from Imperfect Annotation by
    Pseudo Label Selection Using P-classification", MICCAI 2021,
    doi 10.1007/978-3-030-87237-3_41.

    Examples
    --------
    >>> from pseudocell import paper_recipe
    >>> paper_recipe(9).selector
    ShareSelector()
    """
    if full_size:
        parts = {
            "detector": HeatmapDetector(
                nominal_radius=12.0,
                module__base_channels=64,
                module__depth=4,
                # 30 epochs of 13 images in batches of 2.
                max_steps=195,
                batch_size=16,
                lr=1e-3,
            ),
            "extractor": PatchExtractor(nominal_radius=12.0, size=27),
            "featurizer": NNPUFeaturizer(module=PaperPatchCNN, lr=1e-4, max_steps=400),
        }
    else:
        parts = {
            "detector": HeatmapDetector(),
            "extractor": PatchExtractor(size=13),
            "featurizer": NNPUFeaturizer(),
        }
    rules = {
        "alpha": 0.05,
        "beta": 0.05,
        "p": 4.0,
        "max_iter": 2,
        "class_prior": 0.5,
        "ranker": PClassificationRanker(l2=0.1),
        "selector": ShareSelector(),
        "learn_background": False,
        "rank_by_height": False,
        "candidate_threshold": 0.5,
        "max_candidates": 10**6,
        "max_search": None,
    }
    return PseudoLabelCellDetector(
        cell_radius, random_state=random_state, **{**rules, **parts, **parameters}
    )

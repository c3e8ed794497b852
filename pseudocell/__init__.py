"""Find every cell in microscopy images when only a few are clicked."""

from ._detector import HeatmapDetector
from ._extractor import PatchExtractor
from ._featurizer import NNPUFeaturizer
from ._ranker import PClassificationRanker

__version__ = "0.1.0"

__all__ = [
    "HeatmapDetector",
    "NNPUFeaturizer",
    "PClassificationRanker",
    "PatchExtractor",
]

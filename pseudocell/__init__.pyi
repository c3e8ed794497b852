from ._detection._detector import HeatmapDetector as HeatmapDetector
from ._pseudo_label import PseudoLabelCellDetector as PseudoLabelCellDetector
from ._ranking._extractor import PatchExtractor as PatchExtractor
from ._ranking._featurizer import NNPUFeaturizer as NNPUFeaturizer
from ._ranking._published_ranker import PublishedRanker as PublishedRanker
from ._ranking._ranker import PClassificationRanker as PClassificationRanker
from ._ranking._selector import (
    CalibratedSelector as CalibratedSelector,
)
from ._ranking._selector import (
    ShareSelector as ShareSelector,
)
from ._recipes import paper_recipe as paper_recipe

__version__: str

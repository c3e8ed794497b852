"""Check that a detector or a part of your own keeps the contracts of those here.

scikit-learn's own checks want a table for `X` and skip nearly everything where it is a
list of images. These take their place: `check_detector` runs all of them, and
`DETECTOR_CHECKS` holds them one by one. For the parts of `PseudoLabelCellDetector`
there are `check_loop_detector`, `check_extractor`, `check_featurizer`,
`check_ranker` and `check_selector`.
"""

from ._detector import DETECTOR_CHECKS
from ._extractor import EXTRACTOR_CHECKS
from ._featurizer import FEATURIZER_CHECKS
from ._loop_detector import LOOP_DETECTOR_CHECKS
from ._public import (
    check_detector,
    check_extractor,
    check_featurizer,
    check_loop_detector,
    check_ranker,
    check_selector,
)
from ._ranker import RANKER_CHECKS
from ._selector import SELECTOR_CHECKS

__all__ = [
    "DETECTOR_CHECKS",
    "EXTRACTOR_CHECKS",
    "FEATURIZER_CHECKS",
    "LOOP_DETECTOR_CHECKS",
    "RANKER_CHECKS",
    "SELECTOR_CHECKS",
    "check_detector",
    "check_extractor",
    "check_featurizer",
    "check_loop_detector",
    "check_ranker",
    "check_selector",
]

"""Check that a detector of your own keeps the contracts of those here.

scikit-learn's own checks want a table for `X` and skip nearly everything where it is a
list of images. These take their place: `check_detector` runs all of them, and
`DETECTOR_CHECKS` holds them one by one.
"""

from ._check_detector import DETECTOR_CHECKS, check_detector

__all__ = ["DETECTOR_CHECKS", "check_detector"]

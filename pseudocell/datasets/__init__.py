"""Images to try things on, real data sets, and partial clicks from full annotation."""

from pseudocell.datasets._annotation import drop_points
from pseudocell.datasets._bbbc039 import fetch_bbbc039, read_bbbc039
from pseudocell.datasets._c2c12 import fetch_c2c12, read_c2c12, read_c2c12_annotation
from pseudocell.datasets._cell_tracking import fetch_cell_tracking, read_cell_tracking
from pseudocell.datasets._click_bias import CLICK_BIASES, bias_clicks
from pseudocell.datasets._conditions import CONDITIONS, make_condition
from pseudocell.datasets._detection_set import DetectionSet
from pseudocell.datasets._download import get_data_home
from pseudocell.datasets._looks import PHASE_CONTRAST_LOOKS, PhaseContrastLook
from pseudocell.datasets._splits import paper_split
from pseudocell.datasets._synthetic import make_brightfield, make_phase_contrast

__all__ = [
    "CLICK_BIASES",
    "CONDITIONS",
    "DetectionSet",
    "PHASE_CONTRAST_LOOKS",
    "PhaseContrastLook",
    "bias_clicks",
    "drop_points",
    "fetch_bbbc039",
    "fetch_c2c12",
    "fetch_cell_tracking",
    "get_data_home",
    "make_brightfield",
    "make_condition",
    "make_phase_contrast",
    "paper_split",
    "read_bbbc039",
    "read_c2c12",
    "read_c2c12_annotation",
    "read_cell_tracking",
]

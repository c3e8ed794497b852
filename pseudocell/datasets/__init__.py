"""Images to try things on, and partial clicks from full annotation."""

from pseudocell.datasets._annotation import drop_points
from pseudocell.datasets._synthetic import make_brightfield, make_phase_contrast

__all__ = ["drop_points", "make_brightfield", "make_phase_contrast"]

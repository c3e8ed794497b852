"""Session: click, train, look, correct, with every step on the disk."""

import copy
import dataclasses
import threading

import numpy as np

from pseudocell._pseudo_label import PseudoLabelCellDetector
from pseudocell._stopping import NoLongerWanted, Watch
from pseudocell.io import Reading, load_model, points_for_images, read_points
from pseudocell.io.point_writers import write_files
from pseudocell.session._annotations import Annotations, History
from pseudocell.session._found import Found, combine, rate
from pseudocell.session._model import new_detector, train, with_threshold
from pseudocell.session._next_place import choose_place, describe_looks
from pseudocell.session._pictures import Pictures, compare
from pseudocell.session._project import Project

__all__ = ["Session"]

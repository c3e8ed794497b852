"""The default with one idea less each time: methods for ``pseudocell benchmark``.

`python experiments/ablation.py` prints the command; run it from the folder above this.
"""

from pseudocell import HeatmapDetector, PseudoLabelCellDetector, ShareSelector
from pseudocell._pseudo_label import DETECTOR


def no_calibration(cell_radius, random_state):
    """Select fixed shares, as in the paper."""
    return _default(cell_radius, random_state, selector=ShareSelector())


def no_background(cell_radius, random_state):
    """Mask the loss in every round."""
    return _default(cell_radius, random_state, learn_background=False)


def no_height(cell_radius, random_state):
    """Rank by the look of the patch alone."""
    return _default(cell_radius, random_state, rank_by_height=False)


def no_push(cell_radius, random_state):
    """Rank without concentrating on the top of the list."""
    return _default(cell_radius, random_state, p=1.0)


def no_second_net(cell_radius, random_state):
    """Train one net on all clicks, so that no click is held out."""
    return _default(cell_radius, random_state, detector=DETECTOR(n_nets=1))


def no_places(cell_radius, random_state):
    """Keep each net off single clicks instead of places, so that nothing is rated."""
    return _default(cell_radius, random_state, detector=DETECTOR(held_out="clicks"))


def no_warm_start(cell_radius, random_state):
    """Train new nets in every round."""
    return _default(cell_radius, random_state, detector=DETECTOR(warm_start=False))


def no_pseudo_labels(cell_radius, random_state):
    """Train the same nets as long on clicks and weak background alone."""
    net = HeatmapDetector(masked=False, n_nets=2, max_steps=300 + 2 * 200)
    return _default(cell_radius, random_state, max_iter=0, detector=net)


def one_round(cell_radius, random_state):
    """Stop after one round of pseudo labels."""
    return _default(cell_radius, random_state, max_iter=1)


ABLATIONS = [name for name in list(globals()) if name.startswith(("no_", "one_"))]


def _default(cell_radius, random_state, **changes):
    return PseudoLabelCellDetector(cell_radius, random_state=random_state, **changes)


if __name__ == "__main__":
    print("pseudocell benchmark --set FOLDER:RADIUS:DISTANCE -m default \\")
    methods = [
        f'    -m "{name.replace("_", " ")}=experiments.ablation:{name}"'
        for name in ABLATIONS
    ]
    print(" \\\n".join(methods))

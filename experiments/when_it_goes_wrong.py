"""Go wrong in four ways, and mend each: the pictures of docs/when_it_goes_wrong.md.

Run ``python experiments/when_it_goes_wrong.py``; it takes some minutes and writes
``wrong_*.png`` into docs/images, or into the folder that it is given.
"""

import sys
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from skimage.io import imsave

from pseudocell import HeatmapDetector, NNPUFeaturizer, PseudoLabelCellDetector
from pseudocell.datasets import drop_points, make_brightfield, make_phase_contrast
from pseudocell.metrics import detection_scores
from pseudocell.nets import UNet
from pseudocell.plotting import DETECTION, MISSED, WRONG, draw_matches, draw_panels

RADIUS = 8
LEGEND = [(DETECTION, "right"), (WRONG, "wrong"), (MISSED, "missed")]
OUTPUT = Path(__file__).parents[1] / "docs" / "images"


def fit(images, clicks, cell_radius=RADIUS, **settings):
    """Fit small nets in short trainings."""
    nets = {"module": partial(UNet, base_channels=8, depth=2), "n_nets": 2}
    detector = PseudoLabelCellDetector(
        cell_radius,
        detector=HeatmapDetector(max_steps=100, batch_size=4, **nets),
        featurizer=NNPUFeaturizer(max_steps=60),
        random_state=0,
        **settings,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return detector.fit(images, clicks)


def draw(image, truth, found, title, ring=RADIUS):
    """Draw a part of an image with what was found, and say how good it is."""
    scores = detection_scores([truth], [found], RADIUS)
    line = f"{len(found)} found, {scores.n_matched} of {len(truth)} cells among them"
    return draw_matches(image, truth, found, ring, RADIUS), (title, line)


def cells(seed=0, **settings):
    """Draw three images, of which two are clicked."""
    images, points = make_brightfield(
        3, (160, 160), n_cells=24, cell_radius=RADIUS, random_state=seed, **settings
    )
    return images[:2], points[:2], images[2], points[2]


def another_microscope():
    """Find cells with a model of another microscope."""
    images, points = make_phase_contrast(
        2, (160, 160), cell_radius=RADIUS, random_state=0
    )
    other = fit(images, drop_points(points, 0.3, random_state=0))
    images, points, unseen, truth = cells()
    own = fit(images, drop_points(points, 0.3, random_state=0))
    yield draw(unseen, truth, other.predict([unseen])[0], "Model of another microscope")
    yield draw(unseen, truth, own.predict([unseen])[0], "Model of these images")


def too_many():
    """Leave out the rounds, or click debris, too."""
    images, points, unseen, truth = cells()
    clicks = drop_points(points, 0.3, random_state=0)
    rng = np.random.default_rng(0)
    stray = [np.vstack([c, rng.uniform(0, 160, (3, 2))]) for c in clicks]
    yield draw(
        unseen, truth, fit(images, stray, max_iter=0).predict([unseen])[0], "No round"
    )
    yield draw(
        unseen, truth, fit(images, stray).predict([unseen])[0], "Clicks on debris"
    )
    yield draw(
        unseen, truth, fit(images, clicks).predict([unseen])[0], "Clicks on cells"
    )


def shifted():
    """Click beside the cells, always on the same side."""
    images, points, unseen, truth = cells()
    clicks = drop_points(points, 0.3, random_state=0)
    beside = [np.clip(c + [5, 5], 0, 159) for c in clicks]
    yield draw(
        unseen, truth, fit(images, beside).predict([unseen])[0], "Clicks 7 px off"
    )
    yield draw(
        unseen, truth, fit(images, clicks).predict([unseen])[0], "Clicks on the cells"
    )


def wrong_size():
    """Take a cell radius that is more than twice the true one."""
    images, points, unseen, truth = cells()
    clicks = drop_points(points, 0.3, random_state=0)
    for radius in (RADIUS * 2.5, RADIUS):
        found = fit(images, clicks, radius).predict([unseen])[0]
        yield draw(unseen, truth, found, f"Cell radius {radius:.3g} px", radius)


def main(folder):
    """Write the four pictures."""
    for way in (another_microscope, too_many, shifted, wrong_size):
        pictures, captions = zip(*way(), strict=True)
        for title, line in captions:
            print(f"{way.__name__}: {title}: {line}")
        figure = draw_panels(pictures, captions, legend=LEGEND)
        imsave(Path(folder) / f"wrong_{way.__name__}.png", figure, check_contrast=False)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else OUTPUT)

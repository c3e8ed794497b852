"""Another microscope: must everything be clicked and trained anew?
================================================================

A detector was fitted on phase-contrast images. The next ones come from a bright-field
microscope and look quite different. Four clicks on one image and a few seconds of
training are enough, if the nets start from those that know some cells already.
"""

from functools import partial
from time import perf_counter

from sklearn.frozen import FrozenEstimator

from pseudocell import HeatmapDetector, NNPUFeaturizer, PseudoLabelCellDetector
from pseudocell.datasets import (
    PHASE_CONTRAST_LOOKS,
    make_brightfield,
    make_phase_contrast,
)
from pseudocell.metrics import detection_f1
from pseudocell.nets import UNet

CELL_RADIUS = 8
MAX_DISTANCE = 10

# %%
# The first microscope. All cells are known here, and there is time: 150 steps. Small
# nets, so that the page is done in seconds; a model from `pseudocell.io.load_model` is
# as good a start.

images, points = make_phase_contrast(
    4,
    (160, 160),
    n_cells=20,
    cell_radius=CELL_RADIUS,
    look=PHASE_CONTRAST_LOOKS["control"],
    random_state=0,
)
nets = {
    "module": partial(UNet, base_channels=8, depth=2),
    "n_nets": 2,
    "batch_size": 4,
    "random_state": 0,
}
first = HeatmapDetector(CELL_RADIUS, masked=False, max_steps=150, **nets)
first.fit(images, points)
print(f"first microscope: F1 {first.score(images, points):.2f}")

# %%
# The second microscope: one image with four clicks. On the others, which it has never
# seen, the first detector finds next to nothing.

images, points = make_brightfield(
    5, (160, 160), n_cells=20, cell_radius=CELL_RADIUS, random_state=1
)
clicks = [points[0][:4]]
unseen, truth = images[1:], points[1:]
found = first.predict(unseen)
print(f"second, as it is: F1 {detection_f1(truth, found, MAX_DISTANCE):.2f}")

# %%
# Twenty steps, once from new nets and once from the fitted ones, then a round of pseudo
# labels and twenty more. scikit-learn clones the parts of an estimator, and a clone
# forgets what was fitted: `FrozenEstimator` keeps it. The fitted detector itself stays
# as it is. Compare round 0: four clicks and twenty steps are nothing to new nets.

for name, init in (("new nets", None), ("fine-tuned", FrozenEstimator(first))):
    detector = PseudoLabelCellDetector(
        CELL_RADIUS,
        max_iter=1,
        max_candidates=20,
        detector=HeatmapDetector(init=init, max_steps=20, warm_start=True, **nets),
        featurizer=NNPUFeaturizer(max_steps=20),
        random_state=0,
    )
    began = perf_counter()
    detector.fit(images[:1], clicks)
    seconds = perf_counter() - began
    f1 = [
        detection_f1(truth, found, MAX_DISTANCE)
        for found in detector.staged_predict(unseen)
    ]
    print(f"second, {name}: F1 {f1[0]:.2f}, then {f1[1]:.2f}, in {seconds:.0f} s")

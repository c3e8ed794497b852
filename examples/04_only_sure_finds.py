"""
Which threshold keeps 95 % of the finds right?
==============================================

Half of each image is held out from each of two nets. What clicks and other finds look
like there tells how probably a find of any height is a cell, without any truth.
"""

import matplotlib.pyplot as plt
import numpy as np

from pseudocell import HeatmapDetector, NNPUFeaturizer, PseudoLabelCellDetector
from pseudocell.datasets import drop_points, make_brightfield
from pseudocell.metrics import detection_scores

# %%
# Three drawn images with much debris, a fifth of the cells clicked, and two to be
# judged on.

images, points = make_brightfield(5, (200, 200), n_cells=30, debris=2, random_state=0)
clicks = drop_points(points[:3], 0.2, random_state=0)
detector = PseudoLabelCellDetector(
    8,
    max_iter=1,
    detector=HeatmapDetector(
        module__base_channels=8,
        module__depth=2,
        n_nets=2,
        held_out="places",
        max_steps=80,
        batch_size=4,
    ),
    featurizer=NNPUFeaturizer(max_steps=40),
    random_state=0,
).fit(images[:3], clicks)

# %%
# What is expected at each threshold, and what is true of images not seen: what is
# expected is cautious, the more so the fewer the clicks are.

calibration = detector.calibration_
thresholds = np.linspace(0.1, 0.9, 17)
expected = [calibration.precision(t) for t in thresholds]
true = []
for threshold in thresholds:
    found = [cells for cells, _ in detector.find_candidates(images[3:], threshold)]
    true.append(detection_scores(points[3:], found, 10).precision)

threshold = calibration.threshold(precision=0.95)
print(
    f"expected precision 95 % at {threshold:.2f}; by itself {detector.threshold_:.2f}"
)

plt.figure(figsize=(6, 3.5), layout="constrained")
plt.plot(thresholds, expected, "o-", label="expected, from clicks")
plt.plot(thresholds, true, "s--", label="true, on unseen images")
plt.axvline(threshold, color="0.5")
plt.axhline(0.95, color="0.5", lw=0.8)
plt.ylim(0, 1.05)
plt.xlabel("threshold")
plt.ylabel("share of the finds that are cells")
plt.legend()
plt.show()

"""
How many cells are there, and how sure is that?
===============================================

A count is what many people want. Each find may be a cell or not, and the number of all
cells is known only as well as the clicks tell; both make the interval.
"""

import matplotlib.pyplot as plt

from pseudocell import HeatmapDetector, NNPUFeaturizer, PseudoLabelCellDetector
from pseudocell.datasets import drop_points, make_brightfield

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
# All peaks of an image count, also low ones, each as probably as it is a cell. With as
# few clicks as here the count is rather too low, and the interval wide.

calibration = detector.calibration_
peaks = detector.find_candidates(images[3:])
counts = [calibration.count(heights) for _, heights in peaks]
truth = [len(cells) for cells in points[3:]]
for (number, low, high), true in zip(counts, truth, strict=True):
    print(
        f"{number:.0f} cells, with 90 % between {low:.0f} and {high:.0f}; true {true}"
    )

numbers, lows, highs = zip(*counts, strict=True)
below = [n - low for n, low in zip(numbers, lows, strict=True)]
above = [high - n for n, high in zip(numbers, highs, strict=True)]
plt.figure(figsize=(4, 3.5), layout="constrained")
plt.errorbar(range(2), numbers, [below, above], fmt="o", capsize=5, label="expected")
plt.plot(range(2), truth, "kx", ms=9, label="true")
plt.xticks(range(2), ["image 4", "image 5"])
plt.xlim(-0.5, 1.5)
plt.ylim(0, None)
plt.ylabel("number of cells")
plt.legend()
plt.show()

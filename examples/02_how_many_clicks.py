"""How many clicks are enough?
===========================

The same three synthetic images with 4, 8 and 16 clicks in each of two of them, and
the third to be judged on. Small nets and short trainings, so that the page is done in
seconds; the curves of real images are in the guide.
"""

import matplotlib.pyplot as plt

from pseudocell import HeatmapDetector, NNPUFeaturizer, PseudoLabelCellDetector
from pseudocell.datasets import make_brightfield
from pseudocell.metrics import detection_f1

CELL_RADIUS = 8
MAX_DISTANCE = 10

# %%
# The points of a drawn image are in no order, so that the first of them are as good as
# a random sample.

images, points = make_brightfield(4, (160, 160), n_cells=24, random_state=0)
unseen, truth = images[2:], points[2:]
detector = PseudoLabelCellDetector(
    CELL_RADIUS,
    max_iter=1,
    detector=HeatmapDetector(
        module__base_channels=8,
        module__depth=2,
        n_nets=2,
        max_steps=80,
        batch_size=4,
    ),
    featurizer=NNPUFeaturizer(max_steps=40),
    random_state=0,
)

# %%
# One fit for each number of clicks. The first clicks gain most.

numbers, scores = [4, 8, 16], []
for n in numbers:
    detector.fit(images[:2], [cells[:n] for cells in points[:2]])
    scores.append(detection_f1(truth, detector.predict(unseen), MAX_DISTANCE))
    print(f"{n} clicks an image: F1 {scores[-1]:.2f}")

plt.figure(figsize=(6, 3.5), layout="constrained")
plt.plot(numbers, scores, "o-")
plt.xscale("log", base=2)
plt.xticks(numbers, numbers)
plt.ylim(0, 1.05)
plt.xlabel("clicks in each of two images, of 24 cells")
plt.ylabel("F1 on unseen images")
plt.show()

"""How far do a few clicks go?
==============================

Six synthetic bright-field images, six cells clicked in each of four of them. The
detector that has seen the surroundings of the clicks alone takes debris for cells; one
round of pseudo labels teaches it what is not a cell.
"""

import matplotlib.pyplot as plt

from pseudocell import HeatmapDetector, PseudoLabelCellDetector
from pseudocell.datasets import drop_points, make_brightfield
from pseudocell.metrics import detection_scores
from pseudocell.plotting import DETECTION, MISSED, WRONG, draw_matches, draw_panels

CELL_RADIUS = 8
MAX_DISTANCE = 8

# %%
# The data. `drop_points` stands for the person who clicks: it keeps 15 % of the
# points of each image and drops the others.

images, points = make_brightfield(6, (192, 192), n_cells=25, random_state=0)
clicks = drop_points(points[:4], fraction=0.15, random_state=0)
unseen, truth = images[4:], points[4:]

# %%
# One round, and short trainings, so that the page is done in seconds. The defaults
# are two rounds and 200 steps.

detector = PseudoLabelCellDetector(
    CELL_RADIUS,
    max_iter=1,
    detector=HeatmapDetector(n_nets=2, max_steps=80),
    random_state=0,
)
detector.fit(images[:4], clicks)

# %%
# Each round, scored on images that it has not seen. Look at the precision: it is what
# the pseudo labels are for.

pictures, captions = [], []
for iteration, found in enumerate(detector.staged_predict(unseen)):
    scores = detection_scores(truth, found, MAX_DISTANCE)
    print(
        f"iteration {iteration}: precision {scores.precision:.2f}, "
        f"recall {scores.recall:.2f}, F1 {scores.f1:.2f}"
    )
    pictures.append(
        draw_matches(unseen[0], truth[0], found[0], CELL_RADIUS, MAX_DISTANCE)
    )
    captions.append((f"Iteration {iteration}", f"F1 {scores.f1:.2f}"))

# %%
# The picture: what was found, what was found and is no cell, and what was missed.

legend = [(DETECTION, "found"), (WRONG, "wrong"), (MISSED, "missed")]
plt.figure(figsize=(9, 5.4), layout="constrained")
plt.imshow(draw_panels(pictures, captions, legend=legend))
plt.axis("off")
plt.show()

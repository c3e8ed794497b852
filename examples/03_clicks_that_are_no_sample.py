"""What if the clicks are no random sample?
========================================

People click what they see first. Here a third of the cells is clicked in four ways: at
random, beside the centre, in one corner, and the brightest only.
"""

import warnings

import matplotlib.pyplot as plt

from pseudocell import HeatmapDetector, NNPUFeaturizer, PseudoLabelCellDetector
from pseudocell.datasets import bias_clicks, drop_points, make_brightfield
from pseudocell.metrics import detection_f1

CELL_RADIUS = 8
MAX_DISTANCE = 10

# %%
# `bias_clicks` stands for the person who clicks.

images, points = make_brightfield(4, (160, 160), n_cells=24, random_state=0)
train, cells = images[:2], points[:2]
ways = {"random": drop_points(cells, 0.3, random_state=0)}
for kind in ("off-centre", "corner", "brightest"):
    ways[kind] = bias_clicks(
        train, cells, kind, 0.3, cell_radius=CELL_RADIUS, random_state=0
    )

# %%
# Where clicks stand out clearly from all else that is found, `fit` warns. With the few
# clicks of this page it may not notice: look at what was found, whatever it says.

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
scores = {}
for kind, clicks in ways.items():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        detector.fit(train, clicks)
    found = detector.predict(images[2:])
    scores[kind] = detection_f1(points[2:], found, MAX_DISTANCE)
    noticed = any(issubclass(w.category, UserWarning) for w in caught)
    print(f"{kind}: F1 {scores[kind]:.2f}{', with a warning' if noticed else ''}")

# %%
# What to do about it: click cells of every look, spread over the images.

plt.figure(figsize=(6, 3), layout="constrained")
plt.barh(list(scores), list(scores.values()))
plt.xlim(0, 1)
plt.gca().invert_yaxis()
plt.xlabel("F1 on unseen images")
plt.show()

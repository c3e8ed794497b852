"""Can the parts be used by themselves?
====================================

Yes: patches, features and ranking are three estimators, which a pipeline of
scikit-learn puts in a row. Here they sort candidates that come from somewhere else.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import average_precision_score
from sklearn.pipeline import make_pipeline

from pseudocell import NNPUFeaturizer, PatchExtractor, PClassificationRanker
from pseudocell.datasets import make_brightfield

CELL_RADIUS = 8

# %%
# The candidates of an image: its cells, and as many random places. Every third cell is
# clicked; all others are unlabelled, cells and background alike.

rng = np.random.default_rng(0)
images, points = make_brightfield(4, (160, 160), n_cells=24, random_state=0)
candidates = [
    (image, np.concatenate([cells, rng.uniform(10, 150, (24, 2))]))
    for image, cells in zip(images, points, strict=True)
]
is_cell = np.tile(np.repeat([1, 0], 24), 4)
is_clicked = np.tile(np.repeat([1, 0], [8, 40]), 4)

# %%
# `X` is a list of (image, points), `y` has one label a point. The ranker concentrates
# on the top of the list.

ranking = make_pipeline(
    PatchExtractor(CELL_RADIUS),
    NNPUFeaturizer(class_prior=0.4, max_steps=80, random_state=0),
    PClassificationRanker(p=4),
)
scores = ranking.fit(candidates, is_clicked).decision_function(candidates)
unlabelled = is_clicked == 0
precision = average_precision_score(is_cell[unlabelled], scores[unlabelled])
print(f"average precision on the unlabelled candidates: {precision:.2f}")

# %%
# Cells that nobody clicked stand to the right of the background.

plt.figure(figsize=(6, 3), layout="constrained")
for label, name in ((0, "background"), (1, "cell, not clicked")):
    shown = unlabelled & (is_cell == label)
    plt.hist(scores[shown], bins=20, alpha=0.6, label=name)
plt.xlabel("score")
plt.ylabel("candidates")
plt.legend()
plt.show()

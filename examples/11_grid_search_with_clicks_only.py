"""Which settings, if all one has is clicks?
=========================================

Two synthetic bright-field images with seven clicks each, and nothing else: no image in
which all cells are known. Is a round of pseudo labels worth its time? Clicks that are
held out of training tell. The truth is used at the very end, to check the choice.
"""

from functools import partial

from sklearn.model_selection import GridSearchCV

from pseudocell import HeatmapDetector, NNPUFeaturizer, PseudoLabelCellDetector
from pseudocell.datasets import drop_points, make_brightfield
from pseudocell.metrics import detection_f1
from pseudocell.model_selection import click_scorer, split_clicks
from pseudocell.nets import UNet

CELL_RADIUS = 8
MAX_DISTANCE = 10

# %%
# The data: `drop_points` stands for the person who clicks.

images, points = make_brightfield(3, (128, 144), n_cells=20, random_state=0)
clicks = drop_points(points[:2], fraction=0.35, random_state=0)
unseen, truth = images[2:], points[2:]

# %%
# Two folds over the clicks. The lists that come back are the images and clicks as they
# were, and know in addition which clicks belong to which fold: pass them to the search.

images, clicks, folds = split_clicks(images[:2], clicks, n_splits=2, random_state=0)

# %%
# The search. The parameters of the whole need no double underscore; `alpha`, `beta` and
# `p` are searched in the same way, with more settings and more time. A small net and
# short trainings, so that the page is done in seconds.

detector = PseudoLabelCellDetector(
    CELL_RADIUS,
    detector=HeatmapDetector(
        module=partial(UNet, base_channels=8, depth=2),
        n_nets=2,
        max_steps=30,
        batch_size=4,
    ),
    featurizer=NNPUFeaturizer(max_steps=20),
    random_state=0,
)
search = GridSearchCV(
    detector,
    {"max_iter": [0, 1]},
    scoring=partial(click_scorer, max_distance=MAX_DISTANCE),
    refit="lee_liu",
    cv=folds,
)
search.fit(images, clicks)

# %%
# What the clicks say: how many of those held out were found, and with how many
# detections. Neither decides alone, as a detector that marks everything finds every
# click. The Lee-Liu score weighs one against the other. Its size means nothing, and
# with 14 held-out clicks in all only large differences count.

results = search.cv_results_
for index, setting in enumerate(results["params"]):
    recall = results["mean_test_click_recall"][index]
    count = results["mean_test_detection_count"][index]
    score = results["mean_test_lee_liu"][index]
    print(f"{setting}: recall {recall:.2f}, {count:.0f} detections, score {score:.3f}")
print("chosen:", search.best_params_)

# %%
# The search has fitted the chosen setting once more, on each image with all its clicks.
# Was the choice right? Only here is the truth looked at, on images never seen before.

first = search.best_estimator_.detectors_[0]
for name, fitted in (("round 0", first), ("chosen", search.best_estimator_)):
    f1 = detection_f1(truth, fitted.predict(unseen), MAX_DISTANCE)
    print(f"{name}: F1 {f1:.2f} on unseen images")

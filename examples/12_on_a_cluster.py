"""What changes on a cluster?
==========================

One line. A grid search, and the detection of cells in many images, first on the
machine as it is and then on a cluster of Dask, with the same results. Two processes on
this machine stand for the cluster; a real one differs in the address of its scheduler.

It needs ``dask[distributed]``.
"""

from functools import partial

import numpy as np
from dask.distributed import Client, LocalCluster
from joblib import Parallel, delayed, parallel_config
from sklearn.model_selection import GridSearchCV

from pseudocell import HeatmapDetector
from pseudocell.datasets import drop_points, make_brightfield
from pseudocell.model_selection import lee_liu_scorer, split_clicks
from pseudocell.nets import UNet

CELL_RADIUS = 8

# %%
# The task: with which weight should the background count, if every third cell is
# clicked? A small net and a short training, so that the page is done in seconds.


def make_search():
    detector = HeatmapDetector(
        CELL_RADIUS,
        masked=False,
        module=partial(UNet, base_channels=8, depth=2),
        max_steps=40,
        batch_size=4,
        random_state=0,
    )
    weights = {"background_weight": [0.1, 0.4]}
    return GridSearchCV(detector, weights, scoring=lee_liu_scorer, cv=folds)


def find_cells(detector, images):
    """One task for each image: whoever is free takes the next one."""
    tasks = (delayed(detector.predict)([image]) for image in images)
    return [points for (points,) in Parallel()(tasks)]


# %%
# Each worker starts by importing this file, as all new processes of Python do, and must
# not start a cluster of its own. So what is started stands below this line.

if __name__ == "__main__":
    images, points = make_brightfield(6, (128, 144), n_cells=20, random_state=0)
    clicks = drop_points(points[:2], fraction=0.35, random_state=0)
    train, clicks, folds = split_clicks(images[:2], clicks, n_splits=2, random_state=0)

    alone = make_search().fit(train, clicks)
    found_alone = find_cells(alone.best_estimator_, images)

    # %%
    # The same on the cluster. `Client` connects to it, and `parallel_config` says that
    # joblib, and with it scikit-learn, is to use it.

    workers = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**workers) as cluster, Client(cluster):
        with parallel_config(backend="dask"):
            search = make_search().fit(train, clicks)
            found = find_cells(search.best_estimator_, images)

    # %%
    # Same scores, same choice, same cells.

    print("chosen:", search.best_params_)
    scores = [fitted.cv_results_["mean_test_score"] for fitted in (alone, search)]
    print("same scores:", np.array_equal(*scores))
    same = [np.array_equal(*pair) for pair in zip(found, found_alone, strict=True)]
    print(f"same cells in {sum(same)} of {len(images)} images:", sum(map(len, found)))

"""Tell whether a setting chosen from clicks alone is nearly the best one.

    python experiments/grid_search.py FOLDER:RADIUS:DISTANCE [...]
    python experiments/grid_search.py --quick            toy size, made images

Of each set, a grid over alpha, beta and p is searched with held-out clicks. Then every
setting is fitted on all clicks and scored on the test images: the truth is used for
printing only. One round, since a grid costs three fits a setting.
"""

import argparse
import copy
from functools import partial

import numpy as np
from sklearn.model_selection import GridSearchCV, ParameterGrid

from pseudocell import HeatmapDetector, NNPUFeaturizer, PseudoLabelCellDetector
from pseudocell.benchmark import DetectionSet, read_set
from pseudocell.datasets import drop_points, make_brightfield
from pseudocell.metrics import detection_f1
from pseudocell.model_selection import lee_liu_scorer, split_clicks
from pseudocell.nets import UNet

GRID = [
    {"alpha": [0.01, 0.1], "beta": [0.05], "p": [1.0, 4.0]},
    {"alpha": [0.05], "beta": [0.2], "p": [4.0]},
]
QUICK_GRID = [{"alpha": [0.05], "beta": [0.05], "p": [1.0, 4.0]}]


def main():
    """Print a line for each set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="FOLDER:RADIUS:DISTANCE")
    parser.add_argument("--quick", action="store_true", help="toy size")
    parser.add_argument("--jobs", type=int, default=1, help="fits at a time")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.quick:
        sets, grid = [made_set()], QUICK_GRID
        net = partial(UNet, base_channels=4, depth=1)
        parts = {
            "detector": HeatmapDetector(module=net, n_nets=2, max_steps=10),
            "featurizer": NNPUFeaturizer(max_steps=10),
        }
    else:
        if not arguments.sets:
            parser.error("name at least one FOLDER:RADIUS:DISTANCE, or --quick")
        named = [text.rsplit(":", 2) for text in arguments.sets]
        sets = [read_set(path, float(r), float(d)) for path, r, d in named]
        grid, parts = GRID, {}
    print("| set | chosen from clicks | its F | best of the grid | its F | worst F |")
    print("|---|---|---|---|---|---|")
    for data in sets:
        row = compare(data, grid, parts, arguments.seed, arguments.jobs)
        print("|", " | ".join(row), "|", flush=True)


def compare(data, grid, parts, seed, jobs):
    """Return the cells of the line of one set."""
    labels, _ = data.labels(0.1, seed)
    detector = PseudoLabelCellDetector(
        data.cell_radius, max_iter=1, random_state=seed, **parts
    )
    images, clicks, folds = split_clicks(
        data.train_images, labels, n_splits=2, random_state=seed
    )
    search = GridSearchCV(
        detector, grid, scoring=lee_liu_scorer, cv=folds, refit=False, n_jobs=jobs
    )
    search.fit(images, clicks)
    settings = [*ParameterGrid(grid)]
    f1 = []
    # Round 0 is the same for all settings.
    start = detector.set_params(max_iter=0, warm_start=True)
    start.fit(data.train_images, labels)
    for setting in settings:
        fitted = copy.deepcopy(start).set_params(max_iter=1, **setting)
        found = fitted.fit(data.train_images, labels).predict(data.test_images)
        f1.append(detection_f1(data.test_points, found, data.max_distance))
    chosen, best = settings.index(search.best_params_), int(np.argmax(f1))
    return (
        data.name,
        describe(settings[chosen]),
        f"{f1[chosen]:.3f}",
        describe(settings[best]),
        f"{f1[best]:.3f}",
        f"{min(f1):.3f}",
    )


def describe(setting):
    """Return a setting as text."""
    return ", ".join(f"{name} {value:g}" for name, value in sorted(setting.items()))


def made_set():
    """Make a set of toy size."""
    images, points = make_brightfield(4, (96, 96), n_cells=12, random_state=0)
    clicks = drop_points(points[:2], 0.4, random_state=0)
    parts = (images[:2], clicks, points[:2], images[2:], points[2:])
    return DetectionSet("made", *parts, cell_radius=8.0, max_distance=10.0)


if __name__ == "__main__":
    main()

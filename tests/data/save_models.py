"""Save the models of a release, and what they find: python tests/data/save_models.py.

Run once a release, before its number is given away; what it wrote is never changed.
"""

import json
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.base import clone

import pseudocell
from pseudocell import HeatmapDetector, NNPUFeaturizer, PseudoLabelCellDetector
from pseudocell.io import save_model
from pseudocell.nets import UNet

FOLDER = Path(__file__).parent
IMAGE = FOLDER / "cells.png"
CELLS = np.array([[8, 10], [9, 37], [22, 24], [34, 8], [38, 38], [39, 22]])
RADIUS = 4


def draw():
    """Bright discs with soft edges on grey noise."""
    grid = np.indices((48, 48)).transpose(1, 2, 0)
    distance = np.linalg.norm(grid[:, :, None] - CELLS, axis=-1).min(axis=-1)
    noise = np.random.default_rng(0).normal(0, 6, distance.shape)
    return np.clip(60 + 140 / (1 + np.exp(distance - RADIUS)) + noise, 0, 255)


def main():
    if not IMAGE.exists():
        Image.fromarray(draw().astype(np.uint8)).save(IMAGE)
    images = [np.asarray(Image.open(IMAGE))]
    heatmap = HeatmapDetector(
        RADIUS,
        module=partial(UNet, base_channels=2, depth=1),
        max_steps=100,
        batch_size=2,
        lr=0.03,
        device="cpu",
        random_state=0,
    )
    loop = PseudoLabelCellDetector(
        RADIUS,
        max_iter=1,
        detector=clone(heatmap).set_params(max_steps=40, lr=0.05),
        featurizer=NNPUFeaturizer(max_steps=5, batch_size=8),
        device="cpu",
        random_state=0,
    )
    clicks = [CELLS[:4]]
    for kind, estimator in (("heatmap", heatmap), ("loop", loop)):
        name = f"{kind}-{pseudocell.__version__}"
        estimator.fit(images, clicks)
        save_model(estimator, FOLDER / f"{name}.pseudocell")
        points = estimator.predict(images)[0].round(3).tolist()
        (FOLDER / f"{name}.json").write_text(json.dumps(points) + "\n")
        print(name, points)


if __name__ == "__main__":
    main()

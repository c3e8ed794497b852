"""Topaz with GE-binomial on the clicks; runs in its environment."""

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _peer import do_job, stand_in_for_torchvision

stand_in_for_torchvision()

from topaz import mrc, stats, training  # noqa: E402
from topaz.algorithms import non_maximum_suppression  # noqa: E402
from topaz.model.factory import load_model  # noqa: E402

# Defaults of `topaz train`: pixels around a point that are positive, examples in a
# batch, share of positive ones, learning rate.
RADIUS, BATCH_SIZE, BALANCE, LEARNING_RATE = 3, 256, 0.0625, 2e-4
# `topaz extract`: its default threshold, a log odds; and the particle radius.
THRESHOLD, PARTICLE_RADIUS = -6.0, 6


def count_pixels(radius, dims=2):
    """Count the pixels of a disc. Topaz 0.3.20 counts those of a cylinder."""
    axis = np.arange(-radius, radius + 1) ** 2
    return int((axis[:, np.newaxis] + axis <= radius**2).sum())


stats.pixels_given_radius = count_pixels


def train(images, clicks, job):
    """Train the default net, which starts from Topaz's own weights for resnet8."""
    n_pixels = sum(image.shape[0] * image.shape[1] for image in images)
    n_clicks = sum(map(len, clicks))
    observed = n_clicks * count_pixels(RADIUS) / n_pixels
    prior = stats.calculate_pi(float(job["n_cells"]), RADIUS, n_pixels)
    model = load_model("resnet8_u32")
    model.train()
    method, _, split = training.make_training_step_method(
        model, n_clicks, observed, lr=LEARNING_RATE, method="GE-binomial", pi=prior
    )
    start = time.process_time()
    n_steps = 0
    with tempfile.TemporaryDirectory() as folder:
        data = _data_set(Path(folder), images, clicks, model.width, split)
        data.rng = np.random.default_rng(int(job["seed"]))
        for crops, labels in torch.utils.data.DataLoader(data, BATCH_SIZE):
            method.step(crops.float(), labels.float())
            n_steps += 1
            if time.process_time() - start > float(job["max_seconds"]):
                break
    print("steps:", n_steps, flush=True)
    model.eval()
    model.fill()
    return model


def find(model, image):
    """Score every pixel, and keep the best one within the radius of a particle."""
    with torch.inference_mode():
        scores = model(torch.from_numpy(_normalise(image))[None, None])[0, 0].numpy()
    # Topaz 0.3.20 suppresses pixels of the opposite border along with those of one:
    # with a margin that no particle is in, there is nothing at the border.
    margin = PARTICLE_RADIUS + 1
    scores = np.pad(scores, margin, constant_values=-np.inf)
    heights, places = non_maximum_suppression(scores, PARTICLE_RADIUS, THRESHOLD)
    return places[:, ::-1] - margin, heights


def forward(model, image):
    """Run the net once on a grey image."""
    model(torch.from_numpy(np.ascontiguousarray(image))[None, None])


def _normalise(image):
    """As ``topaz normalize --affine`` does; Topaz takes grey images only."""
    grey = image if image.ndim == 2 else image.mean(axis=2)
    return stats.normalize(grey, method="affine")[0]


def _data_set(folder, images, clicks, width, split):
    """Write what `topaz train` reads, and let it draw crops."""
    paths, rows = [], []
    for number, (image, some) in enumerate(zip(images, clicks, strict=True)):
        paths.append(str(folder / f"image{number}.mrc"))
        with open(paths[-1], "wb") as file:
            mrc.write(file, _normalise(image)[np.newaxis])
        rows += [(f"image{number}", col, row) for row, col in some]
    points = pd.DataFrame(rows, columns=["image_name", "x_coord", "y_coord"])
    discs, n_pixels = training.expand_target_points(points, RADIUS)
    return training.MultipleImageSetDataset(
        [paths],
        discs,
        10_000 * BATCH_SIZE,
        width,
        positive_balance=BALANCE,
        split=split,
        rotate=True,
        flip=True,
        radius=RADIUS,
        mask_size=n_pixels,
    )


if __name__ == "__main__":
    do_job(train, find, forward, threshold=0.0)

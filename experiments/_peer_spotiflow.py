"""Spotiflow on the clicks as if they were all the cells; runs in its environment."""

import functools
import sys
import tempfile
import time
import types

import numpy as np
import torch
from _peer import do_job, stand_in_for_torchvision
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import CSVLogger

# After lightning, which would take it for all of torchvision.
stand_in_for_torchvision()
# Imported at the top of a module, used only when somebody logs to it.
sys.modules["wandb"] = types.ModuleType("wandb")

from spotiflow.model import Spotiflow, SpotiflowModelConfig  # noqa: E402

# For two minutes of a processor: the defaults are 32 maps, 3e-4 and 512 pixels. With
# those of the net and the rate, 200 steps reached F 0.64 at best on the first set.
N_MAPS, LEARNING_RATE, CROP_SIZE = 16, 1e-3, 64
CROPS_AN_EPOCH = 128
# Pixels: half a cell radius, as in pseudocell; the default of 1 is for smaller spots.
SIGMA, MIN_DISTANCE = 3.0, 3
LOWEST_PROBABILITY = 0.01


class ProcessorTime(Callback):
    """Stop the training after so many seconds of the processor."""

    def __init__(self, max_seconds):
        self.end = time.process_time() + max_seconds

    def on_train_batch_end(self, trainer, *_):
        """Look at the time after each step."""
        trainer.should_stop = time.process_time() > self.end


def train(images, clicks, job):
    """Fit a model until the time is over; the last state counts."""
    n_channels = images[0].shape[2] if images[0].ndim == 3 else 1
    model = Spotiflow(
        SpotiflowModelConfig(in_channels=n_channels, initial_fmaps=N_MAPS, sigma=SIGMA)
    )
    settings = {
        "crop_size": CROP_SIZE,
        "lr": LEARNING_RATE,
        "num_train_samples": CROPS_AN_EPOCH,
        "num_epochs": 10_000,
    }
    with tempfile.TemporaryDirectory() as folder:
        model.fit(
            images,
            clicks,
            images[:2],
            clicks[:2],
            save_dir=folder,
            train_config=settings,
            device="cpu",
            # It must have one; this needs no tensorboard.
            logger=CSVLogger(folder),
            callbacks=[ProcessorTime(float(job["max_seconds"]))],
        )
    return model


def find(model, image):
    """Return all peaks above a low probability."""
    points, details = model.predict(
        image,
        prob_thresh=LOWEST_PROBABILITY,
        min_distance=MIN_DISTANCE,
        n_tiles=(1, 1),
        device="cpu",
        verbose=False,
    )
    return points, details.prob


def forward(_, image):
    """Run the net of the default size once on a grey image."""
    default_net()(torch.from_numpy(np.array(image))[None, None])


@functools.cache
def default_net():
    """Make the default net, untrained: its weights take as long."""
    return Spotiflow(SpotiflowModelConfig()).eval()


if __name__ == "__main__":
    do_job(train, find, forward, threshold=0.5)

"""What the two peers share: their job, their answer, and a stand-in for torchvision.

This file runs in the environment of a peer, where pseudocell is not installed.
"""

import enum
import sys
import time
import types

import numpy as np
import torch
import torch.nn.functional as F

__all__ = ["do_job", "stand_in_for_torchvision"]


def do_job(train, find, forward, threshold):
    """Do the job of the command line: train, find cells in all images, take the time.

    Parameters
    ----------
    train : callable
        Takes images, clicks and the whole job; returns a model.
    find : callable
        Takes model and image; returns (row, col) of shape (n, 2) and scores (n,).
    forward : callable
        Takes the model and a square image; runs the net once.
    threshold : float
        What the peer cuts scores at if nothing else is said.
    """
    torch.set_num_threads(1)
    job = np.load(sys.argv[1])
    torch.manual_seed(int(job["seed"]))
    np.random.seed(int(job["seed"]))
    images = {part: _numbered(job, f"{part}_image") for part in ("train", "test")}
    start = time.process_time()
    model = train(images["train"], _numbered(job, "click"), job)
    answer = {"seconds": time.process_time() - start, "threshold": threshold}
    for part, some in images.items():
        for number, image in enumerate(some):
            points, scores = find(model, image)
            answer[f"{part}_point_{number}"] = np.reshape(points, (-1, 2))
            answer[f"{part}_score_{number}"] = np.reshape(scores, -1)
    with torch.inference_mode():
        forward(model, job["speed_image"][:128, :128])
        start = time.process_time()
        forward(model, job["speed_image"])
    n_pixels = job["speed_image"].size
    answer["speed"] = n_pixels / 1e6 / (time.process_time() - start)
    np.savez(sys.argv[2], **answer)


def _numbered(job, name):
    count = sum(key.startswith(f"{name}_") for key in job.files)
    return [job[f"{name}_{number}"] for number in range(count)]


def stand_in_for_torchvision():
    """Give the peers the four functions of torchvision that they augment with.

    Both import torchvision for that and nothing else, and there is no build of it for
    every build of torch.
    """

    class InterpolationMode(enum.Enum):
        NEAREST = "nearest"
        BILINEAR = "bilinear"

    def rotate(image, angle, interpolation=InterpolationMode.NEAREST):
        """Rotate (..., C, H, W) counter-clockwise by degrees; zeros come in."""
        height, width = image.shape[-2:]
        batch = image.reshape(-1, 1, height, width).float()
        angle = np.deg2rad(angle)
        cos, sin, ratio = np.cos(angle), np.sin(angle), height / width
        affine = [[cos, -sin * ratio, 0], [sin / ratio, cos, 0]]
        affine = torch.tensor(affine, dtype=torch.float32).expand(len(batch), 2, 3)
        grid = F.affine_grid(affine, batch.shape, align_corners=False)
        mode = interpolation.value
        rotated = F.grid_sample(batch, grid, mode=mode, align_corners=False)
        return rotated.reshape(image.shape)

    functional = types.ModuleType("torchvision.transforms.functional")
    functional.rotate = rotate
    functional.hflip = lambda image: image.flip(-1)
    functional.vflip = lambda image: image.flip(-2)
    functional.crop = lambda image, top, left, height, width: image[
        ..., top : top + height, left : left + width
    ]
    transforms = types.ModuleType("torchvision.transforms")
    transforms.InterpolationMode = InterpolationMode
    transforms.functional = functional
    torchvision = types.ModuleType("torchvision")
    torchvision.transforms = transforms
    for module in (torchvision, transforms, functional):
        sys.modules[module.__name__] = module

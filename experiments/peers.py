"""Spotiflow and Topaz on the clicks of a benchmark, beside pseudocell's scores.

Each is installed in a virtual environment of its own, below the folder that you name:

    python experiments/peers.py --folder peers --set plates/a:12:15 --set plates/b:9

Both are trained for --seconds on one thread, far less than they are made for:
their scores are lower bounds. Finished runs are kept there, so that the same command
goes on where it was stopped. docs/peers.md says what is patched, and has a table.
"""

import argparse
import subprocess
import sys
import time
import venv
from importlib.metadata import version
from pathlib import Path

import numpy as np

from pseudocell import HeatmapDetector
from pseudocell._geometry._scale import (
    points_from_nominal,
    points_to_nominal,
    to_nominal,
)
from pseudocell.benchmark import read_set
from pseudocell.datasets import make_brightfield
from pseudocell.metrics import click_scores, detection_scores

# Images are resampled so that a cell has this radius, as inside pseudocell: both peers
# are made for small objects, and are several times slower on the images as they are.
NOMINAL_RADIUS = 6.0
CLICKED_SHARE = 0.1
SPEED_SIZE = 1024
N_CUTS = 80

# One call of pip after the other. The peers name torchvision, which they only augment
# with, and Spotiflow wandb and tensorboard, which only log: _peer.py stands in.
TORCH = ["torch==2.13.0", "numpy"]
INSTALL = {
    "spotiflow": [
        TORCH,
        ["--no-deps", "spotiflow==0.6.5"],
        "configargparse csbdeep dask fsspec h5py lightning matplotlib networkx pandas "
        "pillow psutil pydash scikit-image scipy six tifffile tqdm".split(),
    ],
    "topaz": [
        TORCH,
        ["--no-deps", "topaz-em==0.3.20"],
        "future h5py pandas pillow psutil scikit-learn scipy tqdm".split(),
    ],
}


def main():
    """Install the peers, run them on the sets, and print the tables."""
    arguments = read_arguments()
    folder = Path(arguments.folder)
    speed_image = np.float32(
        make_brightfield(1, (SPEED_SIZE,) * 2, n_cells=300, random_state=0)[0][0]
    )
    rows, speeds = [], {}
    for peer in arguments.peer:
        python = install(folder / peer, INSTALL[peer])
        for text in arguments.set:
            one = read_folder(text)
            answer = run_peer(peer, python, folder, one, speed_image, arguments)
            speeds[peer] = float(answer["speed"])
            rows.append((peer, one.name, *score(one, answer)))
            print(*rows[-1], f"{float(answer['seconds']):.0f} s", flush=True)
    for radius in (6, 12):
        speeds[f"pseudocell, radius {radius}"] = own_speed(speed_image, radius)
    print_tables(rows, speeds)


def read_arguments():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", required=True, help="where to install the peers")
    parser.add_argument(
        "--set",
        action="append",
        required=True,
        metavar="FOLDER:RADIUS[:DISTANCE]",
        help="as for pseudocell benchmark",
    )
    parser.add_argument(
        "--peer", action="append", choices=INSTALL, help="both if not given"
    )
    parser.add_argument(
        "--seconds", type=float, default=90, help="processor time of a training"
    )
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.peer = arguments.peer or list(INSTALL)
    return arguments


def read_folder(text):
    """Read the set that an option names."""
    folder, *lengths = text.split(":")
    if len(lengths) not in (1, 2):
        raise SystemExit(f"--set {text}: expected FOLDER:RADIUS or with :DISTANCE.")
    return read_set(folder, *map(float, lengths))


def install(folder, steps):
    """Make an environment and return its interpreter; again costs nothing."""
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    stamp = folder / "installed"
    if not stamp.exists():
        print(f"Installing into {folder}", flush=True)
        venv.create(folder, with_pip=True)
        for packages in steps:
            pip = [python, "-m", "pip", "install", "--quiet", *packages]
            subprocess.run(list(map(str, pip)), check=True)
        stamp.write_text("")
    return python


def run_peer(peer, python, folder, one, speed_image, arguments):
    """Let a peer learn and find; what it has found before is not found again."""
    settings = f"{arguments.seconds:g}s-seed{arguments.seed}-{one.fingerprint[:8]}"
    answer = folder / f"{peer}-{one.name}-{settings}.npz"
    if not answer.exists():
        print(f"{peer} on {one.name}", flush=True)
        job, part = answer.with_suffix(".job.npz"), answer.with_suffix(".part.npz")
        np.savez(job, **make_job(one, speed_image, arguments))
        worker = Path(__file__).with_name(f"_peer_{peer}.py")
        log = answer.with_suffix(".log")
        with open(log, "w") as output:
            command = list(map(str, [python, worker, job, part]))
            failed = subprocess.run(command, stdout=output, stderr=output).returncode
        if failed:
            raise SystemExit(f"{peer} failed on {one.name}; see {log}")
        job.unlink()
        part.rename(answer)
    return np.load(answer)


def make_job(one, speed_image, arguments):
    """Return images and clicks at the nominal size, and the settings."""
    scale = NOMINAL_RADIUS / one.cell_radius
    job = {
        "seed": arguments.seed,
        "max_seconds": arguments.seconds,
        "n_cells": sum(map(len, one.train_clicks)) / CLICKED_SHARE,
        "speed_image": speed_image,
    }
    for part in ("train", "test"):
        for number, image in enumerate(getattr(one, f"{part}_images")):
            pixels = np.float32(image)
            pixels = pixels[..., np.newaxis] if pixels.ndim == 2 else pixels
            small = to_nominal(pixels, scale)
            job[f"{part}_image_{number}"] = small.squeeze()
            if part == "train":
                clicks = one.train_clicks[number]
                clicks = points_to_nominal(clicks, pixels.shape, scale)
                inside = np.clip(clicks, 0, np.array(small.shape[:2]) - 1)
                job[f"click_{number}"] = inside
    return job


def score(one, answer):
    """Return F at the default threshold, at that by Lee-Liu, and the best F."""
    scale = NOMINAL_RADIUS / one.cell_radius
    found = {}
    for part in ("train", "test"):
        found[part] = []
        for number, image in enumerate(getattr(one, f"{part}_images")):
            points = answer[f"{part}_point_{number}"].astype(float)
            points = points_from_nominal(points, image.shape, scale)
            found[part].append((points, answer[f"{part}_score_{number}"]))
    scores = np.concatenate([scores for some in found.values() for _, scores in some])
    cuts = np.unique(np.quantile(scores, np.linspace(0, 0.999, N_CUTS)))

    def f1(cut):
        points = above(found["test"], cut)
        return detection_scores(one.test_points, points, one.max_distance).f1

    def lee_liu(cut):
        points = above(found["train"], cut)
        return click_scores(one.train_clicks, points, one.max_distance).lee_liu

    chosen = max(cuts, key=lee_liu)
    return f1(float(answer["threshold"])), f1(chosen), max(map(f1, cuts))


def above(found, cut):
    """Return the points of each image whose scores are above a threshold."""
    return [points[scores > cut] for points, scores in found]


def own_speed(image, radius):
    """Take the time of pseudocell's whole prediction, resampling and peaks included."""
    detector = HeatmapDetector(cell_radius=radius, max_steps=1, n_jobs=1, device="cpu")
    detector.fit([image[:256, :256]], [[(100, 100), (60, 60)]])
    detector.predict([image[:256, :256]])
    start = time.process_time()
    detector.predict([image])
    return image.size / 1e6 / (time.process_time() - start)


def print_tables(rows, speeds):
    """Print F for each set and peer, and the speeds."""
    print("\n| peer | set | default threshold | Lee-Liu on the clicks (best) |")
    print("|---|---|---|---|")
    for peer, name, default, chosen, best in rows:
        print(f"| {peer} | {name} | {default:.3f} | {chosen:.3f} ({best:.3f}) |")
    print("\n| net, one thread | megapixels per CPU second |\n|---|---|")
    for name, speed in speeds.items():
        print(f"| {name} | {speed:.3f} |")
    print("\ntorch", version("torch"), "numpy", version("numpy"))


if __name__ == "__main__":
    main()

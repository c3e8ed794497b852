"""Peak memory of fitting and of predicting, against the number of images.

    python experiments/memory_of_fit.py

Each row is a process of its own: it opens lazy images, four of them with clicks, fits
the whole loop or predicts, and reports its peak of resident memory above what it had
before. Images are drawn when they are touched, so that none is in memory by itself.
"""

import argparse
import json
import subprocess
import sys
import threading
import time

import numpy as np
import psutil

from pseudocell import HeatmapDetector, PseudoLabelCellDetector
from pseudocell.datasets import drop_points, make_brightfield

N_CLICKED = 4


class Drawn:
    """A lazy image: the same cells each time, shifted by its number."""

    def __init__(self, image, number):
        self.shape = image.shape
        self._image, self._number = image, number

    def __array__(self, dtype=None, copy=None):
        return np.roll(self._image, 7 * self._number, axis=1)


class Peak:
    """The largest resident memory, in MB, inside a ``with`` block."""

    def __enter__(self):
        self._process = psutil.Process()
        self.before = self.largest = self._now()
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._look)
        self._watch.start()
        return self

    def __exit__(self, *error):
        self._done.set()
        self._watch.join()

    def _now(self):
        return self._process.memory_info().rss / 2**20

    def _look(self):
        while not self._done.wait(0.005):
            self.largest = max(self.largest, self._now())


def draw(count, size, cell_radius):
    """Return lazy images, and clicks on a tenth of the cells of the first ones."""
    n_cells = max(3, round(0.15 * size**2 / (np.pi * cell_radius**2)))
    (image,), (points,) = make_brightfield(
        1, (size, size), n_cells=n_cells, cell_radius=cell_radius, random_state=0
    )
    clicks = [points[:0]] * count
    for number in range(min(N_CLICKED, count)):
        shifted = (points + (0, 7 * number)) % (size, size)
        clicks[number] = drop_points([shifted], 0.1, random_state=number)[0]
    return [Drawn(image, number) for number in range(count)], clicks


def measure(what, count, options):
    """Return the peak of memory, that before, and seconds of the clock and of CPU."""
    images, clicks = draw(count, options.size, options.cell_radius)
    detector = PseudoLabelCellDetector(
        options.cell_radius,
        max_iter=options.rounds,
        max_search=options.max_search,
        detector=HeatmapDetector(
            n_nets=2, warm_start=True, max_steps=options.steps, max_passes=15
        ),
        random_state=0,
    )
    # What the first use of every part brings along is not counted.
    small, few = draw(1, 10 * options.cell_radius, options.cell_radius)
    detector.fit(small, few)
    if what == "predict":
        detector.set_params(max_iter=0).fit(images[:N_CLICKED], clicks[:N_CLICKED])
    wall, cpu = time.perf_counter(), time.process_time()
    with Peak() as peak:
        if what == "fit":
            detector.fit(images, clicks)
        else:
            detector.predict(images)
    return {
        "before": peak.before,
        "peak": peak.largest,
        "seconds": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
    }


def read_arguments():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 100, 500])
    parser.add_argument("--size", type=int, default=1000, help="pixels, each way")
    parser.add_argument("--cell-radius", type=int, default=24, help="pixels")
    parser.add_argument("--steps", type=int, default=50, help="batches a training")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--max-search", type=float, default=5, help="megapixels")
    parser.add_argument("--only", nargs=2, metavar=("WHAT", "COUNT"), help="one row")
    return parser.parse_args()


def main():
    """Measure one row, or all of them, each in a process of its own."""
    options = read_arguments()
    if options.only:
        what, count = options.only
        print(json.dumps(measure(what, int(count), options)))
        return
    print(f"{options.size} x {options.size} pixels, cells of {options.cell_radius} px")
    print("what     images   before MB   more at peak MB   seconds   CPU seconds")
    for what in ("fit", "predict"):
        for count in options.counts:
            command = [sys.executable, *sys.argv, "--only", what, str(count)]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
            row = json.loads(output)
            print(
                f"{what:<9}{count:>6}{row['before']:>12.0f}"
                f"{row['peak'] - row['before']:>18.0f}"
                f"{row['seconds']:>10.1f}{row['cpu']:>14.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()

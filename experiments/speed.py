"""How fast pseudocell is, against what it is to be compared with, in one process.

    python experiments/speed.py              all rows but the whole fit: some 3 minutes
    python experiments/speed.py --fit        that too: some 5 minutes of processor more
    python experiments/speed.py --quick      everything at toy size, to see that it runs

Times are those of the processor, so that other programs on the machine count little.
"""

import argparse
import platform
import subprocess
import sys
import tempfile
import threading
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pseudocell import HeatmapDetector, PseudoLabelCellDetector
from pseudocell._geometry._matching import match_points
from pseudocell._inference import prepare_net
from pseudocell.datasets import drop_points, make_brightfield
from pseudocell.nets import UNet

# The published protocol: 30 epochs x 5 seeds x 3 rounds.
EPOCHS, SEEDS, ROUNDS, IMAGES = 30, 5, 3, 13
LOADING = "for name in pseudocell.__all__: getattr(pseudocell, name)"
IMPORTS = {
    "reference": "import torch, sklearn",
    "pseudocell": f"import pseudocell\n{LOADING}",
}


def main():
    """Print one row after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="toy sizes")
    parser.add_argument("--fit", action="store_true", help="the whole fit, too")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    names = ("torch", "numpy", "scipy", "scikit-learn")
    print(f"{platform.machine()}, {platform.system()}, Python", sys.version.split()[0])
    print(*(f"{name} {version(name)}" for name in names), sep=", ", end="\n\n")
    print("| what | reference | pseudocell | ratio | goal |\n|---|---|---|---|---|")
    quick = arguments.quick
    rows = [arithmetic, predict, import_time, matching, memory, growth]
    if arguments.fit or quick:
        rows.append(whole_fit)
    for measure in rows:
        for row in measure(quick):
            print("|", " | ".join(row), "|", flush=True)


def seconds(function, repeats=1):
    """Return the least processor time of a call, in seconds."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        taken.append(time.process_time() - start)
    return max(min(taken), 1e-9)


def published_net():
    """Return the U-Net of the published code."""
    return UNet(in_channels=1, base_channels=64, depth=4)


def fit_detector(cell_radius, **parameters):
    """Return a detector that has seen enough to be timed."""
    images, points = make_brightfield(1, (300, 300), cell_radius=8, random_state=0)
    parameters = {"max_steps": 5, "threshold": 0.5, "n_jobs": 1, **parameters}
    detector = HeatmapDetector(cell_radius, random_state=0, **parameters)
    return detector.fit(images, points)


def arithmetic(quick):
    """Yield the rate of the net against that of a matrix product."""
    size, side = (128, 64) if quick else (1536, 512)
    matrix = torch.rand(size, size)
    tile = np.random.default_rng(0).random((1, 1, side, side), dtype=np.float32)
    forward = prepare_net(fit_detector(6.0, max_steps=1).nets_[0])
    forward(tile)
    # One after the other, several times: the clock of the processor changes.
    products, nets = zip(
        *(
            (seconds(lambda: matrix @ matrix), seconds(lambda: forward(tile)))
            for _ in range(5)
        ),
        strict=True,
    )
    product, net = 2e-9 * size**3 / min(products), count_work(tile.shape) / min(nets)
    yield (
        "arithmetic of the net, of a matrix product (thousand million a second)",
        f"{product:.1f}",
        f"{net:.1f}",
        f"{net / product:.0%}",
        "60 %",
    )


def count_work(shape):
    """Return thousand millions of multiplications and additions of the default net."""
    work = []

    def count(layer, inputs, output):
        work.append(2e-9 * output.numel() * layer.weight[0].numel())

    net = UNet(1)
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    # With gradients, as then every convolution is a layer.
    net.eval()(torch.zeros(shape))
    return sum(work)


def predict(quick):
    """Yield the speed of `predict` against the forward pass of the published net."""
    side, radii = (128, (12, 6)) if quick else (1024, (12, 6))
    images, _ = make_brightfield(1, (side, side), random_state=1)
    net, tensor = published_net().eval(), torch.zeros(1, 1, side, side)
    with torch.inference_mode():
        net(tensor[..., : side // 4, : side // 4])  # warm, as pseudocell is below
        reference = side**2 / 1e6 / seconds(lambda: net(tensor), 2)
    for radius in radii:
        for n_nets in (1, 2):
            detector = fit_detector(radius, n_nets=n_nets)
            detector.predict(images)
            speed = side**2 / 1e6 / seconds(lambda d=detector: d.predict(images), 5)
            yield (
                f"predict, radius {radius}, {n_nets} net{'s'[: n_nets - 1]} "
                "(megapixels a second of one core)",
                f"{reference:.3f}",
                f"{speed:.2f}",
                f"{speed / reference:.0f}",
                {12: "15", 6: "8"}[radius],
            )


def import_time(quick):
    """Yield the time of importing everything against that of torch and sklearn."""
    taken = {name: [] for name in IMPORTS}
    for _ in range(1 if quick else 5):
        for name, code in IMPORTS.items():
            code = f"import time\n{code}\nprint(time.process_time())"
            done = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=True
            )
            taken[name].append(float(done.stdout))
    reference, ours = (min(values) for values in taken.values())
    row = f"{reference:.2f}", f"{ours:.2f}", f"{ours / reference:.2f}"
    yield "import, of torch and sklearn (s)", *row, "1.3"


def matching(quick):
    """Yield the time of matching two large sets of points."""
    count = 1000 if quick else 100_000
    rng = np.random.default_rng(0)
    first = rng.uniform(0, 20 * count**0.5, (count, 2))
    second = first + rng.normal(0, 4, first.shape)
    taken = seconds(lambda: match_points(first, second, 15.0))
    yield f"matching {count} points against as many (s)", "-", f"{taken:.1f}", "-", "10"


class Peak:
    """The largest memory of its own of this process inside a ``with`` block, in MB.

    Without the pages of mapped files; only Linux tells.
    """

    def __enter__(self):
        self.before = self.largest = self._now()
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._look)
        self._watch.start()
        return self

    def __exit__(self, *error):
        self._done.set()
        self._watch.join()

    def _now(self):
        try:
            lines = Path("/proc/self/status").read_text().splitlines()
        except FileNotFoundError:
            return np.nan
        return next(int(x.split()[1]) / 1024 for x in lines if x.startswith("RssAnon"))

    def _look(self):
        while not self._done.wait(0.01):
            self.largest = max(self.largest, self._now())


def memory(quick):
    """Yield the memory of `predict` on a large image, a memory map."""
    side = 600 if quick else 20_000
    (image,), _ = make_brightfield(1, (500, 500), cell_radius=12.0, random_state=1)
    detector = fit_detector(12.0, n_jobs=2)
    with tempfile.TemporaryDirectory() as folder:
        large = np.memmap(Path(folder, "large"), np.uint8, "w+", shape=(side, side))
        for top in range(0, side, 500):
            height = min(500, side - top)
            large[top : top + height] = np.resize(image[:height].T, (side, height)).T
        large.flush()
        with Peak() as peak:
            detector.predict([large])
        del large
    more = f"{peak.largest - peak.before:.0f}"
    what = f"memory of predict over an image of {side} x {side}, 2 threads (MB)"
    yield what, "-", more, "-", "1000"


def growth(quick):
    """Yield the cost of training when images grow and clicks do not."""
    side = 200 if quick else 600
    taken = []
    for factor in (1, 10):
        shape = (side, side * factor)
        images, points = make_brightfield(1, shape, cell_radius=12, random_state=0)
        clicks = [points[0][:20]]
        steps = 2 if quick else 100
        detector = HeatmapDetector(12, max_steps=steps, n_jobs=1, random_state=0)
        taken.append(seconds(lambda d=detector: d.fit(images, clicks)))  # noqa: B023
    yield (
        "fit of one net on an image ten times as large, same clicks (s)",
        f"{taken[0]:.1f}",
        f"{taken[1]:.1f}",
        f"{taken[1] / taken[0]:.1f}",
        "flat, but for the search",
    )


def whole_fit(quick):
    """Yield the whole fit against some steps of the published protocol."""
    side, n_images, n_cells, crop = (128, 2, 8, 32)
    if not quick:
        side, n_images, n_cells, crop = (1010, IMAGES, 96, 256)
    images, points = make_brightfield(
        n_images, (side, side), n_cells=n_cells, cell_radius=12, random_state=0
    )
    clicks = drop_points(points, fraction=0.1, random_state=0)
    parameters = {"max_iter": 0, "detector": HeatmapDetector(n_nets=2, max_steps=3)}
    detector = PseudoLabelCellDetector(
        12, n_jobs=1, random_state=0, **(parameters if quick else {"max_iter": 2})
    )
    ours = seconds(lambda: detector.fit(images, clicks))
    net = published_net()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    batch = torch.rand(2, 1, crop, crop)

    def step():
        optimizer.zero_grad()
        net(batch).square().mean().backward()
        optimizer.step()

    # Part of a batch of whole images: faster a pixel, as it is nearer to the caches.
    n_pixels = EPOCHS * SEEDS * ROUNDS * n_images * side**2
    published = seconds(step, 2) / (2 * crop**2) * n_pixels
    yield (
        f"fit, {n_images} images of {side} x {side}, {sum(map(len, clicks))} clicks "
        "(s); the published training, from timed steps",
        f"{published:.0f} ({published / 3600:.0f} h)",
        f"{ours:.0f}",
        f"{published / ours:.0f}",
        "1000",
    )


if __name__ == "__main__":
    main()

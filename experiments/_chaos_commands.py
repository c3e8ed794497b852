"""The commands that chaos.py breaks, what they work on, and what they leave."""

import json
import os
import random
import re
import shutil
import signal
import threading
import zipfile
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jinja2  # noqa: F401
import matplotlib.pyplot  # noqa: F401
import pandas as pd
import requests  # noqa: F401
from PIL import Image

from pseudocell import HeatmapDetector, PseudoLabelCellDetector
from pseudocell.baselines import BlobDetector
from pseudocell.benchmark import read_set, run_benchmark
from pseudocell.cli import (
    _benchmark,  # noqa: F401
    _convert,  # noqa: F401
    _evaluate,  # noqa: F401
    _fit,
    _predict,  # noqa: F401
    main,
)
from pseudocell.datasets import make_brightfield
from pseudocell.datasets._download import download_folder
from pseudocell.io._archive import read_archive

__all__ = ["Command", "kill_worker", "make_commands", "outputs"]

N_IMAGES = 6
ONE_THREAD = ["--n-jobs", "1", "--device", "cpu"]
# What an output says of the time that it took, or of the moment.
MOMENT = re.compile(r"second|made|machine|_cpu")


@dataclass(frozen=True)
class Command:
    """A command and where its output lies.

    Attributes
    ----------
    name : str
        For the table.
    run : callable
        Called with the path of its output, in a process of its own.
    target : str
        Name of the output in its folder; "" if it is the folder.
    """

    name: str
    run: object
    target: str = ""


def make_commands(folder):
    """Write what the commands read, and return them.

    Parameters
    ----------
    folder : pathlib.Path
        An empty folder.

    Returns
    -------
    commands : list of Command
        ``fit`` first: the others need the model that it writes in `folder`.
    """
    _draw_inputs(folder)
    images, model = str(folder / "images"), str(folder / "model.pseudocell")
    clicks, truth = str(folder / "clicks.csv"), str(folder / "truth.csv")
    few = ["--cell-radius", "6", "--max-iter", "0", *ONE_THREAD]
    fit = ["fit", images, "-p", clicks, *few]
    predict = ["predict", images, "-m", model, *ONE_THREAD]
    evaluate = ["evaluate", "-p", truth, "-t", truth, "-d", "3"]
    benchmark = ["benchmark", "-s", f"made={folder / 'set'}:6", "-m", "blob"]
    benchmark += ["--share", "0.1,0.3,0.5", "--device", "cpu"]
    url = _serve(folder / "served")
    return [
        Command("fit", partial(_call, fit), "model.pseudocell"),
        Command("predict", partial(_call, predict)),
        Command("evaluate", partial(_call, evaluate), "scores.csv"),
        Command("convert", partial(_convert_to, [truth, "-f", "napari"])),
        Command("benchmark", partial(_call, benchmark)),
        Command("fetch", partial(_fetch, f"{url}/cells.zip")),
        Command("joblib", partial(_run_on, folder / "set", "loky")),
        Command("dask", partial(_run_on, folder / "set", "dask")),
    ]


def _call(arguments, output):
    _fit.new_detector = _few_steps
    main([*arguments, "-o", str(output)], prog_name="pseudocell")


def _convert_to(arguments, output):
    main(["convert", arguments[0], str(output), *arguments[1:]], prog_name="pseudocell")


def _few_steps(**parameters):
    """Make the detector of `fit`, trained as briefly as the moments allow."""
    detector = HeatmapDetector(max_steps=10)
    return PseudoLabelCellDetector(detector=detector, **parameters)


def _fetch(url, output):
    download_folder(url, output, "cells")


def _run_on(folder, backend, output):
    """Run a benchmark on two workers of joblib or Dask, as a script of a user does."""
    from joblib import parallel_config

    shares = (0.1, 0.2, 0.3, 0.4, 0.5, 1.0)
    run = partial(
        run_benchmark, [read_set(folder, 6, name="made")], {"blob": _blob}, device="cpu"
    )
    if backend == "loky":
        run(shares=shares, output=output, n_jobs=2)
        return
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=0
        ) as cluster,
        Client(cluster),
        parallel_config(backend="dask"),
    ):
        run(shares=shares, output=output, n_jobs=-1)


def _blob(cell_radius, seed):
    return BlobDetector(cell_radius)


def _draw_inputs(folder):
    """Write images, clicks on some of their cells, all of them, a set, an archive."""
    images, points = make_brightfield(N_IMAGES, (64, 64), n_cells=5, random_state=0)
    (folder / "images").mkdir()
    clicks, truth = ["image,row,col"], ["image,row,col"]
    for number, (image, some) in enumerate(zip(images, points, strict=True)):
        pixels = (255 * (image - image.min()) / (image.max() - image.min())).round()
        Image.fromarray(pixels.astype("uint8")).save(folder / f"images/{number}.png")
        rows = [f"{number}.png,{row:.2f},{col:.2f}" for row, col in some]
        clicks += rows[:3]
        truth += rows
    (folder / "clicks.csv").write_text("\n".join(clicks))
    (folder / "truth.csv").write_text("\n".join(truth))
    for part in ("train", "test"):
        shutil.copytree(folder / "images", folder / "set" / part / "images")
        shutil.copy(folder / "truth.csv", folder / "set" / part / "points.csv")
    shutil.copy(folder / "clicks.csv", folder / "set" / "train" / "clicks.csv")
    (folder / "served").mkdir()
    noise = random.Random(0)
    with zipfile.ZipFile(folder / "served" / "cells.zip", "w") as archive:
        for number in range(30):
            archive.writestr(f"cells/{number}.bin", noise.randbytes(300_000))


def _serve(folder):
    """Serve a folder on this machine; return its address."""

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=folder)

        def log_message(self, *_):
            pass

        def copyfile(self, source, outputfile):
            try:
                super().copyfile(source, outputfile)
            except ConnectionError:  # whoever asked is no more
                pass

    os.environ["NO_PROXY"] = "127.0.0.1"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def outputs(folder):
    """Return what each file of a folder says, apart from the time that it took.

    Parameters
    ----------
    folder : pathlib.Path
        Of the outputs.

    Returns
    -------
    found : dict of str to object
        By path; two are equal if they say the same.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.suffix == ".pseudocell":
            found[name] = read_archive(path)[1]
        elif path.name == "results.csv":
            table = pd.read_csv(path)
            found[name] = table[[c for c in table if not MOMENT.search(c)]].to_csv()
        elif path.suffix == ".json":
            record = json.loads(path.read_text())
            found[name] = {k: v for k, v in record.items() if not MOMENT.search(k)}
        elif path.name == "index.html":
            found[name] = path.read_text().rstrip().endswith("</html>")
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


def _find_workers(process):
    """Return the numbers of the processes that work for another one.

    Parameters
    ----------
    process : int
        Its number.

    Returns
    -------
    workers : list of int
        Its children and theirs, but for those that only watch.
    """
    parents, names = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            number = int(stat.parent.name)
            parents[number] = int(stat.read_text().rpartition(")")[2].split()[1])
            names[number] = (stat.parent / "cmdline").read_text()
        except OSError:
            continue
    found, new = [], [process]
    while new:
        new = [child for child, parent in parents.items() if parent in new]
        found += new
    return [one for one in found if "tracker" not in names[one]]


def kill_worker(process, generator):
    """Kill a process that works for another one, if there is any.

    Parameters
    ----------
    process : int
        Number of the other one.
    generator : random.Random
        Which.
    """
    workers = _find_workers(process)
    if workers:
        try:
            os.kill(generator.choice(workers), signal.SIGKILL)
        except ProcessLookupError:
            pass

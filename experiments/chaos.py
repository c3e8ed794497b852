"""Break commands at random moments, run them again, and compare with unbroken runs.

    python experiments/chaos.py --trials 20

Each command is stopped by a signal, by a full disk (a limit on the size of a file), or
by its folder being taken away, and called again. Afterwards the outputs must be those
of an unbroken run, without a half or left-over file at any time. Prints a table of
counts, and exits with 1 if anything was lost. For POSIX; each command runs in a fork,
so that the moments fall into its work and not into the imports.
"""

import argparse
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from pseudocell import HeatmapDetector, PseudoLabelCellDetector
from pseudocell.cli import _evaluate, _fit, _predict, main  # noqa: F401
from pseudocell.datasets import make_brightfield
from pseudocell.io._archive import read_archive

N_IMAGES = 6
ONE_THREAD = ["--n-jobs", "1", "--device", "cpu"]
EVENTS = ("SIGKILL", "SIGTERM", "SIGINT", "full disk", "taken away")
# The exit codes that an event may lead to; 0 where it came too late to matter.
CODES = {
    "SIGKILL": {0, -signal.SIGKILL},
    "SIGTERM": {0, -signal.SIGTERM},
    "SIGINT": {0, 130},
    "full disk": {0, 2},
    "taken away": {0, 2},
}


def few_steps(**parameters):
    """Make the detector of `fit`, trained as briefly as the moments allow."""
    detector = HeatmapDetector(max_steps=10)
    return PseudoLabelCellDetector(detector=detector, **parameters)


def draw_inputs(folder):
    """Write images, clicks on some of their cells, and all of them."""
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


def commands(folder):
    """Return the arguments of each command but for the output, and its name there."""
    images, model = str(folder / "images"), str(folder / "model.pseudocell")
    clicks, truth = str(folder / "clicks.csv"), str(folder / "truth.csv")
    few = ["--cell-radius", "6", "--max-iter", "0", *ONE_THREAD]
    return {
        "fit": (["fit", images, "-p", clicks, *few], "model.pseudocell"),
        "predict": (["predict", images, "-m", model, *ONE_THREAD], ""),
        "evaluate": (["evaluate", "-p", truth, "-t", truth, "-d", "3"], "scores.csv"),
    }


def start(arguments, limit=None):
    """Run a command in a fork; return its process and a pipe of what it writes."""
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    code = 1
    try:
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        _fit.new_detector = few_steps
        main(arguments, prog_name="pseudocell")
    except SystemExit as done:
        code = done.code
    except KeyboardInterrupt:  # before or after the command
        code = 130
    finally:
        os._exit(code or 0)


def wait(process, reading):
    """Return the exit code of a process, negative for a signal, and what it wrote."""
    with open(reading, errors="replace") as pipe:
        text = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), text


def outputs(folder):
    """Return what each file of a folder says, apart from the time that it took."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".pseudocell":
            found[path.name] = read_archive(path)[1]
        elif path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def find_halves(folder, whole):
    """Name the files that are neither whole nor tables of the images done so far."""
    bad = []
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_dir() or path.name.startswith(".pseudocell-"):
            continue
        if path.name == "found.jsonl":  # its last line may be half: it is cut off
            continue
        if path.suffix == ".csv":
            lines = path.read_bytes().splitlines(keepends=True)
            is_good = set(lines) <= set(whole[name].splitlines(keepends=True))
            is_good &= len(lines) == len(set(lines)) and bool(lines)
        else:
            is_good = outputs(path.parent)[path.name] == whole.get(name)
        if not is_good:
            bad.append(f"half: {name}")
    return bad


def try_once(arguments, target, work, event, unbroken, generator):
    """Break one run, run it again; return whether it was hit, and what went wrong."""
    seconds, whole = unbroken
    folder = work / "out"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    arguments = [*arguments, "-o", str(folder / target)]
    largest = max(map(len, whole.values())) if target != "model.pseudocell" else 10_000
    limit = generator.randrange(1, largest) if event == "full disk" else None
    process, reading = start(arguments, limit)
    if event != "full disk":
        time.sleep(generator.uniform(0, seconds))
    if event == "taken away":
        folder.rename(work / f"gone{process}")
    elif event != "full disk":
        os.kill(process, getattr(signal, event))
    code, text = wait(process, reading)
    lost = [] if code in CODES[event] else [f"exit {code}: {text[-300:]}"]
    if "Traceback" in text:
        lost.append(f"a traceback: {text[-300:]}")
    if folder.exists():
        lost += find_halves(folder, whole)
    again, text = wait(*start(arguments))
    if again:
        lost.append(f"exit {again} of the second run: {text[-300:]}")
    elif (now := outputs(folder)) != whole:
        differ = {k for k in {*now, *whole} if now.get(k) != whole.get(k)}
        lost.append(f"differs: {sorted(differ)}")
    return code != 0, lost


def run(n_trials, seed):
    """Try all events on all commands; print a table and return the number lost."""
    generator = random.Random(seed)
    n_lost = 0
    print("| command | event | tried | broken off | survived | lost |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        draw_inputs(work)
        for command, (arguments, target) in commands(work).items():
            folder = work / f"whole-{command}"
            folder.mkdir()
            began = time.monotonic()
            code, text = wait(*start([*arguments, "-o", str(folder / target)]))
            if code:
                raise RuntimeError(text)
            unbroken = time.monotonic() - began, outputs(folder)
            if command == "fit":
                shutil.copy(folder / target, work / target)
            for event in EVENTS:
                trials = [
                    try_once(arguments, target, work, event, unbroken, generator)
                    for _ in range(n_trials)
                ]
                hit = sum(was_hit for was_hit, _ in trials)
                faults = [lost for _, lost in trials if lost]
                n_lost += len(faults)
                counts = (
                    f"{n_trials} | {hit} | {n_trials - len(faults)} | {len(faults)}"
                )
                print(f"| {command} | {event} | {counts} |", flush=True)
                for lost in faults:
                    print("\n".join(lost), file=sys.stderr)
    return n_lost


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=20, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="one trial of each kind")
    given = parser.parse_args()
    sys.exit(run(1 if given.quick else given.trials, given.seed) > 0)

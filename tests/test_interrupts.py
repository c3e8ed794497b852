"""An error or Ctrl-C ends a fit at once, on any number of threads, and leaves nothing.

Each case is a process of its own: what a thread left behind does to the interpreter
shows in the exit status alone.
"""

import os
import subprocess
import sys

import pytest
from PIL import Image

from pseudocell.datasets import make_brightfield

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

# The nets are trained for many more steps than the one that is broken.
BROKEN = """
import os, signal, sys, threading
# A shell starts what runs in the background deaf to Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
from pseudocell import _skorch
how, n_jobs, *arguments = sys.argv[1:]
take_step = _skorch._Batches.__getitem__
broken = []
def break_at_a_step(batches, step):
    if step == 5 and not broken:
        broken.append(step)
        if how == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
        else:
            raise KeyError("broken")
    return take_step(batches, step)
_skorch._Batches.__getitem__ = break_at_a_step
"""

FIT = """
from pseudocell import PseudoLabelCellDetector
from pseudocell.datasets import make_brightfield
images, points = make_brightfield(2, (64, 64), n_cells=8, random_state=0)
detector = PseudoLabelCellDetector(cell_radius=6, n_jobs=int(n_jobs), random_state=0)
try:
    detector.fit(images, points)
except BaseException as error:
    print(type(error).__name__, threading.active_count(), hasattr(detector, "nets_"))
"""

COMMAND = """
from pseudocell.cli import main
main(["fit", *arguments, "--cell-radius", "6", "--n-jobs", n_jobs])
"""


def run(code, *arguments):
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        BROKEN + code,
        *map(str, arguments),
    ]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False
    )


# An interrupt on two threads is that of the command, below.
@pytest.mark.parametrize(
    ("how", "n_jobs", "error"),
    [("interrupt", 1, "KeyboardInterrupt"), ("error", 2, "KeyError")],
)
def test_a_broken_fit_raises_and_leaves_no_thread(how, n_jobs, error):
    result = run(FIT, how, n_jobs)
    assert result.stdout.split() == [error, "1", "False"], result
    assert (result.returncode, result.stderr) == (0, "")


def test_ctrl_c_in_the_command_saves_nothing(tmp_path):
    images, _ = make_brightfield(1, (64, 64), n_cells=8, random_state=0)
    Image.fromarray((images[0] * 255).clip(0, 255).astype("u1")).save(
        tmp_path / "a.png"
    )
    (tmp_path / "clicks.csv").write_text("image,row,col\na,30,30\na,12,50\n")
    before = set(os.listdir(tmp_path))
    model = tmp_path / "model.pseudocell"
    result = run(
        COMMAND, "interrupt", 2, tmp_path, "-p", tmp_path / "clicks.csv", "-o", model
    )
    assert result.returncode == 130, result
    assert result.stderr.splitlines()[-1] == (
        "pseudocell: Stopped before the training was finished; "
        f"{model} was not written."
    ), result
    assert "Traceback" not in result.stderr
    assert set(os.listdir(tmp_path)) == before

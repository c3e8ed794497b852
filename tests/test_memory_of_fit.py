"""The benchmark of memory: that its rows can still be measured."""

import importlib.util
import time
from argparse import Namespace
from pathlib import Path

import pytest

pytest.importorskip("psutil", reason="needs psutil, which comes with dask[distributed]")

SCRIPT = Path(__file__).parents[1] / "experiments" / "memory_of_fit.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("memory_of_fit", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.filterwarnings("ignore:No pseudo label could be chosen")
@pytest.mark.parametrize("what", ["fit", "predict"])
def test_row_is_measured(script, what):
    options = Namespace(size=80, cell_radius=8, steps=2, rounds=1, max_search=0.02)
    row = script.measure(what, 5, options)
    assert row.keys() == {"before", "peak", "seconds", "cpu"}
    assert row["peak"] >= row["before"] > 0


def test_images_are_drawn_when_touched_and_clicks_are_on_the_first(script):
    images, clicks = script.draw(6, 80, 8)
    assert [len(points) > 0 for points in clicks] == [True] * 4 + [False] * 2
    assert {image.shape for image in images} == {(80, 80)}
    shifted = [image.__array__() for image in images[:2]]
    assert (shifted[1][:, 7:] == shifted[0][:, :-7]).all()
    assert (shifted[1] != shifted[0]).any()


def test_peak_is_seen_while_memory_is_held(script):
    with script.Peak() as peak:
        held = bytearray(50 * 2**20)
        held[:: 2**12] = b"x" * len(held[:: 2**12])
        until = time.monotonic() + 10
        while peak.largest < peak.before + 40 and time.monotonic() < until:
            time.sleep(0.01)
    assert peak.largest >= peak.before + 40

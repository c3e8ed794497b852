"""The scripts of the folder benchmarks run; what they measure is not for tests."""

import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "speed.py"


def test_speed_prints_a_number_in_every_row():
    done = subprocess.run(
        [sys.executable, "-W", "error", SCRIPT, "--quick"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    whats = [row.split(" | ")[0] for row in rows[1:]]
    starts = ["arith", *["predict"] * 4, "import", "matching", "memory", "fit", "fit"]
    assert len(whats) == len(starts)
    for what, start in zip(whats, starts, strict=True):
        assert what.startswith(f"| {start}")
    for row in rows[1:]:
        assert row.count(" | ") == 4
        assert re.search(r"\d", row.split(" | ")[2])

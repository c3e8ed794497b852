"""Commands that are broken off and called again end as if nothing had happened."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "experiments" / "chaos.py"


@pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")
def test_a_sample_of_broken_runs_loses_nothing():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", SCRIPT, "--quick"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line for line in done.stdout.splitlines() if line.endswith(" | 1 | 0 |")]
    assert len(rows) == 12  # 6 commands, 2 events each: 1 survived, 0 lost

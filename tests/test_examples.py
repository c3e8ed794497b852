"""The quickest examples run from start to end; `make docs` runs them all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
QUICK = ["01_a_few_clicks", "09_parts_in_a_pipeline", "10_a_net_of_ones_own"]


@pytest.mark.parametrize("name", QUICK)
def test_example_runs_without_a_warning(name, tmp_path):
    done = subprocess.run(
        # There is no window here to show figures in.
        [sys.executable, "-W", "error", "-W", "ignore:FigureCanvasAgg"]
        + [EXAMPLES / f"{name}.py"],
        env={**os.environ, "MPLBACKEND": "agg"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

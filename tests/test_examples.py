"""The examples run from start to end; test_cluster.py runs the one on a cluster."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.parametrize(
    "path",
    [path for path in EXAMPLES if "cluster" not in path.name],
    ids=lambda p: p.stem,
)
def test_example_runs_without_a_warning(path, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "F1" in done.stdout

"""Importing the package is cheap, and it exports what it says."""

import subprocess
import sys

import pytest

import pseudocell

HEAVY = ["matplotlib", "torch", "skorch", "sklearn", "skimage"]


def loaded_after(code, names):
    """Run code in a fresh interpreter; return which of the modules it loaded."""
    report = f"import sys; print([n for n in {names} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{code}\n{report}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("module", ["pseudocell", "pseudocell.cli"])
def test_import_loads_nothing_heavy(module):
    assert loaded_after(f"import {module}", HEAVY) == "[]"


def test_estimators_do_not_load_matplotlib():
    code = "import pseudocell\nfor n in pseudocell.__all__: getattr(pseudocell, n)"
    assert loaded_after(code, ["matplotlib", "torch"]) == "['torch']"


def test_every_public_name_is_there():
    assert "PseudoLabelCellDetector" in pseudocell.__all__
    for name in pseudocell.__all__:
        public = getattr(pseudocell, name)
        assert public.__name__ == name
        assert public.__doc__
        assert name in dir(pseudocell)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="CellFinder"):
        _ = pseudocell.CellFinder

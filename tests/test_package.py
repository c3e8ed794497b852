"""Importing the package is cheap, and it exports what it says."""

import importlib
import inspect
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


def test_a_script_beside_the_clone_imports_the_package(tmp_path):
    """A folder of its name there, as a clone is, is no package."""
    (tmp_path / "pseudocell").mkdir()
    script = tmp_path / "script.py"
    script.write_text("import pseudocell; print(pseudocell.__version__)")
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == pseudocell.__version__, done.stderr


@pytest.mark.parametrize("name", ["metrics", "model_selection", "plotting"])
def test_public_signatures_are_annotated(name):
    """So that editors and type checkers know them; mypy holds the code to them."""
    module = importlib.import_module(f"pseudocell.{name}")
    bare = []
    for public in module.__all__:
        value = getattr(module, public)
        methods = vars(value).values() if inspect.isclass(value) else [value]
        for function in filter(inspect.isfunction, methods):
            own = function.__name__
            if own.startswith("_") and own != "__init__":
                continue
            signature = inspect.signature(function)
            hints = [p.annotation for p in signature.parameters.values()]
            hints = hints[1:] if inspect.isclass(value) else hints
            if own != "__init__":
                hints.append(signature.return_annotation)
            if inspect.Signature.empty in hints:
                bare.append(f"{public}: {own}")
    assert bare == []

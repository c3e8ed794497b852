"""docs/paper.md: no row without a test that exists."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "paper.md").read_text(encoding="utf-8")
ROWS = [
    line
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.endswith("| test |")
]


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_each_row_names_a_test_that_is_there(row):
    named = re.search(r"`(\w+)::(\w+)` \|$", row)
    assert named, row
    file, name = named.groups()
    tree = ast.parse((TESTS / f"{file}.py").read_text(encoding="utf-8"))
    functions = {x.name for x in tree.body if isinstance(x, ast.FunctionDef)}
    assert name in functions


def test_each_departure_has_a_row():
    tree = ast.parse((TESTS / "test_paper_recipe.py").read_text(encoding="utf-8"))
    for each in tree.body:
        if getattr(each, "name", "").startswith("test_departure"):
            assert f"`test_paper_recipe::{each.name}`" in PAGE

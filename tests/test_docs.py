"""The pages hold together: links, the reference, the tables of contents."""

import importlib
import inspect
import re
import runpy
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
REFERENCE = (DOCS / "reference.md").read_text(encoding="utf-8")
MODULES = re.findall(r"^## (pseudocell\S*)", REFERENCE, flags=re.M)


def prose(path):
    """A page without its blocks of code, in which brackets are no links."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"^( *)(`{3,}).*?^ *\2$", "", text, flags=re.M | re.S)


def anchors(path):
    """The ids of the headings of a page, as MyST and code hosts make them."""
    for heading in re.findall(r"^#+ +(.+)$", prose(path), flags=re.M):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def public_names(module):
    held = importlib.import_module(module)
    return [(name, getattr(held, name)) for name in sorted(held.__all__)]


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "README.md", ROOT / "experiments/README.md"], ids=str
)
def test_links_lead_somewhere(page):
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"\w+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_is_in_a_table_of_contents():
    blocks = re.findall(r"^```\{toctree\}\n(.*?)^```", everything(), re.M | re.S)
    entries = [line for line in "\n".join(blocks).splitlines() if line]
    lost = [
        page.stem
        for page in PAGES
        if page.stem != "index" and not any(fnmatch(page.stem, e) for e in entries)
    ]
    assert lost == []


def everything():
    return "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def test_every_public_module_is_in_the_reference():
    found = {"pseudocell"}
    for path in (ROOT / "pseudocell").iterdir():
        if path.suffix == ".py" or (path / "__init__.py").exists():
            if not path.stem.startswith("_"):
                found.add(f"pseudocell.{path.stem}")
    assert found - {"pseudocell.cli"} == set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_in_the_reference(module):
    section = re.search(rf"^## {module}$(.*?)(?=^## |\Z)", REFERENCE, re.M | re.S)[1]
    listed = set(re.findall(r"^   ([a-z_A-Z0-9]+)$", section, flags=re.M))
    listed |= set(re.findall(r"`(\w+)`", section))
    assert [n for n, _ in public_names(module) if n not in listed] == []


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_an_example(module):
    bare = [
        name
        for name, value in public_names(module)
        if callable(value) and "\nExamples\n---" not in inspect.getdoc(value)
    ]
    assert bare == []


def test_the_settings_of_the_site_can_be_read():
    settings = runpy.run_path(str(DOCS / "conf.py"))
    assert set(settings["sphinx_gallery_conf"]["doc_module"]) == {"pseudocell"}

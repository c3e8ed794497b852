"""The site: Sphinx makes the pages of this folder, and of examples/ a gallery."""

import importlib
import logging
import re

project = "pseudocell"
copyright = "pseudocell developers, BSD-3-Clause"
release = importlib.import_module("pseudocell").__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4

# In docstrings a name between single quotes is one of code.
default_role = "py:obj"
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "pseudocell"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"index": []}
html_theme_options = {
    "logo": {"text": "pseudocell"},
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py",
    "within_subsection_order": "FileNameSortKey",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("pseudocell",),
    "download_all_examples": False,
    "write_computation_times": False,
    "remove_config_comments": True,
    "show_signature": False,
}

# What scikit-learn adds to every estimator, and fields whose class describes them.
NOT_OURS = re.compile(r"set_\w+_request|set_output|get_metadata_routing")


def skip_member(app, what, name, member, skip, options):
    """Leave out what would stand on every page."""
    return True if NOT_OURS.fullmatch(name) else None


def link_examples(app, docname, source):
    """Lead from a page to the gallery, where the source leads to the script."""
    source[0] = re.sub(
        r"\]\(\.\./examples/(\w+)\.py\)", r"](gallery/\1.rst)", source[0]
    )


def setup(app):
    """Tell Sphinx what is above."""
    # Tables of contents have patterns for pages that may not be written yet.
    logging.getLogger("sphinx.sphinx.directives.other").addFilter(
        lambda record: "glob pattern" not in record.getMessage()
    )
    app.connect("autodoc-skip-member", skip_member)
    app.connect("source-read", link_examples)

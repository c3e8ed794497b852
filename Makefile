# Needs Python 3.10 or later with venv, and nothing else. The first run downloads about
# 500 MB into a virtual environment here; later runs need no network.
#
#   make demo    synthetic images, the whole method, results in ./demo
#   make test    the tests; installs what they need on top
#   make lint    style, layers, types, docstrings, spelling
#   make docs    the site, in docs/_build/html; its gallery runs for some minutes
#   make test-napari   the plugin, by clicks in a window of its own (Python 3.11 or later)
#   make dist    wheel and sdist in ./dist, checked
#   make clean   remove all that make has made
#
# Another interpreter, in an environment of its own: make test PYTHON=python3.12

PYTHON ?= python3
VENV ?= .venv$(patsubst %,-%,$(filter-out python3,$(notdir $(PYTHON))))
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet install

# For machines without an NVIDIA GPU.
TORCH_CPU = torch==2.13.0+cpu
TORCH_CPU_INDEX = https://download.pytorch.org/whl/cpu

# What users read in the reference: its docstrings are validated parameter by parameter.
DOCUMENTED = $(addprefix pseudocell/,_detection/_detector.py _ranking/_extractor.py \
    _ranking/_featurizer.py _pseudo_label.py _ranking/_published_ranker.py _ranking/_ranker.py _ranking/_selector.py metrics.py datasets/_annotation.py \
    datasets/_click_bias.py \
    datasets/_synthetic.py datasets/_looks.py datasets/_conditions.py \
    datasets/_bbbc039.py datasets/_c2c12.py datasets/_cell_tracking.py \
    datasets/_detection_set.py datasets/_download.py datasets/_splits.py baselines/_blob.py baselines/_pu_detector.py \
    baselines/_reconstruction.py baselines/_tuned_threshold.py benchmark/_run.py \
    benchmark/_sets.py benchmark/_methods.py benchmark/_page.py \
    benchmark/_leave_one_out.py \
    model_selection/_folded_list.py model_selection/_scorers.py \
    model_selection/_splits.py model_selection/_split_tiles.py \
    estimator_checks/_public.py)

# The plugin has an environment of its own, as napari brings much that the rest must not need.
NAPARI = .venv-napari
# What Qt and a screen that nobody sees need on Debian and Ubuntu.
SCREEN = xvfb libdbus-1-3 libegl1 libfontconfig1 libgl1 libgl1-mesa-dri libopengl0 \
    libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 \
    libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1 libxkbcommon-x11-0

.PHONY: demo test test-napari lint dist docs linkcheck clean

demo: $(VENV)/.installed
	$(BIN)/pseudocell demo

test: $(VENV)/.ready
	$(BIN)/python -m pytest

test-napari:
	@if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
	    echo "The tests of the plugin are left out: napari needs Python 3.11 or later."; \
	elif ! $(MAKE) --no-print-directory screen; then \
	    echo "The tests of the plugin are left out: there is no screen, and Xvfb" \
	        "cannot be installed here (Debian: apt-get install $(SCREEN))."; \
	else \
	    $(MAKE) --no-print-directory $(NAPARI)/.ready && \
	    $(NAPARI)/bin/npe2 validate pseudocell && \
	    $(NAPARI)/bin/python -m pytest -c tests/napari_plugin/pytest.ini tests/napari_plugin; \
	fi

.PHONY: screen
screen:
	@test -n "$$DISPLAY" || \
	{ command -v Xvfb && dpkg -s $(SCREEN); } >/dev/null 2>&1 || \
	{ command -v apt-get >/dev/null && test "$$(id -u)" = 0 && apt-get -q update && \
	    apt-get -q install -y --no-install-recommends $(SCREEN); }

$(NAPARI)/.ready: setup.cfg
	test -x $(NAPARI)/bin/pip || $(PYTHON) -m venv $(NAPARI)
	$(NAPARI)/bin/python -m pip --disable-pip-version-check install 'setuptools>=70.1'
	@$(NAPARI)/bin/python -c 'import torch' 2>/dev/null || \
	    $(MAKE) --no-print-directory torch VENV=$(NAPARI)
	$(NAPARI)/bin/python -m pip --disable-pip-version-check install \
	    --no-build-isolation --editable '.[test-napari]'
	@touch $@

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/numpydoc lint $(DOCUMENTED)
	$(BIN)/codespell

# Links inside of the site are checked, too: a warning is an error.
docs: $(VENV)/.ready
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html

# Links out of the site; needs a network.
linkcheck: $(VENV)/.ready
	$(BIN)/python -m sphinx -q -D plot_gallery=0 -b linkcheck docs docs/_build/linkcheck

dist: $(VENV)/.ready
	@rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl
	@ls -l dist

clean:
	rm -rf docs/_build docs/gallery docs/generated
	rm -rf .venv .venv-* demo build dist *.egg-info
	rm -rf .pytest_cache .ruff_cache .mypy_cache .import_linter_cache
	find pseudocell tests examples -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are written last: an interrupted setup goes on where it stopped. The first
# is for users, the second for those who work on the package. setuptools is in the
# environment, so that building the package fetches nothing of its own.
$(VENV)/.installed: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	{ echo "$(PYTHON) is missing or older than 3.10; name another one, for example" \
	    "make PYTHON=python3.12 test" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(PIP) 'setuptools>=70.1'
	@$(BIN)/python -c 'import torch' 2>/dev/null || $(MAKE) --no-print-directory torch
	@echo "Installing pseudocell into $(VENV)"
	@$(PIP) --no-build-isolation --editable .
	@touch $@

$(VENV)/.ready: $(VENV)/.installed
	@echo "Installing what tests and checks need into $(VENV)"
	@$(PIP) --no-build-isolation --editable '.[dev]'
	@touch $@

# PyTorch's default build for Linux brings gigabytes of CUDA, so it is taken only where
# a GPU can use it. A configured package index may hold the CPU build; PyTorch's own does.
.PHONY: torch
torch:
	@if [ "$$(uname -s)" = Darwin ] || nvidia-smi -L >/dev/null 2>&1; then \
	    echo "Installing PyTorch into $(VENV)"; $(PIP) 'torch>=2.4'; \
	else \
	    echo "Installing PyTorch for the processor (no NVIDIA GPU found) into $(VENV)"; \
	    $(PIP) $(TORCH_CPU) 2>/dev/null || \
	    $(PIP) $(TORCH_CPU) --index-url $(TORCH_CPU_INDEX) || \
	    { echo "No CPU build of PyTorch to be had here. Install one with" \
	        "'$(BIN)/pip install torch ...' and run make again." >&2; exit 1; }; \
	fi

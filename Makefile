# Needs Python 3.10 or later with venv, and nothing else. The first run downloads about
# 500 MB into a virtual environment here; later runs need no network.
#
#   make demo    synthetic images, the whole method, results in ./demo
#   make test    the tests; installs what they need on top
#   make lint    style, layers, types, docstrings, spelling
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
    _ranking/_featurizer.py _pseudo_label.py _ranking/_ranker.py _ranking/_selector.py metrics.py datasets/_annotation.py \
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

.PHONY: demo test lint dist clean

demo: $(VENV)/.installed
	$(BIN)/pseudocell demo

test: $(VENV)/.ready
	$(BIN)/python -m pytest

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/numpydoc lint $(DOCUMENTED)
	$(BIN)/codespell

dist: $(VENV)/.ready
	@rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl
	@ls -l dist

clean:
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

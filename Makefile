# Every target makes what it needs: the virtual environment, and in it the exact versions of
# constraints.txt. Nothing has to be there but Python 3.11 (or later) with pip, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.otter-installed
SOURCES := otter minicloud tests bench tools docs/conf.py twisted/plugins setup.py
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# What the caller's shell says about other Pythons must not leak into ours.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONSAFEPATH PYTHONWARNINGS
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV PIP_CONSTRAINT
export PYTHONNOUSERSITE := 1

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup run test fuzz check fmt fmt-check lint types unit docs bench clean

help:  ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(READY)  ## make the virtual environment and install Otter in it

run: $(READY)  ## play the whole story on this machine, then stay up (STORY_ONLY=1: then stop)
	@$(BIN)/otter demo $(if $(filter-out 0 no false,$(STORY_ONLY)),--story-only)

test: $(READY)  ## run all tests
	@$(BIN)/python -m tests.run all

fuzz: $(READY)  ## search for inputs that break the API, for long
	@$(BIN)/python -m tests.fuzz

check: fmt-check lint types unit  ## everything a change must pass before review

fmt: $(READY)  ## format the code, and repair what the linter can repair
	@$(BIN)/ruff format $(wildcard $(SOURCES))
	@$(BIN)/ruff check --fix-only --quiet $(wildcard $(SOURCES))

fmt-check: $(READY)  ## is the code formatted?
	@$(BIN)/ruff format --check $(wildcard $(SOURCES))

lint: $(READY)  ## does the linter agree?
	@$(BIN)/ruff check $(wildcard $(SOURCES))

types: $(READY)  ## do the types agree?
	@$(BIN)/mypy

unit: $(READY)  ## run the tests that need no service
	@$(BIN)/python -m tests.run unit

docs: $(READY)  ## build the documentation into docs/_build/html, warnings are errors
	@$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: $(READY)  ## measure, and print ratios
	@$(BIN)/python -m bench

clean:  ## remove what the other targets made
	rm -rf $(VENV) build dist docs/_build otter.egg-info .mypy_cache .ruff_cache .hypothesis

# Without ensurepip (Debian keeps it in a package of its own) the pip beside $(PYTHON) puts itself
# into the environment.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Otter needs Python 3.11 or later; '$(PYTHON)' is not. Try: make PYTHON=python3.11 ..." >&2; \
		exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 || { \
		$(PYTHON) -m venv --clear --without-pip $(VENV) && \
		$(PYTHON) -m pip --python $(BIN)/python install --quiet pip; }

# Building in the environment itself, and not in one that pip would make and fill on its own, keeps
# setuptools at its exact version too and lets this work offline once everything is installed.
$(READY): $(BIN)/python setup.py pyproject.toml constraints.txt
	@echo "installing into $(VENV)"
	@$(PIP) install -c constraints.txt setuptools
	@$(PIP) install -c constraints.txt --no-build-isolation --editable '.[dev]'
	@touch $@

# `make` alone lists what it can do. Every target sets up what it needs; nothing outside this folder is touched.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help picture test test-all setup check lint budget types layers docs fix fuzz bench pictures flags gauges golden clean

PYTHON ?= python3
TORCH ?= torch==2.13.0
TORCH_FROM ?=
SEED ?= 0
GOLDEN ?= tests/golden
TARGET ?= prompt
SECONDS ?= 60
BIN := .venv/bin
# A file of tests to a process, a process to a core, a thread to a process: threads that share cores slow each other down.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -q -n auto --dist loadfile
PIP := $(BIN)/pip install --disable-pip-version-check

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' Makefile

picture: .venv/base.stamp ## Sixteen cats and dogs that never existed -> pets.png (others: make picture SEED=1)
	$(BIN)/inkwash paint --prompts-file examples/pets.txt --seed $(SEED) --sheet pets.png --overwrite

test: .venv/dev.stamp ## The test suite; offline, on the CPU
	$(PYTEST) -m "not slow and not gpu and not weights"

test-all: .venv/dev.stamp ## ... and the tests that take minutes
	$(PYTEST) -m "not gpu and not weights"

setup: .venv/dev.stamp ## Everything a developer needs, in .venv: once, and again when pyproject.toml changes

check: lint budget types layers test docs ## Everything CI runs, the quickest first

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

budget: .venv/dev.stamp
	$(BIN)/python tools/budget.py
	$(BIN)/python tools/release.py

types: .venv/dev.stamp
	$(BIN)/mypy

layers: .venv/dev.stamp
	$(BIN)/lint-imports --no-cache

fix: .venv/dev.stamp ## Format, and repair what can be repaired by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/dev.stamp ## The documentation -> site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: .venv/bench.stamp ## Speed beside diffusers -> benchmarks/results/ (20 minutes; let nothing else run)
	$(BIN)/python -m benchmarks

pictures: .venv/base.stamp ## Paint the pictures of the documentation anew
	$(BIN)/python tools/pictures.py

flags: .venv/dev.stamp ## The table of flags for completion scripts, after options have changed
	$(BIN)/python -m tools.flags

gauges: .venv/dev.stamp ## How long functions are, and other measures of the code
	$(BIN)/python tools/gauges.py

golden: .venv/dev.stamp ## Numbers of other implementations, computed anew: make golden GOLDEN=FOLDER
	$(BIN)/python -m tools.golden $(GOLDEN)

fuzz: .venv/dev.stamp ## Search for inputs that break a reader: make fuzz TARGET=gguf SECONDS=600 (pip install atheris)
	$(BIN)/python -m tools.fuzz $(TARGET) --seconds $(SECONDS)

clean: ## Forget the set-up and the caches; keep runs and pictures
	rm -rf .venv site .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	|| { echo "inkwash needs Python 3.11 or newer; say which: make PYTHON=python3.12 …"; exit 2; }
	$(PYTHON) -m venv .venv

# torch comes first and pinned, so that nothing below can choose another build of it.
.venv/base.stamp: pyproject.toml | $(BIN)/pip
	@echo "Setting up .venv; torch is large, and this happens once."
	$(PIP) "$(TORCH)" $(TORCH_FROM)
	$(PIP) --quiet -e .
	@touch $@

.venv/dev.stamp: .venv/base.stamp
	$(PIP) --quiet -e ".[dev]"
	@touch $@

.venv/bench.stamp: .venv/dev.stamp
	$(PIP) --quiet -e ".[bench]"
	@touch $@

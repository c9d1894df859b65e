# make demo    try it: installs into .venv and starts the demo
# make test    everything CI checks
# make check   the checks without the tests; each alone: lint, format-check, types, contracts
# make coverage-core  branch coverage of the modules that work out dates and plans, by their own tests
# make format  rewrite the code in the project's format
# make docs    write the generated pages anew
# make bench   benchmarks; they print ratios and are never part of the tests
# make clean   remove .venv, builds and caches
#
# Needs python3 (3.11 or newer) with venv. Versions come from constraints.txt; where packages come from is up to
# pip's own configuration.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST_ARGS ?= -n auto
DEMO_ARGS ?=
BENCH_ARGS ?=
SHELL_SCRIPTS := ajs/dispatch/agent.sh

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# One check after the other, in the order written, also under make -j.
.NOTPARALLEL:
.PHONY: help demo test check lint format-check types contracts pytest coverage coverage-core format docs bench clean

help:
	@sed -n 's/^# make /make /p' Makefile

# The stamps say when the environment was made and what was put in; they are older than what they depend on only
# when something has to be done again.
$(VENV)/.made: constraints.txt
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --constraint constraints.txt setuptools
	@touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml
	$(PIP) install --constraint constraints.txt --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(PIP) install --constraint constraints.txt --no-build-isolation --editable '.[holidays,test]'
	@touch $@

demo: $(VENV)/.installed
	$(BIN)/ajs demo $(DEMO_ARGS)

test: check pytest

check: lint format-check types contracts

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	@if command -v shellcheck > /dev/null; then echo shellcheck $(SHELL_SCRIPTS) && shellcheck $(SHELL_SCRIPTS); \
	else echo 'shellcheck is not installed: $(SHELL_SCRIPTS) is not checked'; fi

format-check: $(VENV)/.installed-test
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-test
	$(BIN)/mypy

contracts: $(VENV)/.installed-test
	$(BIN)/lint-imports

pytest: $(VENV)/.installed-test
	$(BIN)/pytest $(PYTEST_ARGS)

coverage: $(VENV)/.installed-test
	$(BIN)/pytest --cov --cov-report=term-missing $(PYTEST_ARGS)

coverage-core: $(VENV)/.installed-test
	$(BIN)/python -m tests.core_coverage

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: $(VENV)/.installed-test
	$(BIN)/python tests/regenerate_docs.py

bench: $(VENV)/.installed-test
	$(BIN)/python -m tests.bench $(BENCH_ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

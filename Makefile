# `make demo` and `make test` need only python3 (3.10 or later) and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# Tests compiled once are not compiled again by the next run.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test lint fmt types docs bench clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.installed ## seed the local sandbox from sample_project/
	@echo "== the sample's secret, into the local sandbox"
	@printf 'Sample-passw0rd' | $(BIN)/seedctl --local -C sample_project secret set seed-user-password
	@echo "== seedctl seed --local"
	@$(BIN)/seedctl --local -C sample_project seed

test: $(VENV)/.installed-dev ## run all tests; PYTEST_ARGS=... passes options to pytest
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --cov --cov-report=term $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev ## check the code and its format with ruff
	$(BIN)/ruff check
	$(BIN)/ruff format --check

fmt: $(VENV)/.installed-dev ## format the code and apply ruff's safe fixes
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: $(VENV)/.installed-dev ## check the types with mypy
	$(BIN)/mypy

docs: $(VENV)/.installed-docs ## build the pages and the API reference into build/docs
	$(BIN)/mkdocs build --strict --quiet

bench: $(VENV)/.installed-dev ## run all benchmarks
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/records.py
	$(BIN)/python benchmarks/growth.py
	$(BIN)/python benchmarks/growth.py --many 50000
	$(BIN)/python benchmarks/snapshots.py
	$(BIN)/python benchmarks/transfers.py
	$(BIN)/python benchmarks/bulk.py
	$(BIN)/python benchmarks/users.py
	$(BIN)/python benchmarks/users.py --groups
	$(BIN)/python benchmarks/faults.py

clean: ## remove the virtual environment, builds and the sample's local state
	rm -rf $(VENV) build dist sample_project/.amplify

$(VENV)/.made:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.made pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: $(VENV)/.made pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	@touch $@

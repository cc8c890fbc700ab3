# `make demo` and `make test` need only python3 (3.10 or later) and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# Tests compiled once are not compiled again by the next run.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint types bench clean

demo: $(VENV)/.installed
	@echo "== the sample's secret, into the local sandbox"
	@printf 'Sample-passw0rd' | $(BIN)/seedctl --local -C sample_project secret set seed-user-password
	@echo "== seedctl seed --local"
	@$(BIN)/seedctl --local -C sample_project seed

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --cov --cov-report=term $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.installed-dev
	$(BIN)/mypy

bench: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/records.py
	$(BIN)/python benchmarks/growth.py
	$(BIN)/python benchmarks/growth.py --many 50000
	$(BIN)/python benchmarks/transfers.py
	$(BIN)/python benchmarks/bulk.py
	$(BIN)/python benchmarks/users.py
	$(BIN)/python benchmarks/users.py --groups
	$(BIN)/python benchmarks/faults.py

clean:
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

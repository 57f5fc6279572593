# Everything happens in .venv, made from the locked requirements. People and CI run the same targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
STAMP := .venv/.installed
PEERS := .venv/peers/.installed
JOBS ?= 3
RESUME ?= var/torture.jsonl
EVERY ?= 1
SEEDS ?= 1+300
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes
UV_LOCK := $(UV_COMPILE) pyproject.toml
UV_LOCK_PEERS := $(UV_COMPILE) bench/peers/requirements.in
PARTS := domain handlers scheduler storage

.PHONY: help install demo test check bench lock torture failures hostile coverage simulate rehearsal several clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

install: $(STAMP) ## Make .venv and install what is locked

$(STAMP): requirements/dev.txt pyproject.toml scripts/find-python
	@test -x $(BIN)/python && $(BIN)/python -c pass 2>/dev/null || "$$(scripts/find-python)" -m venv --clear .venv
	@echo 'Installing the locked requirements (once; a minute or two)…'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
	@touch $(STAMP)

demo: install ## A sample department in the browser, at port 8080
	@$(BIN)/vungxanh demo

test: install ## All tests, those in a browser and on PostgreSQL too
	@scripts/find-chromium >/dev/null
	@TMPDIR="$$(scripts/fast-tmp)" $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

check: install ## Lint, format, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(PEERS) ## Speed beside that of other bots, into docs/benchmarks.md; 15 minutes (OPTIONS=--quick: two)
	@$(BIN)/python -m bench $(OPTIONS)

$(PEERS): $(STAMP) requirements/bench.txt
	@echo 'Installing the bots that ours is measured against (once)…'
	@$(BIN)/python -m venv --clear .venv/peers
	@.venv/peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $(PEERS)

simulate: install ## Simulated days under faults: SEEDS=first+count, resumable; MUTANTS=1 hunts planted defects instead
	@$(BIN)/python -m tests.simulation $(if $(MUTANTS),--mutants,$(SEEDS))

rehearsal: install ## 2,284 people's morning with the process killed 20 times; about 15 minutes
	@$(BIN)/python -m tests.rehearsal --people 2284 --kills 20

several: install ## Four processes on PostgreSQL, killed, stopped and frozen 120 times; about 15 minutes
	@$(BIN)/python -m tests.several --processes 4 --kills 40 --stops 40 --freezes 40

torture: install ## 1,000 hard kills and 200 stops while people tap; resumable (RESUME=file); about an hour and a half
	@$(BIN)/python -m tests.torture --kills 1000 --stops 200 --resume $(RESUME)

failures: install ## Every operation of a small day fails in every way, one by one; EVERY=10 for a tenth of them
	@$(BIN)/python -m tests.nth_failure --every $(EVERY)

hostile: install ## 100,000 mutilated updates among good ones; about ten minutes
	@$(BIN)/python -m tests.hostile_updates 100000

coverage: install ## All tests with branch coverage; the core must have 95 %
	@scripts/find-chromium >/dev/null
	@rm -f .coverage .coverage.*
	@TMPDIR="$$(scripts/fast-tmp)" $(BIN)/coverage run -m pytest -n $(JOBS) --dist worksteal
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --fail-under=0
	@for part in $(PARTS); do \
	  echo "$$part: $$($(BIN)/coverage report --format=total --include="$$part/*" --fail-under=95) %" || { echo "$$part has less than 95 %"; exit 1; }; \
	done

lock: install ## Lock the newest versions that pyproject.toml allows
	@$(UV_LOCK) --upgrade -o requirements/run.txt
	@$(UV_LOCK) --upgrade --extra dev -o requirements/dev.txt
	@$(UV_LOCK_PEERS) --upgrade -o requirements/bench.txt

clean: ## Remove .venv and everything that tools leave behind; var/ stays
	@rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache .hypothesis .pytest_cache .coverage .coverage.* dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

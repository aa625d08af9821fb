# A fresh clone needs python3 (3.11 or newer) and make; `make run` and `make test` bring the rest.
PYTHON ?= python3
PORT ?= 7071
ARGS ?=
WORKERS ?= 2
BIN := .venv/bin
OURS := $(wildcard function_app.py) sync shared local infra tests

.PHONY: help prepare run serve host test lint format types layers tests soak bench clean

help:
	@echo "make run      the whole product on this machine: two syncs with edits between, and a report"
	@echo "make serve    the same stack, kept running on its schedule"
	@echo "make host     only the Functions host (PORT=$(PORT)), against the environment or local.settings.json"
	@echo "make test     linters, types, layers and tests"
	@echo "make format   writes the code as ruff formats it"
	@echo "make soak     a thousand random histories (long);  make bench  the measure in docs/performance.md (long)"
	@echo "make infra    everything about the deployment, with the compiler and other judges;  make package, make deploy GROUP=…"
	@echo "make clean    removes everything that was prepared or built"

prepare:
	@$(PYTHON) local/stack/prepare.py

run: prepare
	@$(BIN)/python -m local.run

serve: prepare
	@$(BIN)/python -m local.serve

host: prepare
	@$(BIN)/python -m local.host --port $(PORT)

test: prepare lint types layers tests

lint: prepare
	@$(BIN)/ruff check --quiet $(OURS)
	@$(BIN)/ruff format --quiet --check $(OURS) || { echo "run: make format"; exit 1; }
	@echo "lint: ok"

format: prepare
	@$(BIN)/ruff check --quiet --fix $(OURS) || true
	@$(BIN)/ruff format --quiet $(OURS)

types: prepare
	@$(BIN)/mypy --no-error-summary $(OURS)
	@echo "types: ok"

layers: prepare
	@$(BIN)/lint-imports --no-logo > .lint-imports.log 2>&1 || { cat .lint-imports.log; exit 1; }
	@grep -h "^Contracts:" .lint-imports.log | sed 's/^Contracts/layers/'; rm -f .lint-imports.log

tests: prepare
	@$(BIN)/python -m pytest -n $(WORKERS)

soak: prepare
	@$(BIN)/python -m tests.engine.soak --workers $(WORKERS)

bench: prepare
	@$(BIN)/python -m local.bench $(ARGS)

clean:
	rm -rf .venv node_modules .local .build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# ------------------------------------------------------------------ installing it elsewhere: docs/deployment.md
.PHONY: infra infra-snapshots package deploy requirements-lock

# Everything about what is deployed, with every outside judge installed; a missing one fails here, where `make test` skips it.
infra: prepare
	@$(BIN)/python infra/checks/prepare.py
	@TANDEM_INFRA=1 $(BIN)/python -m pytest tests/infra

infra-snapshots: prepare
	@$(BIN)/python -m tests.infra.tools

package:
	@$(PYTHON) infra/package.py

deploy:
	@infra/deploy.sh $(GROUP) $(OPTIONS)

# What is deployed, pinned by version and hash for Python 3.13 on Linux; no address of a package index gets into the file.
requirements-lock: prepare
	@$(BIN)/python infra/checks/lock.py

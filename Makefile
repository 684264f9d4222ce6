# slotbridge: `make help` lists the targets. Needed: make and Python 3.11 or newer, nothing else.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test check bench bench-peers sim soak lock image image-test

# The first interpreter that is new enough and can make virtual environments; or name one: make test PYTHON=...
USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c '$(USABLE)' 2>/dev/null && { echo "$$p"; break; }; done)
CONTAINER ?= $(shell command -v docker || command -v podman || command -v buildah)

# One more than there are processors: some tests play with real processes, and mostly wait for them.
WORKERS ?= $(shell "$(PYTHON)" -c 'import os; print(1 + (os.cpu_count() or 1))')

# Where nothing that was compiled is kept, each of these workers compiles all the tests anew, which takes it 13 seconds.
test: export PYTHONDONTWRITEBYTECODE =

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
PEERS := .cache/peers
PEER_NEEDS := import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["peers"], sep="\n")
BUILD_NEEDS := import tomllib; system = tomllib.load(open("pyproject.toml", "rb"))["build-system"]; \
	print(*system["requires"], "editables", sep="\n")

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.tested ## the virtual environment with everything for work on the code

demo: .venv/.runs ## the main job, start to finish, against a sandbox of its own
	@$(BIN)/slotbridge demo

test: .venv/.tested ## all tests
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal

check: .venv/.tested ## style, types, direction of imports, lock files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/test_house.py

bench: .venv/.runs ## planning against parsing, the memory of a large run, the weight of history
	@$(BIN)/python -m bench.planning
	@$(BIN)/python -m bench.planning --memory
	@$(BIN)/python -m bench.planning --history

bench-peers: .venv/.runs $(PEERS)/.installed ## our Bitrix24 client beside its peers, in ten minutes
	@$(BIN)/python -m bench.peers --python $(PEERS)/bin/python

sim: .venv/.tested ## mutants and their kills, a month of the daemon, then random histories until stopped, with counters
	@$(BIN)/python -m tests.simulation --mutants
	@$(BIN)/python -m tests.daemon.month
	@$(BIN)/python -m tests.simulation

soak: .venv/.tested ## the real daemon under ten minutes of faults, events, edits and kills
	@$(BIN)/python -m tests.soak

lock: | $(BIN)/python ## the lock files anew, after a change of pyproject.toml
	$(PIP) install 'uv>=0.13,<0.14'
	$(COMPILE) pyproject.toml -o requirements.lock
	needs=$$($(BIN)/python -c '$(BUILD_NEEDS)') && echo "$$needs" \
		| $(COMPILE) --no-annotate - -c requirements.lock -o requirements-build.lock
	$(COMPILE) pyproject.toml --extra dev -c requirements.lock -c requirements-build.lock -o requirements-dev.lock

image: ## the container image
	@test -n "$(CONTAINER)" || { echo "make image needs docker, podman or buildah." >&2; exit 1; }
	$(CONTAINER) build --tag slotbridge .

image-test: .venv/.tested ## the image, built and run for real (as root; buildah, crun, debootstrap, podman)
	@$(BIN)/pytest -q -s tests/image/image.py

$(PEERS)/.installed: pyproject.toml | .venv/.runs
	@echo "Setting up $(PEERS) (once) ..."
	@$(BIN)/python -m venv $(PEERS)
	@$(BIN)/python -c '$(PEER_NEEDS)' > $(PEERS)/needs.txt
	@$(PEERS)/bin/python -m pip --disable-pip-version-check --quiet install -r $(PEERS)/needs.txt
	@touch $@

$(BIN)/python:
	@test -n "$(PYTHON)" && "$(PYTHON)" -c '$(USABLE)' || { echo "slotbridge needs Python 3.11 or newer with its" \
		"venv module (Debian, Ubuntu: python3-venv). To name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -m venv .venv

.venv/.runs: pyproject.toml requirements.lock requirements-build.lock | $(BIN)/python
	@echo "Setting up .venv (once) ..."
	@$(PIP) install --require-hashes -r requirements.lock -r requirements-build.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/.tested: .venv/.runs requirements-dev.lock
	@echo "Adding the tools for tests and checks (once) ..."
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

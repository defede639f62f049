# `make` alone lists what there is. Each target works on a fresh machine: it makes .venv itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTHON ?=
ARGS ?=

.PHONY: help setup run test test-wire test-image lint format bench generate new-service lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## .venv with everything from requirements.lock, and the project itself

# The stamp is newer than lock and project file when .venv is current, so `make setup` again is instant.
$(STAMP): requirements.lock pyproject.toml
	@tools/setup_venv "$(VENV)" $(PYTHON)
	@touch $@

run: $(STAMP) ## control plane and an activated emulator; Ctrl-C stops both
	@$(BIN)/cloudlet quickstart $(ARGS)

test: $(STAMP) ## all tests (the wire suite as a seeded sample); ARGS="tests/store -k long" for some
	@$(BIN)/python -m pytest -n 2 --dist=loadfile $(ARGS)

test-wire: $(STAMP) ## every operation of every service, both ways through botocore
	@CLOUDLET_WIRE=all $(BIN)/python -m pytest -n 2 tests/protocol $(ARGS)

test-image: $(STAMP) ## build the container image on a Debian made on the spot, and run it (podman, mmdebstrap; as root)
	@$(BIN)/python -m pytest -m image tests/image $(ARGS)

lint: $(STAMP) ## ruff, mypy, the house rules, generated files current
	@$(BIN)/python -m tools.lint

format: $(STAMP) ## what ruff can put right by itself
	@$(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format --quiet .

bench: $(STAMP) ## throughput and latency of the emulator, the ceiling and the peers that are installed
	@$(BIN)/python benchmarks/run.py $(ARGS)

generate: $(STAMP) ## service models, api.py of the services, docs tables: all that is made from something else
	@$(BIN)/python -m tools.generate

new-service: $(STAMP) ## NAME=notifications: a service folder with tests and docs page, from the template
	@test -n "$(NAME)" || { echo "usage: make new-service NAME=<service as botocore calls it>"; exit 2; }
	@$(BIN)/python -m tools.new_service "$(NAME)"

lock: ## requirements.lock again, from pyproject.toml (UPGRADE=1: newest versions)
	@tools/lock_requirements "$(BIN)" $(if $(UPGRADE),--upgrade)

clean: ## what tests and tools leave behind; not .venv
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .cache
	@find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

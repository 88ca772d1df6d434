# Everything a person or CI runs. Paths are relative, so a checkout may lie anywhere, also under a name with spaces.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PY := .venv/bin/python

.PHONY: help demo test test-slow check generated-check format bench dashboards dashboard-pictures reference install clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

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

# The panels are Grafana's; npm brings them (Node.js 20 or later). URL is the Prometheus that scrapes forethought.
dashboard-pictures: URL ?= http://127.0.0.1:9090
dashboard-pictures: install grafana/preview/build/draw.js  ## draw the dashboards by Grafana's panel components: build/dashboards/*.png
	@deploy/install-servers.sh chromium
	$(PY) -m grafana.preview $(URL)

grafana/preview/node_modules/.installed: grafana/preview/package.json
	cd grafana/preview && npm install --ignore-scripts --no-package-lock --no-audit --no-fund
	@touch $@

grafana/preview/build/draw.js: grafana/preview/node_modules/.installed $(wildcard grafana/preview/*.js*)
	cd grafana/preview && npm run --silent bundle

reference: install  ## generate docs/metrics.md and docs/configuration.md from the code
	$(PY) -m exporter.reference docs

clean:  ## remove what the targets above made
	rm -rf grafana/preview/node_modules grafana/preview/build .venv .demo build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

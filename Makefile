# Goal Ledger. `make help` lists what there is; everything sets itself up on a fresh clone.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv
READY := $(VENV)/.goal-ledger-ready
PROJECTS := $(sort $(wildcard libs/*/pyproject.toml services/*/pyproject.toml deploy/*/pyproject.toml))
MEMBERS := $(patsubst %/pyproject.toml,%,$(PROJECTS))
empty :=
MEMBERS_PATH := $(subst $(empty) $(empty),:,$(MEMBERS))
ARGS ?=

.PHONY: help setup demo test faults judges containers mutants bench check format lock clean distclean

help: ## This list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20
	@echo "  ARGS=…            passed on, e.g. make demo ARGS=--once, make test ARGS='tests/local -k kafka'"

setup: $(READY) ## The virtual environment and the outside programs (done by the others when needed)

$(READY): requirements.lock pyproject.toml $(PROJECTS)
	@PYTHON="$(PYTHON)" UV_VERSION="$(UV_VERSION)" bash deploy/local/setup.sh $(MEMBERS)
	@touch $@

demo: $(READY) ## The whole stack with the demo organisation; ARGS=--once proves the path and ends
	@$(PY) -m goal_ledger_demo $(ARGS)

test: $(READY) ## All tests, against real PostgreSQL and Apache Kafka
	@$(PY) -m pytest $(ARGS)

faults: $(READY) ## The fault campaign: kill -9 everything in turn, and count
	@PYTHONPATH=tests $(PY) -m faults $(ARGS)

judges: $(READY) ## Outside programs over the OpenAPI documents and more (npm fetches some); ARGS=spectral runs one
	@PYTHONPATH=tests $(PY) -m judges $(ARGS)

containers: $(READY) ## docker-compose.yml run for real, in an engine and images made here; outside CI; ARGS=--keep
	@PYTHONPATH=deploy $(PY) -m containers $(ARGS)

mutants: $(READY) ## Wrong lines put in one by one: does a test notice? ARGS="scoring --sample 300 --seed 1" some of them
	@PYTHONPATH=tests $(PY) -m mutants $(ARGS)

bench: $(READY) ## The benchmarks, each beside its comparison
	@PYTHONPATH=tests $(PY) -m benchmarks $(ARGS)

check: $(READY) ## Lint, format, types, import directions; all are run, any may fail
	@failed=0; \
	$(VENV)/bin/ruff check . || failed=1; \
	$(VENV)/bin/ruff format --check . || failed=1; \
	MYPYPATH=$(MEMBERS_PATH) $(VENV)/bin/mypy $(MEMBERS) || failed=1; \
	PYTHONPATH=$(MEMBERS_PATH) $(VENV)/bin/lint-imports || failed=1; \
	exit $$failed

format: $(READY) ## Let ruff lay out the code
	@$(VENV)/bin/ruff check --fix -q . ; $(VENV)/bin/ruff format .

lock: $(READY) ## Resolve the dependencies into requirements.lock; ARGS=--upgrade takes newer ones
	@$(UV) lock -q $(ARGS)
	@$(UV) export -q --no-annotate --no-emit-workspace --no-header --all-groups --frozen > requirements.lock.new
	@mv requirements.lock.new requirements.lock

clean: ## Remove the demo's data and logs, and what tools cached
	@if [ -x $(PY) ]; then $(PY) -m goal_ledger_local clean; else rm -rf .demo; fi
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find libs services deploy tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## Also the virtual environment and the downloaded jars
	@rm -rf $(VENV) .cache

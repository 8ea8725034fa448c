# Everything a newcomer needs. Each target creates .venv once, from pyproject.toml and constraints.txt.
# Arguments: make demo ARGS="--households 500 --months 6 --exit"
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARGS ?=
# Test files run beside each other in so many processes; each has its own broker and store.
WORKERS ?= 2

.PHONY: demo test check bench acceptance up down status help
.DEFAULT_GOAL := help

help:
	@echo 'make demo        the whole service with an invented city (ARGS="--exit" ends with a summary)'
	@echo 'make test        all tests; says loudly what it had to skip'
	@echo 'make check       lint, types, room boundaries'
	@echo 'make up | down   real Kafka and ClickHouse on this machine, durable in .lidm/local'
	@echo 'make bench       figures against the budgets      make acceptance   full sizes'

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python >= 3.11 is needed: make PYTHON=python3.11'; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[gateway,office,service,embedded,dev]'
	@touch $@

demo: $(STAMP)
	$(BIN)/lidm demo $(ARGS)

test: $(STAMP)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check . $(ARGS)
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/lidm bench $(ARGS)

acceptance: $(STAMP)
	LIDM_TEST_REQUIRE_LIVE=1 $(BIN)/python -m pytest -m acceptance --timeout=0 $(ARGS) tests/acceptance

# Another data folder: LIDM_DATA_DIR=… make up
up: $(STAMP)
	$(BIN)/python -m deploy.local up $(ARGS)
	@$(BIN)/lidm topics apply >/dev/null
	@$(BIN)/lidm store migrate >/dev/null

down: $(STAMP)
	$(BIN)/python -m deploy.local down $(ARGS)

status: $(STAMP)
	$(BIN)/python -m deploy.local status $(ARGS)

# Each recipe that runs long is one process, so that a signal to make reaches it.
# Everything but the peers runs in .venv, which is made from the hash-locked requirements.txt on first use.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null && $$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
PLOT := .venv-plot
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS := .venv-peers
PEERS_STAMP := $(PEERS)/.installed
PLOT_STAMP := $(PLOT)/.installed

.PHONY: demo drill test check up bench bench-guards bench-paging bench-peers bench-plot bench-scale chaos record lock clean

$(STAMP): requirements.txt
	@if [ -z "$(PYTHON)" ]; then echo "Surefoot needs Python 3.11, 3.12 or 3.13 with the venv module (Debian: apt-get install python3 python3-venv)." >&2; exit 1; fi
	@echo "Setting up $(VENV) with $(PYTHON): once, about a minute ..."
	@if [ -L $(VENV) ]; then rm $(VENV); fi # clearing would follow a link into somebody else's environment
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

demo: $(STAMP)
	@exec $(BIN)/python starter.py demo $(if $(KEEP),--keep)

drill: $(STAMP)
	@exec $(BIN)/python starter.py drill $(KIND) $(if $(KEEP),--keep)

up: $(STAMP)
	@exec $(BIN)/python starter.py up

test: $(STAMP)
	@$(BIN)/coverage erase
	exec $(BIN)/coverage run -m pytest -n 3 --dist worksteal $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --skip-covered --fail-under=90

# make bench ARGS="runs --quick" measures one of them, a little.
bench: $(STAMP)
	@exec $(BIN)/python -m benchmarks $(ARGS)

bench-guards: $(STAMP)
	@exec $(BIN)/python -m benchmarks.guards $(ARGS)

bench-paging: $(STAMP)
	@exec $(BIN)/python -m benchmarks.paging $(ARGS)

$(PEERS_STAMP): benchmarks/peers/requirements.txt | $(STAMP)
	@echo "Setting up $(PEERS): once, about a minute ..."
	@$(BIN)/python -m venv --clear $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/peers/requirements.txt
	@touch $@

bench-peers: $(PEERS_STAMP)
	@exec $(BIN)/python -m benchmarks peers $(ARGS)

bench-scale: $(STAMP)
	@exec $(BIN)/python -m benchmarks.scale $(ARGS)

$(PLOT_STAMP): benchmarks/requirements.txt | $(STAMP)
	@echo "Setting up $(PLOT): once, half a minute ..."
	@$(BIN)/python -m venv --clear $(PLOT)
	@$(PLOT)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/requirements.txt
	@touch $@

bench-plot: $(PLOT_STAMP)
	@exec $(PLOT)/bin/python -m benchmarks.plot

chaos: $(STAMP)
	@exec $(BIN)/python -m tests.chaos $(or $(SEED),"") $(RUNS)

# make record ARGS="plain-run approvals" records only these.
record: $(STAMP)
	@exec $(BIN)/python -m tests.replay.record $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The locks name no index, so they install from whichever one pip is set up with; requirements-runtime.txt is the image's.
lock:
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra embedded --group dev pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--constraint requirements.txt --extra s3 --extra apprise pyproject.toml -o requirements-runtime.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		benchmarks/peers/requirements.in -o benchmarks/peers/requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--group bench -o benchmarks/requirements.txt

clean:
	rm -rf $(VENV) $(PEERS) $(PLOT) .surefoot .coverage* .mypy_cache .ruff_cache .pytest_cache

# Every target sets up what it needs by itself: make and Python 3.11 or later are enough.

PYTHON ?= python3
VENV ?= .venv
# More words for pytest: make test ARGS="tests/verifier -x"
ARGS ?=

bin := $(VENV)/bin
pip := $(bin)/python -m pip install -q --disable-pip-version-check

# Byte code is kept, whatever the caller's settings: tests start interpreters by the hundred.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo demo-chain test soak page bench lint format lock tools clean
.DELETE_ON_ERROR:
# One target after another: they share one virtual environment.
.NOTPARALLEL:

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.runtime ## the whole job, from sealing to a verdict, on the embedded trial chain
	@$(bin)/python -m tests.demo

demo-chain: $(VENV)/.runtime ## the same on anvil, an Ethereum node, with an observer of its own
	@$(bin)/python -m tests.demo --chain

# Files of tests side by side; tests/conftest.py says how many and in which order.
workers := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: $(VENV)/.dev tools ## all tests; ARGS="tests/verifier -x" for some of them
	@$(bin)/python -m pytest $(workers) $(ARGS)

soak: $(VENV)/.dev tools ## the same tests with larger numbers
	@MIZHENG_SOAK=1 $(bin)/python -m pytest $(ARGS)

page: $(VENV)/.dev ## build verify.html from verifier/web and the catalogue
	@$(bin)/python -m tests.tools.page

bench: $(VENV)/.dev tools ## speed and gas, with the conditions; kept in bench-out/report.txt
	@$(bin)/python -m tests.bench $(ARGS)

lint: $(VENV)/.dev ## ruff, mypy, the import rules, the form of the contracts
	@$(bin)/ruff check
	@$(bin)/ruff format --check --quiet || { echo "hint: make format" >&2; exit 1; }
	@$(bin)/python -m tests.tools.types
	@$(bin)/python -m tests.tools.imports
	@$(bin)/python -m tests.support.tools --solidity-format-check

format: $(VENV)/.dev ## put the Python files and the contracts in form
	@$(bin)/ruff check --fix --quiet
	@$(bin)/ruff format --quiet
	@$(bin)/python -m tests.support.tools --solidity-format

lock: $(VENV)/.made ## work out requirements*.lock from pyproject.toml; ARGS=--upgrade for newer releases
	@$(bin)/python -m tests.tools.lock $(ARGS)

clean: ## remove everything that these targets made
	rm -rf $(VENV) build dist node_modules demo-out bench-out *.egg-info .*_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

tools: $(VENV)/.dev
	@$(bin)/python -m tests.tools.system
	@$(bin)/python -m tests.support.tools >/dev/null

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { echo "error: no $(PYTHON) found; Mizheng needs Python 3.11 or later" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Mizheng needs Python 3.11 or later and $(PYTHON) is older: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "error: $(PYTHON) can make no virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

# Compiled where there is a compiler.
native := $(wildcard cli/sealing/native/*)

# The lock is complete (--no-deps) and names every archive by its digest (--require-hashes).
$(VENV)/.runtime: requirements.lock pyproject.toml $(native) | $(VENV)/.made
	@echo "installing what the notary and the command line need …"
	@$(pip) --require-hashes --no-deps -r requirements.lock
	@$(pip) --no-deps --no-build-isolation -e .
	@touch $@

# What tests need holds all that running needs, so that either stamp may come first.
$(VENV)/.dev: requirements-dev.lock requirements.lock pyproject.toml $(native) | $(VENV)/.made
	@echo "installing what the tests need …"
	@# Beside it what `tools` brings, which says what went wrong, if anything did.
	@( $(bin)/python -m tests.tools.system; $(bin)/python -m tests.support.tools ) >/dev/null 2>&1 & \
		$(pip) --no-compile --require-hashes --no-deps -r requirements-dev.lock; \
		code=$$?; wait; exit $$code
	@# With all cores, which pip does not use.
	@$(bin)/python -m compileall -q -j 0 $(VENV)/lib
	@$(pip) --no-deps --no-build-isolation -e .
	@touch $(VENV)/.runtime $@

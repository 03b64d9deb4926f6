# Everything here needs only make and Python 3.11 or newer. `make run PYTHON=python3.12` picks another interpreter.
PYTHON ?= python3
BIN := .venv/bin
MAKEFLAGS += --no-print-directory

.PHONY: run test lint bench reset clean
.DEFAULT_GOAL := run

# The demo: desk, sandbox of the PSAs, worker and beat, until Ctrl-C. PORT (8000) and SANDBOX_PORT (8100) choose the ports.
run: .venv/.stamp-run
	@exec $(BIN)/python manage.py demo

# Every check and every test that this machine can run; the closing lines say what was skipped and why.
test: .venv/.stamp-dev
	@exec $(BIN)/python -m tests.run

lint: .venv/.stamp-dev
	@exec $(BIN)/python -m tests.run --lint

# The figures of README, "Speed", measured here. BENCH="--json FILE" and the like are passed on; --help tells of them.
bench: .venv/.stamp-dev
	@exec $(BIN)/python -m tests.bench $(BENCH)

# Deletes the demo's desk, files and sandbox.
reset:
	@$(refuse_while_running)
	@rm -rf var
	@echo "The demo's desk and sandbox are deleted. make run starts anew."

clean:
	@$(refuse_while_running)
	@rm -rf .venv staticfiles .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.stamp-run: requirements.lock
	@$(make_venv)
	@echo "Installing the locked packages (about half a minute, once)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

# The development lock holds everything of the runtime lock, at the same versions.
.venv/.stamp-dev: requirements-dev.lock requirements.lock
	@$(make_venv)
	@echo "Installing the locked packages with the tools for tests (about a minute, once)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch .venv/.stamp-run $@

# An environment whose interpreter is gone or too old is made anew.
define make_venv
	if ! command -v $(PYTHON) >/dev/null 2>&1; then \
		echo "Python is missing: no '$(PYTHON)' here. Install Python 3.11 or newer." >&2; exit 1; \
	fi; \
	if $(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then exit 0; fi; \
	if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
		echo "Python 3.11 or newer is needed; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name another one: make PYTHON=python3.12" >&2; exit 1; \
	fi; \
	if ! $(PYTHON) -c 'import venv, ensurepip' >/dev/null 2>&1; then \
		echo "Python's venv module is missing. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; \
	fi; \
	rm -rf .venv; $(PYTHON) -m venv .venv
endef

# var/run.pid names the process of a running demo; a number left by a crash may belong to another program by now.
define refuse_while_running
	pid=$$(cat var/run.pid 2>/dev/null || true); \
	if [ -n "$$pid" ] && kill -0 "$$pid" 2>/dev/null && \
		{ ! command -v ps >/dev/null 2>&1 || ps -o args= -p "$$pid" | grep -q 'manage.py demo'; }; then \
		echo "make run is still running here (process $$pid). Stop it with Ctrl-C first." >&2; exit 1; \
	fi
endef

# Two commands matter: `make up` runs the bank, `make test` proves it. Both set up what they need.
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed
WORKERS ?= 2
ASROOT := $(shell test $$(id -u) = 0 || echo sudo)

.PHONY: setup up test lint types soak lock clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	# Debian's Python has ensurepip only with this package: it is installed where we may.
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ $(ASROOT) apt-get update --quiet && $(ASROOT) apt-get install --yes --quiet python3-venv; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --require-hashes -r requirements.lock
	$(VENV)/bin/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

up: setup
	$(VENV)/bin/eastflow up

test: setup lint types
	$(VENV)/bin/pytest -n $(WORKERS) --dist loadfile

lint: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: setup
	$(VENV)/bin/mypy

# Long runs: twenty kills of each process, longer random histories.
soak: setup
	$(VENV)/bin/pytest -m soak

# Renew the lock file after a change of pyproject.toml.
lock:
	$(VENV)/bin/pip install --quiet pip-tools
	$(VENV)/bin/pip-compile --quiet --extra dev --generate-hashes --allow-unsafe --strip-extras \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
		--output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build src/*.egg-info

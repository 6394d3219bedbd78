# Every target sets up what it needs in .venv, from nothing but Python 3.11+ (with venv) and make.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test bench soak lint format lock catalogues clean

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$name -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& { echo $$name; break; }; done)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

SOURCES := migrebot actors storage
LANGUAGES := en ru uk fr es

# A virtual environment whose Python was upgraded or removed is a dead one: make it anew.
ifneq ($(wildcard $(VENV)/pyvenv.cfg),)
ifneq ($(shell $(BIN)/python -c 'print("alive")' 2>/dev/null),alive)
$(shell rm -rf $(VENV))
endif
endif

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: $(VENV)/.runtime ## start the bot
	@exec $(BIN)/migrebot run

# Tests of a file share their servers, and those that kill and restart programs wait much: two at once take half the time.
test: lint ## check and test everything but the soak test
	$(BIN)/pytest --numprocesses auto --maxprocesses 2 --dist loadfile -rs

bench: $(VENV)/.dev ## measure speed and memory
	$(BIN)/python -m tests.bench

soak: $(VENV)/.dev ## the long crash tests
	$(BIN)/pytest -m soak

lint: $(VENV)/.dev ## style, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev ## put the code into shape
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links

lock: $(VENV)/.dev ## write both lock files anew (UPGRADE=1: with the newest versions)
	$(COMPILE) $(if $(UPGRADE),--upgrade) --group build --output-file requirements.lock
	$(COMPILE) $(if $(UPGRADE),--upgrade) --group build --group dev --constraints requirements.lock \
		--output-file requirements-dev.lock

# Neither places nor dates of the sources: a changed text changes its own lines and no others.
catalogues: $(VENV)/.dev ## bring the message catalogues up to date with the sources
	$(BIN)/pybabel --quiet extract --no-default-keywords --keywords='_ N_ gettext ngettext:1,2 tr plain n:1,2' \
		--project=Migrebot --copyright-holder='Migrebot contributors' --no-location --add-comments=Translators: \
		--sort-output --output-file=$(VENV)/migrebot.pot migrebot actors
	@for language in $(LANGUAGES); do \
		$(BIN)/pybabel --quiet update --domain=migrebot --input-file=$(VENV)/migrebot.pot \
			--output-dir=migrebot/locales --locale=$$language --init-missing --ignore-obsolete \
			--no-fuzzy-matching --ignore-pot-creation-date || exit 1; \
	done

clean: ## remove everything that was made here, but no data
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find $(SOURCES) tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/pyvenv.cfg:
	@test -n "$(PYTHON)" || { echo "Migrebot needs Python 3.11 or newer, with its venv module." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)

$(VENV)/.runtime: $(VENV)/pyvenv.cfg requirements.lock pyproject.toml
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

# make course   run every chapter in the tiny profile       make test   everything that CI checks
# make lab      open JupyterLab                             make bench  ours against the naive way
# make site     these pages as a site, in _build/site/, and its translations below
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 2
# CONSTRAINTS= installs the newest versions that settings.ini allows.
CONSTRAINTS ?= constraints.txt

.PHONY: help install course test lab bench site export russian outputs clean

help:
	@sed -n '1,3p' Makefile | cut -c3-

$(VENV)/installed: settings.ini constraints.txt setup.py
	$(PYTHON) -c "import sys; v = sys.version_info[:2]; sys.exit(not (3, 10) <= v < (3, 14) and f'Python 3.10 to 3.13 is needed, this is {v[0]}.{v[1]}. Use make PYTHON=python3.12')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q $(addprefix -c ,$(CONSTRAINTS)) -e '.[dev]'
	touch $@

install: $(VENV)/installed

# Those that take longest first: two at a time then end at the same time.
course: install
	$(BIN)/course run 01 06 05 04 all --profile tiny --jobs $(WORKERS) --out _build/tiny

test: install
	$(BIN)/ruff check .
	$(BIN)/python tools/export.py --check
	$(BIN)/python -m pytest tests nbs --nbval-lax --nbval-current-env --nbval-cell-timeout=600 -n $(WORKERS) --dist loadscope --no-loadscope-reorder

lab: install
	$(BIN)/jupyter lab nbs/index.ipynb

bench: install
	$(BIN)/python -m benchmarks --json _build/bench/rows.json

$(VENV)/site: $(VENV)/installed
	$(BIN)/python -c "import sys; sys.exit(sys.version_info < (3, 11) and 'The site needs Python 3.11 or later. Use make site PYTHON=python3.12 VENV=.venv-site')"
	$(BIN)/python -m pip install -q $(addprefix -c ,$(CONSTRAINTS)) -e '.[site]'
	touch $@

# From the notebooks as they are saved: nothing is executed.
site: $(VENV)/site
	$(BIN)/python -m tools.site

# For maintainers: modules, links and clean notebooks from the notebooks; then, seldom, fresh saved outputs.
export: install
	$(BIN)/python tools/export.py

# The catalogs of translations/ru brought in step with the English, and the Russian notebooks made from them.
russian: install
	$(BIN)/python -m tools.translate ru

outputs: install
	$(BIN)/course run nbs/index.ipynb nbs/*/*.ipynb all --profile tiny --out _build/outputs --no-html --save
	$(BIN)/python tools/export.py

clean:
	rm -rf _build build dist *.egg-info

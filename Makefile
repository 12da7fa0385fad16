# Build BERT yourself: every command of the house. A bare `make` lists them.
# The environment lives in .venv and is made by the first command that needs it.

# The first Python from 3.10 to 3.13 on this machine; `make PYTHON=/path/to/python` chooses another.
PYTHON ?= $(or $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python3.10,$(shell \
	$(p) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $(p)))),python3)
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/installed
SITE := _build/html
NOTEBOOKS := $(wildcard chapters/*.ipynb)

# Sums come out in another order on another number of threads, so chapters always run on this one.
THREADS := 2
NBVAL := --nbval --nbval-current-env --nbval-sanitize-with tests/chapters/sanitize.cfg --nbval-cell-timeout 300
export JUPYTER_PLATFORM_DIRS := 1
export PYDEVD_DISABLE_FILE_VALIDATION := 1

.DEFAULT_GOAL := help
.PHONY: help book test lab quick lint types unit nbval site-test identity soak outside chapters format vendor clean distclean install

help:  ## list these commands
	@printf 'Build BERT yourself\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@printf '\nStart with "make book". Any command makes the environment (.venv) first, if need be.\n'

install: $(STAMP)  ## make or renew the environment in .venv

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 10) <= v <= (3, 13) else \
		"Python 3.10 to 3.13 is needed, this is %d.%d; name another one: make PYTHON=/path/to/python3.12" % v)'
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python could not make a virtual environment (Debian and Ubuntu: apt install python3-venv)"; exit 1; }
	@echo "installing into $(VENV): torch first, then the book; a few minutes, once"
	$(PY) -m pip install -q -c constraints.txt torch
	$(PY) -m pip install -q -c constraints.txt -e '.[book,test]'
	@touch $@

vendor: $(STAMP)
	@$(PY) book/_ext/vendor.py

book: $(STAMP) vendor  ## build the site, check its links, print the file to open
	$(VENV)/bin/jupyter-book build . --all -n -W --keep-going -q
	$(PY) tests/site/links.py $(SITE)
	@printf '\nThe book is ready. Open  file://%s\n' "$(CURDIR)/$(SITE)/index.html"

test: lint types unit nbval site-test  ## run the whole test suite: style, types, units, chapters, site
	@printf '\nEvery test has passed.\n'

lab: $(STAMP)  ## open the chapters in JupyterLab
	$(PY) -m jupyterlab chapters

quick: $(STAMP)  ## run the fast tests
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -n 2 --dist loadfile -m 'not slow' --ignore tests/site

lint: $(STAMP)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: $(STAMP)
	$(PY) -m mypy

unit: $(STAMP)
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -n 2 --dist loadfile --ignore tests/site

nbval: $(STAMP)  ## run every chapter and compare its outputs with the committed ones
	OMP_NUM_THREADS=$(THREADS) $(PY) -m pytest -q $(NBVAL) $(NOTEBOOKS)

site-test: book  ## build the site and look at every page in a real browser
	$(PY) -m pytest -q tests/site

identity: $(STAMP)  ## compare Base and Large with transformers, number by number (7 GB, minutes)
	OMP_NUM_THREADS=$(THREADS) $(PY) -m pytest -q tests/interop -m identity

soak: $(STAMP)  ## kill a run fifty times, resume it, compare every bit (minutes)
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -s -m soak tests/train/test_soak.py

outside: $(STAMP)  ## run every chapter as Colab would, from the last commit (NOTEBOOK=chapters/… for one)
	bash tests/chapters/outside.sh $(if $(filter command\ line,$(origin NOTEBOOK)),"$(NOTEBOOK)",$(NOTEBOOKS))

chapters: $(STAMP)  ## run every chapter from top to bottom and keep its outputs (NOTEBOOK=… for one)
	OMP_NUM_THREADS=$(THREADS) $(PY) tests/chapters/execute.py \
		$(if $(filter command\ line,$(origin NOTEBOOK)),"$(NOTEBOOK)",$(NOTEBOOKS))

format: $(STAMP)  ## put the code into the house style
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

clean:  ## remove what was built, keep the environment
	rm -rf _build dist runs .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean  ## remove the environment and the fetched scripts as well
	rm -rf $(VENV) book/_static/vendor

# What one can do here; the environment in .venv is made by whatever needs it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The environment is made anew where what it holds has changed.
ENV := $(VENV)/.complete
# The encoder in native/, compiled where that can be done.
NATIVE := $(VENV)/.native
# What fuzz is guided by, where it is to be had.
GUIDED := $(VENV)/.guided

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs bench fuzz torture dtd completion clean

help:
	@echo 'make demo   print a report to an archive in this process, and show what it holds'
	@echo 'make test   lint, types and every test; as root on Debian the peers are installed first'
	@echo 'make lint   ruff and mypy alone'
	@echo 'make docs   build the documentation into site/, and say where to read'
	@echo 'make bench  measure beside public tools; the figures are kept in bench/results'
	@echo 'make torture'
	@echo '            kill the service at every write, take its disk and clock away, and check its books'
	@echo 'make fuzz   feed every reader a million hostile inputs; a quarter of an hour or more'
	@echo 'make dtd    write schemas/config.dtd anew from the declarations'
	@echo 'make completion'
	@echo '            write what shells complete anew from the commands'
	@echo 'make clean  take away .venv and everything that was made'
	@echo
	@echo 'Another Python than python3 (3.11 or later): make demo PYTHON=/path/to/python'

$(ENV): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

$(NATIVE): $(ENV) native/pyproject.toml native/setup.py $(wildcard native/src/*.[ch] native/src/*/*.py*)
	.ci/native $(BIN)/python
	@touch $@

# Where there is no atheris to be had, hypothesis draws alone; fuzz's table says so.
$(GUIDED): $(ENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group fuzz || true
	@touch $@

demo: $(ENV)
	$(BIN)/dicomprinter demo

# One worker a core of a small machine; a file stays in one worker, so that it starts its peers once.
test: lint $(NATIVE) $(GUIDED)
	.ci/peers
	$(BIN)/python -m pytest --quiet --numprocesses 2 --dist loadfile

lint: $(ENV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# What the theme says of its own future is nothing for a reader.
docs: $(ENV)
	$(BIN)/python -m tests.links
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs --quiet build --strict
	@echo 'To read: site/index.html'

# One item alone: .venv/bin/python -m bench encode; with --quick in fewer rounds.
bench: $(NATIVE)
	.ci/peers
	$(BIN)/python -m bench

# One item alone: .venv/bin/python -m torture kills; with --short a sample that takes seconds.
torture: $(ENV)
	.ci/peers
	$(BIN)/python -m torture

# One target alone: .venv/bin/python -m fuzz xml; with --short a sample that takes seconds.
fuzz: $(GUIDED)
	$(BIN)/python -m fuzz

# A program that fails must not leave an empty DTD behind.
dtd: $(ENV)
	$(BIN)/python -c 'from dicomprinter.config.dtd import write_dtd; from dicomprinter.program import root_spec; print(write_dtd(root_spec()), end="")' > $(VENV)/config.dtd
	mv $(VENV)/config.dtd schemas/config.dtd

completion: $(ENV)
	$(BIN)/python -c 'from dicomprinter.cli.main import commands; from dicomprinter.cli.standins import completion_text; print(completion_text(commands), end="")' > $(VENV)/completion.json
	mv $(VENV)/completion.json dicomprinter/cli/completion.json

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist site
	rm -rf native/build native/dist native/src/*.egg-info native/src/*/*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

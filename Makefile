# The two commands a person needs: `make run` opens the window, `make test` checks everything.

VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest -q

# As many test processes as cores, each on a core of its own; more than four would take more memory than they save time.
CORES    := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
WORKERS  ?= $(shell [ $(CORES) -lt 4 ] && echo $(CORES) || echo 4)
PARALLEL := -n $(WORKERS) --dist loadfile

# Everything runs without a display.
HEADLESS := QT_QPA_PLATFORM=offscreen

.PHONY: run test lint test-window test-rooms test-learning wheel clean

run: $(STAMP)  ## Open the window; ARGS go to the program: make run ARGS="list experiments"
	@$(BIN)/guiapp $(ARGS)

test: lint test-rooms test-window  ## Style, types, layers, then every test

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Every room but the window works where Qt is not installed: Python finds no Qt in this run.
test-rooms: $(STAMP)
	PYTHONPATH=$(CURDIR)/tools/without_qt $(PYTEST) $(PARALLEL) -p no:pytest-qt -p without_qt -m "not learning and not window" --ignore=tests/ui

test-window: $(STAMP)
	$(HEADLESS) $(PYTEST) $(PARALLEL) -m "window and not learning"

test-learning: $(STAMP)  ## The quality of results: long training runs
	$(HEADLESS) $(PYTEST) -m learning

wheel: $(STAMP)  ## Build dist/*.whl
	$(BIN)/python -m build --wheel --no-isolation

# pyproject.toml is newer than the stamp after every change of the dependencies.
$(STAMP): pyproject.toml tools/environment.sh tools/system-libraries.sh
	@tools/system-libraries.sh
	@tools/environment.sh $(VENV)
	@touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

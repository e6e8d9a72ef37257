# seqtrans: `make demo` trains a translator from nothing, `make test` proves the toolkit. Both install what they need.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# as a word of a shell, for the path of a checkout may hold spaces
SEQTRANS := "$(CURDIR)/$(BIN)/seqtrans"
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --maxprocesses 8 --dist worksteal

.PHONY: help demo test prove lint format guide bench bench-cells bench-decode soak curves quality clean

help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(INSTALLED) ## Train a German translator from the embedded corpus, translate and score (minutes)
	$(MAKE) --no-print-directory -C data/demo SEQTRANS='$(SEQTRANS)'

# types are checked beside the tests, on whichever core is free
test: $(INSTALLED) ## Check style and types, and run every test (about 4 minutes on 2 cores)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy > $(VENV)/types.log 2>&1 & types=$$!; tests=0; \
	    $(PYTEST) --durations 20 || tests=$$?; \
	    wait $$types || { cat $(VENV)/types.log; exit 1; }; exit $$tests

prove: $(INSTALLED) ## Repeat the proofs with many more random cases (minutes)
	$(PYTEST) -m prove

lint: $(INSTALLED) ## Check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(INSTALLED) ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

guide: $(INSTALLED) ## Write the generated parts of GUIDE.md, and data/settings.toml, anew from the code
	$(BIN)/python -m tests.guide

bench: $(INSTALLED) ## Measure training and decoding speed on this machine
	$(BIN)/python -m tests.benchmarks.bench

bench-cells: $(INSTALLED) ## Measure a training step of every recurrent cell beside the library's LSTM (minutes)
	$(BIN)/python -m tests.benchmarks.bench_cells

bench-decode: $(INSTALLED) ## Translate side by side with OpenNMT-py, which is installed apart (an hour; CORPUS=...)
	$(MAKE) --no-print-directory -C tests/benchmarks/decode SEQTRANS='$(SEQTRANS)' PYTHON='"$(CURDIR)/$(BIN)/python"'

soak: $(INSTALLED) ## Send 100,000 lines through the demo's translator: none lost, memory flat (minutes)
	$(MAKE) --no-print-directory -C data/demo SEQTRANS='$(SEQTRANS)' out/model.safetensors
	$(BIN)/python -m tests.benchmarks.soak data/demo/out/model.safetensors

curves: $(INSTALLED) ## Compare 300 updates of every cell in bfloat16 with the same in 32 bits (minutes)
	$(BIN)/python -m tests.benchmarks.curves

quality: $(INSTALLED) ## Train and score Multi30k English-German (an hour; CORPUS=/path/to/multi30k/raw, or it is downloaded)
	$(MAKE) --no-print-directory -C data/multi30k SEQTRANS='$(SEQTRANS)' score

clean: ## Remove everything that make made or downloaded, the virtual environment included
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .hypothesis data/*/out data/*/corpus
	find . -name __pycache__ -prune -exec rm -rf {} +

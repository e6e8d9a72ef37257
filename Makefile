# seqtrans: `make demo` trains a translator from nothing, `make test` proves the toolkit. Both install what they need.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help demo test lint format bench bench-cells bench-decode soak curves quality clean

help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(INSTALLED) ## Train a German translator from the embedded corpus, translate and score (minutes)
	$(MAKE) --no-print-directory -C data/demo SEQTRANS=$(abspath $(BIN))/seqtrans

test: lint ## Check style and types, then run every test (6 to 10 minutes on 2 cores)
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --maxprocesses 8 --dist worksteal

lint: $(INSTALLED) ## Check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(INSTALLED) ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(INSTALLED) ## Measure training and decoding speed on this machine
	$(BIN)/python -m tests.benchmarks.bench

bench-cells: $(INSTALLED) ## Measure a training step of every recurrent cell beside the library's LSTM (minutes)
	$(BIN)/python -m tests.benchmarks.bench_cells

bench-decode: $(INSTALLED) ## Translate side by side with OpenNMT-py, which is installed apart (an hour; CORPUS=...)
	$(MAKE) --no-print-directory -C tests/benchmarks/decode SEQTRANS=$(abspath $(BIN))/seqtrans PYTHON=$(abspath $(BIN))/python

soak: $(INSTALLED) ## Send 100,000 lines through the demo's translator: none lost, memory flat (minutes)
	$(MAKE) --no-print-directory -C data/demo SEQTRANS=$(abspath $(BIN))/seqtrans out/model.safetensors
	$(BIN)/python -m tests.benchmarks.soak data/demo/out/model.safetensors

curves: $(INSTALLED) ## Compare 300 updates of every cell in bfloat16 with the same in 32 bits (minutes)
	$(BIN)/python -m tests.benchmarks.curves

quality: $(INSTALLED) ## Train and score Multi30k English-German (an hour; CORPUS=/path/to/multi30k/raw, or it is downloaded)
	$(MAKE) --no-print-directory -C data/multi30k SEQTRANS=$(abspath $(BIN))/seqtrans score

clean: ## Remove everything that make made or downloaded, the virtual environment included
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .hypothesis data/*/out data/*/corpus
	find . -name __pycache__ -prune -exec rm -rf {} +

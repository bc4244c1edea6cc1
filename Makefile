# leadcore: everything sets itself up in the checkout; a second run is quick.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_LINK_MODE := copy

ARROW := $(shell find ext/arrow/src ext/arrow/python -name '*.rs' -o -name '*.py' -o -name '*.pyi') ext/arrow/Cargo.toml ext/arrow/Cargo.lock ext/arrow/pyproject.toml
KERNEL := $(wildcard ext/kernel/*.pyx ext/kernel/*.pxi ext/kernel/CMakeLists.txt ext/kernel/leadcore_kernel/*) pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-real test lint types docs check-licences bench bench-peers bench-replay bench-batch bench-dirty bench-spark crash-batch bench-ledger bench-ledger-threads bench-service service wheels fuzz fuzz-state \
	sanitize-asan sanitize-tsan lock clean

help: ## Show this list.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(VENV)/.tools: requirements/dev.txt
	@echo "leadcore: making $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet -r requirements/dev.txt
	@touch $@

$(VENV)/.arrow: $(VENV)/.tools $(ARROW)
	@echo "leadcore: building ext/arrow (Rust; a few minutes the first time)"
	@cd ext/arrow && ../../$(BIN)/maturin develop --release --uv --quiet
	@touch $@

$(VENV)/.kernel: $(VENV)/.tools $(VENV)/.arrow $(KERNEL)
	@echo "leadcore: building ext/kernel (Cython)"
	@$(BIN)/uv pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

setup: $(VENV)/.kernel ## Build everything into .venv.

demo: setup ## Score 10 million made-up events of 500,000 leads, replay their year, and look at both.
	@$(BIN)/leadcore demo

demo-real: setup ## Score 10.6 million real study events (needs ../shared/data/oulad) and report the AUC.
	@$(BIN)/python -m benchmarks.real

test: setup lint types check-licences docs ## Everything CI checks: lint, types, licences, docs, tests.
	@$(BIN)/python -m pytest -q -p no:cacheprovider

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@cd ext/arrow && cargo fmt --check && cargo clippy --quiet --release --features pyo3/extension-module -- -D warnings

types: setup
	@$(BIN)/mypy
	@$(BIN)/python tools/check_stubs.py

check-licences: setup
	@$(BIN)/python tools/check_licences.py

docs: setup ## Build the documentation into site/.
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

bench: setup ## Time the parts, count their instructions, and measure the border between Rust and Cython.
	@$(BIN)/python -m pytest benchmarks -q --benchmark-only -p no:cacheprovider
	@$(BIN)/python -m benchmarks.counters
	@$(BIN)/python -m benchmarks.border

$(VENV)/.bench: $(VENV)/.tools requirements/bench.txt
	@$(BIN)/uv pip install --quiet -r requirements/bench.txt
	@touch $@

bench-peers: setup $(VENV)/.bench ## Measure W1, W2 and W3 beside all a user would write or take instead; hours.
	@$(BIN)/python -m benchmarks.everything

bench-replay: setup $(VENV)/.bench ## Time the replay of 10 million events beside what a user would write instead, and one lead's million.
	@$(BIN)/python -m benchmarks.replay
	@$(BIN)/python -m benchmarks.replay --one-lead 1000000

bench-batch: setup $(VENV)/.bench ## Score and replay 1, 10 and 100 million events in files within 1.5 GB, beside DuckDB, Polars and PySpark.
	@$(BIN)/python -m benchmarks.batch --peers duckdb,polars,pyspark

bench-dirty: setup ## Score a CSV of 1 GB with known faults, and check that each is told by file, line and column.
	@$(BIN)/python -m benchmarks.dirty

bench-spark: setup $(VENV)/.bench ## Score and replay 10 million events on Spark in two executors, beside a local run.
	@$(BIN)/python -m benchmarks.spark_batch

crash-batch: setup ## Kill jobs 200 times and fill their disk 50 times (needs the right to mount); let them go on.
	@$(BIN)/python -m tools.crash_batch kill --times 200
	@$(BIN)/python -m tools.crash_batch full --times 50

bench-ledger: setup ## Time a ledger: one event, batches, and 365 nights of 10 million events beside one batch.
	@$(BIN)/python -m benchmarks.ledger

bench-ledger-threads: setup ## Ask one ledger from 32 threads for ten minutes while its model is swapped.
	@$(BIN)/python -m benchmarks.ledger_threads --minutes 10

wheels: setup ## Build sdists and manylinux wheels of both distributions, and test them with the source out of reach.
	@$(BIN)/python tools/build_wheels.py

fuzz: setup ## Long comparison of the kernel with the reference engine: 10,000 scorings and as many replays.
	@LEADCORE_CASES=10000 $(BIN)/python -m pytest tests/property -q -p no:cacheprovider

service: setup ## Run the example service of docs/examples/service.
	@$(BIN)/uvicorn --app-dir docs/examples/service --factory app:create_app

bench-service: setup ## Load the example service: 1,000 events a second for a minute, then compare with one batch.
	@$(BIN)/python docs/examples/service/load.py

fuzz-state: setup ## Feed 10 million damaged states to the kernel under ASan and UBSan (clang, libFuzzer).
	@$(BIN)/python tools/sanitize.py fuzz --runs 10000000

sanitize-asan: setup ## Run the kernel's tests under AddressSanitizer and UndefinedBehaviorSanitizer (gcc).
	@$(BIN)/python tools/sanitize.py asan

sanitize-tsan: setup ## Run the tests of many threads under ThreadSanitizer (gcc).
	@$(BIN)/python tools/sanitize.py tsan

lock: $(VENV)/.tools ## Pin what development needs.
	@$(BIN)/uv pip compile -q requirements/dev.in --no-header --no-annotate --no-emit-index-url --universal --python-version 3.11 -o requirements/dev.txt
	@$(BIN)/uv pip compile -q requirements/bench.in --no-header --no-annotate --no-emit-index-url --universal --python-version 3.11 -o requirements/bench.txt

clean: ## Remove everything that was built.
	rm -rf $(VENV) build dist site data ext/arrow/target

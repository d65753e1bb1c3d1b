# heed: `make demo` shows it, `make test` proves it. Everything is installed into .venv from the hashed lock.

PYTHON ?= python3
BIN := .venv/bin
HOME_FOLDER ?= data
PORT ?= 8501
SERVE ?= 1
N ?= 1000000
OUT ?= bench.json
PEERS ?= all
KILLS ?= 300
INPUTS ?= 2000
SEED ?= 1
SECONDS ?= 60
SNAPSHOT_HOME ?=
PAGES_OUT ?= pages.json
# One test process for each core, within what memory has room for.
WORKERS ?= -n auto --maxprocesses 8
OSV ?=
MINUTES ?= 60

.PHONY: help install demo test check bench bench-pages slow-tests browser-tests spark-tests thorough simulations faults fuzz fuzz-guided soak next-engine-tests spark peers lock sbom advisories clean

help:
	@echo "make demo      set up, run the main job on sample logs, serve the dashboard (SERVE=0: stop before serving)"
	@echo "make test      set up, run the tests"
	@echo "make check     format, lint, types and import contracts, as CI and pre-commit do"
	@echo "make simulations  measure coverage and error rates of the statistics (half an hour)"
	@echo "make bench     time heed and its peers on the same files (N=messages OUT=file PEERS=names)"
	@echo "make bench-pages  time the dashboard's pages (SNAPSHOT_HOME=home with a published snapshot)"
	@echo "make faults    kill runs at hundreds of moments and check what is left (KILLS=300 SEED=1; needs strace)"
	@echo "make soak      runs, kills and readers together (MINUTES=60 SEED=1)"
	@echo "make fuzz      load thousands of damaged deliveries (INPUTS=2000 SEED=1)"
	@echo "make install   set up .venv only"
	@echo "make sbom      what heed is made of, as CycloneDX (sbom.json)"
	@echo "make advisories  which locked versions have a known advisory (OSV=folder, .zip or .json of advisories)"
	@echo "make lock      resolve the dependencies anew into requirements.lock"

install: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "heed needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# What `heed[spark]` adds, in a folder of its own: other libraries look for PySpark and load it. Java is the machine's.
spark: .venv/spark/installed

.venv/spark/installed: .venv/installed requirements-spark.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --upgrade --target .venv/spark \
	    -r requirements-spark.lock
	@touch $@

# What the benchmarks compare heed with, beside what heed itself needs.
peers: .venv/peers/installed .venv/spark/installed

.venv/peers/installed: .venv/installed requirements-peers.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --upgrade --target .venv/peers \
	    -r requirements-peers.lock
	@touch $@

demo: install
	@test -f $(HOME_FOLDER)/heed.toml || $(BIN)/heed -C $(HOME_FOLDER) sample
	@$(BIN)/heed -C $(HOME_FOLDER) run
	@echo
	@echo "Dashboard: http://127.0.0.1:$(PORT)"
ifneq ($(SERVE),0)
	@$(BIN)/heed -C $(HOME_FOLDER) dashboard --port $(PORT)
endif

test: install
	$(BIN)/python -m pytest $(WORKERS) -m "not browser and not slow and not thorough and not simulation and not spark"

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: peers
	PYTHONPATH=$(CURDIR)/.venv/peers:$(CURDIR)/.venv/spark $(BIN)/python -m tests.benchmarks.main_job --messages $(N) --peers $(PEERS) --out $(OUT) $(if $(SMALLER),--smaller $(SMALLER))

# The snapshot is one that is published already: `make bench-pages SNAPSHOT_HOME=/path/to/home`.
bench-pages: install
	@test -n "$(SNAPSHOT_HOME)" || { echo "name a home with a published snapshot: make bench-pages SNAPSHOT_HOME=..."; exit 1; }
	$(BIN)/python -m tests.benchmarks.pages $(SNAPSHOT_HOME) --out $(PAGES_OUT)

slow-tests: install
	$(BIN)/python -m pytest $(WORKERS) -m "slow and not browser and not spark"

browser-tests: install
	$(BIN)/python -m pytest $(WORKERS) -m "browser and not thorough and not spark"

# One process: a machine with two cores has room for one Spark.
spark-tests: spark
	PYTHONPATH=$(CURDIR)/.venv/spark $(BIN)/python -m pytest -m spark tests/spark

# More seeds, looks and widths than CI has time for.
thorough: install
	$(BIN)/python -m pytest $(WORKERS) -m "thorough and not spark"

# What docs/definitions.md says of coverage and error rates, measured again: half an hour or more.
simulations: install
	$(BIN)/python -m pytest $(WORKERS) -s -m simulation

# Guided by what an input makes the code do; atheris has a lock of its own, since nothing else wants it.
fuzz-guided: .venv/fuzz/installed
	PYTHONPATH=$(CURDIR)/.venv/fuzz $(BIN)/python -m tests.faults.guided -max_total_time=$(SECONDS) -seed=$(SEED) -max_len=4000

.venv/fuzz/installed: .venv/installed requirements-fuzz.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --upgrade --target .venv/fuzz \
	    -r requirements-fuzz.lock
	@touch $@

# What docs/faults.md counts: ten seconds for each kill, a second for each input.
faults: install
	$(BIN)/python -m tests.faults.kills --kills $(KILLS) --seed $(SEED)

soak: install
	$(BIN)/python -m tests.faults.soak --minutes $(MINUTES) --seed $(SEED)

fuzz: install
	$(BIN)/python -m tests.faults.fuzz --inputs $(INPUTS) --seed $(SEED)

# Every rule, spans and the headline numbers on the next major DuckDB, which pyproject.toml allows and the lock does not choose yet.
next-engine-tests: install
	@test -d .venv/next-engine || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	    --target .venv/next-engine -r requirements-next-engine.lock
	PYTHONPATH=$(CURDIR)/.venv/next-engine $(BIN)/python -m pytest $(WORKERS) -m "not slow and not thorough and not simulation and not spark" \
	    tests/golden/test_rule_book.py tests/property/test_spans.py tests/spec/test_metrics.py

# pyspark and chdb stand in locks of their own: they are large, and only Spark and the benchmarks want them.
lock:
	uv pip compile pyproject.toml --extra dev -c constraints.txt --python-version 3.11 --universal \
	    --generate-hashes --no-emit-index-url --no-header --output-file requirements.lock
	echo 'pyspark>=4.1,<5' | uv pip compile - --python-version 3.11 --universal \
	    --generate-hashes --no-emit-index-url --no-header --no-annotate --output-file requirements-spark.lock
	printf 'chdb>=4,<5\nchdb-core>=26\n' | uv pip compile - --no-deps --python-version 3.11 --universal \
	    --generate-hashes --no-emit-index-url --no-header --no-annotate --output-file requirements-peers.lock
	echo 'atheris>=3,<3.1' | uv pip compile - --python-version 3.11 --universal \
	    --generate-hashes --no-emit-index-url --no-header --no-annotate --output-file requirements-fuzz.lock

sbom: install
	$(BIN)/python -m tools.sbom sbom.json

# Nothing is fetched: the advisories are on disk already.
advisories: install
	@test -n "$(OSV)" || { echo "name a folder, a .zip or a .json of OSV advisories: make advisories OSV=..."; exit 2; }
	$(BIN)/python -m tools.advisories $(OSV)

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

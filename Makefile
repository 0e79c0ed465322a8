.POSIX:
PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin

.PHONY: setup wheel demo hub test prove lint format docs lock clean evidence measured bench-trial bench-evidence bench-hub bench-watch bench-gateway bench-match bench-data bench-compute bench-kinds bench-arena bench-hour bench-roadmap bench-faults

# Sets up what every command needs (own .venv, locked requirements), runs nothing, and says what to run next.
setup: $(VENV)/.base
	@echo "Pilotbase $$($(BIN)/pilotbase --version | tr -cd '0-9.') is ready in $(VENV). Next: · 已就绪，下一步："
	@echo "  make demo                    every sector, verdicts and reports, in a few minutes · 命令行演示，需几分钟"
	@echo "  make hub                     the same on pages · 网页演示"
	@echo "  . $(VENV)/bin/activate        then, in a folder with your data · 然后在您的数据文件夹中："
	@echo "  pilotbase next               says what to do now, with the command · 提示当前步骤和命令"

# Wheels of the core and of the computing estate in dist/, for machines without this checkout: pip install dist/pilotbase-*.whl
wheel: $(VENV)/.base
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w dist . ./estate

demo: $(VENV)/.base
	$(BIN)/pilotbase demo

# At another port, the gateway at the next: make hub PORT=8123
PORT = 8000
hub: $(VENV)/.base
	PILOTBASE_HOME="$${PILOTBASE_HOME:-$$HOME/.pilotbase-hub}" $(BIN)/pilotbase serve --demo --port $(PORT)

test: $(VENV)/.dev
	$(BIN)/python tests/run_all.py

# One of four parts, each on a machine of its own: make prove SHARD=1/4
SHARD = 1/1
prove: $(VENV)/.dev
	$(BIN)/python tests/run_all.py --prove --shard $(SHARD)

bench-trial: $(VENV)/.dev
	$(BIN)/python -m benchmarks.bench_trial

bench-evidence: $(VENV)/.dev
	$(BIN)/python -m benchmarks.bench_evidence

bench-watch: $(VENV)/.dev
	$(BIN)/python -m benchmarks.bench_watch

bench-hub: $(VENV)/.dev
	$(BIN)/python -m benchmarks.bench_hub

bench-gateway: $(VENV)/.dev
	$(BIN)/python -m benchmarks.bench_gateway

bench-match: $(VENV)/.dev
	$(BIN)/python -m benchmarks.bench_match

# Beside four peers, then 100 million rows and 10 GB of CSV in 23 GB of a temporary folder: make bench-data MILLIONS=10.
MILLIONS = 100
bench-data: $(VENV)/.dev
	$(BIN)/python -m benchmarks.bench_data --many $(MILLIONS)

# Sixteen kinds of faults planted into twenty real tables.
bench-faults: $(VENV)/.dev
	$(BIN)/python -m benchmarks.bench_faults

bench-compute: $(VENV)/.dev
	$(BIN)/python -m benchmarks.bench_compute

# Forms of applications and endpoints, beside onnxruntime alone and Inspect AI.
bench-kinds: $(VENV)/.dev
	$(BIN)/python -m benchmarks.bench_kinds

# Turns of applications that act, beside Inspect AI.
bench-arena: $(VENV)/.dev
	$(BIN)/python -m benchmarks.bench_arena

# The first hour on cases with four faults, beside MLflow, deepchecks and a Codabench bundle.
bench-hour: $(VENV)/.dev
	$(BIN)/python -m benchmarks.bench_hour

# 2,000 scenarios planned over three phases, planned again after changes, and refused.
bench-roadmap: $(VENV)/.dev
	$(BIN)/python -m benchmarks.bench_roadmap

# Sizes, imports, names, times; what tests run beside it, which takes as long as they do: make measured COVERAGE=1 DEMO=1
measured: $(VENV)/.dev
	$(BIN)/python -m benchmarks.house $${COVERAGE:+--coverage} $${DEMO:+--demo}

# A tenth of the runs, into build/evidence: make evidence SHARE=0.1
SHARE = 1
evidence: $(VENV)/.dev
	$(BIN)/python -m benchmarks.evidence --share $(SHARE)

# The reference from the code, then the site into build/site; what leads nowhere is an error.
docs: $(VENV)/.dev
	$(BIN)/python docs/generate.py
	$(BIN)/python -m sphinx -q -W --keep-going -b html -d build/doctrees docs build/site

lint: $(VENV)/.dev
	$(BIN)/python tests/run_all.py --lint-only

format: $(VENV)/.dev
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock:
	requirements/compile.sh

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: $(VENV)/bin/python requirements/base.txt pyproject.toml estate/pyproject.toml
	@echo "Installing the locked requirements into $(VENV) … · 正在安装锁定的依赖包……"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/base.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . -e estate
	touch $@

# What is installed is compiled on all cores; pip would use one. Templates that are no Python 3 are left alone.
$(VENV)/.dev: $(VENV)/.base requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes --only-binary :all: -r requirements/dev.txt
	$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || :
	touch $@

clean:
	rm -rf $(VENV) build

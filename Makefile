# One line a verb. `make help` lists them; a verb that needs the environment sets it up first.
CONFIG ?= census
RUN ?=
KEEP ?= 10
TARGET ?=
MODEL ?=
VERSION ?=
PORT ?= 8501
BENCHMARK ?= cpu quality
ARGS ?=
PYTHON := .venv/bin/python
PIPELINE := $(PYTHON) -m pipeline
LOCK := env -u UV_FIND_LINKS -u UV_TORCH_BACKEND .installer/bin/uv pip compile --quiet --generate-hashes --custom-compile-command "make lock" --python-version 3.11 --python-platform x86_64-manylinux_2_28

.DEFAULT_GOAL := help
.PHONY: help setup run-local smoke retrain demo-retrain schedule runs show report why card models serve monitor predict export explain rollback init to-label labels lineage gc lf test unit e2e test-deploy lint format benchmark lock clean

help: ## list the verbs
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

setup: ## make the isolated environment from the lock, when it has changed
	@sh environment/setup.sh
	@ls .venv/share/vega-*.js >/dev/null 2>&1 || $(PYTHON) -m pipeline.report.page.runtime

run-local: setup ## run the whole pipeline: CONFIG=census ARGS="--set tuner.trials=8"
	@$(PIPELINE) run --config $(CONFIG) $(ARGS)

smoke: setup ## the same pipeline on 2,000 rows; of another configuration: CONFIG=...
	@$(PIPELINE) run $(if $(filter file default,$(origin CONFIG)),--config smoke,--config $(CONFIG) --smoke) $(ARGS)

retrain: setup ## run the pipeline if there is a reason to: CONFIG=retrain ARGS=--dry-run
	@$(PIPELINE) retrain --config $(CONFIG) $(ARGS)

demo-retrain: setup ## a year of continuous training in minutes: ARGS="--markdown FILE"
	@$(PYTHON) -m benchmarks.demo_retrain $(ARGS)

schedule: setup ## retrain on a cron expression, until a signal: ARGS="--cron '0 3 * * *'"
	@$(PIPELINE) schedule --config $(CONFIG) $(ARGS)

runs: setup ## list the runs of CONFIG
	@$(PIPELINE) runs --config $(CONFIG) $(ARGS)

show: setup ## nodes, gates and models of one run: RUN=...
	@$(PIPELINE) show $(RUN) --config $(CONFIG) $(ARGS)

report: setup ## the page of one run: RUN=...; two side by side: ARGS="--against RUN"
	@$(PIPELINE) report $(RUN) --config $(CONFIG) $(ARGS)

why: setup ## why a model was pushed or not: TARGET=server; of a version or a run: VERSION=... or RUN=...
	@$(PIPELINE) why $(TARGET) $(or $(VERSION),$(RUN)) --config $(CONFIG) $(ARGS)

card: setup ## model card of a version: TARGET=server VERSION=...; ARGS="--data", "--verify FILE"
	@$(PIPELINE) card $(TARGET) $(VERSION) --config $(CONFIG) $(ARGS)

models: setup ## list the model versions of CONFIG, and which are live
	@$(PIPELINE) models --config $(CONFIG) $(ARGS)

serve: setup ## answer over the network with what was pushed: TARGET=edge PORT=8501
	@$(PIPELINE) serve --config $(CONFIG) --port $(PORT) $(if $(TARGET),--target $(TARGET)) $(ARGS)

monitor: setup ## drift, answers and quality of what is served, from its requests: ARGS=--json
	@$(PIPELINE) monitor --config $(CONFIG) $(if $(TARGET),--target $(TARGET)) $(ARGS)

predict: setup ## answer a file of rows: ARGS="--input FILE --output FILE" TARGET=edge
	@$(PIPELINE) predict --config $(CONFIG) $(if $(TARGET),--target $(TARGET)) $(ARGS)

export: setup ## an edge version for where it runs: ARGS="--format c99 --output DIR"
	@$(PIPELINE) export --config $(CONFIG) $(ARGS)

explain: setup ## what an answer rests on: ARGS="--row FILE --counterfactuals 3" TARGET=edge
	@$(PIPELINE) explain --config $(CONFIG) $(if $(TARGET),--target $(TARGET)) $(ARGS)

rollback: setup ## make an older version live: TARGET=server VERSION=... ARGS='--reason "..."'
	@$(PIPELINE) rollback $(TARGET) $(VERSION) --config $(CONFIG) $(ARGS)

init: setup ## describe your own data: ARGS="--csv FILE --label COLUMN --name NAME"
	@$(PIPELINE) init $(ARGS)

to-label: setup ## write rows that people should label: ARGS="--n 200"
	@$(PIPELINE) to-label --config $(CONFIG) $(ARGS)

labels: setup ## answers of people: ARGS="import FILE", "list", "remove IMPORT", "outcomes FILE"
	@$(PIPELINE) labels $(ARGS) --config $(CONFIG)

lineage: setup ## what a model was made of: MODEL=server VERSION=...; of a span: ARGS="--span 2"
	@$(PIPELINE) lineage $(MODEL) $(VERSION) --config $(CONFIG) $(ARGS)

gc: setup ## free the disk of old runs, never what is served: KEEP=10 ARGS=--dry-run
	@$(PIPELINE) gc --keep $(KEEP) --config $(CONFIG) $(ARGS)

lf: setup ## judge the labelling functions of CONFIG, without a run
	@$(PIPELINE) lf --config $(CONFIG) $(ARGS)

test: setup ## all tests in two halves side by side; each half prints when it has ended
	@$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target shared-runs unit-and-own-runs

# Halves that take about as long. End-to-end tests that share a root stay together.
OWN_RUNS := tests/e2e/test_init.py tests/e2e/test_text.py
.PHONY: shared-runs unit-and-own-runs
shared-runs:
	$(PYTHON) -m pytest tests/e2e $(OWN_RUNS:%=--ignore=%) $(ARGS)

unit-and-own-runs:
	$(PYTHON) -m pytest tests/unit $(OWN_RUNS) $(ARGS)

unit: setup ## unit and component tests only
	$(PYTHON) -m pytest tests/unit $(ARGS)

e2e: setup ## end-to-end smoke only
	$(PYTHON) -m pytest tests/e2e $(ARGS)

test-deploy: setup ## the files of deploy/ with Airflow and hadolint, in an environment of their own
	$(PYTHON) -m pytest --noconftest tests/deploy $(ARGS)

lint: setup ## ruff, formatting, types, direction of imports
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest --quiet tests/unit/test_imports_direction.py

format: setup ## rewrite the code in ruff's format
	$(PYTHON) -m ruff check --fix-only
	$(PYTHON) -m ruff format

benchmark: setup ## measure cost and quality into benchmarks/results; one: BENCHMARK=cpu ARGS=--peer
	@set -e; for name in $(BENCHMARK); do $(PYTHON) -m benchmarks.$$name $(ARGS); done

lock: setup ## resolve environment/*.txt anew: ARGS=--upgrade takes newer versions
	@$(LOCK) $(ARGS) environment/installer.in -o environment/installer.txt >/dev/null
	@$(LOCK) $(ARGS) pyproject.toml --group dev --constraints environment/torch.txt --no-emit-package torch -o environment/lock.txt >/dev/null
	@$(LOCK) $(ARGS) --no-config environment/torch.txt --constraints environment/lock.txt -o environment/torch-default.txt >/dev/null
	@$(LOCK) $(ARGS) --no-config tests/deploy/requirements.in -o tests/deploy/requirements.txt >/dev/null

clean: ## remove the environment, never the runs
	rm -rf .venv .installer

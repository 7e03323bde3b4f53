# make demo and make test do all the set-up; make help lists the other targets.

PYTHON ?= python3
VENV := .venv/bin
# Concurrent trainings: one per GPU, or one per core without a GPU.
GPUS := $(shell nvidia-smi --list-gpus 2>/dev/null | grep -c GPU)
SLOTS := $(if $(filter-out 0,$(GPUS)),$(GPUS),$(shell nproc))

# One line that says how far a run is; VERBOSE=1 shows all that Snakemake and the jobs say.
START := $(VENV)/python envs/start.py $(if $(VERBOSE),,--progress)

# The demo ends by applying a model to long recordings. Its training saw neither the pitches nor the
# places in them (fold 1).
DEMO_RECORDINGS := results/mini/soundscapes
DEMO_MODEL := results/mini/models/snr10/unet/fold1/seed0

.DEFAULT_GOAL := help
.PHONY: help setup setup-slurm demo demo-all test test-full test-browser test-cluster test-all lint settings docs bench gpu-evidence lock clean

help:  ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | column -t -s '|'

setup:  ## make .venv from envs/requirements.lock, unless it is up to date
	@$(PYTHON) envs/install.py

setup-slurm: setup  ## make .venv-slurm: Snakemake with plugins for clusters (docs/how-to/cluster.md)
	@$(VENV)/python envs/install.py slurm

demo: setup  ## run the whole pipeline on the embedded corpus: results/mini/ (VERBOSE=1: with all messages)
	@$(START) all apply --resources gpu=$(SLOTS) --configfile experiments/mini.yaml \
		--config recordings=$(DEMO_RECORDINGS) reference=$(DEMO_RECORDINGS)/events.tsv model=$(DEMO_MODEL)
	@echo; echo "Means over SNRs and folds:"; $(VENV)/python analyses/summary.py results/mini/metrics.csv
	@echo; echo "Look and listen: results/mini/report.html"
	@echo "A model applied to long recordings: results/mini/applied/index.html"
	@echo "All tables: results/mini/tables/*.md   all values: results/mini/metrics.csv"

demo-all: demo  ## also all seven systems, and the ICASSP paper's experiment, in small
	@$(START) --resources gpu=$(SLOTS) --configfile experiments/mini.yaml experiments/mini_all.yaml
	@$(START) --resources gpu=$(SLOTS) --configfile experiments/jsc2018.yaml experiments/mini_jsc.yaml
	@$(VENV)/python analyses/known_answers.py --order results/mini/metrics.csv
	@for run in mini_all mini_jsc; do $(VENV)/python analyses/known_answers.py results/$$run/metrics.csv || exit 1; done
	@echo "Tables: results/mini_all/tables/*.md, results/mini_jsc/tables/*.md"

# docs/explanation/testing.md describes the tiers. Tests of a file share slow fixtures, so they run in
# one process.
IN_PARALLEL := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: setup lint  ## check style, then test units, scripts of rules and one run of the workflow
	@$(VENV)/python -m pytest $(IN_PARALLEL) -m "not full"

test-full: setup  ## the tests that make test leaves out: every corpus, kills, much bad input
	@$(VENV)/python -m pytest $(IN_PARALLEL) -m full

test-browser: setup  ## test the report in headless Chromium (packages: envs/system_packages.txt)
	@$(VENV)/python -m pytest tests/browser

test-cluster: setup-slurm  ## test the workflow on a one-node Slurm, as root (same packages file)
	@.venv-slurm/bin/python -m pytest tests/cluster

test-all: test test-full test-browser test-cluster  ## all tests of CI

PROSE := README.md CONTRIBUTING.md config/README.md $(shell find docs -name "*.md")

lint: setup  ## check style, types and prose: ruff, snakefmt, snakemake --lint, codespell, proselint, mypy
	@$(VENV)/ruff check --quiet .
	@$(VENV)/ruff format --check --quiet .
	@$(VENV)/snakefmt --check --compact-diff Snakefile rules workflow
	@$(VENV)/snakemake --lint
	@$(VENV)/codespell
	@$(VENV)/proselint --config .proselintrc.json check $(PROSE)
	@$(VENV)/mypy --no-error-summary

docs: setup  ## generate the pages from declarations, and the site: site/index.html
	@PYTHONPATH=workflow_scripts $(VENV)/python docs/tools/generated.py
	@NO_MKDOCS_2_WARNING=1 $(VENV)/mkdocs build

settings: setup  ## generate the config's schema and table of keys from the declared settings
	@PYTHONPATH=workflow_scripts $(VENV)/python -m tfseg.settings.generate

bench: setup  ## run the benchmarks: results/bench/
	@$(VENV)/python bench/run.py

# Also without set-up: a GPU machine without a network has its own torch (docs/how-to/gpu.md).
GPU_PYTHON ?= $(firstword $(wildcard $(VENV)/python) python3)

gpu-evidence:  ## check and measure all that the docs say of a GPU, 25 minutes on one: results/gpu/
	@PYTHONPATH=bench:workflow_scripts:$$PYTHONPATH $(GPU_PYTHON) -m gpu_evidence $(ARGUMENTS)

lock: setup  ## write envs/requirements.lock anew from envs/requirements.in
	@$(VENV)/python envs/lock.py

clean:  ## remove the demo's results, caches and .venv (not data/, not other results)
	rm -rf .venv .venv-slurm results/mini results/mini_all results/mini_jsc results/bench site .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

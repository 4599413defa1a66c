# The few commands. `make help` lists them.
PYTHON ?= python3
DATA ?= ../shared/data/eval
TRAIN_DATA ?= ../shared/data/train
PIP_COMPILE = .venv/bin/pip-compile --quiet --strip-extras --no-header --annotation-style line \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

.DEFAULT_GOAL := help

help: ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.venv/.base: requirements/base.txt
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/base.txt
	@touch $@

.venv/.dev: requirements/dev.txt | .venv/.base
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	@touch $@

install: .venv/.base ## Make .venv ready for every command, start nothing

run: .venv/.base ## Serve Quarry on http://127.0.0.1:8000 (QUARRY_PORT, QUARRY_HOST, QUARRY_DATA)
	@exec .venv/bin/python manage.py serve

test: .venv/.dev ## Set up the test tools and run all tests
	.venv/bin/python -m pytest

lint: .venv/.dev ## ruff, mypy, import-linter, deploy checks
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python manage.py makemigrations --check --dry-run
	QUARRY_HTTPS=true .venv/bin/python manage.py check --deploy --fail-level WARNING

train-base: .venv/.dev ## Remake models/encoder from the training data (TRAIN_DATA=FOLDER)
	.venv/bin/python -m training.base.train --data $(TRAIN_DATA) --output models/encoder --cache data/train-base

bench: .venv/.base ## Write docs/quality.md from all evaluation sets (DATA=FOLDER)
	.venv/bin/python -m evaluation.quality $(DATA)
	.venv/bin/python -m research.quantization $(DATA)
	.venv/bin/python -m research.quantization $(DATA) --adapt

train-reranker: .venv/.dev ## Remake models/reranker from the training data (TRAIN_DATA=FOLDER)
	.venv/bin/python -m training.reranker.train --data $(TRAIN_DATA) --out models/reranker

compression: .venv/.dev ## Write docs/research/compression.md: the reranker pruned, distilled, quantized (STEPS, QUERIES)
	.venv/bin/python -m research.compression $(DATA) --train $(TRAIN_DATA) \
		--steps $(or $(STEPS),100) --queries $(or $(QUERIES),60)

lock: .venv/.dev ## Renew requirements/*.txt from pyproject.toml
	$(PIP_COMPILE) -o requirements/base.txt pyproject.toml
	$(PIP_COMPILE) --extra server -c requirements/base.txt -o requirements/server.txt pyproject.toml
	$(PIP_COMPILE) --extra gpu -c requirements/base.txt -o requirements/gpu.txt pyproject.toml
	$(PIP_COMPILE) --extra triton -c requirements/base.txt -o requirements/triton.txt pyproject.toml
	$(PIP_COMPILE) --extra server --extra triton --extra train --extra dev -c requirements/base.txt -o requirements/dev.txt pyproject.toml
	sed -i 's/+cpu//' requirements/*.txt

.PHONY: help install run test lint train-base train-reranker compression bench lock

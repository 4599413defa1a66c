# The few commands. `make help` lists them.
PYTHON ?= python3
DATA ?= ../shared/data/eval
TRAIN_DATA ?= ../shared/data/train
PIP_INSTALL = .venv/bin/python -m pip install --disable-pip-version-check
PIP_COMPILE = .venv/bin/pip-compile --quiet --strip-extras --no-header --annotation-style line \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

.DEFAULT_GOAL := help

help: ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# Each stage says what it does, and pip shows its progress: the first time takes a minute or more.
.venv/.base: requirements/base.txt
	@test -x .venv/bin/python || { echo "Making .venv with $$($(PYTHON) --version) ..."; $(PYTHON) -m venv .venv; }
	@echo "Installing what Quarry runs on (requirements/base.txt) ..."
	@$(PIP_INSTALL) -r requirements/base.txt
	@touch $@

.venv/.dev: requirements/dev.txt | .venv/.base
	@echo "Installing the test tools (requirements/dev.txt) ..."
	@$(PIP_INSTALL) -r requirements/dev.txt
	@touch $@

.venv/.train: requirements/train.txt | .venv/.dev
	@echo "Installing torch and what remakes the models (requirements/train.txt), some gigabytes ..."
	@$(PIP_INSTALL) -r requirements/train.txt
	@touch $@

install: .venv/.base ## Make .venv ready for every command, start nothing

run: .venv/.base ## Serve Quarry on http://127.0.0.1:8000 (QUARRY_PORT, QUARRY_HOST, QUARRY_DATA)
	@echo "Starting Quarry ..."
	@exec .venv/bin/python manage.py serve

check: lint ## Lint, types and the quick tests of the two paths, in a minute or so
	.venv/bin/python -m pytest tests/library tests/accounts tests/retrieval/ranking tests/retrieval/test_lexical.py \
		tests/retrieval/test_encoder.py tests/retrieval/test_frequencies.py tests/indexing/test_frequencies.py \
		tests/ingestion/test_chunking.py tests/ingestion/test_documents.py tests/ingestion/test_pipeline.py \
		tests/searchapp/test_search.py tests/searchapp/test_access.py tests/searchapp/test_snippets.py

test: .venv/.dev ## Set up the test tools, run the tests that need neither torch nor other programs
	.venv/bin/python -m pytest

test-all: .venv/.train ## Run every test: with torch, PostgreSQL, Redis and Chromium (what CI runs)
	.venv/bin/python -m pytest --all

containers: .venv/.dev ## Build the image, start docker-compose.yml and use it; needs a Docker engine and Chromium
	.venv/bin/python -m pytest -m containers tests/production/test_containers.py

lint: .venv/.dev ## ruff, mypy, import-linter, templates, deploy checks
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python -m pytest tests/config/test_templates.py
	.venv/bin/python manage.py makemigrations --check --dry-run
	QUARRY_HTTPS=true .venv/bin/python manage.py check --deploy --fail-level WARNING

train-base: .venv/.train ## Remake models/encoder from the training data (TRAIN_DATA=FOLDER)
	.venv/bin/python -m training.base.train --data $(TRAIN_DATA) --output models/encoder --cache data/train-base

bench: .venv/.base ## Write docs/quality.md from all evaluation sets (DATA=FOLDER)
	.venv/bin/python -m evaluation.quality $(DATA)
	.venv/bin/python -m research.quantization $(DATA)
	.venv/bin/python -m research.quantization $(DATA) --adapt

train-reranker: .venv/.train ## Remake models/reranker from the training data (TRAIN_DATA=FOLDER)
	.venv/bin/python -m training.reranker.train --data $(TRAIN_DATA) --out models/reranker

compression: .venv/.train ## Write docs/research/compression.md: the reranker pruned, distilled, quantized (STEPS, QUERIES)
	.venv/bin/python -m research.compression $(DATA) --train $(TRAIN_DATA) \
		--steps $(or $(STEPS),100) --queries $(or $(QUERIES),60)

lock: .venv/.dev ## Renew requirements/*.txt from pyproject.toml
	$(PIP_COMPILE) -o requirements/base.txt pyproject.toml
	$(PIP_COMPILE) --extra server -c requirements/base.txt -o requirements/server.txt pyproject.toml
	$(PIP_COMPILE) --extra gpu -c requirements/base.txt -o requirements/gpu.txt pyproject.toml
	$(PIP_COMPILE) --extra triton -c requirements/base.txt -o requirements/triton.txt pyproject.toml
	$(PIP_COMPILE) --extra server --extra triton --extra dev -c requirements/base.txt -o requirements/dev.txt pyproject.toml
	$(PIP_COMPILE) --extra server --extra triton --extra train --extra ocr --extra dev -c requirements/dev.txt -o requirements/train.txt pyproject.toml
	sed -i 's/+cpu//' requirements/*.txt

.PHONY: help install run check test test-all containers lint train-base train-reranker compression bench lock

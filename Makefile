# All that a machine needs is make and Python 3.11 or newer.

.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv/bin
ARGS ?=

# Asked rather than looked up: a shim of pyenv exists also for versions that are not installed.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; \
	done)

# -I: the folder of the script has modules that are named like those of the standard library.
define install
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer found. Install one, or name it: make PYTHON=/path/to/python3 ..."; exit 1; }
	@$(PYTHON) -I platform_site/local/install.py $(1)
endef
# Some machines forbid Python to write bytecode: each process would compile our files anew, and pytest all tests.
unexport PYTHONDONTWRITEBYTECODE

with-servers := $(VENV)/python -m tests.servers --
with-own-servers := $(VENV)/python -m platform_site.local.run --

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  \033[36m%-13s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Start everything on http://127.0.0.1:8000 (PORT=, VAR_DIR=); Ctrl-C stops it
	$(call install,requirements-local.txt)
	@exec $(VENV)/python -m platform_site.local.run

.PHONY: test
test: ## Run the tests (ARGS="chat -k unread")
	$(call install,requirements-dev.txt)
	@$(VENV)/python -m pytest $(ARGS)

.PHONY: soak
soak: ## Run the same proofs at full counts
	$(call install,requirements-dev.txt)
	@SCALE=soak TEST_VAR_DIR=$${TEST_VAR_DIR:-var/soak} $(VENV)/python -m pytest -m "not browser" $(ARGS)

.PHONY: browser-test
browser-test: ## Run the tests that need chromium
	$(call install,requirements-dev.txt)
	@$(VENV)/python -m pytest -m browser $(ARGS)

.PHONY: lint
lint: ## Check style, types, layers and migrations
	$(call install,requirements-dev.txt)
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy .
	$(VENV)/lint-imports
	$(with-servers) python manage.py makemigrations --check --dry-run
	$(with-servers) python manage.py check

.PHONY: format
format: ## Let ruff put the code in order
	$(call install,requirements-dev.txt)
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

.PHONY: migrate
migrate: ## Migrate all schemas of the development database
	$(call install,requirements-local.txt)
	@$(with-own-servers) python manage.py migrate_all $(ARGS)

.PHONY: shell
shell: ## Open a Python shell on the development database
	$(call install,requirements-local.txt)
	@$(with-own-servers) python manage.py shell $(ARGS)

.PHONY: bench
bench: ## Print how fast it is
	$(call install,requirements-dev.txt)
	@TEST_VAR_DIR=$${TEST_VAR_DIR:-var/bench} $(with-servers) python -m benchmarks $(ARGS)

.PHONY: openapi
openapi: ## Refresh docs/openapi.json
	$(call install,requirements-dev.txt)
	@$(with-servers) python manage.py spectacular --format openapi-json --validate --fail-on-warn --file docs/openapi.json

.PHONY: asyncapi
asyncapi: ## Refresh docs/asyncapi.json, also after docs/openapi.json changed
	$(call install,requirements-dev.txt)
	@$(VENV)/python -m platform_site.realtime.asyncapi

.PHONY: mails
mails: ## Compile the layout of mails, after changing platform_site/mail_layout/layout.mjml
	$(call install,requirements-dev.txt)
	@$(VENV)/python -m platform_site.mail_layout

.PHONY: lock
lock: ## Refresh constraints.txt from the requirement files (ARGS="--upgrade")
	$(call install,requirements-dev.txt)
	$(VENV)/uv pip compile --universal --python-version 3.11 --no-header --no-annotate $(ARGS) requirements-dev.txt -o constraints.txt

.PHONY: audit
audit: ## Ask whether a pinned version has a known hole
	$(call install,requirements-dev.txt)
	$(VENV)/pip-audit --requirement constraints.txt --no-deps --disable-pip

.PHONY: clean
clean: ## Remove caches and the servers of the tests; the data of make run stay
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
	for home in var/test var/test-*; do [ ! -L "$$home" ] || rm -rf "$$(readlink "$$home")"; done
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis .coverage staticfiles var/test var/test-* var/soak* var/bench*

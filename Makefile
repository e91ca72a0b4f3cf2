# `make up` and `make test` are all that a fresh Debian or Ubuntu machine needs; both are safe to run again.
SHELL := /bin/bash
export PATH := $(HOME)/.cargo/bin:$(PATH)
# Builds live outside the clone, so that the next clone's build is short.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/chimera/target
# Always the whole workspace: cargo would compile dependencies once more for a crate alone, with the features that it alone asks for.
CHIMERA := $(CARGO_TARGET_DIR)/release/chimera
WEB := serving/web/dist/index.html

.PHONY: help up down test test-api test-e2e test-udf fuzz contracts bench bench-nexmark chaos quality fmt lint web build setup setup-test

help: ## This list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

up: setup build ## Install what is missing, build, and run the whole platform on this machine with sample data
	@$(CHIMERA) up

down: ## Stop servers that an interrupted `make up` left running
	@$(CHIMERA) down

build: $(WEB) ## Build the binary and the pages in it
	@echo '[build] cargo build --release (the first time takes a while: about 700 crates)' >&2
	@cargo build --release --locked --workspace

web: $(WEB) ## Build the pages

$(WEB): $(shell find serving/web/src serving/web/*.html serving/web/package-lock.json serving/web/vite.config.ts 2>/dev/null)
	@echo '[web] npm ci, vite build' >&2
	@cd serving/web && npm ci --no-audit --no-fund --silent && npm run --silent build
	@touch $(WEB)

test: setup-test $(WEB) ## Install what is missing and run all tests
	@cd serving/web && { [ -d node_modules ] || npm ci --no-audit --no-fund --silent; } && npm test --silent
	@cargo test --release --locked --workspace --no-fail-fast
	@$(MAKE) --no-print-directory test-udf
	@$(MAKE) --no-print-directory test-e2e

test-e2e: build ## The pages in headless Chromium against a running platform
	@infra/e2e/run.sh $(CHIMERA)

test-api: build ## Made-up requests to every route (Schemathesis), SECONDS_EACH as nobody, a shopper and the operator
	@infra/schemathesis/run.sh $(CHIMERA) $(or $(SECONDS_EACH),120)

test-udf: ## The Rust functions of SQL, compiled as Arroyo compiles them
	@for source in $(filter-out %/mod.rs,$(wildcard sql/src/functions/udf/*.rs)); do \
		echo "[udf] $$source for Arroyo" >&2; \
		UDF=$(CURDIR)/$$source cargo check --quiet --locked --manifest-path sql/udf/arroyo/Cargo.toml --target-dir $(CARGO_TARGET_DIR)/arroyo || exit 1; \
	done

bench: build ## Measure, beside reference runs in the same minute, and write docs/benchmarks.md
	@$(CHIMERA) bench --write docs/benchmarks.md

bench-nexmark: ## Measure the Nexmark queries, each beside one DataFusion run over the same events, and write docs/nexmark.md
	@cargo build --release --locked --workspace --examples
	@$(CARGO_TARGET_DIR)/release/examples/nexmark --write docs/nexmark.md

quality: build ## Measure search and picture search, and write docs/quality.md
	@cargo build --release --locked --workspace --examples
	@infra/quality/run.sh $(CARGO_TARGET_DIR)

contracts: build ## Accept what the handlers describe now: the OpenAPI document, and the client made from it
	@$(CHIMERA) openapi > serving/openapi.json
	@$(CARGO_TARGET_DIR)/release/xtask client

fuzz: ## Feed inputs that nobody thought of to what reads inputs, ten minutes each (FUZZ_SECONDS)
	@fuzz/run.sh $(or $(FUZZ_SECONDS),600)

chaos: build ## Play a year of orders while the process is killed again and again, then verify every store
	@infra/chaos/run.sh $(CHIMERA)

fmt: ## Format
	@cargo fmt --all

lint: $(WEB) ## Formatting, clippy, the project's own rules, and the dependencies' licences and advisories where the tools are installed
	@cargo fmt --all --check
	@cargo clippy --locked --workspace --all-targets --features chimera-fuzz/fuzz -- -D warnings
	@cargo build --quiet --release --locked --workspace && $(CARGO_TARGET_DIR)/release/xtask tidy
	@cd serving/web && { [ -d node_modules ] || npm ci --no-audit --no-fund --silent; } && npm run --silent lint
	@if command -v cargo-deny >/dev/null; then cargo deny --locked check licenses bans sources && if cargo deny --locked fetch db >/dev/null 2>&1; then cargo deny --locked check advisories; else echo 'skipped: advisories: their database cannot be reached' >&2; fi; else echo 'skipped: licences and advisories: no cargo-deny (cargo install --locked cargo-deny)' >&2; fi

setup:
	@infra/setup/setup.sh run

setup-test:
	@infra/setup/setup.sh test

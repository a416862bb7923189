# Every job of the project. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

BEDS ?= 24
SEED ?= 1
SPEED ?= 1
PORT ?= 8080
MINUTES ?= 3
FAULTS ?= 27
INTAKE ?= both
SEEDS ?= 20000

.PHONY: help demo up down status test unit lint sim typecheck bench chaos overload clean install docs

help: ## list every target
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

node_modules/.installed: package.json package-lock.json .npmrc
	@echo "installing packages (once)"
	@# not npm ci: it demands the optional binaries of every platform, which a registry mirror may not hold
	@npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@

install: node_modules/.installed ## install the pinned runtime and packages

board/dist/index.html: node_modules/.installed $(shell find board -name node_modules -prune -o -name dist -prune -o -type f -print) schemas/board.ts
	@vite build board --logLevel error

demo: node_modules/.installed board/dist/index.html ## a simulated ward on the embedded stack, with its page (BEDS, SEED, SPEED, PORT, RECORDINGS=folder)
	@exec node streams/main.ts demo --beds $(BEDS) --seed $(SEED) --speed $(SPEED) --port $(PORT) $(if $(RECORDINGS),--recordings $(RECORDINGS))

up: node_modules/.installed board/dist/index.html ## the same on mosquitto, Kafka, QuestDB, Apicurio, HAPI FHIR and Prometheus
	@node deploy/cli.ts up --beds $(BEDS) --seed $(SEED) --board-port $(PORT)

down: node_modules/.installed ## stop what `make up` started
	@node deploy/cli.ts down

status: node_modules/.installed ## one health line per server and role
	@node deploy/cli.ts status

typecheck: node_modules/.installed ## tsc, strict
	@tsc -p . && tsc -p board

docs: node_modules/.installed ## write what is generated: docs/degradation.md
	@node test/docs/degradation-page.ts

lint: node_modules/.installed ## biome (style, one-way imports, purity) and knip (dead code)
	@biome check . && knip

unit: node_modules/.installed ## the tests that need no server
	@vitest run --project unit

test: node_modules/.installed board/dist/index.html ## everything: types, lint, unit tests, and the integration suite on real servers
	@$(MAKE) --no-print-directory typecheck lint
	@node deploy/cli.ts fetch
	@mkdir -p test-results
	@vitest run --reporter=default --reporter=json --outputFile.json=test-results/vitest.json

sim: node_modules/.installed ## exactly once, by simulation: SEEDS=n seeds and the planted faults; SEED=n replays one
	@node test/sim/run.ts --seeds $(SEEDS) $(if $(filter command% environment,$(origin SEED)),--seed $(SEED))

bench: node_modules/.installed ## measure against a bare pipe and against Kafka Streams, in the same run (some 10 min)
	@node deploy/cli.ts fetch
	@node test/bench/run.ts

chaos: node_modules/.installed ## kill, hang and rob every process under load, then compare with the ledger (MINUTES, FAULTS, SEED, INTAKE=listener|broker|both)
	@node test/chaos/cli.ts --minutes $(MINUTES) --faults $(FAULTS) --seed $(SEED) --intake $(INTAKE)

overload: node_modules/.installed ## ten times the alarms for MINUTES=n (10) minutes, by listener and circuit alone: delays by priority, memory
	@AFFERENT_TEST_SERVERS=none OVERLOAD_MINUTES=$(if $(filter command% environment,$(origin MINUTES)),$(MINUTES),10) vitest run --project integration test/alert/overload

clean: $(if $(wildcard .afferent/stack/stack.json),down) ## stop what runs; remove all state of demo and stack, and what was built
	@rm -rf .afferent board/dist test-results test/bench/kafka-streams/target

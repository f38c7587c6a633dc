# Tandem on one machine. `make` alone lists what there is; README.md shows what to expect; deploy/local does the work.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help deps needs check build up down status logs test bench bench-edge bench-relay bench-codecs fuzz lint clean

local := deploy/local
# An import that Package.swift does not allow is an error, not luck with the build order.
strict := --explicit-target-dependency-import-check error

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

deps: ## install the Debian packages that are missing (root or sudo), starting no system service
	@$(local)/dependencies

needs: # only what running takes: the tests want large things, like a browser
	@$(local)/dependencies build run

build: needs ## build everything, optimised
	@command -v swift >/dev/null || { echo "tandem: no swift in PATH: install a Swift 6 toolchain (swift.org/install)" >&2; exit 1; }
	@swift build -c release $(strict)

check: needs
	@$(local)/suite check

up: check ## start servers and services, seed the tenant demo, place a call; SCALE="CallServer=2 MediaRelay=2" for more instances
	@$(local)/servers start & servers=$$!; $(MAKE) --no-print-directory build && wait $$servers # both take their time
	@$(local)/suite up
	@$(local)/suite greet

down: ## stop all that `make up` started (data stays in .run)
	@$(local)/suite down

status: ## say what runs, and whether it is ready
	@$(local)/suite status

logs: ## follow the logs of all services and servers
	@$(local)/suite logs

test: deps ## build and run all tests against private servers and a private suite, then stop them
	@$(local)/test

bench: check build ## measure the running suite, one line per figure
	@$(local)/suite up
	@$(local)/suite bench

bench-edge: needs ## compare the edge, alone, with Kamailio on this machine: CPU, rates, idle connections; with OpenSSL alone: idle TLS and WSS
	@swift build -c release --product EdgeProxy
	@swift build -c release --product ForwardingBenchmark
	@Tests/Benchmarks/forwarding
	@Tests/Benchmarks/edge-allocations
	@Tests/Benchmarks/edge-against-kamailio
	@Tests/Benchmarks/edge-connections

bench-relay: deps ## compare the relay, alone, with RTPEngine on this machine: CPU per packet, delay, streams on one core; count allocations
	@swift build -c release --product MediaRelay
	@Tests/Benchmarks/relay-allocations
	@Tests/Benchmarks/relay-against-rtpengine

bench-codecs: needs ## time a packet's transcoding for every codec, and count what it allocates
	@swift build -c release --product CodecBenchmark
	@Tests/Benchmarks/codecs

fuzz: deps ## feed the parsers of outside input with libFuzzer: FUZZ="sip via", FUZZ_SECONDS=30 each, or FUZZ_RUNS=5000000
	@Tests/Fuzz/run $(FUZZ)

lint: deps ## check scripts and the compose file
	@shellcheck -x -P SCRIPTDIR .ci/run $(local)/{layout.sh,services.sh,servers,supervise,suite,dependencies,test} Tests/Fuzz/run Tests/Benchmarks/{edge-against-kamailio,edge-connections,relay-against-rtpengine,relay-allocations,relay-kill,srtp,codecs} Tests/MediaLoad/speech
	@docker-compose --file docker-compose.yml config --quiet

clean: ## stop, and remove data, logs and builds
	@$(local)/suite clean
	@RUN=.test-run $(local)/suite clean
	@rm -rf .build

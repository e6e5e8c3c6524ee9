# One command for each check. CONTRIBUTING.md says how long each takes.

.PHONY: check demo deny test test-server test-others lint bench bench-advice bench-cases bench-growth bench-logs bench-robustness bench-tpch bench-upkeep session-picture test-browser

# After each change: formatting, types, unit tests. Needs no server.
check:
	cargo fmt --check
	cargo check --locked --all-targets
	cargo test --locked --lib

# A throwaway PostgreSQL, the sample workloads, and the report on them. Installs PostgreSQL when it is missing.
demo:
	@scripts/ensure-postgres.sh >/dev/null
	cargo run --release --locked -- demo

# Every test, fast ones first. The tests of the third step start their own PostgreSQL servers.
test:
	@echo "make test: 1 of 3: unit tests"
	cargo test --locked --lib --bins
	@echo "make test: 2 of 3: examples in the documentation"
	cargo test --locked --doc
	@echo "make test: 3 of 3: tests of the program and of real servers"
	@scripts/ensure-postgres.sh >/dev/null
	@scripts/ensure-test-tools.sh
	cargo test --locked --no-run --examples --test '*'
	@$(MAKE) -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) test-server test-others

# The two halves of the third step take as long as each other and run at the same time: much of it is waiting.
SERVER_TESTS = server twin
OTHER_TESTS = $(filter-out $(SERVER_TESTS),$(basename $(notdir $(wildcard tests/*.rs))))

test-server:
	cargo test --locked $(addprefix --test ,$(SERVER_TESTS))

test-others:
	cargo test --locked --examples $(addprefix --test ,$(OTHER_TESTS))

# The HTML report in Chromium, with axe-core; installs both. Part of test-others where AXE_CORE is set.
test-browser:
	AXE_CORE="$$(scripts/ensure-browser.sh)" cargo test --locked --test browser

# Records the session that README.md shows (docs/screens/session.svg), and draws the other screens again.
session-picture:
	@scripts/ensure-postgres.sh >/dev/null
	@scripts/ensure-test-tools.sh
	cargo build --release --locked
	cargo run --locked --example session -- "$${CARGO_TARGET_DIR:-target}/release/pgrehearse"
	cargo run --locked --example screens

lint:
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	# Without the tests the modules are private, and what nothing uses is found.
	cargo clippy --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --lib --document-private-items

# Licenses and sources of the dependencies, by deny.toml. Works without network once the crates are downloaded.
deny:
	cargo fetch --locked
	"$$(scripts/ensure-cargo-deny.sh)" --offline --locked check licenses bans sources

# How fast the core is: times and throughput.
bench:
	cargo bench --locked --bench core --bench analyzing --bench memory --bench reading --bench start --bench tui --bench twin

# How good the advice is, on the five sample workloads at full size and on TPC-H: builds the recommended indexes and measures the costs again.
# ARGS="--scale 0.05" is a quick run; ARGS=--help shows all options.
bench-advice:
	@scripts/ensure-postgres.sh >/dev/null
	cargo bench --locked --bench advice -- $(ARGS)

bench-tpch:
	@scripts/ensure-postgres.sh >/dev/null
	cargo bench --locked --bench advice -- --tpch $(ARGS)

# How the time and the memory of advise grow with the number of statements, and what a second twin brings.
# ARGS="--statements 56,504,5040 --verify" measures other workloads.
bench-growth:
	@scripts/ensure-postgres.sh >/dev/null
	cargo bench --locked --bench growth -- $(ARGS)

# How fast logs are read, beside pgBadger: make bench-logs ARGS="--mb 500"
bench-logs:
	cargo bench --locked --bench logs -- $(ARGS)

# What an index costs writers, predicted and measured, for each access method. ARGS="--rows 300000" has larger tables.
bench-upkeep:
	@scripts/ensure-postgres.sh >/dev/null
	cargo bench --locked --bench upkeep -- $(ARGS)

# The cases of fixtures/cases: executes their statements with the recommended indexes and with an expert's.
# ARGS="o-job-queue o-outbox" runs only these; ARGS="--details" shows every statement.
bench-cases:
	@scripts/ensure-postgres.sh >/dev/null
	cargo bench --locked --bench advice -- --cases $(ARGS)

# The same with other values of the statements, drawn from the data. ARGS="--dir DIR" takes the cases of another directory.
# Of the sample workloads: cargo bench --bench advice -- --robustness --scale 0.05
bench-robustness:
	@scripts/ensure-postgres.sh >/dev/null
	cargo bench --locked --bench advice -- --robustness --cases $(ARGS)

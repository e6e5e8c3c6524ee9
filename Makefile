# The project's promises, one command each.

.PHONY: demo test lint bench bench-advice bench-tpch

# A throwaway PostgreSQL, the sample workloads, and the report on them. Installs PostgreSQL when there is none.
demo:
	@scripts/ensure-postgres.sh >/dev/null
	cargo build --release --locked
	target/release/pgrehearse demo

# Everything, from unit tests to tests against a real server that they start themselves.
test:
	@scripts/ensure-postgres.sh >/dev/null
	@scripts/ensure-test-tools.sh
	cargo test --locked

lint:
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	# Without the tests the modules are private, and what nothing uses is found.
	cargo clippy --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --lib --document-private-items

# How fast the core is: times and throughput side by side in one run.
bench:
	cargo bench --locked --bench core --bench analyzing --bench memory --bench reading --bench start --bench tui --bench twin

# How good the advice is: the five sample workloads at full size, and TPC-H. Their sets of indexes are really built.
# ARGS="--scale 0.05" is a quick run; ARGS=--help shows the rest.
bench-advice:
	@scripts/ensure-postgres.sh >/dev/null
	cargo bench --locked --bench advice -- $(ARGS)

bench-tpch:
	@scripts/ensure-postgres.sh >/dev/null
	cargo bench --locked --bench advice -- --tpch $(ARGS)

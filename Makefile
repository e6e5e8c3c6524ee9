# The project's promises, one command each.

.PHONY: demo test lint bench

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


# How fast the core is: times and throughput side by side in one run.
bench:
	cargo bench --locked

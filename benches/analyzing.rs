//! How long the analyzer takes for a plan of 10 000 nodes. The aim is less than 10 ms for metrics
//! and findings together.
//!
//! Run with `cargo bench --bench analyzing`.

#[path = "common/plans.rs"]
mod plans;

use divan::Bencher;
use pgrehearse::internals::finding::{findings, findings_with};
use pgrehearse::internals::plan::Plan;
use pgrehearse::internals::plan::alignment::align;
use pgrehearse::internals::plan::metrics::metrics;

fn main() {
    divan::main();
}

#[expect(
    clippy::expect_used,
    reason = "a benchmark of a plan that is none measures nothing"
)]
fn shaped(shape: &str) -> Plan {
    Plan::from_json(plans::shaped(shape)).expect("the plan is one")
}

#[divan::bench(args = plans::SHAPES)]
fn metrics_alone(bencher: Bencher<'_, '_>, shape: &str) {
    let plan = shaped(shape);
    bencher.bench(|| metrics(divan::black_box(&plan)));
}

#[divan::bench(args = plans::SHAPES)]
fn findings_alone(bencher: Bencher<'_, '_>, shape: &str) {
    let plan = shaped(shape);
    let metrics = metrics(&plan);
    bencher.bench(|| findings_with(divan::black_box(&plan), &metrics, None));
}

#[divan::bench(args = plans::SHAPES)]
fn metrics_and_findings(bencher: Bencher<'_, '_>, shape: &str) {
    let plan = shaped(shape);
    bencher.bench(|| findings(divan::black_box(&plan), None));
}

#[divan::bench(args = plans::SHAPES)]
fn alignment(bencher: Bencher<'_, '_>, shape: &str) {
    let plan = shaped(shape);
    bencher.bench(|| align(divan::black_box(&plan), &plan).steps());
}

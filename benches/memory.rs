//! What the library keeps in memory for a plan of 10 000 nodes, counted by its allocator
//! (`max alloc`): the plan itself, its metrics and what the interface makes of it.
//! `cargo bench --bench start` has the whole program's memory.
//!
//! Run with `cargo bench --bench memory`.

#![allow(
    clippy::unwrap_used,
    reason = "a benchmark may stop at the first surprise"
)]

#[path = "common/plans.rs"]
mod plans;

use divan::{AllocProfiler, Bencher};
use pgrehearse::internals::plan::Plan;
use pgrehearse::internals::plan::metrics::metrics;
use pgrehearse::internals::plan::read::{ReadPlan, read};
use pgrehearse::internals::tui::keymap::Key;
use pgrehearse::internals::tui::model::{Model, Msg, Size};
use pgrehearse::internals::tui::session_data::SessionData;
use pgrehearse::internals::tui::theme::Theme;
use pgrehearse::internals::tui::update;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(args = plans::SHAPES, sample_count = 5)]
fn reading(bencher: Bencher<'_, '_>, shape: &str) {
    let text = plans::shaped(shape).to_string();
    bencher.bench(|| read(text.as_bytes()));
}

#[divan::bench(args = plans::SHAPES, sample_count = 5)]
fn metrics_of_it(bencher: Bencher<'_, '_>, shape: &str) {
    let plan = plan(shape);
    bencher.bench(|| metrics(&plan));
}

#[divan::bench(args = plans::SHAPES, sample_count = 5)]
fn opening_it(bencher: Bencher<'_, '_>, shape: &str) {
    let session_data = SessionData::of_plans(
        "bench".to_owned(),
        vec![(
            shape.to_owned(),
            Ok(ReadPlan::of_statement(plan(shape), "")),
        )],
    );
    let model = Model::offline(
        session_data,
        Size {
            columns: 200,
            lines: 60,
        },
        Theme::Colours,
    );
    bencher
        .with_inputs(|| model.clone())
        .bench_local_refs(|model| {
            update(model, Msg::Key(Key::Enter));
        });
}

fn plan(shape: &str) -> Plan {
    Plan::from_json(plans::shaped(shape)).unwrap()
}

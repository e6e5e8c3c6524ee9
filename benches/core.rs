//! How fast the core is, without a server: reading plans (beside `serde_json` into `Value`, in the
//! same run) and the whole pipeline on a recorded run.

#![allow(
    clippy::unwrap_used,
    reason = "a benchmark may stop at the first surprise"
)]

use divan::Bencher;
use divan::counter::BytesCount;
use pgrehearse::internals::advise::advise;
use pgrehearse::internals::planner::recording::{Recording, Replay};

fn main() {
    divan::main();
}

fn recording() -> Recording {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/recordings/002-table-sync.json"
    );
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// An append over this many scans, as EXPLAIN (FORMAT JSON) prints it.
fn wide_plan(scans: usize) -> String {
    let scan = r#"{"Node Type": "Seq Scan", "Parent Relationship": "Member", "Parallel Aware": false, "Relation Name": "measurement_2024",
        "Schema": "public", "Alias": "m", "Startup Cost": 0.00, "Total Cost": 4711.25, "Plan Rows": 200000, "Plan Width": 44,
        "Filter": "(m.at >= '2024-01-01'::date)"}"#;
    let scans = vec![scan; scans].join(",");
    format!(
        r#"[{{"Plan": {{"Node Type": "Append", "Startup Cost": 0.00, "Total Cost": 1.00, "Plan Rows": 1, "Plan Width": 4, "Plans": [{scans}]}}}}]"#
    )
}

#[divan::bench]
fn read_plan(bencher: Bencher) {
    let text = wide_plan(10_000);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| pgrehearse::internals::plan::read::plans(divan::black_box(&text)).unwrap());
}

#[divan::bench]
fn serde_json_into_value(bencher: Bencher) {
    let text = wide_plan(10_000);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| serde_json::from_str::<serde_json::Value>(divan::black_box(&text)).unwrap());
}

#[divan::bench]
fn advise_on_a_recorded_run(bencher: Bencher) {
    let recording = recording();
    bencher.bench(|| {
        advise(
            &recording.workload,
            &recording.limits,
            &mut Replay::new(&recording),
            &|_| {},
        )
        .unwrap()
    });
}

//! Estimated sizes of indexes compared with indexes that a real server built.
//!
//! `cargo test --test sizes -- --ignored --nocapture` prints a table of how far off the estimates
//! are, for tables of all kinds and for the five sample workloads.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

#[path = "common/live.rs"]
#[allow(dead_code, reason = "this binary never runs the program")]
mod live;

#[path = "sizes/cases.rs"]
mod cases;
#[path = "sizes/facts.rs"]
mod facts;

use facts::{Measured, Observer, Source};
use live::Database;

/// The share of estimates within a quarter of the real size.
fn share_within(measured: &[&Measured], deviation: f64) -> f64 {
    let near = measured
        .iter()
        .filter(|one| one.deviation() <= deviation)
        .count();
    near as f64 / measured.len().max(1) as f64
}

fn of_method<'m>(measured: &'m [Measured], method: &str) -> Vec<&'m Measured> {
    measured.iter().filter(|one| one.method == method).collect()
}

/// Access method x (number, within 10 %, within 25 %, worst).
fn table(title: &str, measured: &[Measured]) -> String {
    let mut lines = vec![
        format!("{title}: {} indexes", measured.len()),
        format!(
            "{:8} {:>4} {:>6} {:>6} {:>6} {:>12}",
            "method", "n", "<10 %", "<25 %", "worst", "height right"
        ),
    ];
    for method in ["btree", "hash", "brin", "gin", "gist", "spgist", "bloom"] {
        let these = of_method(measured, method);
        if these.is_empty() {
            continue;
        }
        let worst = these
            .iter()
            .max_by(|a, b| a.deviation().total_cmp(&b.deviation()))
            .unwrap();
        let right = these.iter().filter(|one| one.level_is_right()).count();
        lines.push(format!(
            "{method:8} {:>4} {:>5.0}% {:>5.0}% {:>6.2} {:>12}",
            these.len(),
            100.0 * share_within(&these, 0.1),
            100.0 * share_within(&these, 0.25),
            worst.ratio(),
            if method == "btree" {
                format!("{right}/{}", these.len())
            } else {
                String::new()
            },
        ));
    }
    lines.join("\n")
}

fn measure(database: &Database, specifications: &[&str], source: Source) -> Vec<Measured> {
    let mut observer = Observer::new(database, source);
    specifications
        .iter()
        .map(|specification| observer.measure(specification))
        .collect()
}

fn varied() -> Database {
    let database = Database::new("sizes_varied", "");
    cases::create(&database);
    database
}

#[test]
fn nine_in_ten_estimates_are_within_a_quarter() {
    let measured = measure(&varied(), cases::VARIED, Source::Both);
    let all = measured
        .iter()
        .map(Measured::line)
        .collect::<Vec<_>>()
        .join("\n");
    for method in ["btree", "hash", "brin", "gin", "gist", "spgist"] {
        let these = of_method(&measured, method);
        assert!(
            share_within(&these, 0.25) >= 0.9,
            "{method}: {}\n{all}",
            table("varied tables", &measured)
        );
    }
    let btrees = of_method(&measured, "btree");
    let right = btrees.iter().filter(|one| one.level_is_right()).count();
    assert!(
        right as f64 >= 0.95 * btrees.len() as f64,
        "heights: {right} of {}\n{all}",
        btrees.len()
    );
}

#[test]
fn types_that_deduplicate_are_those_of_the_server() {
    let database = Database::new("sizes_types", "");
    let rows = database
        .client()
        .query(
            "SELECT t.typname::text, EXISTS (
                 SELECT FROM pg_amproc p
                 WHERE p.amprocfamily = c.opcfamily AND p.amprocnum = 4 AND p.amproclefttype = c.opcintype)
             FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod JOIN pg_type t ON t.oid = c.opcintype
             WHERE a.amname = 'btree' AND c.opcdefault AND t.typtype = 'b' AND t.oid < 16384",
            &[],
        )
        .unwrap();
    for row in rows {
        let (name, deduplicates): (String, bool) = (row.get(0), row.get(1));
        assert_eq!(facts::type_deduplicates(&name), deduplicates, "{name}");
    }
}

#[test]
#[ignore = "prints figures; run with --ignored --nocapture"]
fn figures() {
    let varied = varied();
    for (title, source) in [
        ("varied tables, statistics only", Source::Statistics),
        ("varied tables, statistics and sample", Source::Both),
    ] {
        let measured = measure(&varied, cases::VARIED, source);
        measured.iter().for_each(|one| println!("{}", one.line()));
        println!("\n{}\n", table(title, &measured));
    }
    for source in [Source::Statistics, Source::Both] {
        let mut all = Vec::new();
        for (sample, specifications) in cases::SAMPLES {
            let name = format!("sizes_{}", sample.get(..3).unwrap());
            let database = Database::sample(&name, sample, "1");
            all.extend(measure(&database, specifications, source));
        }
        all.iter().for_each(|one| println!("{}", one.line()));
        println!(
            "\n{}\n",
            table(&format!("sample workloads, {source:?}"), &all)
        );
    }
}

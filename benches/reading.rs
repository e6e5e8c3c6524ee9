//! How fast plans are read, in bytes per second: JSON beside `serde_json` into `Value` on the same
//! text, and the other formats.
//!
//! ```sh
//! cargo bench --bench reading
//! ```

use std::fs;
use std::path::Path;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use pgrehearse::internals::plan::read::read;

fn main() {
    divan::main();
}

/// The largest plan of the corpus, often enough to be some megabytes: one file with many plans.
fn corpus(extension: &str) -> String {
    let path = format!("fixtures/plans/corpus/18/cte-init-sub-everything.{extension}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let plan = fs::read_to_string(&path).unwrap_or_default();
    assert!(!plan.is_empty(), "{} is not there", path.display());
    let plan = plan.trim_end();
    let times = 4_000_000 / plan.len();
    match (plan.strip_prefix('['), plan.strip_suffix(']')) {
        // One list of plans: serde_json reads one value.
        (Some(_), Some(_)) => format!("[{}]", vec![&plan[1..plan.len() - 1]; times].join(",")),
        _ => vec![plan; times].join("\n\n"),
    }
}

fn reads(bencher: Bencher<'_, '_>, extension: &str) {
    let text = corpus(extension);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| read(black_box(text.as_bytes())).map(|plans| plans.len()));
}

#[divan::bench]
fn json(bencher: Bencher<'_, '_>) {
    reads(bencher, "json");
}

/// What the JSON reader is measured by: no nodes, no checks, duplicate keys overwritten.
#[divan::bench]
fn json_into_value_by_serde_json(bencher: Bencher<'_, '_>) {
    let text = corpus("json");
    bencher.counter(BytesCount::of_str(&text)).bench(|| {
        serde_json::from_slice::<serde_json::Value>(black_box(text.as_bytes()))
            .map(|value| value.is_array())
    });
}

#[divan::bench]
fn text(bencher: Bencher<'_, '_>) {
    reads(bencher, "txt");
}

#[divan::bench]
fn yaml(bencher: Bencher<'_, '_>) {
    reads(bencher, "yaml");
}

#[divan::bench]
fn xml(bencher: Bencher<'_, '_>) {
    reads(bencher, "xml");
}

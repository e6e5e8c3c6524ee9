use crate::workload::Usage;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::QualifiedName;
use crate::plan::Plan;
use crate::twin::metapage::Metapage;
use crate::twin::snapshot::{Extremes, RelationFile, Slot, Statistic, SystemTable, Values};

fn sample() -> TwinFile {
    let mut workload = Workload::default();
    workload.add(
        "jobs",
        "SELECT * FROM jobs WHERE state = 'x'",
        Usage {
            calls: 3.0,
            mean_time_ms: Some(1.5),
        },
        "jobs.sql:1".to_owned(),
    );
    let plan =
        Plan::from_json(json!({"Plan": {"Node Type": "Seq Scan", "Total Cost": 10.25}})).unwrap();
    let plans = BTreeMap::from([(StatementId("jobs".to_owned()), PlanOutcome::Plan(plan))]);
    TwinFile::new(workload, Catalog::default(), plans, Snapshot::default())
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn error(bytes: &[u8]) -> TwinFileError {
    TwinFile::read(bytes).unwrap_err()
}

#[test]
fn a_file_comes_back_and_is_the_same_every_time() {
    let file = sample();
    let bytes = file.to_bytes().unwrap();
    assert_eq!(bytes[4..8], [0; 4], "no time in the header");
    assert_eq!(TwinFile::read(bytes.as_slice()).unwrap(), file);
    assert_eq!(
        TwinFile::read(bytes.as_slice())
            .unwrap()
            .to_bytes()
            .unwrap(),
        bytes
    );
}

#[test]
fn what_is_no_twin_file_is_said_to_be_none() {
    for bytes in [&b""[..], b"SELECT 1", b"{\"format\":\"pgrehearse-twin-1\"}"] {
        assert!(
            matches!(error(bytes), TwinFileError::NotATwinFile(_)),
            "{:?}",
            error(bytes)
        );
    }
    for text in [
        "",
        "[]",
        "{\"form\":1}",
        "{\"format\":\"pgrehearse-recording-1\"}",
        "{\"format\":\"pgrehearse-twin-x\"}",
    ] {
        assert!(
            matches!(error(&packed(text)), TwinFileError::NotATwinFile(_)),
            "{text}"
        );
    }
}

#[test]
fn a_newer_format_is_named_whatever_follows() {
    let newer = packed("{ \"format\" : \"pgrehearse-twin-2\", \"all\": [1, \"different\"]");
    let said = error(&newer).to_string();
    assert!(
        said.contains("pgrehearse-twin-2") && said.contains("newer"),
        "{said}"
    );
}

#[test]
fn a_file_cut_off_anywhere_is_an_error() {
    let bytes = sample().to_bytes().unwrap();
    for length in 2..bytes.len() {
        let found = error(&bytes[..length]);
        assert!(
            matches!(found, TwinFileError::Damaged(_)),
            "{length}: {found:?}"
        );
    }
}

#[test]
fn a_changed_byte_is_never_taken_silently() {
    let file = sample();
    let bytes = file.to_bytes().unwrap();
    for position in 10..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 0x20;
        // After the last block, Deflate has a few unused bits.
        let read = TwinFile::read(changed.as_slice());
        assert!(read.map_or(true, |read| read == file), "byte {position}");
    }
}

#[test]
fn bombs_are_refused() {
    let head = format!("{{\"format\":\"{FORMAT}\",\"workload\":");
    let long = packed(&format!("{head}\"{}\"", "x".repeat(3_000_000)));
    assert!(long.len() < 100_000);
    let refused = TwinFile::read_up_to(long.as_slice(), Bytes(Bytes::MB));
    assert!(
        matches!(refused, Err(TwinFileError::TooLarge(Bytes(Bytes::MB)))),
        "{refused:?}"
    );
    let deep = error(&packed(&format!("{head}{{\"x\":{}", "[".repeat(3_000_000))));
    assert!(deep.to_string().contains("deep"), "{deep}");
    let blank = error(&packed(&format!("{head}{}", " ".repeat(17 * 1024 * 1024))));
    assert!(blank.to_string().contains("white space"), "{blank}");
}

#[test]
fn the_deepest_plan_comes_back() {
    let mut node = serde_json::Map::from_iter([("Node Type".to_owned(), json!("Seq Scan"))]);
    for _ in 0..MAX_PLAN_DEPTH {
        let plans = serde_json::Value::Array(vec![serde_json::Value::Object(node)]);
        node = serde_json::Map::from_iter([
            ("Node Type".to_owned(), json!("Limit")),
            ("Plans".to_owned(), plans),
        ]);
    }
    let object = serde_json::Map::from_iter([("Plan".to_owned(), serde_json::Value::Object(node))]);
    let plan = Plan::from_json(serde_json::Value::Object(object)).unwrap();
    let mut file = sample();
    file.plans
        .insert(StatementId("deep".to_owned()), PlanOutcome::Plan(plan));
    let back = TwinFile::read(file.to_bytes().unwrap().as_slice()).unwrap();
    assert_eq!(back, file);
}

fn finite() -> impl Strategy<Value = f32> {
    prop::num::f32::NORMAL | prop::num::f32::ZERO | prop::num::f32::SUBNORMAL
}

fn slot() -> impl Strategy<Value = Slot> {
    let numbers = prop::option::of(prop::collection::vec(finite(), 0..5));
    let values = prop::option::of((any::<u32>(), any::<String>()));
    (any::<i16>(), any::<u32>(), numbers, values).prop_map(|(kind, operator, numbers, values)| {
        Slot {
            kind,
            operator,
            collation: operator / 2,
            numbers,
            values: values.map(|(element_type, literal)| Values {
                element_type,
                literal,
            }),
        }
    })
}

prop_compose! {
    fn statistic()(relation: u32, attribute: i16, inherited: bool, null_fraction in finite(), width_bytes: i32,
                   distinct in finite(), slots in prop::collection::vec(slot(), 0..6)) -> Statistic {
        Statistic { relation, attribute, inherited, null_fraction, width_bytes, distinct, slots }
    }
}

fn metapage() -> impl Strategy<Value = Option<Metapage>> {
    prop::option::of(prop_oneof![
        any::<u32>().prop_map(|level| Metapage::Btree { level }),
        (any::<u32>(), any::<i64>()).prop_map(|(pages, entries)| Metapage::Gin {
            total_pages: pages,
            entry_pages: pages / 2,
            data_pages: pages / 3,
            entries,
            pending_pages: pages % 7,
        }),
        any::<u32>().prop_map(|pages| Metapage::Brin {
            pages_per_range: pages,
            last_revmap_page: pages / 9
        }),
        Just(Metapage::Spgist),
    ])
}

prop_compose! {
    fn snapshot()(settings in prop::collection::btree_map(any::<String>(), any::<String>(), 0..4),
                  rows in prop::collection::vec(prop::collection::vec(prop::option::of(any::<String>()), 2), 0..4),
                  statistics in prop::collection::vec(statistic(), 0..4),
                  files in prop::collection::vec((any::<u32>(), any::<String>(), any::<u64>(), metapage()), 0..4),
                  extremes in prop::collection::vec((any::<u32>(), prop::option::of(any::<String>())), 0..3)) -> Snapshot {
        let file = |(oid, name, blocks, metapage): (u32, String, u64, Option<Metapage>)| RelationFile {
            oid, name: QualifiedName::new("s", name), kind: "i".to_owned(), method: Some("gin".to_owned()), blocks, metapage,
        };
        let end = |(relation, end): (u32, Option<String>)| Extremes { relation, attribute: 1, smallest: end.clone(), largest: end };
        Snapshot {
            settings,
            system_tables: vec![SystemTable {
                name: "pg_class".to_owned(), columns: vec!["a".to_owned(), "b".to_owned()], rows,
            }],
            statistics,
            files: files.into_iter().map(file).collect(),
            extremes: extremes.into_iter().map(end).collect(),
            ..Snapshot::default()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_file_comes_back_byte_for_byte(snapshot in snapshot(), name in any::<String>(), sql in any::<String>(), calls in 0.0..1e12f64) {
        let mut file = sample();
        file.workload.add(&name, &sql, Usage { calls, mean_time_ms: None }, String::new());
        file.plans.insert(StatementId(name), PlanOutcome::Failed(sql));
        file.snapshot = snapshot;
        let bytes = file.to_bytes().unwrap();
        let back = TwinFile::read(bytes.as_slice()).unwrap();
        prop_assert_eq!(&back, &file);
        prop_assert_eq!(back.to_bytes().unwrap(), bytes);
    }

    #[test]
    fn nothing_makes_the_reader_stop_the_program(bytes in prop::collection::vec(any::<u8>(), 0..300), text in ".{0,100}") {
        let _ = TwinFile::read(bytes.as_slice());
        let _ = TwinFile::read(packed(&format!("{{\"format\":\"{FORMAT}\",{text}")).as_slice());
    }
}

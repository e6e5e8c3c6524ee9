use super::*;
use crate::model::QualifiedName;
use crate::twin::snapshot::{Extremes, Slot, Statistic, Values};

fn table(name: &str, columns: &[&str], rows: &[&[&str]]) -> SystemTable {
    SystemTable {
        name: name.to_owned(),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        rows: rows
            .iter()
            .map(|row| row.iter().map(|value| Some((*value).to_owned())).collect())
            .collect(),
    }
}

fn slot(kind: i16, element_type: u32, literal: Option<&str>, numbers: &[f32]) -> Slot {
    Slot {
        kind,
        numbers: (!numbers.is_empty()).then(|| numbers.to_vec()),
        values: literal.map(|literal| Values {
            element_type,
            literal: literal.to_owned(),
        }),
        ..Slot::default()
    }
}

fn statistic(relation: u32, attribute: i16, distinct: f32, slots: Vec<Slot>) -> Statistic {
    Statistic {
        relation,
        attribute,
        distinct,
        slots,
        ..Statistic::default()
    }
}

fn file(
    oid: u32,
    kind: &str,
    method: Option<&str>,
    blocks: u64,
    metapage: Option<Metapage>,
) -> RelationFile {
    let name = QualifiedName::new("public", format!("relation{oid}"));
    RelationFile {
        oid,
        name,
        kind: kind.to_owned(),
        method: method.map(str::to_owned),
        blocks,
        metapage,
    }
}

/// Customers (10) and their orders (20), which are in the order of their ids and times, with
/// indexes (11, 21, 22).
#[expect(clippy::too_many_lines, reason = "a table")]
fn shop() -> Snapshot {
    let classes = table(
        "pg_class",
        &[
            "oid",
            "relname",
            "relnamespace",
            "relkind",
            "reltuples",
            "relpages",
            "relallvisible",
        ],
        &[
            &["10", "customer", "2200", "r", "1000", "10", "10"],
            &["11", "customer_pkey", "2200", "i", "1000", "5", "0"],
            &["20", "orders", "2200", "r", "10000", "100", "90"],
            &["21", "orders_at", "2200", "i", "-1", "0", "0"],
        ],
    );
    let brin = Metapage::Brin {
        pages_per_range: 1,
        last_revmap_page: 1,
    };
    Snapshot {
        system_tables: vec![
            table("pg_namespace", &["oid", "nspname"], &[&["2200", "public"]]),
            classes,
            table(
                "pg_index",
                &["indexrelid", "indrelid"],
                &[&["11", "10"], &["21", "20"]],
            ),
            table(
                "pg_constraint",
                &["contype", "conrelid", "conkey", "confrelid", "confkey"],
                &[&["f", "20", "{2}", "10", "{1}"]],
            ),
        ],
        files: vec![
            file(10, "r", None, 10, None),
            file(
                11,
                "i",
                Some("btree"),
                5,
                Some(Metapage::Btree { level: 1 }),
            ),
            file(20, "r", None, 100, None),
            file(21, "i", Some("brin"), 3, Some(brin)),
        ],
        statistics: vec![
            statistic(
                10,
                1,
                -1.0,
                vec![
                    slot(2, 20, Some("{1,500,1001}"), &[]),
                    slot(3, 0, None, &[1.0]),
                ],
            ),
            statistic(
                20,
                1,
                3.0,
                vec![slot(1, 25, Some("{a,b,c}"), &[0.5, 0.3, 0.2])],
            ),
            statistic(
                20,
                2,
                800.0,
                vec![
                    slot(1, 20, Some("{7}"), &[0.1]),
                    slot(2, 20, Some("{1,400,1001}"), &[]),
                ],
            ),
            statistic(
                20,
                3,
                300.0,
                vec![
                    slot(2, 1082, Some("{2024-01-01,2024-01-11,2024-01-21}"), &[]),
                    slot(3, 0, None, &[0.999]),
                ],
            ),
            statistic(
                20,
                4,
                5000.0,
                vec![slot(2, 25, Some("{a,m,z}"), &[]), slot(3, 0, None, &[1.0])],
            ),
            statistic(
                20,
                5,
                50.0,
                vec![slot(2, 23, Some("{1,2,3}"), &[]), slot(3, 0, None, &[0.1])],
            ),
        ],
        extremes: vec![
            Extremes {
                relation: 10,
                attribute: 1,
                smallest: Some("1".to_owned()),
                largest: Some("1001".to_owned()),
            },
            Extremes {
                relation: 20,
                attribute: 5,
                smallest: Some("1".to_owned()),
                largest: Some("3".to_owned()),
            },
        ],
        ..Snapshot::default()
    }
}

fn literal(snapshot: &Snapshot, statistic: usize, slot: usize) -> &str {
    &snapshot.statistics[statistic].slots[slot]
        .values
        .as_ref()
        .unwrap()
        .literal
}

#[test]
fn a_factor_of_one_changes_nothing() {
    assert_eq!(shop().grown(&Growth::default()), shop());
}

#[test]
fn files_counts_and_trees_grow() {
    let grown = shop().grown(&Growth::by(100.0));
    let blocks: Vec<u64> = grown.files.iter().map(|file| file.blocks).collect();
    assert_eq!(blocks, [1_000, 401, 10_000, 201]);
    assert_eq!(grown.files[1].metapage, Some(Metapage::Btree { level: 2 }));
    assert_eq!(
        grown.files[3].metapage,
        Some(Metapage::Brin {
            pages_per_range: 1,
            last_revmap_page: 8
        })
    );
    let classes = grown.system_table("pg_class").unwrap();
    assert_eq!(
        classes.column("reltuples"),
        [Some("100000"), Some("100000"), Some("1000000"), Some("-1")]
    );
    assert_eq!(
        classes.column("relpages"),
        [Some("1000"), Some("500"), Some("10000"), Some("0")]
    );
    assert_eq!(
        classes.column("relallvisible"),
        [Some("1000"), Some("0"), Some("9000"), Some("0")]
    );
}

#[test]
fn sets_stay_keys_grow_and_time_goes_on() {
    let grown = shop().grown(&Growth::by(2.0));
    let distinct: Vec<f32> = grown
        .statistics
        .iter()
        .map(|statistic| statistic.distinct)
        .collect();
    assert_eq!(distinct, [-1.0, 3.0, 1600.0, 600.0, -0.5, 50.0]);
    assert_eq!(literal(&grown, 0, 0), "{1,1001,2001}");
    assert_eq!(grown.statistics[1], shop().statistics[1]);
    // Each customer has as many orders as before, among twice as many.
    assert_eq!(grown.statistics[2].slots[0].numbers, Some(vec![0.05]));
    assert_eq!(literal(&grown, 2, 1), "{1,799,2001}");
    assert_eq!(literal(&grown, 3, 0), "{2024-01-01,2024-01-21,2024-02-10}");
    assert_eq!(literal(&grown, 5, 0), "{1,2,3}");
    assert_eq!(grown.extremes[0].largest.as_deref(), Some("2001"));
    assert_eq!(grown.extremes[1], shop().extremes[1]);
}

#[test]
fn what_is_neither_a_set_nor_a_key_is_between() {
    let grown = |distinct: f32, correlation: f32| {
        let mut shop = shop();
        shop.statistics[5].distinct = distinct;
        shop.statistics[5].slots[1].numbers = Some(vec![correlation]);
        let statistic = shop.grown(&Growth::by(10.0)).statistics[5].distinct;
        if statistic < 0.0 {
            -statistic * 100_000.0
        } else {
            statistic
        }
    };
    // Of 10,000 rows: a tenth of them, on either side of ANALYZE's threshold, and a seventh.
    assert_eq!(grown(990.0, 0.1), 990.0);
    assert_eq!(grown(-0.101, 0.1), 1010.0);
    assert_eq!(grown(-0.14, 0.0), 1400.0);
    // A number from each row's time: its rows lie together.
    assert!((grown(-0.101, 0.999) - 10_100.0).abs() < 1.0);
    // Three rows for each value.
    let between = grown(-0.333, 0.1);
    assert!((5_000.0..20_000.0).contains(&between), "{between}");
    assert!((grown(-0.9, 0.0) - 90_000.0).abs() < 1.0);
}

#[test]
fn one_table_grows_alone() {
    let mut growth = Growth::default();
    growth.add("orders=2").unwrap();
    let grown = shop().grown(&growth);
    assert_eq!(
        grown
            .files
            .iter()
            .map(|file| file.blocks)
            .collect::<Vec<_>>(),
        [10, 5, 200, 5]
    );
    // There are no more customers than before.
    assert_eq!(grown.statistics[2], shop().statistics[2]);
    assert_eq!(literal(&grown, 0, 0), "{1,500,1001}");
}

#[test]
fn what_was_typed_is_read() {
    let mut growth = Growth::default();
    for text in ["10", "orders=2.5x", "shop.customer = 3"] {
        growth.add(text).unwrap();
    }
    assert_eq!(growth.all, 10.0);
    assert_eq!(growth.tables[&QualifiedName::new("", "orders")], 2.5);
    assert_eq!(
        growth.unknown(&shop()),
        [QualifiedName::new("shop", "customer")]
    );
    for text in [
        "", "0", "-1", "orders", "=3", "inf", "NaN", "orders=", "1e10",
    ] {
        assert!(growth.add(text).is_err(), "{text}");
    }
}

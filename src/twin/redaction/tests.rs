use proptest::prelude::*;

use super::*;
use crate::catalog::{Catalog, Column, ColumnStatistics, Table, TableKind};
use crate::model::QualifiedName;
use crate::twin::snapshot::{ExtendedStatistic, SystemTable, TableSample, Values};
use crate::workload::{Usage, Workload};

fn key() -> RedactionKey {
    RedactionKey::from_passphrase("test")
}

fn collected(values: &[String], fixed: &[String]) -> Collected {
    Collected {
        values: values.iter().cloned().collect(),
        sorted: Vec::new(),
        fixed: fixed.iter().cloned().collect(),
    }
}

fn slot(kind: i16, element_type: Oid, literal: &str) -> Slot {
    let values = Some(Values {
        element_type,
        literal: literal.to_owned(),
    });
    Slot {
        kind,
        collation: if element_type == 25 { 100 } else { 0 },
        values,
        ..Slot::default()
    }
}

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

const CONSTANT: &str =
    "{OPEXPR {CONST :consttype 25 :constisnull false :constvalue 8 [ 32 0 0 0 112 97 105 100 ]}}";

#[expect(clippy::too_many_lines, reason = "a table")]
fn snapshot() -> Snapshot {
    let statistic = |attribute, slots| Statistic {
        relation: 10,
        attribute,
        slots,
        ..Statistic::default()
    };
    Snapshot {
        origin: Origin {
            collate: "C".to_owned(),
            locale_provider: "c".to_owned(),
            ..Origin::default()
        },
        system_tables: vec![
            table(
                "pg_attribute",
                &[
                    "attrelid",
                    "attnum",
                    "attname",
                    "atttypid",
                    "attcollation",
                    "attgenerated",
                    "atthasdef",
                ],
                &[
                    &["10", "1", "name", "25", "100", "", "true"],
                    &["10", "2", "id", "23", "0", "", "true"],
                ],
            ),
            table("pg_index", &["indexrelid", "indpred"], &[&["11", CONSTANT]]),
            table(
                "pg_attrdef",
                &["adrelid", "adnum", "adbin"],
                &[&["10", "1", CONSTANT], &["10", "2", "{FUNCEXPR nextval}"]],
            ),
            table(
                "pg_proc",
                &["oid", "prolang", "prosrc"],
                &[
                    &["1", "14", "SELECT 'vip'"],
                    &["2", "13500", "BEGIN RETURN 'secret'; END"],
                    &["3", "13", "c_symbol"],
                ],
            ),
        ],
        statistics: vec![
            statistic(
                1,
                vec![
                    slot(1, 25, "{paid,Miller,vip}"),
                    slot(2, 25, "{Adams,Baker,Miller,Zorn}"),
                ],
            ),
            statistic(2, vec![slot(2, 23, "{1,500,777,9000,2147483647}")]),
            statistic(
                3,
                vec![
                    slot(1, 1009, r#"{"{Miller,other}"}"#),
                    slot(1, 869, "{10.0.0.1}"),
                ],
            ),
            statistic(
                4,
                vec![
                    slot(1, 3802, r#"{"{\"name\": \"Miller\"}"}"#),
                    slot(7, 3910, r#"{"[\"2024-01-01 00:00:00+00\",)"}"#),
                ],
            ),
        ],
        extended_statistics: vec![ExtendedStatistic {
            most_common: Some("00".to_owned()),
            ..ExtendedStatistic::default()
        }],
        extremes: vec![Extremes {
            relation: 10,
            attribute: 1,
            smallest: Some("Aaron".to_owned()),
            largest: Some("Zorn".to_owned()),
        }],
        ..Snapshot::default()
    }
}

fn elements(snapshot: &Snapshot, statistic: usize, slot: usize) -> Vec<String> {
    let literal = &snapshot.statistics[statistic].slots[slot]
        .values
        .as_ref()
        .unwrap()
        .literal;
    ArrayLiteral::parse(literal)
        .unwrap()
        .elements()
        .into_iter()
        .map(str::to_owned)
        .collect()
}

/// The snapshot with its data values replaced; mentioned values do not change.
fn redacted(mentioned: BTreeSet<String>, key: &RedactionKey) -> (Snapshot, RedactionReport) {
    let old = snapshot();
    let mut report = RedactionReport::default();
    let new = Redaction::of(&old, mentioned, key).snapshot(&old, &mut report);
    (new, report)
}

#[test]
fn values_go_and_what_is_mentioned_stays() {
    let (new, report) = redacted(BTreeSet::from(["777".to_owned()]), &key());
    let text = serde_json::to_string(&new).unwrap();
    for secret in [
        "Miller", "Adams", "Baker", "Zorn", "Aaron", "other", "secret", "10.0.0.1", "9000",
    ] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let common = elements(&new, 0, 0);
    assert_eq!(
        (common[0].as_str(), common[2].as_str()),
        ("paid", "vip"),
        "the schema mentions them"
    );
    assert_eq!(
        common[1],
        elements(&new, 0, 1)[2],
        "the same value is the same in both lists"
    );
    assert!(
        elements(&new, 2, 0)[0].contains(&common[1]),
        "and in an array"
    );
    assert_eq!(
        new.extremes[0].largest.as_ref(),
        elements(&new, 0, 1).last()
    );
    assert!(elements(&new, 1, 0).contains(&"777".to_owned()));
    assert_eq!(
        new.statistics[2].slots[1],
        Slot::default(),
        "an unknown type"
    );
    assert_eq!(new.extended_statistics[0].most_common, None);
    let column = |table: &str, column: &str| {
        new.system_table(table)
            .unwrap()
            .column(column)
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("|")
    };
    assert_eq!(column("pg_proc", "prosrc"), "SELECT 'vip'||c_symbol");
    assert_eq!(column("pg_attrdef", "adnum"), "2");
    assert_eq!(column("pg_attribute", "atthasdef"), "false|true");
    assert!(
        report.dropped.iter().any(|what| what.contains("inet")),
        "{report:?}"
    );
    assert!(!report.replaced.is_empty() && report.kept.len() > 1);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn the_catalog_of_a_file_is_redacted_alike() {
    let mut old = snapshot();
    old.system_tables.push(table(
        "pg_namespace",
        &["oid", "nspname"],
        &[&["2200", "public"]],
    ));
    old.system_tables.push(table(
        "pg_class",
        &["oid", "relnamespace", "relname"],
        &[&["10", "2200", "person"]],
    ));
    let column = |name: &str| Column {
        name: name.to_owned(),
        type_name: "text".to_owned(),
        not_null: true,
        c_collation: false,
        names_partition: false,
        collation: None,
        statistics: Some(ColumnStatistics {
            most_common_values: vec![("paid".to_owned(), 0.5), ("Miller".to_owned(), 0.25)],
            ..ColumnStatistics::default()
        }),
    };
    let person = Table {
        name: QualifiedName::new("public", "person"),
        kind: TableKind::Plain,
        partition_of: None,
        partitions: Vec::new(),
        rows: None,
        pages: 1,
        owned: true,
        lockable: true,
        modified_rows: 0,
        row_security: false,
        policies_of_others: None,
        policies: Vec::new(),
        writes: None,
        all_visible_pages: 0,
        columns: vec![column("name"), column("not in the snapshot")],
        indexes: Vec::new(),
    };
    let catalog = Catalog {
        tables: vec![person],
        ..Catalog::default()
    };
    let mut workload = Workload::default();
    workload.add(
        "one",
        "SELECT 'Baker'",
        Usage {
            calls: 1.0,
            mean_time_ms: None,
        },
        String::new(),
    );
    workload.add(
        "broken",
        "SELECT 'Zorn",
        Usage {
            calls: 1.0,
            mean_time_ms: None,
        },
        String::new(),
    );
    let row = TableSample {
        relation: 1,
        columns: vec!["name".to_owned()],
        values: vec![vec![Some("Baker".to_owned())]],
        rows: 1,
        page_share: None,
        is_whole: true,
    };
    let old = Snapshot {
        samples: vec![row],
        ..old
    };
    let new = TwinFile::new(workload, catalog, BTreeMap::new(), old).redact(&key());
    assert!(new.snapshot.samples.is_empty(), "rows are values");
    let values = |at: usize| {
        new.catalog.tables[0].columns[at]
            .statistics
            .clone()
            .unwrap()
            .most_common_values
    };
    assert_eq!(
        values(0),
        [
            ("paid".to_owned(), 0.5),
            (elements(&new.snapshot, 0, 0)[1].clone(), 0.25)
        ]
    );
    assert_eq!(values(1), []);
    assert_eq!(
        elements(&new.snapshot, 0, 1)[1],
        "Baker",
        "a statement mentions it"
    );
    assert!(
        new.redacted
            .unwrap()
            .kept
            .iter()
            .any(|kept| kept.contains("broken"))
    );
}

#[test]
fn the_key_decides_and_nothing_else() {
    let with = |key: &str| redacted(BTreeSet::new(), &RedactionKey::from_passphrase(key)).0;
    assert_eq!(with("a"), with("a"));
    assert_ne!(with("a"), with("b"));
}

#[test]
fn lists_that_a_server_sorted_tell_the_order() {
    let list: Vec<String> = ["ähnlich", "B-1", "b 2", "Ça", "d"]
        .map(str::to_owned)
        .into();
    let mut all = collected(&list, &[]);
    all.sorted.push(list.iter().rev().cloned().collect());
    let new = mapping::texts(&all, &key(), false);
    let mapped: Vec<&String> = list.iter().rev().map(|old| &new[old]).collect();
    assert!(mapped.is_sorted() && new.len() == 5, "{mapped:?}");
}

fn strictly_alike<T: PartialOrd>(pairs: &[(T, T)]) -> bool {
    pairs.windows(2).all(|pair| {
        (pair[0].0 < pair[1].0) == (pair[0].1 < pair[1].1)
            && (pair[0].0 == pair[1].0) == (pair[0].1 == pair[1].1)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn texts_keep_their_order(values in prop::collection::vec("[a-zA-Z0-9 _]{0,12}", 1..40), fixed in prop::collection::vec("[a-zA-Z][a-z0-9]{3,8}", 0..4)) {
        // Between a mentioned text and one that begins with it there is little room; only letters
        // fit in.
        let fixed: Vec<String> = fixed.iter().filter(|one| !fixed.iter().any(|other| other != *one && one.starts_with(other.as_str()))).cloned().collect();
        let new = mapping::texts(&collected(&values, &fixed), &key(), true);
        let all: BTreeSet<&String> = values.iter().chain(&fixed).collect();
        let pairs: Vec<(&str, &str)> = all.iter().map(|old| (old.as_str(), new.get(*old).map_or(old.as_str(), String::as_str))).collect();
        prop_assert!(strictly_alike(&pairs), "{:?}", pairs);
        for old in values.iter().filter(|old| !fixed.contains(old)) {
            prop_assert!(new.contains_key(old));
        }
    }

    #[test]
    fn numbers_keep_their_order(values in prop::collection::vec(any::<i32>().prop_map(|n| (n / 1000).to_string()), 1..40), fixed in any::<i16>()) {
        let new = mapping::numbers(&collected(&values, &[fixed.to_string()]), Scale::Integer(i64::MAX), &key());
        let all: BTreeSet<i64> = values.iter().map(|text| text.parse().unwrap()).chain([i64::from(fixed)]).collect();
        let pairs: Vec<(i64, i64)> = all.iter().map(|old| (*old, new.get(&old.to_string()).map_or(*old, |new| new.parse().unwrap()))).collect();
        prop_assert!(strictly_alike(&pairs), "{:?}", pairs);
        prop_assert!(!new.contains_key(&fixed.to_string()));
    }

    #[test]
    fn prices_keep_their_order(values in prop::collection::vec((-10_000i32..10_000, 0usize..3).prop_map(|(n, d)| format!("{:.d$}", f64::from(n) / 7.0)), 1..40)) {
        let new = mapping::numbers(&collected(&values, &[]), Scale::Numeric, &key());
        let mut pairs: Vec<(f64, f64)> =
            values.iter().map(|old| (old.parse().unwrap(), new.get(old).unwrap_or(old).parse().unwrap())).collect();
        pairs.sort_by(|one, other| one.partial_cmp(other).unwrap());
        prop_assert!(pairs.windows(2).all(|pair| pair[0].0 == pair[1].0 || pair[0].1 < pair[1].1), "{:?}", pairs);
    }

    #[test]
    fn uuids_keep_their_order(values in prop::collection::vec(any::<u128>().prop_map(uuid::write), 1..40)) {
        let new = mapping::uuids(&collected(&values, &[]), &key());
        let all: BTreeSet<&String> = values.iter().collect();
        let pairs: Vec<(&str, &str)> = all.iter().map(|old| (old.as_str(), new.get(*old).map_or(old.as_str(), String::as_str))).collect();
        prop_assert!(strictly_alike(&pairs), "{:?}", pairs);
    }
}

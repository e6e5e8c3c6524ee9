//! What a snapshot may not contain, each in a snapshot that is sound otherwise.

use super::*;
use crate::model::QualifiedName;
use crate::twin::snapshot::{ExtendedStatistic, TableSample, Values};

fn system_table(name: &str, columns: &str, rows: &[&str]) -> SystemTable {
    let value = |text: &str| (text != "-").then(|| text.to_owned());
    SystemTable {
        name: name.to_owned(),
        columns: columns.split(' ').map(str::to_owned).collect(),
        rows: rows
            .iter()
            .map(|row| row.split(' ').map(value).collect())
            .collect(),
    }
}

fn file(oid: Oid, name: &str, kind: &str) -> RelationFile {
    RelationFile {
        oid,
        name: QualifiedName::new("shop", name),
        kind: kind.to_owned(),
        method: (kind == "i").then(|| "btree".to_owned()),
        blocks: 10,
        metapage: None,
    }
}

/// A table with an index and a sequence.
fn sound() -> Snapshot {
    Snapshot {
        system_tables: vec![
            system_table(
                "pg_tablespace",
                "oid spcname",
                &["1663 pg_default", "16500 fast"],
            ),
            system_table(
                "pg_namespace",
                "oid nspname",
                &["2200 public", "16400 shop"],
            ),
            system_table(
                "pg_class",
                "oid relname relnamespace relkind",
                &[
                    "16401 job 16400 r",
                    "16402 job_a 16400 i",
                    "16403 sq 16400 S",
                ],
            ),
            system_table(
                "pg_index",
                "indexrelid indrelid indnatts indkey",
                &["16402 16401 1 2"],
            ),
            system_table(
                "pg_proc",
                "oid proname pronamespace probin",
                &[
                    "12500 plpgsql_call_handler 11 $libdir/plpgsql",
                    "16600 f 16400 -",
                ],
            ),
            system_table(
                "pg_cast",
                "oid castsource casttarget castfunc",
                &["16700 16650 23 16600", "16701 23 25 0"],
            ),
            system_table(
                "pg_depend",
                "classid objid objsubid refclassid refobjid refobjsubid deptype",
                &["1259 16402 0 1259 16401 2 a", "1259 16401 0 2615 16400 0 n"],
            ),
        ],
        files: vec![file(16_401, "job", "r"), file(16_402, "job_a", "i")],
        ..Snapshot::default()
    }
}

#[track_caller]
fn refused(change: impl FnOnce(&mut Snapshot), expected: &str) {
    let mut snapshot = sound();
    change(&mut snapshot);
    let fault = Checked::of(&snapshot).err().expect("not refused");
    assert!(fault.to_string().contains(expected), "{fault}");
}

fn table_mut<'s>(snapshot: &'s mut Snapshot, name: &str) -> &'s mut SystemTable {
    let mut tables = snapshot.system_tables.iter_mut();
    tables.find(|table| table.name == name).unwrap()
}

/// Adds a row to a catalog.
fn with_row(name: &str, row: &str) -> impl FnOnce(&mut Snapshot) {
    let row: Vec<Option<String>> = row.split(' ').map(|text| Some(text.to_owned())).collect();
    let name = name.to_owned();
    move |snapshot| table_mut(snapshot, &name).rows.push(row)
}

#[test]
fn a_sound_snapshot_says_what_it_needs_files_for() {
    let snapshot = sound();
    let checked = Checked::of(&snapshot).unwrap();
    assert_eq!(checked.tablespaces, [ObjectOid(16_500)]);
    assert_eq!(checked.sequences, [ObjectOid(16_403)]);
}

#[test]
fn what_depends_on_what_is_a_part_of_the_snapshot() {
    for row in [
        "1259 16402 0 1259 1259 0 a",
        "1259 16499 0 1259 16401 0 a",
        "1259 16402 0 1255 16401 0 n",
        "1260 16402 0 1259 16401 0 n",
        "1259 16402 0 1259 16401 0 e",
    ] {
        refused(with_row("pg_depend", row), "pg_depend has a dependency");
        let mut snapshot = sound();
        with_row("pg_depend", row)(&mut snapshot);
        crate::twin::dependencies::forget_unknown(&mut snapshot);
        assert_eq!(snapshot, sound(), "{row}");
    }
}

#[test]
fn oids_are_numbers_of_objects_that_are_not_built_in() {
    for row in [
        "../../outside x",
        "1 x",
        "4294967295 x",
        "16500 twice",
        "+16501 x",
        " x",
    ] {
        refused(
            with_row("pg_tablespace", row),
            "of pg_tablespace is invalid",
        );
    }
    refused(
        with_row("pg_proc", "1242 boolin 11 -"),
        "oid \"1242\" of pg_proc",
    );
    refused(
        with_row("pg_class", "1259 pg_class 16400 r"),
        "oid \"1259\" of pg_class",
    );
    assert_eq!(ObjectOid::parse("16384").map(ObjectOid::get), Some(16_384));
    assert_eq!(ObjectOid::parse("1/6384"), None);
}

#[test]
fn only_catalogs_that_are_copied_have_rows() {
    for name in [
        "pg_authid",
        "pg_foo",
        "pg_database",
        "pg_event_trigger",
        "pg_class; --",
    ] {
        let table = system_table(name, "oid", &["16999"]);
        refused(
            |snapshot| snapshot.system_tables.push(table),
            "which is not copied",
        );
    }
    let again = |snapshot: &mut Snapshot| {
        let table = snapshot.system_tables[0].clone();
        snapshot.system_tables.push(table);
    };
    refused(again, "is there twice");
    refused(with_row("pg_namespace", "16410"), "more or fewer values");
    refused(
        |snapshot| table_mut(snapshot, "pg_class").columns[1] = "relname\"".to_owned(),
        "the columns of pg_class",
    );
    refused(with_row("pg_proc", "16602 f\0 16400 -"), "has a NUL");
}

#[test]
fn nothing_hangs_on_a_relation_of_the_server() {
    refused(with_row("pg_index", "16402 1259 1 2"), "indrelid \"1259\"");
    refused(with_row("pg_index", "16402 16401 2 2"), "indkey");
    let on_catalog = system_table("pg_rewrite", "oid ev_class", &["16800 1260"]);
    refused(
        |snapshot| snapshot.system_tables.push(on_catalog),
        "ev_class \"1260\"",
    );
    let on_table = system_table("pg_trigger", "oid tgrelid", &["16801 16401"]);
    refused(
        |snapshot| snapshot.system_tables.push(on_table),
        "a trigger",
    );
    refused(
        with_row("pg_namespace", "16411 pg_catalog"),
        "the server's own",
    );
    refused(
        with_row("pg_class", "16404 t 11 r"),
        "the schema of the relation",
    );
    let class = system_table(
        "pg_opclass",
        "oid opcmethod opcdefault opcintype",
        &["16802 403 true 26"],
    );
    refused(
        |snapshot| snapshot.system_tables.push(class),
        "operator class",
    );
}

#[test]
fn files_are_of_relations_and_no_larger_than_files_can_be() {
    let other_name = |snapshot: &mut Snapshot| {
        snapshot.files[0].name = QualifiedName::new("pg_catalog", "pg_authid");
    };
    refused(other_name, "is not the relation that pg_class says");
    refused(
        |snapshot| snapshot.files[0].oid = 1260,
        "is not the relation",
    );
    refused(
        |snapshot| snapshot.files[0].kind = "i".to_owned(),
        "is not the relation",
    );
    let twice = |snapshot: &mut Snapshot| snapshot.files.push(snapshot.files[0].clone());
    refused(twice, "is there twice");
    refused(|snapshot| snapshot.files[0].blocks = 1 << 63, "blocks");
    let large = |snapshot: &mut Snapshot| {
        for number in 0..5 {
            let oid = 17_000 + number;
            with_row("pg_class", &format!("{oid} t{number} 16400 r"))(snapshot);
            let mut file = file(oid, &format!("t{number}"), "r");
            file.blocks = u64::from(u32::MAX >> 1);
            snapshot.files.push(file);
        }
    };
    refused(large, "more than 64 TB");
    for metapage in [
        Metapage::Btree { level: u32::MAX },
        Metapage::Brin {
            pages_per_range: 0,
            last_revmap_page: 1,
        },
    ] {
        let change = |snapshot: &mut Snapshot| snapshot.files[1].metapage = Some(metapage);
        refused(change, "the first page of");
    }
}

#[test]
fn statistics_and_samples_are_of_relations_of_the_snapshot() {
    let statistic = Statistic {
        relation: 1260,
        ..Statistic::default()
    };
    refused(
        |snapshot| snapshot.statistics.push(statistic),
        "statistics of a relation",
    );
    let objects = system_table("pg_statistic_ext", "oid stxrelid", &["16900 16401"]);
    let text = |snapshot: &mut Snapshot| {
        snapshot.system_tables.push(objects);
        snapshot.extended_statistics.push(ExtendedStatistic {
            oid: 16_900,
            ndistinct: Some("'); SELECT 1; --".to_owned()),
            ..ExtendedStatistic::default()
        });
    };
    refused(text, "extended statistics");
    let uneven = TableSample {
        relation: 16_401,
        columns: vec!["a".to_owned(), "b".to_owned()],
        values: vec![vec![None], vec![]],
        ..TableSample::default()
    };
    refused(|snapshot| snapshot.samples.push(uneven), "a sample of rows");
}

#[test]
fn most_common_values_have_a_number_each() {
    let slot = |literal: &str, numbers: usize| Slot {
        kind: 1,
        numbers: Some(vec![0.1; numbers]),
        values: Some(Values {
            element_type: 25,
            literal: literal.to_owned(),
        }),
        ..Slot::default()
    };
    assert!(has_a_number_for_each_value(&slot("{a,\"b,c\"}", 2)));
    assert!(!has_a_number_for_each_value(&slot("{a,b,c}", 2)));
}

#[test]
fn what_would_change_the_meaning_of_other_statements_is_left_out() {
    let mut snapshot = sound();
    for (catalog, row) in [
        ("pg_proc", "16601 unnest 11 -"),
        ("pg_proc", "16603 g 16400 /tmp/x"),
        ("pg_proc", "16604 h 16400 $libdir/../x"),
        ("pg_cast", "16702 25 23 16600"),
    ] {
        with_row(catalog, row)(&mut snapshot);
    }
    let checked = Checked::of(&snapshot).unwrap();
    let kept = |catalog| {
        let rows = checked.rows(catalog).unwrap();
        let oids = rows.column("oid").into_iter().flatten();
        oids.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(kept("pg_proc"), ["12500", "16600"]);
    assert_eq!(kept("pg_cast"), ["16700", "16701"]);
}

#[test]
fn settings_are_those_of_a_planner() {
    for name in [
        "work_mem",
        "enable_seqscan",
        "TimeZone",
        "DateStyle",
        "search_path",
        "pg_trgm.similarity_threshold",
        "app.tenant_id",
    ] {
        assert!(is_planner_setting(name), "{name}");
    }
    for name in [
        "dynamic_library_path",
        "session_preload_libraries",
        "local_preload_libraries",
        "role",
        "session_authorization",
        "transaction_read_only",
        "log_statement",
        "statement_timeout",
        "row_security",
        "plperl.on_init",
        "plv8.start_proc",
        "app.\"; --",
    ] {
        assert!(!is_planner_setting(name), "{name}");
    }
}

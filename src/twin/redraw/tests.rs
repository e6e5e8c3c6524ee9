use super::*;
use crate::twin::snapshot::{Slot, SystemTable, Values};

fn snapshot(rows: &str) -> Snapshot {
    let table = |name: &str, columns: &[&str], row: &[&str]| SystemTable {
        name: name.to_owned(),
        columns: columns.iter().map(|&name| name.to_owned()).collect(),
        rows: vec![row.iter().map(|&value| Some(value.to_owned())).collect()],
    };
    let common = Slot {
        kind: 1,
        numbers: Some(vec![0.3, 0.1, 0.0005]),
        values: Some(Values {
            element_type: 23,
            literal: "{1,2,3}".to_owned(),
        }),
        ..Slot::default()
    };
    let histogram = Slot {
        kind: 2,
        values: Some(Values {
            element_type: 23,
            literal: "{10,20,30,40,50}".to_owned(),
        }),
        ..Slot::default()
    };
    Snapshot {
        system_tables: vec![
            table("pg_class", &["oid", "reltuples"], &["20000", rows]),
            table(
                "pg_attribute",
                &["attrelid", "attnum", "attstattarget"],
                &["20000", "1", "-1"],
            ),
        ],
        statistics: vec![Statistic {
            relation: 20_000,
            attribute: 1,
            null_fraction: 0.2,
            width_bytes: 4,
            distinct: 5_000.0,
            slots: vec![common, histogram],
            ..Statistic::default()
        }],
        ..Snapshot::default()
    }
}

#[test]
fn a_draw_is_near_what_was_found_and_the_same_for_the_same_seed() {
    let snapshot = snapshot("1000000");
    let draws = redrawn(&snapshot, 50, 7, &Targets::new());
    assert_eq!(draws, redrawn(&snapshot, 50, 7, &Targets::new()));
    assert_ne!(draws, redrawn(&snapshot, 50, 8, &Targets::new()));
    let mut nulls = Vec::new();
    for draw in &draws {
        let drawn = &draw[&(20_000, 1, false)];
        nulls.push(drawn.null_fraction);
        assert!((drawn.null_fraction - 0.2).abs() < 0.02, "{drawn:?}");
        assert!((2_000.0..12_000.0).contains(&drawn.distinct), "{drawn:?}");
        let common = &drawn.slots[0];
        let shares = common.numbers.as_ref().unwrap();
        assert!((shares[0] - 0.3).abs() < 0.03, "{shares:?}");
        assert_eq!(
            crate::twin::array_literal::ArrayLiteral::parse(
                &common.values.as_ref().unwrap().literal
            )
            .unwrap()
            .items
            .len(),
            shares.len()
        );
    }
    assert!(nulls.windows(2).any(|pair| pair[0] != pair[1]));
}

#[test]
fn of_a_small_table_analyze_always_finds_the_same() {
    let draws = redrawn(&snapshot("30000"), 3, 7, &Targets::new());
    assert!(draws.iter().all(BTreeMap::is_empty));
    let larger = Targets::from([((20_000, 1), 1_000)]);
    let draws = redrawn(&snapshot("200000"), 3, 7, &larger);
    assert!(
        draws.iter().all(BTreeMap::is_empty),
        "a larger target reads all"
    );
}

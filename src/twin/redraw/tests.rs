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

fn drawing(draws: usize, seed: u64) -> Drawing {
    Drawing {
        draws,
        seed,
        ..Drawing::default()
    }
}

#[test]
fn a_draw_is_near_what_was_found_and_the_same_for_the_same_seed() {
    let snapshot = snapshot("1000000");
    let draws = redrawn(&snapshot, &drawing(50, 7));
    assert_eq!(draws, redrawn(&snapshot, &drawing(50, 7)));
    assert_ne!(draws, redrawn(&snapshot, &drawing(50, 8)));
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
    let draws = redrawn(&snapshot("30000"), &drawing(3, 7));
    assert!(draws.iter().all(BTreeMap::is_empty));
    let larger = Drawing {
        targets: Targets::from([((20_000, 1), 1_000)]),
        ..drawing(3, 7)
    };
    let draws = redrawn(&snapshot("200000"), &larger);
    assert!(
        draws.iter().all(BTreeMap::is_empty),
        "a larger target reads all"
    );
}

#[test]
fn a_value_of_a_statement_is_sometimes_among_the_most_common() {
    let compared = Drawing {
        compared: Compared::from([((20_000, 1), vec!["99".to_owned()])]),
        ..drawing(400, 7)
    };
    let draws = redrawn(&snapshot("1000000"), &compared);
    let has_it = |draw: &&BTreeMap<StatisticKey, Statistic>| {
        let values = draw[&(20_000, 1, false)].slots[0].values.clone();
        values.is_some_and(|values| values.literal.contains("99"))
    };
    let number = draws.iter().filter(has_it).count();
    assert!((1..200).contains(&number), "{number}");
}

/// A column that is NULL in nearly all rows: ANALYZE sees few values, so that what it says of their order
/// is as uncertain as of so few.
#[test]
fn what_is_nearly_always_null_has_an_uncertain_correlation() {
    let mut snapshot = snapshot("400000");
    let statistic = &mut snapshot.statistics[0];
    statistic.null_fraction = 0.999;
    statistic.slots.remove(0);
    statistic.slots.push(Slot {
        kind: 3,
        numbers: Some(vec![0.05]),
        ..Slot::default()
    });
    let draws = redrawn(&snapshot, &drawing(100, 7));
    let far = draws.iter().filter(|draw| {
        let slots = &draw[&(20_000, 1, false)].slots;
        let correlation = slots.iter().find(|slot| slot.kind == 3).unwrap();
        correlation.numbers.as_ref().unwrap()[0].abs() > 0.25
    });
    assert!((10..60).contains(&far.count()));
}

#[test]
fn a_list_of_common_values_may_be_new() {
    let mut snapshot = snapshot("400000");
    let statistic = &mut snapshot.statistics[0];
    statistic.slots.remove(0);
    statistic.distinct = 800.0;
    let draws = redrawn(&snapshot, &drawing(100, 7));
    let with_list = draws.iter().filter(|draw| {
        let slots = &draw[&(20_000, 1, false)].slots;
        slots
            .iter()
            .any(|slot| slot.kind == 1 && slot.operator == 96)
    });
    assert!(with_list.count() > 0);
}

//! Statistics as another ANALYZE would find them.
//!
//! ANALYZE looks at 300 rows for each unit of the statistics target, chosen at random. What it finds of a
//! large table differs each time: shares of the most common values, which values these are, the number of
//! values, the bounds of the histogram. The population behind a row of `pg_statistic` is modelled from that
//! row, a sample is drawn from it, and the sample is judged as ANALYZE does
//! (`compute_scalar_stats`, src/backend/commands/analyze.c).
//!
//! Assumptions: the most common values have the shares that were found; the shares of the other values
//! fall on as those of the most common ones end (a power of the rank) as far as their number allows; they
//! lie anywhere in the histogram; a value that a statement compares with is one of the more frequent of them. The statistic is a draw itself, so the population is drawn first. Array
//! elements, ranges and extended statistics are not drawn anew.

use std::collections::BTreeMap;

use super::Snapshot;
use super::snapshot::{Oid, Statistic};

mod column;
mod random;
mod tail;

use column::Column;
use random::Random;

/// PostgreSQL's own statistics target.
const DEFAULT_TARGET: u32 = 100;

/// A column of a relation, over what inherits from it or not.
pub type StatisticKey = (Oid, i16, bool);

/// Other statistics targets by relation and column.
pub type Targets = BTreeMap<(Oid, i16), u32>;

/// Values that statements compare columns with, by relation and column.
pub type Compared = BTreeMap<(Oid, i16), Vec<String>>;

/// How statistics are drawn.
#[derive(Debug, Clone, Default)]
pub struct Drawing {
    /// So many times.
    pub draws: usize,
    /// The same seed gives the same draws.
    pub seed: u64,
    /// Other targets than those of the columns.
    pub targets: Targets,
    /// Values that may be among the most common ones in one draw and not in another, although they were
    /// not among them when ANALYZE last ran.
    pub compared: Compared,
}

/// Draws of the statistics that another ANALYZE may find differently.
pub fn redrawn(snapshot: &Snapshot, drawing: &Drawing) -> Vec<BTreeMap<StatisticKey, Statistic>> {
    let rows = rows(snapshot);
    let own_targets = own_targets(snapshot);
    let mut found = vec![BTreeMap::new(); drawing.draws];
    for statistic in &snapshot.statistics {
        let place = (statistic.relation, statistic.attribute);
        let target = drawing
            .targets
            .get(&place)
            .or_else(|| own_targets.get(&place))
            .copied()
            .unwrap_or_else(|| default_target(snapshot));
        let table_rows = rows.get(&statistic.relation).copied().unwrap_or(0.0);
        let Some(column) = Column::of(statistic, table_rows, target) else {
            continue;
        };
        let key = (statistic.relation, statistic.attribute, statistic.inherited);
        let mut random = Random::new(
            drawing.seed ^ (u64::from(key.0) << 20) ^ ((key.1 as u64) << 1) ^ u64::from(key.2),
        );
        let compared = drawing.compared.get(&place);
        let compared = compared.map(Vec::as_slice).unwrap_or_default();
        let drawn = column.draw(drawing.draws, compared, &mut random);
        for (place, statistic) in found.iter_mut().zip(drawn) {
            place.insert(key, statistic);
        }
    }
    found
}

/// `default_statistics_target`.
pub fn default_target(snapshot: &Snapshot) -> u32 {
    let setting = snapshot.settings.get("default_statistics_target");
    setting
        .and_then(|value| value.parse().ok())
        .unwrap_or(DEFAULT_TARGET)
}

/// The targets of columns that have one of their own.
fn own_targets(snapshot: &Snapshot) -> Targets {
    let columns = ["attrelid", "attnum", "attstattarget"];
    let rows = snapshot.rows_of("pg_attribute", columns).into_iter();
    rows.filter_map(|[relation, number, target]| {
        let place = (relation.parse().ok()?, number.parse().ok()?);
        // -1 is the default; before PostgreSQL 17 it is stored.
        Some((place, target.parse().ok()?))
    })
    .collect()
}

/// The rows of relations; of a table that others inherit from, their sum where it has none itself.
fn rows(snapshot: &Snapshot) -> BTreeMap<Oid, f64> {
    let classes = snapshot
        .rows_of("pg_class", ["oid", "reltuples"])
        .into_iter();
    let mut rows: BTreeMap<Oid, f64> = classes
        .filter_map(|[oid, tuples]| Some((oid.parse().ok()?, tuples.parse().ok()?)))
        .collect();
    let mut of_children: BTreeMap<Oid, f64> = BTreeMap::new();
    for [child, parent] in snapshot.rows_of("pg_inherits", ["inhrelid", "inhparent"]) {
        if let (Ok(child), Ok(parent)) = (child.parse::<Oid>(), parent.parse::<Oid>()) {
            let own = rows.get(&child).copied().unwrap_or(0.0).max(0.0);
            *of_children.entry(parent).or_default() += own;
        }
    }
    for (parent, sum) in of_children {
        let own = rows.entry(parent).or_default();
        *own = own.max(sum);
    }
    rows
}

#[cfg(test)]
mod tests;

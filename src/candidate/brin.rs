//! BRIN: a large table whose rows lie on disk in (nearly) the order of a column that is ranged over
//! (<https://www.postgresql.org/docs/current/brin-intro.html>).

use super::{Ask, ascending};
use crate::index::{Index, Key, Method};
use crate::predicate::Kind;

/// A smaller table is read faster than its block ranges are looked up.
const SMALLEST_TABLE_PAGES: u64 = 1_000;

/// Below this, a range of values is spread over too many block ranges.
const LEAST_CORRELATION: f64 = 0.9;

/// The default of 128 pages, and finer ones for narrow ranges of values.
const PAGES_PER_RANGE: &[Option<u32>] = &[None, Some(32), Some(8)];

pub(super) fn generate(ask: Ask<'_>) -> Vec<Index> {
    let ranges = ask.keys_of(Kind::Range, &[]);
    let Some(leading) = ranges.iter().find(|key| is_correlated(ask, key)) else { return Vec::new() };
    if ask.table.pages < SMALLEST_TABLE_PAGES {
        return Vec::new();
    }
    let others = ranges.iter().filter(|key| *key != leading);
    let all: Vec<Key> = std::iter::once(leading).chain(others).cloned().collect();
    let mut lists = vec![vec![leading.clone()]];
    if all.len() > 1 {
        lists.push(all);
    }
    lists.iter().flat_map(|keys| PAGES_PER_RANGE.iter().map(|pages| brin(ask, keys, *pages))).collect()
}

fn brin(ask: Ask<'_>, keys: &[Key], pages_per_range: Option<u32>) -> Index {
    Index { method: Method::Brin, pages_per_range, ..ask.btree(ascending(keys)) }
}

fn is_correlated(ask: Ask<'_>, key: &Key) -> bool {
    let Key::Column(name) = key else { return false };
    let correlation = ask.table.column(name).and_then(|column| column.statistics.as_ref()?.correlation);
    correlation.is_some_and(|correlation| correlation.abs() >= LEAST_CORRELATION)
}

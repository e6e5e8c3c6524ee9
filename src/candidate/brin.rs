//! BRIN: a large table whose rows lie on disk in (nearly) the order of a column that is ranged over
//! (<https://www.postgresql.org/docs/current/brin-intro.html>).
//!
//! By the column's correlation: the minimum and maximum of each block range where it is high,
//! several intervals (`minmax_multi`, which outliers do not spoil) where it is medium. Equal values
//! in a very large table get a Bloom filter of each range, which helps where they lie together
//! (rows of one session, one batch); ranges and addresses their smallest container.

use super::context::{CandidateContext, ascending};
use crate::catalog::{Column, OperatorClass};
use crate::index::{Index, Key, Method};
use crate::predicate::ConditionKind;

/// A smaller table is read faster than its block ranges are looked up.
const MIN_TABLE_PAGES: u64 = 1_000;

/// Bloom filters are large; below 160 MB a btree is small enough.
const MIN_TABLE_FOR_BLOOM_PAGES: u64 = 20_000;

/// Below this, a range of values is spread over too many block ranges.
const MIN_CORRELATION: f64 = 0.9;

/// Below this, several intervals do not help either.
const MIN_CORRELATION_OF_INTERVALS: f64 = 0.5;

/// With fewer values, nearly every block range holds each of them.
const MIN_DISTINCT_FOR_BLOOM: f64 = 1_000.0;

/// The default of 128 pages, and finer ones for narrow ranges of values.
const PAGES_PER_RANGE: &[Option<u32>] = &[None, Some(32), Some(8)];

pub(super) fn generate(context: CandidateContext<'_>) -> Vec<Index> {
    if context.table.pages < MIN_TABLE_PAGES {
        return Vec::new();
    }
    [
        minmax(context),
        intervals(context),
        bloom(context),
        inclusion(context),
    ]
    .concat()
}

fn minmax(context: CandidateContext<'_>) -> Vec<Index> {
    let ranges = context.keys_with(ConditionKind::Range, &[]);
    let is_leading =
        |key: &&Key| correlation(context, key).is_some_and(|share| share >= MIN_CORRELATION);
    let Some(leading) = ranges.iter().find(is_leading) else {
        return Vec::new();
    };
    let others = ranges.iter().filter(|key| *key != leading);
    let all: Vec<Key> = std::iter::once(leading).chain(others).cloned().collect();
    let mut lists = vec![vec![leading.clone()]];
    if all.len() > 1 {
        lists.push(all);
    }
    lists
        .iter()
        .flat_map(|keys| {
            PAGES_PER_RANGE
                .iter()
                .map(|pages| brin(context, keys, *pages))
        })
        .collect()
}

fn intervals(context: CandidateContext<'_>) -> Vec<Index> {
    let medium = MIN_CORRELATION_OF_INTERVALS..MIN_CORRELATION;
    let ranges = context.keys_with(ConditionKind::Range, &[]);
    let keys = ranges
        .iter()
        .filter(|key| correlation(context, key).is_some_and(|share| medium.contains(&share)));
    keys.flat_map(|key| {
        of_class(context, key, |class| {
            class.name.ends_with("_minmax_multi_ops")
        })
    })
    .collect()
}

fn bloom(context: CandidateContext<'_>) -> Vec<Index> {
    let rows = context.table.rows.unwrap_or(0.0);
    let is_spread = |column: &Column| {
        column
            .distinct_values(rows)
            .is_some_and(|distinct| distinct >= MIN_DISTINCT_FOR_BLOOM && distinct < rows / 2.0)
    };
    let keys = context.keys_with(ConditionKind::Equality, &[]);
    let large = context.table.pages >= MIN_TABLE_FOR_BLOOM_PAGES;
    let wanted = keys
        .iter()
        .filter(|key| large && column(context, key).is_some_and(is_spread));
    wanted
        .flat_map(|key| of_class(context, key, |class| class.name.ends_with("_bloom_ops")))
        .collect()
}

fn inclusion(context: CandidateContext<'_>) -> Vec<Index> {
    let special = context.special_conditions().into_iter();
    special
        .flat_map(|condition| {
            of_class(context, &condition.key, |class| {
                class.default && class.searched.contains(&condition.operator)
            })
        })
        .collect()
}

fn of_class(
    context: CandidateContext<'_>,
    key: &Key,
    wanted: impl Fn(&OperatorClass) -> bool,
) -> Vec<Index> {
    let classes = context.classes(key, &Method::Brin, wanted);
    let with_pages = |class| {
        let index = context.index(Method::Brin, vec![(key.clone(), class)]);
        PAGES_PER_RANGE.iter().map(move |pages| Index {
            pages_per_range: *pages,
            ..index.clone()
        })
    };
    classes.into_iter().flat_map(with_pages).collect()
}

fn brin(context: CandidateContext<'_>, keys: &[Key], pages_per_range: Option<u32>) -> Index {
    Index {
        method: Method::Brin,
        pages_per_range,
        ..context.btree(ascending(keys))
    }
}

fn column<'a>(context: CandidateContext<'a>, key: &Key) -> Option<&'a Column> {
    match key {
        Key::Column(name) => context.table.column(name),
        Key::Expression(_) => None,
    }
}

fn correlation(context: CandidateContext<'_>, key: &Key) -> Option<f64> {
    column(context, key)?
        .statistics
        .as_ref()?
        .correlation
        .map(f64::abs)
}

//! Columns that an index only carries (INCLUDE), so that a scan need not read the table at all.
//! That pays when few narrow columns are read, and only for pages that the visibility map says are
//! visible to all (<https://www.postgresql.org/docs/current/indexes-index-only-scans.html>).

use std::collections::{BTreeMap, BTreeSet};

use super::composite::key_lists;
use super::context::{CandidateContext, ascending};
use super::partial::parts;
use crate::index::{Index, IndexKey, Key};
use crate::predicate::{Condition, ConditionKind};
use crate::sql::Expression;
use crate::workload::StatementId;

/// Maximum number of carried columns, and of their bytes.
const MAX_COLUMNS: usize = 4;
const MAX_BYTES: u32 = 40;

/// An index that carries more of the table's width than this is a copy of the table.
const MAX_SHARE_OF_WIDTH: f64 = 0.5;

/// For fewer rows, reading the table costs less than a wider index.
const MIN_ROWS: f64 = 50.0;

/// Below this share of all-visible pages a scan reads the table anyway.
const MIN_ALL_VISIBLE: f64 = 0.5;

/// Maximum number of key lists that are combined with carried columns: the first ones are the most
/// selective.
const MAX_LISTS: usize = 6;

pub(super) fn generate(context: CandidateContext<'_>) -> Vec<Index> {
    let too_few = context.relation.fetched.is_some_and(|rows| rows < MIN_ROWS);
    // How many rows an expression selects is a guess before it has statistics.
    let is_guess = |condition: &Condition| {
        matches!(condition.key, Key::Expression(_)) && condition.kind == ConditionKind::Equality
    };
    if context.relation.conditions.iter().any(is_guess) {
        return Vec::new();
    }
    if context.table.all_visible_share() < MIN_ALL_VISIBLE || too_few {
        return Vec::new();
    }
    let mut lists: Vec<Vec<IndexKey>> = key_lists(context, &[]);
    let ranges = context.keys_with(ConditionKind::Range, &[]);
    lists.extend(
        context
            .relation
            .extremes
            .iter()
            .chain(&ranges)
            .map(|key| ascending(std::slice::from_ref(key))),
    );
    let whole = lists
        .into_iter()
        .filter_map(|keys| covering(context, keys, None));
    let partial = parts(context).into_iter().flat_map(|part| {
        let lists = part.lists.into_iter();
        lists
            .filter_map(|keys| covering(context, keys, Some(part.predicate.clone())))
            .collect::<Vec<_>>()
    });
    let mut indexes: Vec<Index> = Vec::new();
    for index in whole.take(MAX_LISTS).chain(partial.take(MAX_LISTS)) {
        if !indexes.contains(&index) {
            indexes.push(index);
        }
    }
    indexes
}

/// For indexes that differ only in what they carry, one that carries it all.
pub(super) fn together(
    indexes: &BTreeMap<Index, BTreeSet<StatementId>>,
) -> Vec<(Index, BTreeSet<StatementId>)> {
    let mut alike: BTreeMap<Index, (BTreeSet<String>, BTreeSet<StatementId>)> = BTreeMap::new();
    for (index, asked_by) in indexes
        .iter()
        .filter(|(index, _)| !index.include.is_empty())
    {
        let plain = Index {
            include: Vec::new(),
            ..index.clone()
        };
        let (include, statements) = alike.entry(plain).or_default();
        include.extend(index.include.iter().cloned());
        statements.extend(asked_by.iter().cloned());
    }
    let all = alike.into_iter().map(|(plain, (include, statements))| {
        let include: Vec<String> = include.into_iter().collect();
        (Index { include, ..plain }, statements)
    });
    all.filter(|(index, _)| index.include.len() <= 2 * MAX_COLUMNS && !indexes.contains_key(index))
        .collect()
}

/// The index with the columns that its keys lack; none when it lacks none, or too many. Columns
/// that only the predicate reads are not needed (`check_index_only`,
/// src/backend/optimizer/path/indxpath.c).
fn covering(
    context: CandidateContext<'_>,
    keys: Vec<IndexKey>,
    predicate: Option<Expression>,
) -> Option<Index> {
    let in_predicate = |condition: &&Condition| {
        predicate
            .as_ref()
            .is_some_and(|predicate| predicate.conjuncts().contains(&condition.expression))
    };
    let conditions = context
        .relation
        .conditions
        .iter()
        .filter(|condition| !in_predicate(condition));
    let mut read = context.relation.needed.clone()?;
    read.extend(conditions.flat_map(Condition::columns));
    read.retain(|name| keys.iter().all(|key| key.key != Key::Column(name.clone())));
    let width = |name: &String| {
        Some(
            context
                .table
                .column(name)?
                .statistics
                .as_ref()?
                .average_width_bytes,
        )
    };
    let widths: Option<Vec<u32>> = read.iter().map(width).collect();
    let bytes = widths?.iter().sum::<u32>();
    let narrow = bytes <= MAX_BYTES && f64::from(bytes) <= MAX_SHARE_OF_WIDTH * row_width(context);
    let few = !read.is_empty() && read.len() <= MAX_COLUMNS;
    (few && narrow).then(|| Index {
        include: read.into_iter().collect(),
        predicate,
        ..context.btree(keys)
    })
}

fn row_width(context: CandidateContext<'_>) -> f64 {
    let known = context
        .table
        .columns
        .iter()
        .filter_map(|column| column.statistics.as_ref());
    known
        .map(|statistics| f64::from(statistics.average_width_bytes))
        .sum()
}

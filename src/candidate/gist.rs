//! GiST: ranges that overlap, shapes that contain, trees of labels
//! (<https://www.postgresql.org/docs/current/gist-intro.html>).
//!
//! Not where GIN answers the same: for words, trigrams and the like GiST holds signatures, which
//! are lossy; the planner underestimates its costs, and GIN is faster to read
//! (<https://www.postgresql.org/docs/current/textsearch-indexes.html>).

use std::collections::{BTreeMap, BTreeSet};

use super::context::CandidateContext;
use crate::catalog::OperatorClass;
use crate::index::{Index, Key, Method};
use crate::workload::StatementId;

pub(super) fn generate(context: CandidateContext<'_>) -> Vec<Index> {
    let mut indexes = Vec::new();
    let mut together: Vec<(Key, &OperatorClass)> = Vec::new();
    for condition in context.special_conditions() {
        if !context.classes_for(condition, &Method::Gin).is_empty() {
            continue;
        }
        let classes = context.classes_for(condition, &Method::Gist);
        indexes.extend(
            classes
                .iter()
                .map(|class| context.index(Method::Gist, vec![(condition.key.clone(), *class)])),
        );
        if let Some(class) = classes
            .first()
            .filter(|_| together.iter().all(|(key, _)| *key != condition.key))
        {
            together.push((condition.key.clone(), class));
        }
    }
    if together.is_empty() {
        return indexes;
    }
    // With btree_gist, columns compared by equality come first: a room, then its times.
    let scalars: Vec<(Key, &OperatorClass)> = context
        .equality_keys(&[])
        .into_iter()
        .filter(|key| !is_flag(key, context))
        .filter_map(|key| {
            let class = context.classes(&key, &Method::Gist, |class| {
                class.searched.iter().any(|operator| operator == "=")
            });
            Some((key, *class.first().filter(|class| class.default)?))
        })
        .collect();
    let all = [scalars, together].concat();
    if all.len() > 1 {
        indexes.push(context.index(Method::Gist, all));
    }
    indexes
}

/// Is there a statement that searches only by a later key of this index, by an index of its own? The
/// planner takes the order of GiST's keys for equal (`gistcostestimate`,
/// src/backend/utils/adt/selfuncs.c) and may use this one for it, which then reads most of the tree.
pub(super) fn misleads(
    index: &Index,
    asked_by: &BTreeSet<StatementId>,
    all: &BTreeMap<Index, BTreeSet<StatementId>>,
) -> bool {
    index.method == Method::Gist
        && index.keys.len() > 1
        && all.iter().any(|(other, others)| {
            other.method == Method::Gist
                && other.table == index.table
                && matches!(other.keys.as_slice(), [only] if index.keys[1..].contains(only))
                && !others.is_subset(asked_by)
        })
}

/// A flag is no key of GiST: `NOT cancelled` is no comparison to it.
fn is_flag(key: &Key, context: CandidateContext<'_>) -> bool {
    let Key::Column(name) = key else { return false };
    let column = context.table.column(name);
    column.is_some_and(|column| column.type_name == "boolean")
}

//! Which indexes a plan of a statement could use at all.
//!
//! An index is of use by a key that a condition, an order, a grouping or a join names
//! (<https://www.postgresql.org/docs/current/indexes-multicolumn.html>), by its predicate, or
//! because it holds every column that is read
//! (<https://www.postgresql.org/docs/current/indexes-index-only-scans.html>). What is named anywhere
//! in a plan is named in every other plan of the same statement.

use std::collections::{BTreeMap, BTreeSet};

use super::needed::References;
use super::relation_uses;
use crate::catalog::Catalog;
use crate::index::Index;
use crate::model::QualifiedName;
use crate::plan::Plan;

/// The columns by which a statement could use an index.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedColumns {
    /// Named in conditions, orders, groupings and aggregates, of whatever table; none when a text of
    /// the plan cannot be read.
    names: Option<BTreeSet<String>>,
    /// For each use of a table, the columns that are read of it, where that is known.
    read: BTreeMap<QualifiedName, Vec<BTreeSet<String>>>,
}

impl NamedColumns {
    /// Those of a plan's statement.
    pub fn of(plan: &Plan, catalog: &Catalog) -> NamedColumns {
        let names = References::of(plan).map(|references| references.named(plan));
        let mut read: BTreeMap<QualifiedName, Vec<BTreeSet<String>>> = BTreeMap::new();
        for relation in relation_uses(plan, catalog) {
            let columns = relation.conditions.iter();
            let columns = columns.flat_map(super::Condition::columns);
            if let Some(needed) = relation.needed {
                let all = needed.into_iter().chain(columns).collect();
                read.entry(relation.table).or_default().push(all);
            }
        }
        NamedColumns { names, read }
    }

    /// Could some plan use this index? True where that is not known.
    pub fn may_use(&self, index: &Index) -> bool {
        let Some(names) = &self.names else {
            return true;
        };
        let is_named = |columns: Option<BTreeSet<String>>| {
            columns.is_none_or(|columns| columns.is_empty() || !columns.is_disjoint(names))
        };
        let predicate = index.predicate.as_ref();
        let mut keys = index.keys.iter().map(|key| key.key.columns());
        keys.any(is_named)
            || predicate.is_some_and(|predicate| is_named(predicate.known_columns().cloned()))
            || self.holds_all(index)
    }

    /// Does it hold all that is read of its table?
    fn holds_all(&self, index: &Index) -> bool {
        let mut uses = self.read.get(&index.table).into_iter().flatten();
        uses.any(|read| read.iter().all(|column| index.carries(column)))
    }
}

//! The input of generators, and the keys that several of them use.

use super::workload_profile::WorkloadProfile;
use crate::catalog::{Catalog, Table};
use crate::index::{Index, IndexKey, Key};
use crate::predicate::{Condition, ConditionKind, RelationUse};
use crate::workload::StatementId;

/// A column with no more values than this does not lead an index where another one can.
const FEW_VALUES: f64 = 10.0;

/// What a generator works on: one use of one table, and what surrounds it.
#[derive(Debug, Clone, Copy)]
pub struct CandidateContext<'a> {
    /// The conditions and orders.
    pub relation: &'a RelationUse,
    /// The table they are on.
    pub table: &'a Table,
    /// The rest of the catalog, such as the operator classes.
    pub catalog: &'a Catalog,
    /// Facts about the whole workload.
    pub(super) profile: &'a WorkloadProfile,
    /// The statement that uses it.
    pub(super) statement: &'a StatementId,
}

impl<'a> CandidateContext<'a> {
    /// The same use with only these conditions.
    pub(super) fn conditions(self, wanted: impl Fn(&Condition) -> bool) -> Vec<&'a Condition> {
        self.relation
            .conditions
            .iter()
            .filter(|condition| wanted(condition))
            .collect()
    }

    /// The keys a btree can start with: equalities, those that most statements look up first, then
    /// those with the most distinct values: so the indexes of several statements have a prefix in
    /// common. A column of few values is last: the planner takes the correlation of the first column
    /// for that of the index (`btcostestimate`, src/backend/utils/adt/selfuncs.c), and few values
    /// always correlate.
    pub(super) fn equality_keys(self, left_out: &[&Condition]) -> Vec<Key> {
        let equalities = |c: &Condition| {
            c.kind == ConditionKind::Equality && !c.is_join() && !left_out.contains(&c)
        };
        let mut keys = distinct_keys(self.conditions(equalities));
        let rows = self.table.rows.unwrap_or(0.0);
        let distinct = |key: &Key| match key {
            Key::Column(name) => self
                .table
                .column(name)
                .and_then(|column| column.distinct_values(rows))
                .unwrap_or(0.0),
            Key::Expression(_) => 0.0,
        };
        let shared = |key: &Key| self.profile.statements_looking_up(&self.table.name, key);
        let has_few = |key: &Key| (1.0..=FEW_VALUES).contains(&distinct(key));
        keys.sort_by(|a, b| {
            has_few(a)
                .cmp(&has_few(b))
                .then(shared(b).cmp(&shared(a)))
                .then(distinct(b).total_cmp(&distinct(a)))
        });
        keys
    }

    /// Does the statement name one row, by all columns of a unique index?
    pub(super) fn finds_one_row(self) -> bool {
        let is_compared = |key: &IndexKey| {
            let mut conditions = self.relation.conditions.iter();
            conditions
                .any(|c| c.kind == ConditionKind::Equality && !c.is_join() && c.key == key.key)
        };
        let mut unique = self
            .table
            .indexes
            .iter()
            .filter(|existing| existing.unique && existing.valid);
        unique.any(|existing| {
            existing.index.as_ref().is_some_and(|known| {
                known.predicate.is_none()
                    && !known.keys.is_empty()
                    && known.keys.iter().all(is_compared)
            })
        })
    }

    /// How many rows the most selective equality with another column finds.
    pub(super) fn rows_beside(self, condition: &Condition) -> f64 {
        let rows = self.table.rows.unwrap_or(0.0);
        let equal = self.conditions(|other| {
            other.kind == ConditionKind::Equality && other.key != condition.key
        });
        let found = equal.into_iter().filter_map(|other| {
            let Key::Column(name) = &other.key else {
                return None;
            };
            let distinct = self.table.column(name)?.distinct_values(rows)?;
            Some(rows / distinct.max(1.0))
        });
        found.fold(rows, f64::min)
    }

    /// The keys of one kind of condition.
    pub(super) fn keys_with(self, kind: ConditionKind, left_out: &[&Condition]) -> Vec<Key> {
        distinct_keys(self.conditions(|c| c.kind == kind && !c.is_join() && !left_out.contains(&c)))
    }

    /// The keys it is joined on.
    pub(super) fn join_keys(self) -> Vec<Key> {
        distinct_keys(self.conditions(|c| c.kind == ConditionKind::Equality && c.is_join()))
    }

    pub(super) fn btree(self, keys: Vec<IndexKey>) -> Index {
        Index::btree(self.table.name.clone(), keys)
    }
}

pub(super) fn distinct_keys(conditions: Vec<&Condition>) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    for condition in conditions {
        if !keys.contains(&condition.key) {
            keys.push(condition.key.clone());
        }
    }
    keys
}

pub(super) fn ascending(keys: &[Key]) -> Vec<IndexKey> {
    keys.iter().cloned().map(IndexKey::ascending).collect()
}

//! Indexes worth trying: one generator for each idea, merged, and pruned against what exists.
//!
//! Generators only say what *could* help one use of one table; they know no costs. An expression is a key like any other, so
//! expression indexes have no generator of their own: `lower(name)` in a condition becomes a key wherever a column would.
//! A new idea is a new file with a function in `GENERATORS`.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, ExistingIndex, Table, TableKind};
use crate::index::{Index, IndexKey, Key};
use crate::predicate::{Condition, Kind, RelationUse};
use crate::workload::StatementId;

mod brin;
mod composite;
mod partial;
mod single;

/// What a generator is asked: one use of one table.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The conditions and orders.
    pub relation: &'a RelationUse,
    /// The table they are on.
    pub table: &'a Table,
}

/// An index worth trying.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The index.
    pub index: Index,
    /// The statements it was thought of for.
    pub asked_by: BTreeSet<StatementId>,
}

/// A candidate that need not be tried.
#[derive(Debug, Clone, PartialEq)]
pub struct AlreadyThere {
    /// The index.
    pub index: Index,
    /// What does its work today.
    pub existing: ExistingIndex,
}

/// What the generators found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Candidates {
    /// To be tried, by table, in a fixed order.
    pub to_try: Vec<Candidate>,
    /// Served by an index that exists.
    pub already_there: Vec<AlreadyThere>,
}

/// All generators, one for each idea.
const GENERATORS: &[fn(Ask<'_>) -> Vec<Index>] =
    &[single::generate, composite::generate, partial::generate, brin::generate];

/// The candidates for all uses of all statements: equal ones merged, those that an existing index subsumes set aside.
pub fn generate(uses: &[(StatementId, RelationUse)], catalog: &Catalog) -> Candidates {
    let mut merged: BTreeMap<Index, BTreeSet<StatementId>> = BTreeMap::new();
    for (statement, relation) in uses {
        let Some(table) = catalog.table(&relation.table).filter(|table| table.kind != TableKind::Unsupported) else {
            continue;
        };
        let ask = Ask { relation, table };
        for index in GENERATORS.iter().flat_map(|generator| generator(ask)) {
            merged.entry(index).or_default().insert(statement.clone());
        }
    }
    let mut candidates = Candidates::default();
    for (index, asked_by) in merged {
        match existing_equivalent(&index, catalog) {
            Some(existing) => candidates.already_there.push(AlreadyThere { index, existing: existing.clone() }),
            None => candidates.to_try.push(Candidate { index, asked_by }),
        }
    }
    candidates
}

fn existing_equivalent<'a>(index: &Index, catalog: &'a Catalog) -> Option<&'a ExistingIndex> {
    let table = catalog.table(&index.table)?;
    let subsumes = |existing: &&ExistingIndex| {
        existing.valid && existing.index.as_ref().is_some_and(|known| known.subsumes(index))
    };
    table.indexes.iter().find(subsumes)
}

impl<'a> Ask<'a> {
    /// The same use with only these conditions.
    fn conditions(self, wanted: impl Fn(&Condition) -> bool) -> Vec<&'a Condition> {
        self.relation.conditions.iter().filter(|condition| wanted(condition)).collect()
    }

    /// The keys a btree can start with: equalities and `IS NULL`, the column with the most distinct values first.
    fn equality_keys(self, left_out: &[&Condition]) -> Vec<Key> {
        let equalities =
            |c: &Condition| matches!(c.kind, Kind::Equality | Kind::Null) && !c.is_join() && !left_out.contains(&c);
        let mut keys = distinct_keys(self.conditions(equalities));
        let rows = self.table.rows.unwrap_or(0.0);
        let distinct = |key: &Key| match key {
            Key::Column(name) => self.table.column(name).and_then(|column| column.distinct_values(rows)).unwrap_or(0.0),
            Key::Expression(_) => 0.0,
        };
        keys.sort_by(|a, b| distinct(b).total_cmp(&distinct(a)));
        keys
    }

    /// The keys of one kind of condition.
    fn keys_of(self, kind: Kind, left_out: &[&Condition]) -> Vec<Key> {
        distinct_keys(self.conditions(|c| c.kind == kind && !c.is_join() && !left_out.contains(&c)))
    }

    /// The keys it is joined on.
    fn join_keys(self) -> Vec<Key> {
        distinct_keys(self.conditions(|c| c.kind == Kind::Equality && c.is_join()))
    }

    fn btree(self, keys: Vec<IndexKey>) -> Index {
        Index::btree(self.table.name.clone(), keys)
    }
}

fn distinct_keys(conditions: Vec<&Condition>) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    for condition in conditions {
        if !keys.contains(&condition.key) {
            keys.push(condition.key.clone());
        }
    }
    keys
}

fn ascending(keys: &[Key]) -> Vec<IndexKey> {
    keys.iter().cloned().map(IndexKey::ascending).collect()
}

#[cfg(test)]
mod tests;

//! Indexes worth trying: one generator for each idea, merged, and pruned against what exists.
//!
//! Generators only say what *could* help one use of one table; they know no costs. An expression is a key like any other, so
//! expression indexes have no generator of their own: `lower(name)` in a condition becomes a key wherever a column would.
//! A new idea is a new file with a function in `GENERATORS`.
//!
//! What every generator would have to look out for is done once, at the end: an expression that is not immutable becomes a
//! [`Note`], and what no server would build (a type without an operator class, a key too wide for a page) is left out.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, ExistingIndex, Table, TableKind};
use crate::index::{Index, IndexKey, Key};
use crate::predicate::{Condition, ConditionKind, RelationUse};
use crate::sql::fingerprint::Fingerprint;
use crate::workload::StatementId;

mod bitmap_or;
mod brin;
mod buildable;
mod classes;
mod composite;
mod covered_by_existing;
mod covering;
mod extension;
mod gin;
mod gist;
mod hash;
mod implication;
mod nearest;
mod partial;
mod partial_eligibility;
mod partial_special;
mod pattern;
mod shared_predicate;
mod single;
mod spgist;
mod types;
mod volatility;
mod workload_profile;

use workload_profile::WorkloadProfile;

/// What a generator is asked: one use of one table.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The conditions and orders.
    pub relation: &'a RelationUse,
    /// The table they are on.
    pub table: &'a Table,
    /// What else the server knows: which operator classes there are.
    pub catalog: &'a Catalog,
    /// What the workload as a whole does.
    profile: &'a WorkloadProfile,
    /// Whose use it is.
    statement: &'a StatementId,
}

/// How a statement is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementShape {
    /// The same for statements that differ only in their literals.
    pub shape: Fingerprint,
    /// The values of literals that are known to vary.
    pub varying: BTreeSet<String>,
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
pub struct CoveredByExisting {
    /// The index.
    pub index: Index,
    /// What does its work today.
    pub existing: ExistingIndex,
}

/// Why there is no candidate where one might be looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The statement.
    pub statement: StatementId,
    /// What keeps an index from serving it.
    pub reason: String,
    /// What would let one serve it.
    pub rewrite: String,
}

/// What the generators found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Candidates {
    /// To be tried, by table, in a fixed order.
    pub to_try: Vec<Candidate>,
    /// Served by an index that exists.
    pub covered: Vec<CoveredByExisting>,
    /// What no index can serve as it is written.
    pub notes: Vec<Note>,
}

/// All generators, one for each idea.
const GENERATORS: &[fn(Ask<'_>) -> Vec<Index>] = &[
    single::generate,
    composite::generate,
    extension::generate,
    partial::generate,
    partial_special::generate,
    shared_predicate::generate,
    covering::generate,
    bitmap_or::generate,
    pattern::generate,
    brin::generate,
    gin::generate,
    gist::generate,
    spgist::generate,
    nearest::generate,
    hash::generate,
];

/// The candidates for all uses of all statements: equal ones merged, those that an existing index subsumes set aside. `wordings` tells
/// which statements are the same but for their literals.
pub fn generate(
    uses: &[(StatementId, RelationUse)],
    shapes: &BTreeMap<StatementId, StatementShape>,
    catalog: &Catalog,
) -> Candidates {
    let profile = WorkloadProfile::of(uses, shapes, catalog);
    let mut merged: BTreeMap<Index, BTreeSet<StatementId>> = BTreeMap::new();
    let mut served: BTreeMap<Index, ExistingIndex> = BTreeMap::new();
    let mut notes: BTreeSet<Note> = BTreeSet::new();
    for (statement, relation) in uses {
        let Some(table) = catalog
            .table(&relation.table)
            .filter(|table| table.kind != TableKind::Unsupported)
        else {
            continue;
        };
        let ask = Ask {
            relation,
            table,
            catalog,
            profile: &profile,
            statement,
        };
        notes.extend(volatility::notes(ask, statement));
        for index in GENERATORS.iter().flat_map(|generator| generator(ask)) {
            if !buildable::is_buildable(&index, table, catalog)
                || !volatility::is_immutable(&index, table, catalog)
            {
                continue;
            }
            match covered_by_existing::equivalent(&index, catalog)
                .or_else(|| covered_by_existing::as_precise(&index, ask))
            {
                Some(existing) => {
                    served.insert(index, existing.clone());
                }
                None => {
                    merged.entry(index).or_default().insert(statement.clone());
                }
            }
        }
    }
    let mut candidates = Candidates {
        notes: notes.into_iter().collect(),
        ..Candidates::default()
    };
    served.retain(|index, _| !merged.contains_key(index));
    candidates.covered = served
        .into_iter()
        .map(|(index, existing)| CoveredByExisting { index, existing })
        .collect();
    candidates.to_try = merged
        .into_iter()
        .map(|(index, asked_by)| Candidate { index, asked_by })
        .collect();
    candidates
}

/// The candidates for one use of a relation, whatever the rest of the workload does.
pub fn for_relation(relation: &RelationUse, catalog: &Catalog) -> Candidates {
    let uses = [(StatementId(String::new()), relation.clone())];
    generate(&uses, &BTreeMap::new(), catalog)
}

impl<'a> Ask<'a> {
    /// The same use with only these conditions.
    fn conditions(self, wanted: impl Fn(&Condition) -> bool) -> Vec<&'a Condition> {
        self.relation
            .conditions
            .iter()
            .filter(|condition| wanted(condition))
            .collect()
    }

    /// The keys a btree can start with: equalities and `IS NULL`, those that most statements look up first, then those with the
    /// most distinct values: so the indexes of several statements have a prefix in common.
    fn equality_keys(self, left_out: &[&Condition]) -> Vec<Key> {
        let equalities = |c: &Condition| {
            matches!(c.kind, ConditionKind::Equality | ConditionKind::Null)
                && !c.is_join()
                && !left_out.contains(&c)
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
        keys.sort_by(|a, b| {
            shared(b)
                .cmp(&shared(a))
                .then(distinct(b).total_cmp(&distinct(a)))
        });
        keys
    }

    /// The keys of one kind of condition.
    fn keys_of(self, kind: ConditionKind, left_out: &[&Condition]) -> Vec<Key> {
        distinct_keys(self.conditions(|c| c.kind == kind && !c.is_join() && !left_out.contains(&c)))
    }

    /// The keys it is joined on.
    fn join_keys(self) -> Vec<Key> {
        distinct_keys(self.conditions(|c| c.kind == ConditionKind::Equality && c.is_join()))
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

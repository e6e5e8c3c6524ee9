//! Indexes to test: one generator for each idea, merged, and pruned against existing indexes.
//!
//! A generator proposes what could help one use of one table; it knows no costs. An expression is a
//! key like any other, so expression indexes have no generator of their own: `lower(name)` in a
//! condition becomes a key wherever a column would. A new idea is a new file with a function in
//! `GENERATORS`.
//!
//! Checks that all generators need are made once, at the end: an expression that is not immutable
//! becomes a [`NotIndexable`], and an index that no server would build (a type without an operator class, a
//! key too wide for a page) is dropped.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, ExistingIndex, TableKind};
use crate::index::Index;
use crate::predicate::RelationUse;
use crate::workload::StatementId;

mod bitmap_or;
mod brin;
mod buildable;
mod composite;
mod context;
mod covered_by_existing;
mod covering;
mod expression_types;
mod extension;
mod gin;
mod gist;
mod hash;
mod implication;
mod nearest;
mod operator_classes;
mod partial;
mod partial_eligibility;
mod partial_other_methods;
mod pattern;
mod shared_predicate;
mod single;
mod spgist;
mod volatility;
mod workload_profile;

pub use partial_eligibility::names_a_kind;
pub use pattern::begins_with_parameter;
pub use volatility::{Alternative, NotIndexable};
pub use workload_profile::StatementShape;

use context::CandidateContext;
use workload_profile::WorkloadProfile;

/// An index to test.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The index.
    pub index: Index,
    /// The statements that it could help.
    pub asked_by: BTreeSet<StatementId>,
}

/// A candidate that need not be tested.
#[derive(Debug, Clone, PartialEq)]
pub struct CoveredByExisting {
    /// The index.
    pub index: Index,
    /// The index that makes it unnecessary.
    pub existing: ExistingIndex,
    /// The statements that it was generated for.
    pub asked_by: BTreeSet<StatementId>,
}

type CoveredBy = (ExistingIndex, BTreeSet<StatementId>);

/// What the generators found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Candidates {
    /// To be tested, by table, in a fixed order.
    pub to_try: Vec<Candidate>,
    /// Not tested: an existing index does the same.
    pub covered: Vec<CoveredByExisting>,
    /// Conditions and orders that no index can serve as they are written.
    pub notes: Vec<NotIndexable>,
}

/// All generators, one for each idea.
const GENERATORS: &[fn(CandidateContext<'_>) -> Vec<Index>] = &[
    single::generate,
    composite::generate,
    extension::generate,
    partial::generate,
    partial_other_methods::generate,
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

/// The candidates for all uses of all statements: equal ones merged, those that an existing index
/// covers set aside. `shapes` tell which statements are the same but for their literals.
pub fn generate(
    uses: &[(StatementId, RelationUse)],
    shapes: &BTreeMap<StatementId, StatementShape>,
    catalog: &Catalog,
) -> Candidates {
    let profile = WorkloadProfile::of(uses, shapes, catalog);
    let mut merged: BTreeMap<Index, BTreeSet<StatementId>> = BTreeMap::new();
    let mut covered: BTreeMap<Index, CoveredBy> = BTreeMap::new();
    let mut notes: BTreeSet<NotIndexable> = BTreeSet::new();
    for (statement, relation) in uses {
        let Some(table) = catalog
            .table(&relation.table)
            .filter(|table| table.kind != TableKind::Unsupported)
        else {
            continue;
        };
        let context = CandidateContext {
            relation,
            table,
            catalog,
            profile: &profile,
            statement,
        };
        notes.extend(volatility::notes(context, statement));
        for index in GENERATORS.iter().flat_map(|generator| generator(context)) {
            if !buildable::is_buildable(&index, table, catalog)
                || !volatility::is_immutable(&index, table, catalog)
            {
                continue;
            }
            match covered_by_existing::equivalent(&index, catalog)
                .or_else(|| covered_by_existing::as_precise(&index, context))
            {
                Some(existing) => {
                    let by = covered
                        .entry(index)
                        .or_insert_with(|| (existing.clone(), BTreeSet::new()));
                    by.1.insert(statement.clone());
                }
                None => {
                    merged.entry(index).or_default().insert(statement.clone());
                }
            }
        }
    }
    for (index, asked_by) in covering::together(&merged) {
        merged.entry(index).or_default().extend(asked_by);
    }
    let all = merged.clone();
    merged.retain(|index, asked_by| !gist::misleads(index, asked_by, &all));
    let mut candidates = Candidates {
        notes: notes.into_iter().collect(),
        ..Candidates::default()
    };
    covered.retain(|index, _| !merged.contains_key(index));
    candidates.covered = covered.into_iter().map(as_covered).collect();
    candidates.to_try = merged
        .into_iter()
        .map(|(index, asked_by)| Candidate { index, asked_by })
        .collect();
    candidates
}

fn as_covered((index, (existing, asked_by)): (Index, CoveredBy)) -> CoveredByExisting {
    CoveredByExisting {
        index,
        existing,
        asked_by,
    }
}

/// The candidates for one use of a relation, without regard to the rest of the workload.
pub fn for_relation(relation: &RelationUse, catalog: &Catalog) -> Candidates {
    let uses = [(StatementId(String::new()), relation.clone())];
    generate(&uses, &BTreeMap::new(), catalog)
}

#[cfg(test)]
mod tests;

//! Combinations of indexes: what the workload costs with them, how that is known, and what has to be asked to know it for certain.

use std::collections::{BTreeMap, BTreeSet};

use super::{Dossier, Verdict};
use crate::index::NamedIndex;
use crate::model::{Cost, QualifiedName};
use crate::plan::Plan;
use crate::rehearsal::PlanOutcome;
use crate::rehearsal::search::{Costs, Weighted, costs_under};
use crate::workload::{Statement, StatementId};

/// How a total is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// These indexes were built together, and the plans seen.
    Proved,
    /// The one index was built, and the plans seen.
    Seen,
    /// Each was built by itself; together they are taken to be as good as the best of them.
    OneByOne,
}

/// Indexes to be built in one transaction, and the statements on their tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The indexes.
    pub indexes: Vec<NamedIndex>,
    /// The statements.
    pub statements: Vec<Statement>,
}

/// Combinations that were asked about, with what they cost.
pub(super) type Proofs = BTreeMap<BTreeSet<usize>, BTreeMap<StatementId, Cost>>;

/// Σ calls × cost.
pub fn total(costs: &Costs) -> Cost {
    Cost(costs.values().map(|weighted| weighted.calls * weighted.cost.0).sum())
}

/// What some statements cost in all.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Totals {
    /// Σ calls × cost as things are.
    pub before: Cost,
    /// The same with all that is recommended.
    pub after: Cost,
    /// What these statements are of the whole workload, 0 to 1; see [`Card::share`](super::Card::share).
    pub share: f64,
}

impl Dossier {
    /// What these cards cost in all, or the whole workload when there are none.
    pub fn totals(&self, cards: &BTreeSet<usize>) -> Totals {
        let marked = self.cards.iter().enumerate().filter(|(position, _)| cards.contains(position));
        Totals {
            before: total(&self.among(cards, self.weights.clone())),
            after: total(&self.among(cards, self.proved_costs())),
            share: if cards.is_empty() { 1.0 } else { marked.filter_map(|(_, card)| card.share).sum() },
        }
    }

    /// What of these costs is about these cards; all of it when there are none.
    pub fn among(&self, cards: &BTreeSet<usize>, mut costs: Costs) -> Costs {
        if !cards.is_empty() {
            let ids: BTreeSet<&StatementId> =
                cards.iter().filter_map(|card| Some(&self.cards.get(*card)?.statement.id)).collect();
            costs.retain(|id, _| ids.contains(id));
        }
        costs
    }

    /// The positions of what is recommended.
    pub fn recommended(&self) -> BTreeSet<usize> {
        let entries = self.entries.iter().enumerate();
        let recommended = entries.filter(|(_, entry)| matches!(entry.verdict, Verdict::Recommended { .. }));
        recommended.map(|(position, _)| position).collect()
    }

    /// Each statement's cost as things are.
    pub fn costs_now(&self) -> &Costs {
        &self.weights
    }

    /// Each statement's cost with these indexes, and how that is known.
    pub fn costs_with(&self, entries: &BTreeSet<usize>) -> (Costs, Evidence) {
        if let Some(proof) = self.proofs.get(entries) {
            let mut costs = self.weights.clone();
            for (id, cost) in proof {
                costs.entry(id.clone()).and_modify(|weighted| weighted.cost = *cost);
            }
            return (costs, Evidence::Proved);
        }
        if *entries == self.recommended() {
            return (self.proved_costs(), Evidence::Proved);
        }
        let trials: Vec<usize> = entries.iter().filter_map(|entry| self.entries.get(*entry)?.trial).collect();
        let evidence = if trials.len() == 1 { Evidence::Seen } else { Evidence::OneByOne };
        (costs_under(&self.trials, &trials, &self.weights), evidence)
    }

    fn proved_costs(&self) -> Costs {
        let proved = |card: &super::Card| {
            let cost = card.cost_after()?;
            Some((card.statement.id.clone(), Weighted { calls: card.statement.calls, cost }))
        };
        self.cards.iter().filter_map(proved).collect()
    }

    /// Keeps what these indexes did together.
    pub fn add_proof(&mut self, entries: BTreeSet<usize>, plans: &BTreeMap<StatementId, PlanOutcome>) {
        let cost = |(id, outcome): (&StatementId, &PlanOutcome)| Some((id.clone(), outcome.plan()?.total_cost()));
        self.proofs.insert(entries, plans.iter().filter_map(cost).collect());
    }

    /// What has to be asked about these indexes: tables that some statement reads together belong in one transaction, or its plan
    /// would not be seen; others have one of their own, so that none is locked for longer than it has to be.
    pub fn groups(&self, entries: &BTreeSet<usize>) -> Vec<Group> {
        let indexes = || entries.iter().filter_map(|entry| self.entries.get(*entry)).map(|entry| &entry.index);
        let tables: BTreeSet<QualifiedName> = indexes().map(|index| index.index.table.clone()).collect();
        let mut together: Vec<BTreeSet<QualifiedName>> =
            tables.iter().map(|table| BTreeSet::from([table.clone()])).collect();
        for plan in self.cards.iter().filter_map(|card| card.before.as_ref().ok()) {
            let read = self.owners(plan);
            let (joined, mut apart): (Vec<_>, Vec<_>) =
                together.into_iter().partition(|group: &BTreeSet<_>| !group.is_disjoint(&read));
            if !joined.is_empty() {
                apart.push(joined.into_iter().flatten().collect());
            }
            together = apart;
        }
        let group = |tables: BTreeSet<QualifiedName>| Group {
            indexes: indexes().filter(|index| tables.contains(&index.index.table)).cloned().collect(),
            statements: self.touching(&tables),
        };
        together.into_iter().map(group).collect()
    }

    /// The statements whose plan reads one of these tables, or a partition of it.
    pub fn touching(&self, tables: &BTreeSet<QualifiedName>) -> Vec<Statement> {
        let reads = |plan: &Plan| !self.owners(plan).is_disjoint(tables);
        let touching = self.cards.iter().filter(|card| card.before.as_ref().is_ok_and(|plan| reads(plan)));
        touching.map(|card| card.statement.clone()).collect()
    }

    /// The tables a new index for this plan would be on.
    fn owners(&self, plan: &Plan) -> BTreeSet<QualifiedName> {
        plan.tables().iter().filter_map(|read| Some(self.catalog.index_owner(read)?.name.clone())).collect()
    }
}

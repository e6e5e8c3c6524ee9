//! Combinations of indexes: what the workload costs with them, how that is known, and what has to be asked to know it for certain.

use std::collections::{BTreeMap, BTreeSet};

use super::SessionData;
use crate::index::NamedIndex;
use crate::model::{Cost, Millis, QualifiedName};
use crate::plan::Plan;
use crate::planner::{Comparison, PlanOutcome};
use crate::search::TrialId;
pub use crate::search::costs::total;
use crate::search::costs::{Costs, KnownCosts, Weighted};
use crate::workload::{Statement, StatementId};

/// How a total is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// These indexes were built together, and the plans seen.
    Proved,
    /// The one index was built, and the plans seen.
    Seen,
    /// The planner twin has planned with them; nothing was built.
    Foreseen,
    /// Each was tried by itself; together they are taken to be as good as the best of them.
    OneByOne,
}

impl Evidence {
    /// Of so many indexes that were built in one transaction.
    fn of(indexes: usize) -> Evidence {
        if indexes == 1 {
            Evidence::Seen
        } else {
            Evidence::Proved
        }
    }
}

/// Indexes to be built in one transaction, and the statements on their tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The indexes.
    pub indexes: Vec<NamedIndex>,
    /// The statements.
    pub statements: Vec<Statement>,
}

/// Combinations that were asked about, with what each statement on their tables costs without and with them.
pub(super) type Proofs = BTreeMap<BTreeSet<usize>, BTreeMap<StatementId, (Cost, Cost)>>;

/// What the statements cost with some indexes.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Each statement's cost without them.
    pub before: Costs,
    /// Each statement's cost with them.
    pub after: Costs,
    /// How that is known.
    pub evidence: Evidence,
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

impl SessionData {
    /// What these cards cost in all, or the whole workload when there are none.
    pub fn totals(&self, cards: &BTreeSet<usize>) -> Totals {
        let marked = self
            .cards
            .iter()
            .enumerate()
            .filter(|(position, _)| cards.contains(position));
        Totals {
            before: total(&self.among(cards, self.weights.clone())),
            after: total(&self.among(cards, self.proved_costs())),
            share: if cards.is_empty() {
                1.0
            } else {
                marked.filter_map(|(_, card)| card.share).sum()
            },
        }
    }

    /// What of these costs is about these cards; all of it when there are none.
    pub fn among(&self, cards: &BTreeSet<usize>, mut costs: Costs) -> Costs {
        if !cards.is_empty() {
            let ids: BTreeSet<&StatementId> = cards
                .iter()
                .filter_map(|card| Some(&self.cards.get(*card)?.statement.id))
                .collect();
            costs.retain(|id, _| ids.contains(id));
        }
        costs
    }

    /// The positions of what is recommended.
    pub fn recommended(&self) -> BTreeSet<usize> {
        let entries = self.entries.iter().enumerate();
        let recommended = entries.filter(|(_, entry)| entry.is_recommended());
        recommended.map(|(position, _)| position).collect()
    }

    /// Each statement's cost without and with these indexes. Where the server was asked about exactly these, both are of that time.
    pub fn estimate(&self, entries: &BTreeSet<usize>) -> Estimate {
        let before = self.weights.clone();
        if let Some(proof) = self.proofs.get(entries) {
            let mut estimate = Estimate {
                after: before.clone(),
                before,
                evidence: Evidence::of(entries.len()),
            };
            for (id, (without, with)) in proof {
                estimate
                    .before
                    .entry(id.clone())
                    .and_modify(|weighted| weighted.cost = *without);
                estimate
                    .after
                    .entry(id.clone())
                    .and_modify(|weighted| weighted.cost = *with);
            }
            return estimate;
        }
        let foreseen = |entry: &usize| {
            self.entries
                .get(*entry)
                .is_some_and(super::Entry::is_foreseen)
        };
        let in_the_twin = entries.iter().any(foreseen);
        if *entries == self.recommended() {
            let evidence = if in_the_twin {
                Evidence::Foreseen
            } else {
                Evidence::Proved
            };
            return Estimate {
                before,
                after: self.proved_costs(),
                evidence,
            };
        }
        let trials: Vec<TrialId> = entries
            .iter()
            .filter_map(|entry| self.entries.get(*entry)?.trial)
            .collect();
        let evidence = match (trials.len(), in_the_twin) {
            (1, false) => Evidence::Seen,
            (1, true) => Evidence::Foreseen,
            _ => Evidence::OneByOne,
        };
        let after = KnownCosts::of_singles(&self.trials, before.clone()).estimate(&before, &trials);
        Estimate {
            after,
            before,
            evidence,
        }
    }

    fn proved_costs(&self) -> Costs {
        let proved = |card: &super::Card| {
            let cost = card.cost_after()?;
            Some((
                card.statement.id.clone(),
                Weighted {
                    calls: card.statement.calls,
                    cost,
                },
            ))
        };
        self.cards.iter().filter_map(proved).collect()
    }

    /// Keeps what these indexes did together.
    pub fn add_proof(&mut self, entries: BTreeSet<usize>, compared: &[Comparison]) {
        let costs = |compared: &Comparison| -> Vec<(StatementId, (Cost, Cost))> {
            let costs = |(id, after): (&StatementId, &PlanOutcome)| {
                let before = compared.before.get(id)?.plan()?.total_cost();
                Some((id.clone(), (before, after.plan()?.total_cost())))
            };
            compared.after.plans.iter().filter_map(costs).collect()
        };
        self.proofs
            .insert(entries, compared.iter().flat_map(costs).collect());
    }

    /// How long the builds of a group took one by one, when `--max-write-block` has no room for them together.
    pub fn too_long_to_build(&self, groups: &[Group]) -> Option<Millis> {
        let build_time = |index: &NamedIndex| {
            self.entries
                .iter()
                .find(|entry| entry.index == *index)?
                .build_time
        };
        groups.iter().find_map(|group| {
            let times: Vec<Millis> = group.indexes.iter().filter_map(build_time).collect();
            let refused = !self.limits.have_room_for(times.iter().copied());
            refused.then(|| Millis(times.iter().map(|time| time.0).sum()))
        })
    }

    /// What has to be asked about these indexes: tables that some statement reads together belong in one transaction, or its plan
    /// would not be seen; others have one of their own, so that none is locked for longer than it has to be.
    pub fn groups(&self, entries: &BTreeSet<usize>) -> Vec<Group> {
        let indexes = || {
            entries
                .iter()
                .filter_map(|entry| self.entries.get(*entry))
                .map(|entry| &entry.index)
        };
        let tables: BTreeSet<QualifiedName> = indexes()
            .map(|index| index.definition.table.clone())
            .collect();
        let mut together: Vec<BTreeSet<QualifiedName>> = tables
            .iter()
            .map(|table| BTreeSet::from([table.clone()]))
            .collect();
        for plan in self
            .cards
            .iter()
            .filter_map(|card| card.before.as_ref().ok())
        {
            let read = self.owners(plan);
            let (joined, mut apart): (Vec<_>, Vec<_>) = together
                .into_iter()
                .partition(|group: &BTreeSet<_>| !group.is_disjoint(&read));
            if !joined.is_empty() {
                apart.push(joined.into_iter().flatten().collect());
            }
            together = apart;
        }
        let group = |tables: BTreeSet<QualifiedName>| Group {
            indexes: indexes()
                .filter(|index| tables.contains(&index.definition.table))
                .cloned()
                .collect(),
            statements: self.touching(&tables),
        };
        together.into_iter().map(group).collect()
    }

    /// The statements whose plan reads one of these tables, or a partition of it.
    pub fn touching(&self, tables: &BTreeSet<QualifiedName>) -> Vec<Statement> {
        let reads = |plan: &Plan| !self.owners(plan).is_disjoint(tables);
        let touching = self
            .cards
            .iter()
            .filter(|card| card.before.as_ref().is_ok_and(|plan| reads(plan)));
        touching.map(|card| card.statement.clone()).collect()
    }

    /// The tables a new index for this plan would be on.
    fn owners(&self, plan: &Plan) -> BTreeSet<QualifiedName> {
        plan.tables()
            .iter()
            .filter_map(|read| Some(self.catalog.index_owner(read)?.name.clone()))
            .collect()
    }
}

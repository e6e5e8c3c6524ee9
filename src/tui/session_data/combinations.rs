//! Combinations of indexes: what the workload costs with them, what that total is based on, and how
//! to verify it.

use std::collections::BTreeSet;

use super::SessionData;
use crate::index::NamedIndex;
use crate::model::{Cost, QualifiedName};
use crate::plan::Plan;
use crate::planner::{Comparison, PlanOutcome};
pub use crate::search::costs::total;
use crate::search::costs::{Costs, Weighted};
use crate::search::known::KnownCosts;
use crate::search::{TrialId, Unpriced};
use crate::workload::{Statement, StatementId};

/// What a total is based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotalBasis {
    /// These indexes were built and planned with, together where a statement may use several.
    Verified,
    /// The one index was built and planned with.
    Tested,
    /// The planner twin planned with these indexes; nothing was built.
    Predicted,
    /// Each index was tested alone; together they are assumed to be as good as the best of them.
    Estimated,
}

impl TotalBasis {
    /// The basis of a total with this many indexes that were built in one transaction.
    fn of(indexes: usize) -> TotalBasis {
        if indexes == 1 {
            TotalBasis::Tested
        } else {
            TotalBasis::Verified
        }
    }
}

/// Indexes to be built in one transaction, and the statements on their tables.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildGroup {
    /// The indexes.
    pub indexes: Vec<NamedIndex>,
    /// The statements.
    pub statements: Vec<Statement>,
}

/// What the statements cost with some indexes.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Each statement's cost without them.
    pub before: Costs,
    /// Each statement's cost with them.
    pub after: Costs,
    /// What that is based on.
    pub basis: TotalBasis,
}

/// The total cost of some statements.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Totals {
    /// Σ calls × cost without new indexes.
    pub before: Cost,
    /// The same with all recommended indexes.
    pub after: Cost,
    /// The share of these statements in the workload, 0 to 1; see
    /// [`StatementView::share`](super::StatementView::share).
    pub share: f64,
}

impl SessionData {
    /// The cost of these statements, or of the whole workload if there are none.
    pub fn totals(&self, statements: &BTreeSet<usize>) -> Totals {
        let marked = self
            .statements
            .iter()
            .enumerate()
            .filter(|(position, _)| statements.contains(position));
        Totals {
            before: total(&self.among(statements, self.weights.clone())),
            after: total(&self.among(statements, self.costs_with_recommended())),
            share: if statements.is_empty() {
                1.0
            } else {
                marked.filter_map(|(_, statement)| statement.share).sum()
            },
        }
    }

    /// The part of these costs that is about these statements, with whatever values; all of it if
    /// there are none.
    pub fn among(&self, statements: &BTreeSet<usize>, costs: Costs) -> Costs {
        if !statements.is_empty() {
            let wanted: BTreeSet<&StatementId> = statements
                .iter()
                .filter_map(|statement| Some(&self.statements.get(*statement)?.source.id))
                .collect();
            let views = self.statements.iter();
            let ids: BTreeSet<&StatementId> = views
                .filter(|view| wanted.contains(view.as_written()))
                .map(|view| &view.source.id)
                .collect();
            return costs.of(|id| ids.contains(id));
        }
        costs
    }

    /// The positions of the recommended indexes.
    pub fn recommended(&self) -> BTreeSet<usize> {
        let indexes = self.indexes.iter().enumerate();
        let recommended = indexes.filter(|(_, index)| index.is_recommended());
        recommended.map(|(position, _)| position).collect()
    }

    /// Each statement's cost without and with these indexes. If exactly these were verified, both
    /// costs are from that verification.
    pub fn estimate(&self, indexes: &BTreeSet<usize>) -> Estimate {
        let before = self.weights.clone();
        if let Some(verified) = self.verifications.get(indexes) {
            let mut estimate = Estimate {
                after: before.clone(),
                before,
                basis: TotalBasis::of(indexes.len()),
            };
            for (id, (without, with)) in verified {
                estimate.before.set_cost(id, *without);
                estimate.after.set_cost(id, *with);
            }
            return estimate;
        }
        let predicted = |index: &usize| {
            self.indexes
                .get(*index)
                .is_some_and(super::IndexView::is_predicted)
        };
        let in_the_twin = indexes.iter().any(predicted);
        if *indexes == self.recommended() {
            let basis = if in_the_twin {
                TotalBasis::Predicted
            } else {
                TotalBasis::Verified
            };
            return Estimate {
                before,
                after: self.costs_with_recommended(),
                basis,
            };
        }
        let trials: Vec<TrialId> = indexes
            .iter()
            .filter_map(|index| self.indexes.get(*index)?.trial)
            .collect();
        let basis = match (trials.len(), in_the_twin) {
            (1, false) => TotalBasis::Tested,
            (1, true) => TotalBasis::Predicted,
            _ => TotalBasis::Estimated,
        };
        let after =
            KnownCosts::from_trials(&self.trials, before.clone()).estimate(&before, &trials);
        Estimate {
            after,
            before,
            basis,
        }
    }

    fn costs_with_recommended(&self) -> Costs {
        let verified = |statement: &super::StatementView| {
            let cost = statement.cost_after()?;
            Some((
                statement.source.id.clone(),
                Weighted {
                    calls: statement.source.calls,
                    cost,
                    unpriced: Unpriced::default(),
                },
            ))
        };
        self.statements.iter().filter_map(verified).collect()
    }

    /// Stores the costs with these indexes together.
    pub fn add_verification(&mut self, indexes: BTreeSet<usize>, compared: &[Comparison]) {
        let costs = |compared: &Comparison| -> Vec<(StatementId, (Cost, Cost))> {
            let costs = |(id, after): (&StatementId, &PlanOutcome)| {
                let before = compared.before.get(id)?.plan()?.total_cost();
                Some((id.clone(), (before, after.plan()?.total_cost())))
            };
            compared.after.plans.iter().filter_map(costs).collect()
        };
        self.verifications
            .insert(indexes, compared.iter().flat_map(costs).collect());
    }

    /// How to verify these indexes: tables that a statement reads together belong in one
    /// transaction, or its plan would be unknown; other tables get their own transaction, so that
    /// none is locked longer than necessary.
    pub fn groups(&self, indexes: &BTreeSet<usize>) -> Vec<BuildGroup> {
        let indexes = || {
            indexes
                .iter()
                .filter_map(|index| self.indexes.get(*index))
                .map(|index| &index.named)
        };
        let tables: BTreeSet<QualifiedName> = indexes()
            .map(|index| index.definition.table.clone())
            .collect();
        let mut together: Vec<BTreeSet<QualifiedName>> = tables
            .iter()
            .map(|table| BTreeSet::from([table.clone()]))
            .collect();
        for plan in self
            .statements
            .iter()
            .filter_map(|statement| statement.before.as_ref().ok())
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
        let group = |tables: BTreeSet<QualifiedName>| BuildGroup {
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
            .statements
            .iter()
            .filter(|statement| statement.before.as_ref().is_ok_and(|plan| reads(plan)));
        touching.map(|statement| statement.source.clone()).collect()
    }

    /// The tables a new index for this plan would be on.
    fn owners(&self, plan: &Plan) -> BTreeSet<QualifiedName> {
        plan.tables()
            .iter()
            .filter_map(|read| Some(self.catalog.index_owner(read)?.name.clone()))
            .collect()
    }
}

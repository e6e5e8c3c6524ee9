//! Combinations of indexes: what the workload costs with them, what that total is based on, and how
//! to verify it.

use std::collections::BTreeSet;

use super::{Choice, SessionData};
use crate::advise::explanation::Explanation;
use crate::index::NamedIndex;
use crate::model::{Cost, QualifiedName};
use crate::plan::Plan;
use crate::planner::{Comparison, PlanOutcome};
pub use crate::search::costs::total;
use crate::search::costs::{Costs, Weighted};
use crate::search::known::KnownCosts;
use crate::search::{TrialId, Unpriced};
use crate::sentences;
use crate::workload::{Statement, StatementId};
use std::sync::Arc;

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
    /// The same with the indexes that are on.
    pub after: Cost,
    /// The share of these statements in the workload, 0 to 1; see
    /// [`StatementView::share`](super::StatementView::share).
    pub share: f64,
}

impl SessionData {
    /// The cost of these statements, or of the whole workload if there are none, under an estimate.
    pub fn totals(&self, statements: &BTreeSet<usize>, estimate: &Estimate) -> Totals {
        let marked = self
            .statements
            .iter()
            .enumerate()
            .filter(|(position, _)| statements.contains(position));
        Totals {
            before: total(&self.among(statements, estimate.before.clone())),
            after: total(&self.among(statements, estimate.after.clone())),
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
        if let Some(known) = self.combinations.get(indexes) {
            let basis = match known.is_built {
                true => TotalBasis::of(indexes.len()),
                false => TotalBasis::Predicted,
            };
            let mut estimate = Estimate {
                after: before.clone(),
                before,
                basis,
            };
            for (id, (without, with)) in &known.plans {
                estimate.before.set_cost(id, without.total_cost());
                estimate.after.set_cost(id, with.total_cost());
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
        let statements = self.statements.iter().filter(|view| !view.is_edited);
        statements.filter_map(verified).collect()
    }

    /// Stores the plans with these indexes together.
    pub fn add_combination(&mut self, indexes: BTreeSet<usize>, compared: &[Comparison]) {
        let plan_of = |outcome: &PlanOutcome| Some(Arc::new(outcome.plan()?.clone()));
        let plans_of = |compared: &Comparison| -> Vec<(StatementId, super::Pair)> {
            let plans = |(id, after): (&StatementId, &PlanOutcome)| {
                let before = plan_of(compared.before.get(id)?)?;
                Some((id.clone(), (before, plan_of(after)?)))
            };
            compared.after.plans.iter().filter_map(plans).collect()
        };
        let mut tested = compared.iter().flat_map(|compared| &compared.after.indexes);
        let combination = super::Combination {
            is_built: tested.all(|index| index.build_time.is_some()),
            transactions: compared.len(),
            tested: compared
                .iter()
                .flat_map(|compared| compared.after.indexes.iter().cloned())
                .collect(),
            plans: compared.iter().flat_map(plans_of).collect(),
        };
        if combination.is_built {
            self.add_real_sizes(compared);
        }
        self.combinations.insert(indexes, combination);
    }

    /// What was built has a real size and a build time.
    fn add_real_sizes(&mut self, compared: &[Comparison]) {
        for tested in compared.iter().flat_map(|compared| &compared.after.indexes) {
            let is_it = |view: &&mut super::IndexView| tested.names.contains(&view.named.name);
            if let Some(view) = self.indexes.iter_mut().find(is_it) {
                view.size = Some(tested.size);
                view.build_time = tested.build_time;
                if let super::IndexStatus::Recommended { id, explanation } = &mut view.status {
                    let advice = self.advice.as_deref();
                    let mut known = advice.iter().flat_map(|advice| &advice.recommendations);
                    if let Some(known) = known.find(|known| known.id == *id) {
                        *explanation = sentences::explanation(&Explanation {
                            size: tested.size,
                            build_time: tested.build_time,
                            not_built: None,
                            ..known.explanation.clone()
                        });
                    }
                }
            }
        }
    }

    /// Were these indexes planned with together, in the twin or on the server?
    pub fn is_known(&self, indexes: &BTreeSet<usize>) -> bool {
        let is_recommended = self.stage == super::Stage::Complete && *indexes == self.recommended();
        indexes.is_empty() || is_recommended || self.combinations.contains_key(indexes)
    }

    /// The plans of a statement to compare with: that with the indexes that are on, where it is
    /// known, and those with one index each.
    pub fn choices(&self, statement: usize, selected: &BTreeSet<usize>) -> Vec<Choice> {
        let Some(view) = self.statements.get(statement) else {
            return Vec::new();
        };
        let together = match self.combinations.get(selected) {
            Some(known) => known
                .plans
                .get(&view.source.id)
                .map(|(before, plan)| Choice {
                    index: None,
                    before: before.clone(),
                    plan: plan.clone(),
                    used: true,
                }),
            None if *selected == self.recommended() => {
                let mut choices = view.choices.iter();
                choices.find(|choice| choice.index.is_none()).cloned()
            }
            None => None,
        };
        let alone = view.choices.iter().filter(|choice| choice.index.is_some());
        together.into_iter().chain(alone.cloned()).collect()
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

    /// Why these indexes cannot be built, where the role owns not all of their tables, and what helps.
    pub fn not_owned(&self, indexes: &BTreeSet<usize>) -> Option<String> {
        let indexes = indexes.iter().filter_map(|index| self.indexes.get(*index));
        let tables: BTreeSet<&QualifiedName> = indexes
            .map(|index| &index.named.definition.table)
            .filter(|name| self.catalog.table(name).is_some_and(|table| !table.owned))
            .collect();
        let first = tables.first()?.to_string();
        let first = first.strip_prefix("public.").unwrap_or(&first);
        let more = match tables.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(format!(
            "You do not own {first}{more}: connect as the owner, or y copies the DDL"
        ))
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

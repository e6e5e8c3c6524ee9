//! Putting together what a run found.

use std::collections::{BTreeMap, BTreeSet};

use super::advice::{Advice, CheckedTables, StatementAdvice, StatementStatus};
use super::existing::finding::ExistingFinding;
use super::existing::observed::Observed;
use super::existing::{findings, findings_elsewhere};
use super::foreign_servers;
use super::parts::Parts;
use super::recommendation::Recommendation;
use super::selection::Chosen;
use crate::catalog::{Table, TableKind};
use crate::plan::Plan;
use crate::planner::{NotExecuted, PlanOutcome};
use crate::search::{Curve, Optimality, TrialId};
use crate::verdict::Change;
use crate::workload::{Statement, StatementId};

/// The recommended indexes that help each statement, by their names in the report.
type Helping = BTreeMap<StatementId, Vec<String>>;

impl Parts<'_> {
    pub(super) fn into_advice(self) -> Advice {
        let recommendations = self.recommendations();
        let optimality = self.optimality();
        let curve = self.curve();
        let helping = self.helping(&recommendations);
        let statements = self.context.workload.statements().iter();
        Advice {
            statements: statements
                .map(|statement| self.statement(statement, &recommendations, &helping))
                .collect(),
            rejected: self.rejected(&recommendations),
            existing: self.existing(&recommendations),
            checked: self.checked(),
            notices: self.notices(),
            catalog: self.context.catalog.clone(),
            recommendations,
            remedies: self.remedies,
            drops: self.drop_effects.drops,
            what_if: None,
            optimality,
            curve,
            foreign_servers: foreign_servers::servers(self.context),
            followed: BTreeMap::new(),
            rehearsal: self.summary,
        }
    }

    fn optimality(&self) -> Option<Optimality> {
        let optimality = self.chosen.selection.optimality;
        optimality.filter(|_| self.is_whole())
    }

    fn curve(&self) -> Option<Curve> {
        let curve = &self.chosen.selection.curve;
        (self.is_whole() && !curve.points.is_empty()).then(|| curve.clone())
    }

    /// Is all that was chosen verified? What the search says of its choice is of this set.
    fn is_whole(&self) -> bool {
        let Chosen {
            selection,
            verification,
            ..
        } = &self.chosen;
        let verified = |id: &TrialId| {
            let mut verified = verification.verified.iter();
            verified.any(|verified| verified.trial == *id)
        };
        selection.chosen.iter().all(verified)
    }

    fn existing(&self, recommendations: &[Recommendation]) -> Vec<ExistingFinding> {
        let baselines = [self.context.baseline, self.context.trial_baseline()];
        let plans = baselines
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter_map(PlanOutcome::plan)
            .chain(self.chosen.verification.after.values());
        let mut used = self.drop_effects.used.clone();
        used.extend(plans.flat_map(Plan::index_names).map(str::to_owned));
        let observed = Observed {
            catalog: self.context.catalog,
            recommendations,
            drop_effects: &self.drop_effects,
            used: &used,
            fresh_sizes: &self.fresh_sizes,
            unused_after: self.context.limits.unused_after,
        };
        let mut found = findings(observed);
        if let Some(others) = &self.other_tables {
            found.extend(findings_elsewhere(Observed {
                catalog: &others.catalog,
                ..observed
            }));
        }
        found
    }

    /// The tables whose indexes are checked.
    fn checked(&self) -> CheckedTables {
        let others = self.other_tables.as_ref();
        let others_tables = others.map_or(&[][..], |others| &others.catalog.tables);
        let checked: Vec<&Table> = self
            .context
            .catalog
            .tables
            .iter()
            .chain(others_tables)
            .filter(|table| table.kind != TableKind::Unsupported)
            .collect();
        let locked = others.map(|others| others.locked.iter().cloned().collect());
        CheckedTables {
            indexes: checked.iter().map(|table| table.indexes.len()).sum(),
            tables: checked
                .into_iter()
                .map(|table| table.name.clone())
                .collect(),
            all: others.is_some(),
            locked: locked.unwrap_or_default(),
        }
    }

    fn statement(
        &self,
        statement: &Statement,
        recommendations: &[Recommendation],
        helping: &Helping,
    ) -> StatementAdvice {
        let id = &statement.id;
        let (status, error) = status(self.context.baseline.get(id));
        let (before, after) = (self.plan_before(id), self.plan_after(id));
        let change = before.map(|before| {
            let cost = before.total_cost();
            let cost_after = after.map_or(cost, Plan::total_cost);
            Change::between(cost, cost_after, self.context.limits.min_improvement)
        });
        let helping = helping.get(id).cloned().unwrap_or_default();
        let no_index = helping
            .is_empty()
            .then(|| self.no_index(statement, recommendations));
        let executed = self.chosen.measured.as_ref().and_then(|measured| {
            let (before, after) = (measured.before.get(id)?, measured.after.get(id)?);
            Some((before.clone(), after.clone()))
        });
        StatementAdvice {
            status,
            error,
            before: before.cloned(),
            after: after.cloned(),
            change,
            recommendations: helping,
            no_index: no_index.flatten(),
            agreement: self.context.twin.agreements.get(id).copied(),
            executed,
            not_executed: self.not_executed(id),
            twin_only: self.context.twin.alone.get(id).cloned(),
            restated: self.restated.get(id).cloned(),
            predicted: self.chosen.verification.predicted.get(id).copied(),
            statement: statement.clone(),
        }
    }
}

impl Parts<'_> {
    /// Which indexes help which statements, with the values that those have or with others.
    fn helping(&self, recommendations: &[Recommendation]) -> Helping {
        let mut helping = Helping::new();
        for index in recommendations {
            let helped = index.benefits.iter().map(|benefit| &benefit.statement);
            let helped = helped.flat_map(|id| [id.clone(), self.of_workload(id)]);
            for id in helped.collect::<BTreeSet<StatementId>>() {
                helping.entry(id).or_default().push(index.id.clone());
            }
        }
        helping
    }

    /// Why a statement was not executed, where statements are.
    fn not_executed(&self, id: &StatementId) -> Option<NotExecuted> {
        let measured = self.chosen.measured.as_ref()?;
        measured.not_executed.get(id).cloned()
    }
}

fn status(outcome: Option<&PlanOutcome>) -> (StatementStatus, Option<String>) {
    match outcome {
        Some(PlanOutcome::Plan(_)) => (StatementStatus::Planned, None),
        Some(PlanOutcome::Failed(message)) => (StatementStatus::Failed, Some(message.clone())),
        Some(PlanOutcome::NotExecuted(_) | PlanOutcome::TwinOnly(_)) => {
            (StatementStatus::Failed, None)
        }
        Some(PlanOutcome::Empty) | None => {
            let message = "the statement is empty".to_owned();
            (StatementStatus::Skipped, Some(message))
        }
    }
}

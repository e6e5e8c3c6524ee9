//! Putting together what a run found.

use std::collections::BTreeMap;

use super::advice::{
    Advice, Benefit, Recommendation, RehearsalSummary, StatementAdvice, StatementStatus,
};
use super::context::Context;
use super::drops::DropEffects;
use super::existing::{self, ExistingFinding, FreshSizes, Observed};
use super::explanation;
use super::no_index_reason::LowerPageCost;
use super::selection::Chosen;
use super::verification::VerifiedIndex;
use crate::candidate::Candidates;
use crate::catalog::ExistingIndex;
use crate::catalog::create_index::{Creation, creations};
use crate::model::{Cost, QualifiedName};
use crate::plan::Plan;
use crate::planner::{NamedIndex, PlanOutcome, TestedIndex, uses};
use crate::remedy::Remedy;
use crate::search::Trials;
use crate::search::write_cost::WriteCosts;
use crate::verdict::Change;
use crate::workload::{Statement, StatementId};

/// Everything the pipeline found.
pub(super) struct Parts<'a> {
    pub(super) context: Context<'a>,
    pub(super) candidates: Candidates,
    pub(super) trials: Trials,
    pub(super) chosen: Chosen,
    pub(super) drop_effects: DropEffects,
    pub(super) fresh_sizes: FreshSizes,
    pub(super) lower_page_cost: BTreeMap<StatementId, LowerPageCost>,
    pub(super) remedies: Vec<Remedy>,
    pub(super) write_costs: WriteCosts,
    pub(super) summary: RehearsalSummary,
}

impl Parts<'_> {
    pub(super) fn into_advice(self) -> Advice {
        let recommendations = self.recommendations();
        let statements = self.context.workload.statements().iter();
        Advice {
            statements: statements
                .map(|statement| self.statement(statement, &recommendations))
                .collect(),
            rejected: self.rejected(&recommendations),
            existing: self.existing(&recommendations),
            notices: self.notices(),
            catalog: self.context.catalog.clone(),
            recommendations,
            remedies: self.remedies,
            drops: self.drop_effects.drops,
            what_if: None,
            rehearsal: self.summary,
        }
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
        existing::findings(Observed {
            catalog: self.context.catalog,
            recommendations,
            drop_effects: &self.drop_effects,
            used: &used,
            fresh_sizes: &self.fresh_sizes,
            unused_after: self.context.limits.unused_after,
        })
    }

    /// The plan without new indexes, taken under the same row counts as the plan after where there is one.
    pub(super) fn plan_before(&self, id: &StatementId) -> Option<&Plan> {
        let verification = &self.chosen.verification;
        let compared = verification.after.contains_key(id);
        let verified = verification.before.get(id).filter(|_| compared);
        verified
            .and_then(PlanOutcome::plan)
            .or_else(|| self.context.plan(id))
    }

    fn plan_after(&self, id: &StatementId) -> Option<&Plan> {
        self.chosen.verification.after.get(id)
    }

    fn statement(
        &self,
        statement: &Statement,
        recommendations: &[Recommendation],
    ) -> StatementAdvice {
        let id = &statement.id;
        let (status, error) = status(self.context.baseline.get(id));
        let (before, after) = (self.plan_before(id), self.plan_after(id));
        let change = before.map(|before| {
            let cost = before.total_cost();
            let cost_after = after.map_or(cost, Plan::total_cost);
            Change::between(cost, cost_after, self.context.limits.min_improvement)
        });
        let helps = |recommendation: &&Recommendation| recommendation.helps(id);
        let helping = recommendations.iter().filter(helps);
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
            recommendations: helping.map(|helping| helping.id.clone()).collect(),
            no_index: self.no_index(statement, recommendations),
            agreement: self.context.twin.agreements.get(id).copied(),
            executed,
            predicted: self.chosen.verification.predicted.get(id).copied(),
            statement: statement.clone(),
        }
    }

    fn recommendations(&self) -> Vec<Recommendation> {
        let verified = self.chosen.verification.verified.iter();
        let mut found: Vec<(f64, Recommendation)> = verified
            .clone()
            .map(|verified| self.recommendation(verified))
            .collect();
        found.sort_by(|(a_saved, a), (b_saved, b)| {
            let by_name = || a.index.name.cmp(&b.index.name);
            b_saved.total_cmp(a_saved).then_with(by_name)
        });
        let mut recommendations: Vec<Recommendation> = found
            .into_iter()
            .map(|(_, recommendation)| recommendation)
            .collect();
        // The server's own words for an index that was verified.
        let body = |index: &NamedIndex| {
            let verified = verified
                .clone()
                .find(|verified| self.trials[verified.trial].index == *index);
            verified.map_or("", |verified| verified.index.body.as_str())
        };
        let bodies: Vec<(&NamedIndex, &str)> = recommendations
            .iter()
            .map(|found| (&found.index, body(&found.index)))
            .collect();
        let creations = creations(&bodies, self.context.catalog);
        let numbered = recommendations.iter_mut().zip(creations).enumerate();
        for (number, (recommendation, creation)) in numbered {
            recommendation.id = format!("r{}", number + 1);
            recommendation.creation = creation;
        }
        recommendations
    }

    /// A verified index with Σ calls × cost that it saves. Its number and the statements that create it follow from all of them.
    fn recommendation(&self, verified: &VerifiedIndex) -> (f64, Recommendation) {
        let index = self.trials[verified.trial].index.clone();
        let benefits = self.benefits(&verified.index);
        let saved = |benefit: &Benefit| {
            self.calls(&benefit.statement) * (benefit.before.0 - benefit.after.0)
        };
        let saved = benefits.iter().map(saved).sum();
        let explanation = explanation::of(&explanation::Facts {
            index: &index,
            verified,
            benefits: &benefits,
            all: &self.chosen.verification.verified,
            plans: &|id| (self.plan_before(id), self.plan_after(id)),
            times: &|id| self.chosen.measured.as_ref()?.times(id),
            supersedes: &self.superseded_for_good(&index),
        });
        let recommendation = Recommendation {
            id: String::new(),
            creation: Creation::default(),
            evidence: verified.evidence,
            not_built: verified.not_built.clone(),
            size: verified.index.size,
            predicted_size: verified.predicted.as_ref().map(|index| index.size),
            build_time: verified.index.build_time,
            write_block: verified.write_block,
            write_cost: Cost(self.write_costs.of(&[verified.trial])),
            replaces: self.superseded(&index),
            benefits,
            explanation,
            index,
        };
        (saved, recommendation)
    }

    fn benefits(&self, index: &TestedIndex) -> Vec<Benefit> {
        let benefit = |statement: &Statement| {
            let after = self.plan_after(&statement.id);
            let after = after.filter(|plan| uses(plan, index))?.total_cost();
            let before = self.plan_before(&statement.id)?.total_cost();
            let min_improvement = self.context.limits.min_improvement;
            min_improvement.reached(before, after).then(|| Benefit {
                statement: statement.id.clone(),
                before,
                after,
            })
        };
        let statements = self.context.workload.statements().iter();
        statements.filter_map(benefit).collect()
    }

    pub(super) fn calls(&self, id: &StatementId) -> f64 {
        let statement = self.context.workload.statement(id);
        statement.map_or(1.0, |statement| statement.calls)
    }

    /// The existing indexes whose work this one does.
    fn superseded(&self, index: &NamedIndex) -> Vec<QualifiedName> {
        let is_subsumed = |existing: &&ExistingIndex| {
            let known = existing.index.as_ref();
            existing.valid
                && existing.may_be_dropped()
                && known.is_some_and(|known| index.definition.subsumes(known))
        };
        let existing = self.indexes_beside(index).filter(is_subsumed);
        existing.map(|existing| existing.name.clone()).collect()
    }

    /// Of those, the ones without which the twin plans no statement worse.
    fn superseded_for_good(&self, index: &NamedIndex) -> Vec<&ExistingIndex> {
        let is_by_this = |existing: &&ExistingIndex| {
            let mut replaced = self.drop_effects.replaced.iter();
            replaced.any(|replaced| replaced.index == existing.name && replaced.by == *index)
        };
        self.indexes_beside(index).filter(is_by_this).collect()
    }

    fn indexes_beside(&self, index: &NamedIndex) -> impl Iterator<Item = &ExistingIndex> {
        let table = self.context.catalog.table(&index.definition.table);
        table.into_iter().flat_map(|table| &table.indexes)
    }
}

fn status(outcome: Option<&PlanOutcome>) -> (StatementStatus, Option<String>) {
    match outcome {
        Some(PlanOutcome::Plan(_)) => (StatementStatus::Planned, None),
        Some(PlanOutcome::Failed(message)) => (StatementStatus::Failed, Some(message.clone())),
        Some(PlanOutcome::Empty) | None => {
            let message = "the statement is empty".to_owned();
            (StatementStatus::Skipped, Some(message))
        }
    }
}

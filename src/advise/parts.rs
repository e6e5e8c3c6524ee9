//! Everything the pipeline found, before it is put together.

use std::collections::BTreeMap;

use super::context::Context;
use super::drop_effects::DropEffects;
use super::existing::observed::FreshSizes;
use super::no_index_helps::LowerPageCost;
use super::restated::AllRestated;
use super::selection::Chosen;
use super::summary::RehearsalSummary;
use crate::candidate::Candidates;
use crate::plan::Plan;
use crate::planner::{OtherTables, PlanOutcome};
use crate::remedy::Remedy;
use crate::search::Trials;
use crate::search::write_cost::WriteCosts;
use crate::workload::StatementId;

/// Everything the pipeline found.
pub(super) struct Parts<'a> {
    pub(super) context: Context<'a>,
    pub(super) candidates: Candidates,
    pub(super) trials: Trials,
    pub(super) chosen: Chosen,
    pub(super) drop_effects: DropEffects,
    pub(super) fresh_sizes: FreshSizes,
    /// Tables that no statement reads, where their indexes are checked, too.
    pub(super) other_tables: Option<OtherTables>,
    pub(super) lower_page_cost: BTreeMap<StatementId, LowerPageCost>,
    pub(super) remedies: Vec<Remedy>,
    pub(super) write_costs: WriteCosts,
    /// Statements that are compared under statistics which are not there today.
    pub(super) restated: AllRestated,
    /// Why nobody watched who waited for a build, if that happened.
    pub(super) unwatched: Option<String>,
    pub(super) summary: RehearsalSummary,
}

impl Parts<'_> {
    /// The plan without new indexes, taken under the same row counts as the plan after where there
    /// is one.
    pub(super) fn plan_before(&self, id: &StatementId) -> Option<&Plan> {
        let verification = &self.chosen.verification;
        let compared = verification.after.contains_key(id);
        let verified = verification.before.get(id).filter(|_| compared);
        verified
            .and_then(PlanOutcome::plan)
            .or_else(|| self.context.plan(id))
    }

    pub(super) fn plan_after(&self, id: &StatementId) -> Option<&Plan> {
        self.chosen.verification.after.get(id)
    }

    /// The statement that this one is, with other values.
    pub(super) fn of_workload(&self, id: &StatementId) -> StatementId {
        let statement = self.context.workload.statement(id);
        let class = statement.and_then(|statement| statement.value_class.as_ref());
        class.map_or_else(|| id.clone(), |class| class.of.clone())
    }

    pub(super) fn calls(&self, id: &StatementId) -> f64 {
        let statement = self.context.workload.statement(id);
        statement.map_or(1.0, |statement| statement.calls)
    }
}

//! Indexes for statements that are better written another way.
//!
//! A rewritten statement may have an index of its own, and the index that was chosen for the
//! statement as it is would be idle beside it. Then only the rewrite and its index are
//! recommended. The other index is told with the rewrite, for a statement that has to stay as it is.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Context;
use super::remedies;
use super::run::Run;
use super::selection::Chosen;
use super::verification::{Failure, Verification};
use crate::catalog::create_index::creation_of_candidate;
use crate::model::Cost;
use crate::plan::Plan;
use crate::planner::{NamedIndex, PlannerError, uses};
use crate::remedy::{InsteadIndex, Kind, Remedy};
use crate::search::{TrialId, Trials};
use crate::workload::StatementId;

/// The remedies, and the chosen indexes without those that the remedies make idle.
pub(super) fn settle(
    run: &mut Run<'_>,
    context: Context<'_>,
    trials: &Trials,
    chosen: &mut Chosen,
) -> Result<Vec<Remedy>, PlannerError> {
    let remedies = remedies::test(run, context, trials, &chosen.verification)?;
    let idle = idle(context, trials, &chosen.verification, &remedies);
    if idle.is_empty() {
        return Ok(remedies);
    }
    let out = idle.iter().map(|(id, costs)| {
        let statements: BTreeSet<StatementId> = costs.keys().cloned().collect();
        (*id, Failure::OnlyAsWritten(statements))
    });
    chosen.leave_out(run, context, trials, out.collect())?;
    let mut remedies = remedies::test(run, context, trials, &chosen.verification)?;
    for remedy in remedies.iter_mut().filter(|one| one.kind == Kind::Rewrite) {
        let found = idle.iter().filter_map(|(id, costs)| {
            let mut effects = remedy.benefits.iter();
            let cost = effects.find_map(|effect| costs.get(&effect.statement))?;
            Some(instead(&trials[*id].index, *cost, context))
        });
        remedy.instead = found.collect();
    }
    Ok(remedies)
}

fn instead(index: &NamedIndex, cost: Cost, context: Context<'_>) -> InsteadIndex {
    InsteadIndex {
        ddl: creation_of_candidate(index, context.catalog),
        index: index.clone(),
        cost,
    }
}

/// What statements cost with an index, by statement of the workload.
type CostsWith = BTreeMap<StatementId, Cost>;

/// The verified indexes that no statement needs once all rewrites are used.
fn idle(
    context: Context<'_>,
    trials: &Trials,
    verification: &Verification,
    remedies: &[Remedy],
) -> BTreeMap<TrialId, CostsWith> {
    let rewrites = || remedies.iter().filter(|remedy| remedy.kind == Kind::Rewrite);
    let is_rewritten = |id: &StatementId| {
        let mut effects = rewrites().flat_map(|remedy| &remedy.benefits);
        effects.any(|effect| effect.statement == *id)
    };
    let of_workload = |id: &StatementId| {
        let class = context.workload.statement(id);
        let class = class.and_then(|statement| statement.value_class.as_ref());
        class.map_or_else(|| id.clone(), |class| class.of.clone())
    };
    let mut idle = BTreeMap::new();
    for verified in &verification.verified {
        let index = &trials[verified.trial].index;
        if rewrites().any(|remedy| remedy.beside.contains(index)) {
            continue;
        }
        let using = verification.after.iter();
        let using: Vec<(&StatementId, &Plan)> = using
            .filter(|(_, plan)| uses(plan, &verified.index))
            .collect();
        if using.iter().all(|(id, _)| is_rewritten(&of_workload(id))) {
            let costs = using.iter();
            let as_is = costs.filter(|(id, _)| of_workload(id) == **id);
            let costs: CostsWith = as_is
                .map(|(id, plan)| ((*id).clone(), plan.total_cost()))
                .collect();
            idle.insert(verified.trial, costs);
        }
    }
    idle.retain(|_, costs| !costs.is_empty());
    idle
}

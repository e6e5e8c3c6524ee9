//! Which existing indexes a candidate could replace: those whose work it does, and without which,
//! with the candidate there, the planner twin plans no statement worse. The search prefers such a
//! candidate to one that would be an additional index.

use std::collections::BTreeMap;

use super::context::Context;
use super::existing::structural::structural;
use super::run::Run;
use crate::catalog::ExistingIndex;
use crate::planner::{Answer, PlannerError, Question, SearchStep, Target};
use crate::search::known::Superseded;
use crate::search::{Trial, TrialId, Trials};
use crate::verdict::WORSE_SHARE;
use crate::workload::Statement;

/// For each trial, the existing indexes it could replace; none are known when the time for the
/// search is over.
pub(super) fn by_trials(
    run: &mut Run<'_>,
    context: Context<'_>,
    trials: &Trials,
) -> Result<BTreeMap<TrialId, Superseded>, PlannerError> {
    let mut superseded: BTreeMap<TrialId, Superseded> = BTreeMap::new();
    for (id, trial) in trials.iter() {
        for existing in replaceable(trial, context) {
            match is_replaced(run, context, existing, trial)? {
                Some(true) => {
                    let (name, size) = (existing.name.clone(), existing.size);
                    superseded.entry(id).or_default().insert(name, size);
                }
                Some(false) => {}
                None => return Ok(BTreeMap::new()),
            }
        }
    }
    Ok(superseded)
}

/// With the trial's index there, is no statement that uses the existing one worse without it than
/// it is now? None: the time for the search is over.
fn is_replaced(
    run: &mut Run<'_>,
    context: Context<'_>,
    existing: &ExistingIndex,
    trial: &Trial,
) -> Result<Option<bool>, PlannerError> {
    let uses = |statement: &&Statement| {
        let plan = context.trial_plan(&statement.id);
        plan.is_some_and(|plan| plan.index_names().contains(existing.name.name.as_str()))
    };
    let statements = context.workload.statements().iter();
    let using: Vec<Statement> = statements.filter(uses).cloned().collect();
    if using.is_empty() {
        return Ok(Some(true));
    }
    let question = Question::plans(Target::Twin, &using)
        .with_indexes(std::slice::from_ref(&trial.index))
        .hiding(std::slice::from_ref(&existing.name))
        .skippable(SearchStep::Choice);
    let without = match run.ask(&question)? {
        Answer::Planned(planned) => planned.plans,
        Answer::Refused(refusal) if refusal.cause.ends_the_search() => return Ok(None),
        Answer::Refused(_) => return Ok(Some(false)),
    };
    let is_no_worse = |statement: &Statement| {
        let now = context.trial_plan(&statement.id);
        let then = without.get(&statement.id).and_then(|then| then.plan());
        now.zip(then).is_some_and(|(now, then)| {
            now.total_cost().saved_share(then.total_cost()) >= -WORSE_SHARE
        })
    };
    Ok(Some(using.iter().all(is_no_worse)))
}

/// Existing indexes whose work the trial's index does, and that nothing else makes redundant.
fn replaceable<'c>(trial: &Trial, context: Context<'c>) -> Vec<&'c ExistingIndex> {
    let table = context.catalog.table(trial.table());
    let Some(table) = table.filter(|_| trial.tested().is_some()) else {
        return Vec::new();
    };
    let is_subsumed = |existing: &&ExistingIndex| {
        let known = existing.index.as_ref();
        known.is_some_and(|known| trial.index.definition.subsumes(known))
            && existing.valid
            && existing.may_be_dropped()
            && structural(existing, table).is_none()
    };
    table.indexes.iter().filter(is_subsumed).collect()
}

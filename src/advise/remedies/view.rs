//! Tests a materialized view: in the planner twin at its estimated size; with `--analyze`, which
//! permits executing read-only statements, it is filled on the server and rolled back.

use super::chosen::{Chosen, plan_of};
use crate::advise::run::Run;
use crate::model::Bytes;
use crate::plan::Plan;
use crate::planner::{Answer, Evidence, Hypothesis, PlannerError, Question, Target};
use crate::remedy::materialized_view::{Proposal, propose};
use crate::remedy::{Effect, Kind, Remedy, RemedyInput, RemedyReason};
use crate::verdict::Rehearse;
use crate::workload::Statement;

/// Indexes, and other ways of writing, that lower a statement's cost below this share are the
/// better answer: they are always up to date.
const MUCH: f64 = 0.5;

pub(super) fn test(
    run: &mut Run<'_>,
    chosen: Chosen<'_>,
    input: RemedyInput<'_>,
    rewritten: &[Remedy],
) -> Result<Vec<Remedy>, PlannerError> {
    let hardly_helped = |proposal: &Proposal<'_>| {
        let before = plan_of(chosen.context.baseline, proposal.statement).map(Plan::total_cost);
        let mut rewritings = rewritten.iter().flat_map(|remedy| &remedy.benefits);
        let better = rewritings.any(|effect| {
            effect.statement == proposal.statement.id
                && before.is_some_and(|before| effect.cost.1.0 < MUCH * before.0)
        });
        if better {
            return false;
        }
        let after = chosen
            .verification
            .after
            .get(&proposal.statement.id)
            .map(Plan::total_cost);
        before.is_some_and(|before| after.unwrap_or(before).0 >= MUCH * before.0)
    };
    let proposals: Vec<Proposal<'_>> = propose(input).into_iter().filter(hardly_helped).collect();
    run.begin("testing materialized views", proposals.len());
    let mut remedies = Vec::new();
    for proposal in proposals {
        run.step(&proposal.view.name.name);
        remedies.extend(test_one(run, chosen, &proposal)?);
    }
    run.end();
    Ok(remedies)
}

fn test_one(
    run: &mut Run<'_>,
    chosen: Chosen<'_>,
    proposal: &Proposal<'_>,
) -> Result<Option<Remedy>, PlannerError> {
    let may_fill = chosen.context.limits.analyze
        && proposal.statement.authors.is_empty()
        && matches!(
            chosen.context.limits.rehearse,
            Rehearse::Auto | Rehearse::Transaction
        )
        && chosen.context.no_twin().is_none()
        && !chosen.context.catalog.server.in_recovery;
    let twin = (chosen.context.twin.target() == Target::Twin).then_some(Target::Twin);
    let reading = Statement {
        sql: format!("SELECT * FROM {}", proposal.view.name),
        ..proposal.statement.clone()
    };
    for target in may_fill.then_some(Target::Server).into_iter().chain(twin) {
        let hypothesis = Hypothesis::View(proposal.view.clone());
        let question = Question::plans(target, std::slice::from_ref(&reading)).under(hypothesis);
        if let Answer::Planned(planned) = run.ask(&question)? {
            let size = planned.indexes.first().map(|view| view.size);
            let before = plan_of(chosen.context.baseline, proposal.statement);
            let plans = before.zip(plan_of(&planned.plans, &reading)).zip(size);
            return Ok(plans
                .and_then(|(plans, size)| remedy(chosen, proposal, plans, (size, target.into()))));
        }
    }
    Ok(None)
}

fn remedy(
    chosen: Chosen<'_>,
    proposal: &Proposal<'_>,
    (before, after): (&Plan, &Plan),
    (size, evidence): (Bytes, Evidence),
) -> Option<Remedy> {
    let (before, after, rows) = (
        before.total_cost(),
        after.total_cost(),
        after.root().plan_rows()?,
    );
    if !chosen.context.limits.min_improvement.reached(before, after) || after.0 >= MUCH * before.0 {
        return None;
    }
    Some(Remedy {
        id: String::new(),
        indexes: Vec::new(),
        beside: Vec::new(),
        instead: Vec::new(),
        kind: Kind::MaterializedView,
        table: proposal.table.clone(),
        statements: vec![format!("{};", proposal.view.create())],
        benefits: vec![Effect {
            statement: proposal.statement.id.clone(),
            cost: (before, after),
            rows: None,
            plan_changed: true,
        }],
        size: Some(size),
        evidence,
        reason: RemedyReason::FewRowsOfMany {
            rows,
            read: proposal.read,
            refresh_cost: before,
        },
    })
}

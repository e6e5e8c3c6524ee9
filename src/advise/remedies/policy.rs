//! Tests ALTER POLICY: the planner twin plans statements to which the policy applies.

use super::chosen::{Chosen, effect, plan_of};
use crate::advise::run::Run;
use crate::planner::{Evidence, Hypothesis, PlannerError, Question, Target};
use crate::remedy::policy::{Proposal, propose};
use crate::remedy::{Effect, Kind, Remedy, RemedyInput, RemedyReason};
use crate::workload::Statement;

pub(super) fn test(
    run: &mut Run<'_>,
    chosen: Chosen<'_>,
    input: RemedyInput<'_>,
) -> Result<Vec<Remedy>, PlannerError> {
    let proposals = propose(input);
    if chosen.context.twin.target() == Target::Server || proposals.is_empty() {
        return Ok(Vec::new());
    }
    run.begin("testing ALTER POLICY", proposals.len());
    let mut remedies = Vec::new();
    for proposal in proposals {
        run.step(&proposal.altered.name);
        let statements = statements(chosen, &proposal);
        let question = Question::plans(Target::Twin, &statements).with_indexes(&chosen.indexes());
        let before = run.ask(&question)?.into_plans();
        let hypothesis = Hypothesis::AlteredPolicy(proposal.altered.clone());
        let after = run.ask(&question.under(hypothesis))?.into_plans();
        let effects = statements.iter().filter_map(|statement| {
            let (before, after) = (plan_of(&before, statement)?, plan_of(&after, statement)?);
            if !proposal.mends(before, input.catalog) {
                return None;
            }
            let min_improvement = chosen.context.limits.min_improvement;
            min_improvement
                .reached(before.total_cost(), after.total_cost())
                .then(|| effect(statement, before, after, None))
        });
        let benefits: Vec<Effect> = effects.collect();
        if !benefits.is_empty() {
            remedies.push(remedy(proposal, benefits));
        }
    }
    run.end();
    Ok(remedies)
}

/// The statements that read the table with its policies.
fn statements(chosen: Chosen<'_>, proposal: &Proposal) -> Vec<Statement> {
    let context = chosen.context;
    let table = context.catalog.table(&proposal.altered.table);
    let are_of_others = table.is_some_and(|table| table.policies_of_others.is_some());
    let reads = |statement: &&Statement| {
        let plan = context.plan(&statement.id);
        statement.is_under_policies() == are_of_others
            && plan.is_some_and(|plan| plan.tables().contains(&proposal.altered.table))
    };
    let statements = context.workload.statements().iter();
    statements.filter(reads).cloned().collect()
}

fn remedy(proposal: Proposal, benefits: Vec<Effect>) -> Remedy {
    let Proposal {
        altered,
        columns,
        looked_up,
    } = proposal;
    Remedy {
        id: String::new(),
        indexes: Vec::new(),
        beside: Vec::new(),
        instead: Vec::new(),
        kind: Kind::AlterPolicy,
        statements: vec![format!("{};", altered.statement())],
        table: altered.table,
        benefits,
        size: None,
        evidence: Evidence::PlannerTwin,
        reason: RemedyReason::CalledOnce {
            policy: altered.name,
            columns,
            looked_up,
        },
    }
}

//! Tests VACUUM: the planner twin plans as if all pages of a table were all-visible.

use super::chosen::{Chosen, effect};
use crate::advise::baseline::Baseline;
use crate::advise::run::Run;
use crate::catalog::Table;
use crate::model::QualifiedName;
use crate::plan::{NodeType, Plan};
use crate::planner::{Evidence, Hypothesis, PlanOutcome, PlannerError, Question, Target};
use crate::remedy::vacuum::tables_to_vacuum;
use crate::remedy::{Effect, Kind, Remedy, RemedyInput, RemedyReason};
use crate::workload::Statement;

pub(super) fn test(
    run: &mut Run<'_>,
    chosen: Chosen<'_>,
    input: RemedyInput<'_>,
) -> Result<Vec<Remedy>, PlannerError> {
    let tables = tables_to_vacuum(input);
    if chosen.context.twin.target() == Target::Server || tables.is_empty() {
        return Ok(Vec::new());
    }
    let indexes = chosen.indexes();
    run.begin("testing VACUUM", tables.len());
    let mut remedies = Vec::new();
    for table in tables {
        run.step(&table.name.name);
        let reads = |(_, plan): &&(&Statement, &Plan)| plan.tables().contains(&table.name);
        let statements: Vec<Statement> = input
            .plans
            .iter()
            .filter(reads)
            .map(|(statement, _)| (*statement).clone())
            .collect();
        let question = Question::plans(Target::Twin, &statements).with_indexes(&indexes);
        let before = run.ask(&question)?.into_plans();
        let hypothesis = Hypothesis::AllVisible(table.name.clone());
        let after = run.ask(&question.under(hypothesis))?.into_plans();
        remedies.extend(remedy(chosen, table, &statements, (&before, &after)));
    }
    run.end();
    Ok(remedies)
}

fn remedy(
    chosen: Chosen<'_>,
    table: &Table,
    statements: &[Statement],
    (before, after): (&Baseline, &Baseline),
) -> Option<Remedy> {
    let effects = statements.iter().filter_map(|statement| {
        let plan = |plans: &Baseline| {
            plans
                .get(&statement.id)
                .and_then(PlanOutcome::plan)
                .cloned()
        };
        let (before, after) = (plan(before)?, plan(after)?);
        let gains = chosen
            .context
            .limits
            .min_improvement
            .reached(before.total_cost(), after.total_cost());
        (gains && index_only(&after, &table.name)).then(|| effect(statement, &before, &after, None))
    });
    let benefits: Vec<Effect> = effects.collect();
    let share = table.all_visible_share();
    (!benefits.is_empty()).then(|| Remedy {
        id: String::new(),
        indexes: Vec::new(),
        beside: Vec::new(),
        instead: Vec::new(),
        kind: Kind::Vacuum,
        table: table.name.clone(),
        statements: vec![format!("VACUUM {};", table.name)],
        benefits,
        size: None,
        evidence: Evidence::PlannerTwin,
        reason: RemedyReason::NotAllVisible { share },
    })
}

fn index_only(plan: &Plan, table: &QualifiedName) -> bool {
    plan.nodes().iter().any(|node| {
        *node.node_type() == NodeType::IndexOnlyScan && node.table().as_ref() == Some(table)
    })
}

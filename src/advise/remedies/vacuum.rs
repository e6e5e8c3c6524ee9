//! VACUUM, tried: the planner twin is told that all pages of a table are marked as visible to everybody.

use super::{Seen, effect};
use crate::advise::{Baseline, Run};
use crate::catalog::Table;
use crate::model::QualifiedName;
use crate::plan::{NodeType, Plan};
use crate::rehearsal::{
    Answer, Event, Evidence, Hypothesis, NamedIndex, PlanOutcome, PlannerError, Target,
};
use crate::remedy::vacuum::unmarked;
use crate::remedy::{Ask, Effect, Kind, Remedy};
use crate::workload::Statement;

pub(super) fn test(
    run: &mut Run<'_>,
    seen: Seen<'_>,
    ask: Ask<'_>,
) -> Result<Vec<Remedy>, PlannerError> {
    let tables = unmarked(ask);
    if seen.known.twin.target() == Target::Server || tables.is_empty() {
        return Ok(Vec::new());
    }
    let indexes: Vec<NamedIndex> = seen
        .verification
        .verified
        .iter()
        .map(|verified| seen.trials[verified.trial].index.clone())
        .collect();
    (run.observer)(Event::Begin {
        what: "trying VACUUM",
        steps: tables.len(),
    });
    let mut remedies = Vec::new();
    for table in tables {
        (run.observer)(Event::Step(&table.name.name));
        let reads = |(_, plan): &&(&Statement, &Plan)| plan.tables().contains(&table.name);
        let statements: Vec<Statement> = ask
            .plans
            .iter()
            .filter(reads)
            .map(|(statement, _)| (*statement).clone())
            .collect();
        let before = planned(run.ask(Target::Twin, &indexes, &statements)?);
        let hypothesis = Hypothesis::AllVisible(table.name.clone());
        let after = planned(run.suppose(Target::Twin, &hypothesis, &indexes, &statements)?);
        remedies.extend(remedy(run, table, &statements, (&before, &after)));
    }
    (run.observer)(Event::End);
    Ok(remedies)
}

fn planned(answer: Answer) -> Baseline {
    match answer {
        Answer::Planned(planned) => planned.plans,
        Answer::Refused(_) => Baseline::new(),
    }
}

fn remedy(
    run: &Run<'_>,
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
        let gains = run
            .limits
            .min_improvement
            .reached(before.total_cost(), after.total_cost());
        (gains && index_only(&after, &table.name)).then(|| effect(statement, &before, &after, None))
    });
    let benefits: Vec<Effect> = effects.collect();
    let explanation = format!(
        "{:.0} % of the pages of {} are marked as visible to everybody, so index-only scans have to look into the table for the others. \
         VACUUM marks them, as far as no transaction still needs old rows.",
        table.all_visible_share() * 100.0,
        table.name
    );
    (!benefits.is_empty()).then(|| Remedy {
        id: String::new(),
        kind: Kind::Vacuum,
        table: table.name.clone(),
        statements: vec![format!("VACUUM {};", table.name)],
        benefits,
        size: None,
        evidence: Evidence::PlannerTwin,
        explanation,
    })
}

fn index_only(plan: &Plan, table: &QualifiedName) -> bool {
    plan.nodes().iter().any(|node| {
        *node.node_type() == NodeType::IndexOnlyScan && node.table().as_ref() == Some(table)
    })
}

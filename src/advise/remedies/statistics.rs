//! Tests ANALYZE and CREATE STATISTICS in a transaction that is rolled back: how the planner's
//! estimates change.
//!
//! For each table the statistics of its columns are computed again first, so that the effect of a
//! CREATE STATISTICS object is separate from that of ANALYZE alone.

use std::collections::{BTreeMap, BTreeSet};

use super::chosen::{Chosen, effect, plan_of, plans};
use crate::advise::baseline::Baseline;
use crate::advise::run::Run;
use crate::catalog::{Table, TableKind};
use crate::index::Key;
use crate::model::QualifiedName;
use crate::plan::{NodeType, Plan};
use crate::planner::hypothesis::Analyzed;
use crate::planner::{Evidence, Hypothesis, PlannerError, uses};
use crate::remedy::analyze::{Stale, stale};
use crate::remedy::statistics::{Estimated, Proposal, propose};
use crate::remedy::{
    Effect, Kind, Remedy, RemedyInput, RemedyReason, estimate_factor, estimate_has_changed,
};
use crate::workload::{Statement, StatementId};

pub(super) fn test(
    run: &mut Run<'_>,
    chosen: Chosen<'_>,
    input: RemedyInput<'_>,
) -> Result<Vec<Remedy>, PlannerError> {
    let mut proposals: BTreeMap<QualifiedName, Vec<Proposal>> = BTreeMap::new();
    let proposed = of_lasting_plans(propose(input), chosen);
    for proposal in proposed
        .into_iter()
        .filter(|proposal| !has_index(proposal, chosen))
    {
        proposals
            .entry(proposal.statistics.table.clone())
            .or_default()
            .push(proposal);
    }
    let allowed = |table: &&Table| {
        table.kind == TableKind::Plain && chosen.context.build_refusal(table).is_none()
    };
    let tables: Vec<&Table> = chosen
        .context
        .catalog
        .tables
        .iter()
        .filter(allowed)
        .collect();
    let wanted: Vec<(&Table, Option<Stale>, Vec<Proposal>)> = tables
        .into_iter()
        .map(|table| {
            (
                table,
                stale(table),
                proposals.remove(&table.name).unwrap_or_default(),
            )
        })
        .filter(|(_, stale, proposals)| stale.is_some() || !proposals.is_empty())
        .collect();
    run.begin("testing statistics", wanted.len());
    let mut remedies = Vec::new();
    for (table, stale, proposals) in wanted {
        run.step(&table.name.name);
        remedies.extend(test_table(run, chosen, (table, stale), &proposals)?);
    }
    run.end();
    remedies.sort_by_key(|remedy| remedy.kind);
    Ok(remedies)
}

/// An index on an expression brings statistics of it.
fn has_index(proposal: &Proposal, chosen: Chosen<'_>) -> bool {
    let [key] = proposal.statistics.keys.as_slice() else {
        return false;
    };
    let holds = |index: &crate::index::Index| {
        index.table == proposal.statistics.table
            && index.keys.iter().any(
                |held| matches!(&held.key, Key::Expression(expression) if format!("({expression})") == *key),
            )
    };
    let existing = chosen
        .context
        .catalog
        .table(&proposal.statistics.table)
        .into_iter()
        .flat_map(|table| &table.indexes);
    existing.filter_map(|index| index.index.as_ref()).any(holds)
        || chosen
            .verification
            .verified
            .iter()
            .any(|verified| holds(&chosen.trials[verified.trial].index.definition))
}

fn test_table(
    run: &mut Run<'_>,
    chosen: Chosen<'_>,
    (table, stale): (&Table, Option<Stale>),
    proposals: &[Proposal],
) -> Result<Vec<Remedy>, PlannerError> {
    let mut remedies = Vec::new();
    let statements = touching_table(chosen, table);
    let columns: Vec<String> = match stale {
        Some(_) => table
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect(),
        None => proposals
            .iter()
            .flat_map(|proposal| &proposal.columns)
            .cloned()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
    };
    let analyzed = Analyzed {
        table: table.name.clone(),
        columns,
        statistics: Vec::new(),
    };
    let Some(fresh) = plans(run, Hypothesis::Analyzed(analyzed.clone()), &statements)? else {
        return Ok(remedies);
    };
    if let Some(stale) = stale {
        remedies.extend(fresh_statistics(
            table,
            stale,
            &statements,
            chosen.context.baseline,
            &fresh,
        ));
    }
    // All at once: most change nothing, and each question reads a sample of the table.
    let together: Vec<&Proposal> = proposals.iter().collect();
    let changing = changing(run, &analyzed, &together, (&statements, &fresh))?;
    let disputed = |proposal: &Proposal| {
        let others = changing
            .iter()
            .filter(|(other, _)| other.statistics != proposal.statistics);
        others
            .flat_map(|(other, _)| &other.asked_by)
            .any(|asked| proposal.asked_by.contains(asked))
    };
    let mut contenders = Vec::new();
    for (proposal, remedy) in &changing {
        if disputed(proposal) {
            contenders.extend(self::changing(
                run,
                &analyzed,
                &[*proposal],
                (&statements, &fresh),
            )?);
        } else {
            remedies.push(remedy.clone());
        }
    }
    remedies.extend(least(contenders));
    Ok(remedies)
}

/// Of these, those by which an estimate that they are for becomes another one when they are all
/// there.
fn changing<'p>(
    run: &mut Run<'_>,
    analyzed: &Analyzed,
    proposals: &[&'p Proposal],
    (statements, fresh): (&[Statement], &Baseline),
) -> Result<Vec<(&'p Proposal, Remedy)>, PlannerError> {
    if proposals.is_empty() {
        return Ok(Vec::new());
    }
    let statistics = proposals
        .iter()
        .map(|proposal| proposal.statistics.clone())
        .collect();
    let hypothesis = Hypothesis::Analyzed(Analyzed {
        statistics,
        ..analyzed.clone()
    });
    let asked = proposals
        .iter()
        .flat_map(|proposal| proposal.statements())
        .collect::<BTreeSet<_>>();
    let statements: Vec<Statement> = statements
        .iter()
        .filter(|statement| asked.contains(&statement.id))
        .cloned()
        .collect();
    let Some(with) = plans(run, hypothesis, &statements)? else {
        return Ok(Vec::new());
    };
    let extended =
        |proposal: &&'p Proposal| Some((*proposal, extended(proposal, &statements, fresh, &with)?));
    Ok(proposals.iter().filter_map(extended).collect())
}

/// Of those that change the same estimates, one for each: what changes it most, and has the fewest
/// keys.
fn least(mut contenders: Vec<(&Proposal, Remedy)>) -> Vec<Remedy> {
    let most = |remedy: &Remedy| remedy.benefits.iter().map(most_changed).fold(1.0, f64::max);
    let keys = |proposal: &Proposal| proposal.statistics.keys.len();
    contenders.sort_by(|(a, a_remedy), (b, b_remedy)| {
        most(b_remedy)
            .total_cmp(&most(a_remedy))
            .then(keys(a).cmp(&keys(b)))
            .then(a.statistics.cmp(&b.statistics))
    });
    let mut covered: BTreeSet<StatementId> = BTreeSet::new();
    let mut chosen = Vec::new();
    for (_, remedy) in contenders {
        let helped: BTreeSet<StatementId> = remedy
            .benefits
            .iter()
            .map(|effect| effect.statement.clone())
            .collect();
        if !helped.is_subset(&covered) {
            covered.extend(helped);
            chosen.push(remedy);
        }
    }
    chosen
}

/// What a recommended index changes is planned another way than today, and what statistics would do
/// to the new plan is not known: such statements are left out.
fn of_lasting_plans(mut proposals: Vec<Proposal>, chosen: Chosen<'_>) -> Vec<Proposal> {
    let verification = chosen.verification;
    let is_new = |id: &StatementId| {
        let plan = verification.after.get(id);
        let mut verified = verification.verified.iter();
        plan.is_some_and(|plan| verified.any(|verified| uses(plan, &verified.index)))
    };
    for proposal in &mut proposals {
        proposal.asked_by.retain(|(id, _)| !is_new(id));
    }
    proposals.retain(|proposal| !proposal.asked_by.is_empty());
    proposals
}

/// Of a partition, too: its own plans name it.
fn touching_table(chosen: Chosen<'_>, table: &Table) -> Vec<Statement> {
    let owner = chosen
        .context
        .catalog
        .index_owner(&table.name)
        .map_or(&table.name, |owner| &owner.name);
    let statements = chosen.context.touching(&BTreeSet::from([owner.clone()]));
    let reads = |statement: &Statement| {
        plan_of(chosen.context.baseline, statement)
            .is_some_and(|plan| plan.tables().contains(&table.name))
    };
    statements.into_iter().filter(reads).collect()
}

/// ANALYZE, if any statement's estimate or plan changes by it.
fn fresh_statistics(
    table: &Table,
    stale: Stale,
    statements: &[Statement],
    before: &Baseline,
    after: &Baseline,
) -> Option<Remedy> {
    let effects = statements.iter().filter_map(|statement| {
        let (before, after) = (plan_of(before, statement)?, plan_of(after, statement)?);
        let scans = before
            .nodes()
            .iter()
            .filter(|node| node.table().as_ref() == Some(&table.name));
        let rows = scans
            .filter_map(|node| rows_at(&Estimated::Scan(node.alias()?.to_owned()), before, after));
        let rows = rows.max_by(|a, b| estimate_factor(*a).total_cmp(&estimate_factor(*b)));
        let effect = effect(statement, before, after, rows);
        (effect.plan_changed || rows.is_some_and(estimate_has_changed)).then_some(effect)
    });
    let effects: Vec<Effect> = effects.collect();
    let most = effects
        .iter()
        .max_by(|a, b| most_changed(a).total_cmp(&most_changed(b)))?;
    let reason = RemedyReason::StaleStatistics {
        stale,
        most_changed: most.clone(),
    };
    Some(remedy(
        Kind::Analyze,
        &table.name,
        vec![format!("ANALYZE {};", table.name)],
        effects.clone(),
        reason,
    ))
}

/// How a plan reads its tables and what it makes of the rows, without its workers.
fn accesses(plan: &Plan) -> Vec<(&NodeType, Option<&str>, Option<&str>)> {
    let nodes = plan.nodes().iter();
    let nodes = nodes.filter(|node| !node.node_type().is_gather());
    nodes
        .map(|node| (node.node_type(), node.alias(), node.index_name()))
        .collect()
}

/// CREATE STATISTICS, if it changes the estimate that it is for, and a plan with it: a higher or
/// lower cost of the same plan is worth nothing.
fn extended(
    proposal: &Proposal,
    statements: &[Statement],
    before: &Baseline,
    after: &Baseline,
) -> Option<Remedy> {
    let effects = proposal.asked_by.iter().filter_map(|(id, estimated)| {
        let statement = statements.iter().find(|statement| statement.id == *id)?;
        let (before, after) = (plan_of(before, statement)?, plan_of(after, statement)?);
        let rows = rows_at(estimated, before, after).filter(|rows| estimate_has_changed(*rows))?;
        let effect = effect(statement, before, after, Some(rows));
        // That a scan is shared with workers, or no longer, is nothing that statistics are made for.
        (effect.plan_changed && accesses(before) != accesses(after)).then_some(effect)
    });
    let effects: Vec<Effect> = effects.collect();
    let most = effects
        .iter()
        .max_by(|a, b| most_changed(a).total_cmp(&most_changed(b)))?;
    let statistics = &proposal.statistics;
    let reason = RemedyReason::UnknownToThePlanner {
        keys: statistics.keys.clone(),
        most_changed: most.clone(),
    };
    let run = vec![
        format!("{};", statistics.create()),
        format!("ANALYZE {};", statistics.table),
    ];
    Some(remedy(
        Kind::CreateStatistics,
        &statistics.table,
        run,
        effects.clone(),
        reason,
    ))
}

fn remedy(
    kind: Kind,
    table: &QualifiedName,
    run: Vec<String>,
    mut benefits: Vec<Effect>,
    reason: RemedyReason,
) -> Remedy {
    // The partial and the final step of an aggregate expect the same.
    benefits.dedup();
    Remedy {
        id: String::new(),
        indexes: Vec::new(),
        beside: Vec::new(),
        instead: Vec::new(),
        kind,
        table: table.clone(),
        statements: run,
        benefits,
        size: None,
        evidence: Evidence::RolledBackTransaction,
        reason,
    }
}

fn rows_at(estimated: &Estimated, before: &Plan, after: &Plan) -> Option<(f64, f64)> {
    Some((estimated.rows(before)?, estimated.rows(after)?))
}

fn most_changed(effect: &Effect) -> f64 {
    effect.rows.map_or(1.0, estimate_factor)
}

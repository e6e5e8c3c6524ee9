//! Tests `use_remote_estimate`: in a transaction that is rolled back, the planner asks the other
//! server for its estimates. Only where the user lets us connect to foreign servers, because EXPLAIN
//! itself then does.

use std::collections::BTreeSet;

use super::chosen::{Chosen, effect, plan_of, plans};
use crate::advise::run::Run;
use crate::catalog::Catalog;
use crate::model::QualifiedName;
use crate::plan::Plan;
use crate::planner::hypothesis::use_remote_estimate;
use crate::planner::{Evidence, Hypothesis, PlannerError};
use crate::remedy::{
    Effect, Kind, Remedy, RemedyInput, RemedyReason, estimate_factor, estimate_has_changed,
};
use crate::verdict::Rehearse;
use crate::workload::Statement;

pub(super) fn test(
    run: &mut Run<'_>,
    chosen: Chosen<'_>,
    input: RemedyInput<'_>,
) -> Result<Vec<Remedy>, PlannerError> {
    let limits = chosen.context.limits;
    if !limits.follow_foreign || !matches!(limits.rehearse, Rehearse::Auto | Rehearse::Transaction)
    {
        return Ok(Vec::new());
    }
    let servers = servers(chosen.context.catalog);
    run.begin("testing remote estimates", servers.len());
    let mut remedies = Vec::new();
    for server in servers {
        run.step(server);
        let tables = tables_of(server, chosen.context.catalog);
        let reads = |(_, plan): &&(&Statement, &Plan)| !plan.tables().is_disjoint(&tables);
        let statements = input.plans.iter().filter(reads);
        let statements: Vec<Statement> = statements
            .map(|(statement, _)| (*statement).clone())
            .collect();
        let hypothesis = Hypothesis::RemoteEstimates(server.to_owned());
        let Some(after) = plans(run, hypothesis, &statements)? else {
            continue;
        };
        let effects = statements.iter().filter_map(|statement| {
            let before = plan_of(chosen.context.baseline, statement)?;
            changed(statement, before, plan_of(&after, statement)?, &tables)
        });
        remedies.extend(remedy(server, &tables, effects.collect(), chosen));
    }
    run.end();
    Ok(remedies)
}

/// Servers that the planner does not ask yet.
fn servers(catalog: &Catalog) -> BTreeSet<&str> {
    let tables = catalog.foreign_tables.iter();
    let asked: BTreeSet<&str> = tables
        .clone()
        .filter(|table| table.use_remote_estimate || !table.is_postgres)
        .map(|table| table.server.as_str())
        .collect();
    tables
        .map(|table| table.server.as_str())
        .filter(|server| !asked.contains(server))
        .collect()
}

fn tables_of(server: &str, catalog: &Catalog) -> BTreeSet<QualifiedName> {
    let tables = catalog.foreign_tables.iter();
    tables
        .filter(|table| table.server == server)
        .map(|table| table.name.clone())
        .collect()
}

/// The effect on a statement, if another plan or another estimate for these tables is one.
fn changed(
    statement: &Statement,
    before: &Plan,
    after: &Plan,
    tables: &BTreeSet<QualifiedName>,
) -> Option<Effect> {
    let rows = |plan: &Plan, of: &[QualifiedName]| {
        let scans = plan.foreign_scans();
        let scan = scans.iter().find(|scan| scan.tables == of)?;
        plan.node(scan.node).plan_rows()
    };
    let scans = before.foreign_scans();
    let own = scans
        .iter()
        .filter(|scan| scan.tables.iter().any(|table| tables.contains(table)));
    let rows = own
        .filter_map(|scan| Some((rows(before, &scan.tables)?, rows(after, &scan.tables)?)))
        .max_by(|a, b| estimate_factor(*a).total_cmp(&estimate_factor(*b)));
    let effect = effect(statement, before, after, rows);
    (effect.plan_changed || rows.is_some_and(estimate_has_changed)).then_some(effect)
}

fn remedy(
    server: &str,
    tables: &BTreeSet<QualifiedName>,
    benefits: Vec<Effect>,
    chosen: Chosen<'_>,
) -> Option<Remedy> {
    let factor = |effect: &Effect| effect.rows.map_or(1.0, estimate_factor);
    let most = benefits
        .iter()
        .max_by(|a, b| factor(a).total_cmp(&factor(b)))?;
    let is_unknown = |table: &&QualifiedName| {
        let table = chosen.context.catalog.table(table);
        table.is_some_and(|table| table.rows.is_none())
    };
    Some(Remedy {
        id: String::new(),
        kind: Kind::RemoteEstimates,
        table: tables.iter().next()?.clone(),
        statements: vec![format!("{};", use_remote_estimate(server))],
        indexes: Vec::new(),
        beside: Vec::new(),
        instead: Vec::new(),
        size: None,
        evidence: Evidence::RolledBackTransaction,
        reason: RemedyReason::AskTheServer {
            server: server.to_owned(),
            never_analyzed: tables.iter().filter(is_unknown).cloned().collect(),
            most_changed: most.clone(),
        },
        benefits,
    })
}

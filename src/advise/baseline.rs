//! The plans of the workload without any new index.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Catalog;
use crate::model::QualifiedName;
use crate::plan::Plan;
use crate::planner::PlanOutcome;
use crate::workload::{Statement, StatementId, Workload};

/// The plan of each statement without any new index, or why there is none.
pub(super) type Baseline = BTreeMap<StatementId, PlanOutcome>;

/// All tables that the plans read.
pub(super) fn tables_of(baseline: &Baseline) -> BTreeSet<QualifiedName> {
    baseline
        .values()
        .filter_map(PlanOutcome::plan)
        .flat_map(Plan::tables)
        .collect()
}

/// The statements that have a plan.
pub(super) fn planned(workload: &Workload, baseline: &Baseline) -> Vec<Statement> {
    let has_plan = |statement: &&Statement| {
        let outcome = baseline.get(&statement.id);
        outcome.is_some_and(|outcome| outcome.plan().is_some())
    };
    let statements = workload.statements().iter();
    statements.filter(has_plan).cloned().collect()
}

/// The statements whose plan touches one of these tables (or a partition of it).
pub(super) fn touching(
    workload: &Workload,
    baseline: &Baseline,
    catalog: &Catalog,
    tables: &BTreeSet<QualifiedName>,
) -> Vec<Statement> {
    let touches = |statement: &&Statement| {
        let plan = baseline.get(&statement.id).and_then(PlanOutcome::plan);
        plan.is_some_and(|plan| !index_tables(plan, catalog).is_disjoint(tables))
    };
    let statements = workload.statements().iter();
    statements.filter(touches).cloned().collect()
}

/// The tables a new index for this plan would be on.
pub(super) fn index_tables(plan: &Plan, catalog: &Catalog) -> BTreeSet<QualifiedName> {
    plan.tables()
        .iter()
        .filter_map(|table| Some(catalog.index_owner(table)?.name.clone()))
        .collect()
}

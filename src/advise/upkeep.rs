//! What writes pay for an index, in planner units, so that it can be set against what reads gain.
//!
//! PostgreSQL's planner prices no index maintenance. An entry costs about what looking it up costs: the way down the tree, and a leaf that
//! has to be read and written. Three of four leaves are taken to be in memory.

use super::proof::Known;
use crate::catalog::Catalog;
use crate::model::QualifiedName;
use crate::plan::{Node, Plan};
use crate::rehearsal::{PlanOutcome, Trial};
use crate::workload::Workload;

/// The way down a tree of three levels (`(3 + 1) * 50 * cpu_operator_cost`), and a quarter of a random page at the default of 4.0.
const COST_OF_AN_ENTRY: f64 = 1.5;

/// For each trial, what the workload's own INSERTs and UPDATEs would pay for it, as often as they run. (The server's counters of rows
/// written are of another time than the workload's calls, and count its first loading: they are shown, and not set against anything.)
pub(super) fn of_trials(trials: &[Trial], workload: &Workload, known: Known<'_>) -> Vec<f64> {
    trials.iter().map(|trial| COST_OF_AN_ENTRY * rows_written(&trial.index.index.table, workload, known)).collect()
}

/// Rows that the workload's statements insert into a table, or update.
fn rows_written(table: &QualifiedName, workload: &Workload, known: Known<'_>) -> f64 {
    let of_statement = |statement: &crate::workload::Statement| {
        let plan = known.captured.get(&statement.id).and_then(PlanOutcome::plan)?;
        Some(statement.calls * rows_of_plan(plan, table, known.catalog))
    };
    workload.statements().iter().filter_map(of_statement).sum()
}

fn rows_of_plan(plan: &Plan, table: &QualifiedName, catalog: &Catalog) -> f64 {
    let writes = |node: &&Node| {
        let adds = matches!(node.text("Operation"), Some("Insert" | "Update" | "Merge"));
        let on = node.table();
        let owner = on.as_ref().and_then(|on| catalog.index_owner(on)).map(|owner| &owner.name);
        node.node_type() == "ModifyTable" && adds && (on.as_ref() == Some(table) || owner == Some(table))
    };
    let rows = |node: &Node| node.children.iter().filter_map(|child| plan.node(*child).plan_rows()).sum::<f64>();
    plan.nodes().iter().filter(writes).map(rows).sum()
}

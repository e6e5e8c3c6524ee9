//! What changed between two plans of the same query: access paths, join order and methods, rows,
//! cost, time, buffers.

use schemars::JsonSchema;
use serde::Serialize;

use crate::plan::alignment::{Alignment, Class, align, class, join_order};
use crate::plan::metrics::{Metrics, metrics};
use crate::plan::{Node, NodeId, Plan};

mod text;

/// A node with the same title is listed if one of its numbers changed by at least this factor …
const MIN_FACTOR: f64 = 2.0;
/// … and the node takes at least this share of one of the plans.
const MIN_SHARE: f64 = 0.05;

/// Two plans and their differences.
#[derive(Debug, Clone, PartialEq)]
pub struct Diff<'p> {
    before: &'p Plan,
    after: &'p Plan,
    report: DiffReport,
}

/// The differences, as the JSON report has them.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DiffReport {
    /// The plan before.
    pub before: PlanNumbers,
    /// The plan after.
    pub after: PlanNumbers,
    /// `((a ⋈ b) ⋈ c)` on both sides, when it changed.
    pub join_order: Option<JoinOrder>,
    /// Node by node, in the order of the plan after; those that are gone come last.
    pub changes: Vec<NodeChange>,
}

/// Numbers of a whole plan.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PlanNumbers {
    /// The file it was read from.
    pub file: String,
    /// Every node.
    pub node_count: usize,
    /// Numbers of its top node.
    #[serde(flatten)]
    pub numbers: Numbers,
    /// `Planning Time`.
    pub planning_time_ms: Option<f64>,
    /// `Execution Time`.
    pub execution_time_ms: Option<f64>,
}

/// What is joined with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JoinOrder {
    /// Before.
    pub before: String,
    /// After.
    pub after: String,
}

/// What kind of change it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A relation is read differently.
    AccessPath,
    /// The same relations are joined differently.
    JoinMethod,
    /// Another way to sort, aggregate, …
    Method,
    /// The same, with other numbers.
    Numbers,
    /// Only in the plan after.
    Added,
    /// Only in the plan before.
    Removed,
}

/// A node that changed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NodeChange {
    /// What kind of change.
    pub kind: ChangeKind,
    /// The node before.
    pub before: Option<DiffNode>,
    /// The node after.
    pub after: Option<DiffNode>,
}

/// A node of one of the plans.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DiffNode {
    /// Its position in EXPLAIN's order, from 0.
    pub node_id: usize,
    /// As EXPLAIN writes it.
    pub title: String,
    /// Its numbers, with everything below it.
    #[serde(flatten)]
    pub numbers: Numbers,
}

/// Numbers of a node with everything below it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Numbers {
    /// Planner units.
    pub cost: Option<f64>,
    /// Wall clock, all loops.
    pub time_ms: Option<f64>,
    /// Rows in all loops; without ANALYZE those expected of one.
    pub rows: Option<f64>,
    /// Blocks of tables and indexes that were accessed.
    pub blocks: Option<f64>,
    /// Blocks written to temporary files.
    pub temp_blocks: Option<f64>,
}

impl<'p> Diff<'p> {
    /// Compares two plans, each with its file's name.
    pub fn new(
        (file_before, before): (&str, &'p Plan),
        (file_after, after): (&str, &'p Plan),
    ) -> Diff<'p> {
        let (metrics_before, metrics_after) = (metrics(before), metrics(after));
        let alignment = align(before, after);
        let orders = JoinOrder {
            before: join_order(before),
            after: join_order(after),
        };
        let pair = PlanPair {
            before: (before, &metrics_before),
            after: (after, &metrics_after),
        };
        let report = DiffReport {
            before: plan_numbers(file_before, before, &metrics_before),
            after: plan_numbers(file_after, after, &metrics_after),
            join_order: (orders.before != orders.after).then_some(orders),
            changes: pair.changes(&alignment),
        };
        Diff {
            before,
            after,
            report,
        }
    }

    /// The differences.
    pub fn report(&self) -> &DiffReport {
        &self.report
    }
}

/// All differences as JSON, indented, with a newline at the end.
///
/// # Errors
/// When a number has no JSON form, which does not happen for plans.
pub fn write_json(diffs: &[Diff<'_>]) -> serde_json::Result<String> {
    let reports: Vec<&DiffReport> = diffs.iter().map(Diff::report).collect();
    Ok(serde_json::to_string_pretty(&reports)? + "\n")
}

fn plan_numbers(file: &str, plan: &Plan, metrics: &Metrics) -> PlanNumbers {
    PlanNumbers {
        file: file.to_owned(),
        node_count: plan.nodes().len(),
        numbers: numbers(plan.root(), metrics),
        planning_time_ms: metrics.summary.planning.map(|time| time.0),
        execution_time_ms: metrics.summary.execution.map(|time| time.0),
    }
}

fn numbers(node: &Node, metrics: &Metrics) -> Numbers {
    let own = metrics.node(node.id);
    let kinds = [
        "Shared Hit Blocks",
        "Shared Read Blocks",
        "Local Hit Blocks",
        "Local Read Blocks",
    ];
    let blocks = kinds.iter().filter_map(|kind| node.number(kind)).sum();
    Numbers {
        cost: node.number("Total Cost"),
        time_ms: own.time.map(|time| time.inclusive.0),
        rows: own.rows_total().or_else(|| node.plan_rows()),
        blocks: own.buffers.map(|_| blocks),
        temp_blocks: own.buffers.and_then(|_| node.number("Temp Written Blocks")),
    }
}

/// Both plans with their metrics.
struct PlanPair<'p> {
    before: (&'p Plan, &'p Metrics),
    after: (&'p Plan, &'p Metrics),
}

impl PlanPair<'_> {
    fn changes(&self, alignment: &Alignment) -> Vec<NodeChange> {
        let (before, after) = (self.before.0, self.after.0);
        let of_after = after
            .nodes()
            .iter()
            .filter_map(|node| match alignment.in_before(node.id) {
                Some(partner) => self.change(before.node(partner), node),
                None => Some(NodeChange {
                    kind: ChangeKind::Added,
                    before: None,
                    after: Some(diff_node(node, self.after.1)),
                }),
            });
        let gone = before
            .nodes()
            .iter()
            .filter(|node| alignment.in_after(node.id).is_none());
        let gone = gone.map(|node| NodeChange {
            kind: ChangeKind::Removed,
            before: Some(diff_node(node, self.before.1)),
            after: None,
        });
        of_after.chain(gone).collect()
    }

    fn change(&self, before: &Node, after: &Node) -> Option<NodeChange> {
        let (old, new) = (
            diff_node(before, self.before.1),
            diff_node(after, self.after.1),
        );
        let kind = if old.title == new.title {
            let share = self.share(before.id, after.id);
            (share >= MIN_SHARE && differ(&old.numbers, &new.numbers))
                .then_some(ChangeKind::Numbers)?
        } else {
            match class(after) {
                Class::Scan => ChangeKind::AccessPath,
                Class::Join => ChangeKind::JoinMethod,
                _ => ChangeKind::Method,
            }
        };
        Some(NodeChange {
            kind,
            before: Some(old),
            after: Some(new),
        })
    }

    fn share(&self, before: NodeId, after: NodeId) -> f64 {
        self.before
            .1
            .node(before)
            .share
            .max(self.after.1.node(after).share)
    }
}

fn diff_node(node: &Node, metrics: &Metrics) -> DiffNode {
    DiffNode {
        node_id: node.id.0,
        title: node.title(),
        numbers: numbers(node, metrics),
    }
}

fn differ(old: &Numbers, new: &Numbers) -> bool {
    let pairs = [
        (old.cost, new.cost),
        (old.time_ms, new.time_ms),
        (old.rows, new.rows),
        (old.blocks, new.blocks),
        (old.temp_blocks, new.temp_blocks),
    ];
    pairs.into_iter().any(|pair| match pair {
        (Some(old), Some(new)) => {
            old.max(new) > 1.0 && old.max(new) >= MIN_FACTOR * old.min(new).max(0.001)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests;

//! What changed between two plans of the same query: access paths, join order and methods, rows,
//! cost, time, buffers. `pairs` finds the plans of two sets that belong together.

use schemars::JsonSchema;
use serde::Serialize;

use crate::plan::alignment::{Alignment, Class, align, class, join_order};
use crate::plan::metrics::{Metrics, metrics};
use crate::plan::{Node, NodeId, Plan};

mod json;
mod pairs;
mod text;
mod total;

pub use json::write_json;
pub use pairs::{NamedPlan, Pairs, pair};
pub use text::{write_markdown, write_text};

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
    /// What makes the comparison doubtful: different statements, one that was not run.
    pub warnings: Vec<String>,
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

impl PlanNumbers {
    /// The execution time, or that of the top node where it is not known.
    fn time_ms(&self) -> Option<f64> {
        self.execution_time_ms.or(self.numbers.time_ms)
    }
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
    /// Compares two plans. Times, actual rows and blocks are compared when both were run.
    pub fn new(before: NamedPlan<'p>, after: NamedPlan<'p>) -> Diff<'p> {
        let warnings = pairs::warnings(&before, &after);
        let (file_before, before) = (before.file, before.plan);
        let (file_after, after) = (after.file, after.plan);
        let (metrics_before, metrics_after) = (metrics(before), metrics(after));
        let alignment = align(before, after);
        let orders = JoinOrder {
            before: join_order(before),
            after: join_order(after),
        };
        let was_run =
            |metrics: &Metrics| metrics.nodes.first().is_some_and(|it| it.loops.is_some());
        let compared = if was_run(&metrics_before) == was_run(&metrics_after) {
            Compared::All
        } else {
            Compared::Estimates
        };
        let pair = PlanPair {
            before: (before, &metrics_before),
            after: (after, &metrics_after),
            compared,
        };
        let report = DiffReport {
            warnings,
            before: plan_numbers(file_before, before, &metrics_before, compared),
            after: plan_numbers(file_after, after, &metrics_after, compared),
            join_order: (orders.before != orders.after).then_some(orders),
            changes: pair.changes(&alignment),
        };
        Diff {
            before,
            after,
            report,
        }
    }

    /// The two plans.
    pub(super) fn plans(&self) -> (&'p Plan, &'p Plan) {
        (self.before, self.after)
    }

    /// The differences.
    pub fn report(&self) -> &DiffReport {
        &self.report
    }
}

/// Which numbers can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compared {
    All,
    /// One of the plans was not run.
    Estimates,
}

fn plan_numbers(file: &str, plan: &Plan, metrics: &Metrics, compared: Compared) -> PlanNumbers {
    PlanNumbers {
        file: file.to_owned(),
        node_count: plan.nodes().len(),
        numbers: numbers(plan.root(), metrics, compared),
        planning_time_ms: metrics.summary.planning.map(|time| time.0),
        execution_time_ms: metrics.summary.execution.map(|time| time.0),
    }
}

fn numbers(node: &Node, metrics: &Metrics, compared: Compared) -> Numbers {
    if compared == Compared::Estimates {
        return Numbers {
            cost: node.number("Total Cost"),
            time_ms: None,
            rows: node.plan_rows(),
            blocks: None,
            temp_blocks: None,
        };
    }
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
    compared: Compared,
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
                    after: Some(diff_node(node, self.after.1, self.compared)),
                }),
            });
        let gone = before
            .nodes()
            .iter()
            .filter(|node| alignment.in_after(node.id).is_none());
        let gone = gone.map(|node| NodeChange {
            kind: ChangeKind::Removed,
            before: Some(diff_node(node, self.before.1, self.compared)),
            after: None,
        });
        of_after.chain(gone).collect()
    }

    fn change(&self, before: &Node, after: &Node) -> Option<NodeChange> {
        let (old, new) = (
            diff_node(before, self.before.1, self.compared),
            diff_node(after, self.after.1, self.compared),
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

fn diff_node(node: &Node, metrics: &Metrics, compared: Compared) -> DiffNode {
    DiffNode {
        node_id: node.id.0,
        title: node.title(),
        numbers: numbers(node, metrics, compared),
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

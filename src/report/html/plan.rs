//! One plan, or two beside each other and aligned node by node.

use askama::Template;

use super::head::heat;
use crate::finding::Finding;
use crate::model::{group_thousands, printable};
use crate::plan::alignment::{AlignedNodes, align};
use crate::plan::metrics::{Basis, Metrics, metrics};
use crate::plan::{NodeId, Plan};
use crate::report::heat::heat as heat_of_nodes;

/// How deep a node is drawn at most.
const MAX_DEPTH: usize = 24;

/// A finding, ready to be shown.
#[derive(Debug, Clone)]
pub(super) struct ShownFinding {
    pub rule: String,
    pub severity: &'static str,
    pub place: String,
    pub message: String,
    pub action: Option<String>,
}

impl ShownFinding {
    pub(super) fn new(finding: &Finding, plan: &Plan) -> ShownFinding {
        let safe = |text: &str| printable(text).into_owned();
        ShownFinding {
            rule: finding.rule.to_owned(),
            severity: finding.severity.name(),
            place: safe(&plan.node(finding.node).title()),
            message: safe(&finding.message),
            action: finding.action.as_deref().map(safe),
        }
    }
}

/// What becomes of a node in the other plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Same,
    Gone,
    New,
    Moved,
}

impl Change {
    fn class(self) -> &'static str {
        match self {
            Change::Same => "",
            Change::Gone => "gone",
            Change::New => "new",
            Change::Moved => "moved",
        }
    }

    fn mark(self) -> &'static str {
        match self {
            Change::Same => "",
            Change::Gone => "−",
            Change::New => "+",
            Change::Moved => "~",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Change::Same => "",
            Change::Gone => "only before: ",
            Change::New => "only after: ",
            Change::Moved => "moved: ",
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "node.html")]
struct NodeCell {
    change: Change,
    hot: bool,
    depth: usize,
    heat: u8,
    title: String,
    amount: String,
    details: Vec<String>,
    findings: Vec<ShownFinding>,
}

#[derive(Debug)]
struct Row {
    before: Option<NodeCell>,
    after: Option<NodeCell>,
    same: bool,
}

#[derive(Debug, Template)]
#[template(path = "plans_table.html")]
struct PlansTable {
    label: String,
    left: &'static str,
    right: &'static str,
    amount: &'static str,
    two: bool,
    rows: Vec<Row>,
}

impl PlansTable {
    fn html(&self) -> String {
        // Writing to a string fails only where a template's own filter does, and there is none.
        self.render().unwrap_or_default()
    }
}

/// A plan with findings at its nodes.
pub(super) fn one(plan: &Plan, findings: &[Finding], label: &str) -> String {
    let side = Side::new(plan, findings);
    let ids = (0..plan.nodes().len()).map(NodeId);
    let rows = ids.map(|id| Row {
        before: Some(side.cell(id, Change::Same)),
        after: None,
        same: true,
    });
    let table = PlansTable {
        label: format!("Plan of {label}"),
        left: "Plan",
        right: "",
        amount: side.amount(),
        two: false,
        rows: rows.collect(),
    };
    table.html()
}

/// Two plans of a statement.
pub(super) fn two(before: &Plan, after: &Plan, findings: &[Finding], label: &str) -> String {
    let (left, right) = (Side::new(before, findings), Side::new(after, &[]));
    let alignment = align(before, after);
    let same = |a: NodeId, b: NodeId| before.node(a).title() == after.node(b).title();
    let moved_or = |is_moved: bool, change| if is_moved { Change::Moved } else { change };
    let rows = alignment.steps().into_iter().map(|step| match step {
        AlignedNodes::Both(a, b) if same(a, b) => Row {
            before: Some(left.cell(a, Change::Same)),
            after: Some(right.cell(b, Change::Same)),
            same: left.says_the_same(a, &right, b),
        },
        AlignedNodes::Both(a, b) => Row {
            before: Some(left.cell(a, Change::Gone)),
            after: Some(right.cell(b, Change::New)),
            same: false,
        },
        AlignedNodes::Before(a) => {
            let is_moved = alignment.in_after(a).is_some_and(|b| same(a, b));
            Row {
                before: Some(left.cell(a, moved_or(is_moved, Change::Gone))),
                after: None,
                same: false,
            }
        }
        AlignedNodes::After(b) => {
            let is_moved = alignment.in_before(b).is_some_and(|a| same(a, b));
            Row {
                before: None,
                after: Some(right.cell(b, moved_or(is_moved, Change::New))),
                same: false,
            }
        }
    });
    let table = PlansTable {
        label: format!("Plans of {label}, before and after"),
        left: "Before",
        right: "After",
        amount: left.amount(),
        two: true,
        rows: rows.collect(),
    };
    table.html()
}

/// A plan with what its nodes cost.
struct Side<'p> {
    plan: &'p Plan,
    metrics: Metrics,
    heat: Vec<(f64, bool)>,
    findings: &'p [Finding],
}

impl<'p> Side<'p> {
    fn new(plan: &'p Plan, findings: &'p [Finding]) -> Side<'p> {
        let metrics = metrics(plan);
        let heat = heat_of_nodes(&metrics);
        Side {
            plan,
            metrics,
            heat,
            findings,
        }
    }

    fn amount(&self) -> &'static str {
        match self.metrics.basis {
            Basis::Time(_) => "time",
            Basis::Cost(_) => "cost",
        }
    }

    fn cell(&self, id: NodeId, change: Change) -> NodeCell {
        let node = self.plan.node(id);
        let (share, hot) = self.heat.get(id.0).copied().unwrap_or_default();
        let details = node.details().into_iter();
        let details = details.map(|(label, value)| format!("{label}: {}", printable(&value)));
        let findings = self.findings.iter().filter(|finding| finding.node == id);
        NodeCell {
            change,
            hot,
            depth: self.plan.ancestors(id).count().min(MAX_DEPTH),
            heat: heat(share),
            title: printable(&node.title()).into_owned(),
            amount: self.amount_of(id),
            details: details.chain(self.rows_of(id)).collect(),
            findings: findings
                .map(|finding| ShownFinding::new(finding, self.plan))
                .collect(),
        }
    }

    fn amount_of(&self, id: NodeId) -> String {
        let (node, metrics) = (self.plan.node(id), self.metrics.node(id));
        if metrics.executed() == Some(false) {
            return "never run".to_owned();
        }
        match (self.metrics.basis, metrics.time) {
            (Basis::Time(_), Some(time)) => time.inclusive.to_string(),
            (Basis::Time(_), None) => String::new(),
            (Basis::Cost(_), _) if node.properties.contains("Total Cost") => {
                node.total_cost().to_string()
            }
            (Basis::Cost(_), _) => String::new(),
        }
    }

    /// `12 rows`, or `expected 12 rows, were 4,000`.
    fn rows_of(&self, id: NodeId) -> Option<String> {
        let expected = self.plan.node(id).plan_rows();
        let actual = self.metrics.node(id).rows_total();
        let text = |rows: f64| group_thousands(rows, 0);
        match (expected, actual) {
            (Some(expected), Some(actual)) => Some(format!(
                "expected {} rows a loop, delivered {} in all",
                text(expected),
                text(actual)
            )),
            (Some(expected), None) => Some(format!("{} rows", text(expected))),
            (None, Some(actual)) => Some(format!("delivered {} rows", text(actual))),
            (None, None) => None,
        }
    }

    fn says_the_same(&self, id: NodeId, other: &Side<'_>, there: NodeId) -> bool {
        self.amount_of(id) == other.amount_of(there)
            && self.rows_of(id) == other.rows_of(there)
            && self.plan.node(id).details() == other.plan.node(there).details()
    }
}

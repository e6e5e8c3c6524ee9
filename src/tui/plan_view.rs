//! One plan made ready to be looked at: the lines of its nodes, their heat, the order of the costliest. Made once, when a plan is
//! opened, so that drawing only cuts out what is seen.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cells::short_number;
use super::session_data::SessionData;
use crate::finding::{Finding, findings_with};
use crate::model::printable;
use crate::plan::metrics::{Metrics, metrics};
use crate::plan::{Node, NodeId, Plan, Property};
use crate::report::heat;
use crate::report::text::tree::{NodeLines, lines};

/// How many of the costliest nodes can be jumped to.
const MAX_JUMPS: usize = 20;

/// A plan with everything drawn from it.
#[derive(Debug)]
pub struct PlanView {
    /// The plan itself.
    pub plan: Arc<Plan>,
    /// Of each node.
    pub lines: Vec<NodeLines>,
    /// Of each node: its share of the plan's cost, and whether it is among the costliest.
    pub heat: Vec<(f64, bool)>,
    /// The costliest first.
    pub costliest: Vec<NodeId>,
    /// What is to be said about it, highest impact first.
    pub remarks: Vec<Remark>,
    /// Was it executed (EXPLAIN ANALYZE)?
    pub analyzed: bool,
}

/// Something to be said about a node.
#[derive(Debug, Clone, PartialEq)]
pub struct Remark {
    /// By rule.
    pub finding: Finding,
    /// What was rehearsed in answer to it.
    pub answer: Option<String>,
}

impl PlanView {
    /// Of this plan.
    pub fn new(plan: Arc<Plan>) -> PlanView {
        let metrics = metrics(&plan);
        PlanView::of(plan, &metrics)
    }

    /// Of this plan of a card, made with these indexes, and with what is to be said about it.
    pub fn with_remarks(
        plan: Arc<Plan>,
        session_data: &SessionData,
        card: usize,
        present: &BTreeSet<usize>,
    ) -> PlanView {
        let metrics = metrics(&plan);
        let answered = |finding: Finding| Remark {
            answer: session_data.answer(card, present, &finding),
            finding,
        };
        let remarks = findings_with(&plan, &metrics, session_data.known_catalog())
            .into_iter()
            .map(answered)
            .collect();
        PlanView {
            remarks,
            ..PlanView::of(plan, &metrics)
        }
    }

    fn of(plan: Arc<Plan>, metrics: &Metrics) -> PlanView {
        let analyzed = plan.root().actual_rows().is_some();
        PlanView {
            lines: lines(&plan),
            heat: heat(metrics),
            costliest: metrics.costliest(0.99, MAX_JUMPS),
            remarks: Vec::new(),
            analyzed,
            plan,
        }
    }

    /// What is to be said about a node.
    pub fn remarks_on(&self, id: NodeId) -> impl Iterator<Item = &Remark> {
        self.remarks
            .iter()
            .filter(move |remark| remark.finding.node == id)
    }

    /// The nodes that are seen when these are folded, by position.
    pub fn visible(&self, folded: &BTreeSet<NodeId>) -> Vec<usize> {
        let nodes = self.plan.nodes();
        let mut seen = Vec::with_capacity(nodes.len());
        let mut hidden_below: Option<usize> = None;
        for node in nodes {
            if hidden_below.is_some_and(|depth| node.depth > depth) {
                continue;
            }
            hidden_below = folded.contains(&node.id).then_some(node.depth);
            seen.push(node.id.0);
        }
        seen
    }

    /// Everything the server said about a node, a line for each property; nothing raw. What it filters, joins and sorts by
    /// first, what says little last.
    pub fn properties(&self, id: NodeId) -> Vec<(String, String)> {
        let node = self.plan.node(id);
        let basis = if self.analyzed { "time" } else { "cost" };
        let own = format!("{:.1} % of the plan's {basis}", self.heat[id.0].0 * 100.0);
        let details = node.details();
        let rest = node
            .properties
            .iter()
            .filter(|(name, _)| !details.iter().any(|(detail, _)| detail == name));
        let (last, rest): (Vec<_>, Vec<_>) =
            rest.partition(|(name, value)| says_little(name, value));
        let rest = rest
            .into_iter()
            .chain(last)
            .map(|(name, value)| (printable(name).into_owned(), value_text(value)));
        let first = details
            .iter()
            .map(|(name, value)| ((*name).to_owned(), printable(value).into_owned()));
        std::iter::once(("Own share".to_owned(), own))
            .chain(first)
            .chain(rest)
            .collect()
    }
}

/// What stands in the headline already, and what a node does not do.
fn says_little(name: &str, value: &Property) -> bool {
    name == "Node Type" || *value == Property::Flag(false)
}

fn value_text(value: &Property) -> String {
    match value {
        Property::Flag(true) => "yes".to_owned(),
        Property::Flag(false) => "no".to_owned(),
        Property::Nested(value) => nested_text(value),
        Property::Null => "null".to_owned(),
        Property::Number(number) => number.to_string(),
        Property::NodeType(_) | Property::Text(_) | Property::Texts(_) => {
            printable(&value.texts().collect::<Vec<_>>().join(", ")).into_owned()
        }
    }
}

fn nested_text(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => printable(text).into_owned(),
        serde_json::Value::Array(values) => values
            .iter()
            .map(nested_text)
            .collect::<Vec<_>>()
            .join(", "),
        serde_json::Value::Bool(true) => "yes".to_owned(),
        serde_json::Value::Bool(false) => "no".to_owned(),
        other => printable(&other.to_string()).into_owned(),
    }
}

/// Rows expected and, when it was executed, rows seen: `1,204`, `1,204→98 k`.
pub fn rows_text(node: &Node, lines: &NodeLines) -> String {
    match node.actual_rows() {
        Some(actual) => format!(
            "{}→{}",
            short_number(node.plan_rows().unwrap_or(0.0)),
            short_number(actual)
        ),
        None => lines.rows.clone(),
    }
}

/// How far the rows seen are from those expected, when that is ten times or more.
pub fn misjudged(node: &Node) -> Option<f64> {
    let (expected, actual) = (node.plan_rows()?.max(1.0), node.actual_rows()?.max(1.0));
    let factor = (expected / actual).max(actual / expected);
    (factor >= 10.0).then_some(factor)
}

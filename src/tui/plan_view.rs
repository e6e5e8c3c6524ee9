//! One plan prepared for drawing: the lines of its nodes, their heat, the order of the costliest.
//! Computed once, when a plan is opened, so that drawing only takes the visible part.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cells::short_number;
use super::session_data::SessionData;
use crate::finding::{Finding, findings_with};
use crate::model::printable;
use crate::plan::metrics::time::NodeTime;
use crate::plan::metrics::{Basis, Metrics, metrics};
use crate::plan::{Node, NodeId, Plan, Property};
use crate::report::heat::heat;
use crate::report::plan_summary;
use crate::report::text::tree::{NodeLines, lines};
use crate::text_layout::wrap_hanging;

/// A headline or condition takes so many lines at most; the rest is in the details.
const MAX_WRAPPED: usize = 4;

/// How many of the costliest nodes can be jumped to.
const MAX_JUMPS: usize = 20;

/// A plan with everything that is drawn of it.
#[derive(Debug)]
pub struct PlanView {
    /// The plan itself.
    pub plan: Arc<Plan>,
    /// The lines of each node.
    pub lines: Vec<NodeLines>,
    /// For each node its share of the plan's cost, and whether it is among the costliest.
    pub heat: Vec<(f64, bool)>,
    /// The costliest first.
    pub costliest: Vec<NodeId>,
    /// The findings about it, highest impact first.
    pub findings: Vec<AnnotatedFinding>,
    /// Was it executed (EXPLAIN ANALYZE)?
    pub analyzed: bool,
    /// The time of each node, if it was measured.
    pub times: Vec<Option<NodeTime>>,
    /// Are shares of time, not of cost?
    pub timed: bool,
    /// What is said about the plan as a whole.
    pub summary: String,
}

/// A finding, and what the tests say about the index it suggests.
#[derive(Debug, Clone, PartialEq)]
pub struct AnnotatedFinding {
    /// The finding.
    pub finding: Finding,
    /// The test result of the index it suggests, or of a better one.
    pub answer: Option<String>,
}

impl PlanView {
    /// The view of this plan.
    #[cfg(test)]
    pub fn new(plan: Arc<Plan>) -> PlanView {
        let metrics = metrics(&plan);
        PlanView::from_metrics(plan, &metrics)
    }

    /// The view of a statement's plan that was made with these indexes, with its findings.
    pub fn with_findings(
        plan: Arc<Plan>,
        session_data: &SessionData,
        statement: usize,
        present: &BTreeSet<usize>,
    ) -> PlanView {
        let metrics = metrics(&plan);
        let annotate = |finding: Finding| AnnotatedFinding {
            answer: session_data.answer(statement, present, &finding),
            finding,
        };
        let findings = findings_with(&plan, &metrics, session_data.known_catalog())
            .into_iter()
            .map(annotate)
            .collect();
        PlanView {
            findings,
            ..PlanView::from_metrics(plan, &metrics)
        }
    }

    fn from_metrics(plan: Arc<Plan>, metrics: &Metrics) -> PlanView {
        let analyzed = plan.root().actual_rows().is_some();
        PlanView {
            lines: lines(&plan),
            heat: heat(metrics),
            costliest: metrics.costliest(0.99, MAX_JUMPS),
            findings: Vec::new(),
            analyzed,
            times: metrics.nodes.iter().map(|node| node.time).collect(),
            timed: matches!(metrics.basis, Basis::Time(_)),
            summary: plan_summary::parts(&plan, metrics).join(" · "),
            plan,
        }
    }

    /// The findings about a node.
    pub fn findings_on(&self, id: NodeId) -> impl Iterator<Item = &AnnotatedFinding> {
        self.findings
            .iter()
            .filter(move |annotated| annotated.finding.node == id)
    }

    /// The headline of a node in lines of so many columns; further ones are behind its branches.
    pub fn headline_lines(&self, node: usize, columns: usize) -> Vec<String> {
        let line = &self.lines[node];
        let indent = format!("{}    ", line.below);
        wrap_hanging(&line.headline, columns, &indent, MAX_WRAPPED)
    }

    /// A detail of a node in lines of so many columns.
    pub fn detail_lines(&self, node: usize, number: usize, columns: usize) -> Vec<String> {
        let line = &self.lines[node];
        let indent = format!("{}    ", line.below);
        wrap_hanging(&line.details[number], columns, &indent, MAX_WRAPPED)
    }

    /// The nodes that are visible when these are folded, by position.
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

    /// All properties of a node, a line each, without control characters. Conditions and sort keys
    /// first, minor properties last.
    pub fn properties(&self, id: NodeId) -> Vec<(String, String)> {
        let node = self.plan.node(id);
        let basis = if self.timed { "time" } else { "cost" };
        let own = format!("{:.1} % of the plan's {basis}", self.heat[id.0].0 * 100.0);
        let details = node.details();
        let rest = node
            .properties
            .iter()
            .filter(|(name, value)| !is_zero(name, value))
            .filter(|(name, _)| !details.iter().any(|(detail, _)| detail == name));
        let (last, rest): (Vec<_>, Vec<_>) = rest.partition(|(name, value)| is_minor(name, value));
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

/// Counters of nothing are not shown: no block was read, no row removed. That no row came is.
fn is_zero(name: &str, value: &Property) -> bool {
    let is_count = !name.contains("Rows") || name.starts_with("Rows Removed");
    is_count && matches!(value, Property::Number(number) if number.as_f64() == Some(0.0))
}

/// Properties that are in the headline already, and flags that are off.
fn is_minor(name: &str, value: &Property) -> bool {
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

/// Expected rows and, if it was executed, actual rows: `1,204`, `1,204→98 k`.
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

/// The factor between actual and expected rows, if it is ten or more.
pub fn misestimate(node: &Node) -> Option<f64> {
    if node.is_distributor() {
        return None;
    }
    let (expected, actual) = (node.plan_rows()?.max(1.0), node.actual_rows()?.max(1.0));
    let factor = (expected / actual).max(actual / expected);
    (factor >= 10.0).then_some(factor)
}

//! One plan prepared for drawing: the lines of its nodes, their heat, the order of the costliest.
//! Computed once, when a plan is opened, so that drawing only takes the visible part.

use std::collections::BTreeSet;
use std::sync::Arc;

use unicode_width::UnicodeWidthStr;

use super::cells::short_number;
use super::session_data::SessionData;
use crate::finding::{Finding, findings_with};
use crate::model::{factor_text, printable};
use crate::plan::metrics::time::NodeTime;
use crate::plan::metrics::{Basis, Metrics, metrics};
use crate::plan::{Node, NodeId, Plan, Property};
use crate::report::heat::heat;
use crate::report::plan_summary;
use crate::report::text::tree::{NodeLines, lines};
use crate::text_layout::wrap_hanging;

/// The columns of a cost in the tree of a plan.
const COST: usize = 12;
/// Of a time.
const TIME: usize = 11;
/// Of rows.
const ROWS: usize = 13;
/// Of a share.
pub const OWN: usize = 6;
/// Of its bar.
const BAR: usize = 6;
/// Of the marks behind it.
const MARKS: usize = 2;

/// From this width on, plans with times show costs, too.
const WIDE_TREE: usize = 100;

/// Below this width, names matter more than rows and shares.
const NARROW_TREE: usize = 60;

/// What a node takes, a column each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// With what is below it.
    Time,
    /// Without.
    OwnTime,
    /// The planner's cost.
    Cost,
}

impl Amount {
    fn columns(self) -> usize {
        match self {
            Amount::Time | Amount::OwnTime => TIME,
            Amount::Cost => COST,
        }
    }
}

/// The widest text of each column of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Widest {
    name: usize,
    time: usize,
    own_time: usize,
    cost: usize,
    rows: usize,
}

impl Widest {
    /// The columns of an amount, with a blank before it.
    fn of(&self, amount: Amount) -> usize {
        let widest = match amount {
            Amount::Time => self.time,
            Amount::OwnTime => self.own_time,
            Amount::Cost => self.cost,
        };
        amount.columns().min(1 + widest.max("time".len()))
    }

    /// The columns of rows, with a blank before them.
    fn rows(&self) -> usize {
        ROWS.min(1 + self.rows)
    }
}

/// The columns of the tree of a plan. What is also shown elsewhere gives way to the nodes' names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeColumns {
    /// For the names.
    pub names: usize,
    /// Times where they were measured, with their columns.
    pub amounts: Vec<(Amount, usize)>,
    /// Rows; 0, also without shares, on a very small terminal.
    pub rows: usize,
    /// The bar of a share; 0 where there is no room.
    pub bar: usize,
}

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
    /// The widest text of each column.
    widest: Widest,
}

/// A finding, and what the tests say about the index it suggests.
#[derive(Debug, Clone, PartialEq)]
pub struct AnnotatedFinding {
    /// The finding.
    pub finding: Finding,
    /// The test result of the index it suggests, or of a better one.
    pub answer: Option<String>,
}

/// The columns for the name of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameRoom {
    /// Beside its numbers.
    pub beside: usize,
    /// Below them.
    pub below: usize,
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
        let lines = lines(&plan);
        PlanView {
            widest: widest(&plan, &lines, metrics),
            lines,
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

    /// The columns of its tree in so much room.
    pub fn tree_columns(&self, width: usize) -> TreeColumns {
        use Amount::{Cost, OwnTime, Time};
        let choices: &[&[Amount]] = match self.timed {
            false => &[&[Cost]],
            true if width < NARROW_TREE => &[&[Time]],
            true if width < WIDE_TREE => &[&[Time, OwnTime]],
            true => &[&[Time, OwnTime, Cost], &[Time, OwnTime]],
        };
        let with = |amounts: &[Amount], bar: usize, is_tight: bool| {
            let columns = |amount: &Amount| match is_tight {
                true => (*amount, self.widest.of(*amount)),
                false => (*amount, amount.columns()),
            };
            let amounts: Vec<_> = amounts.iter().map(columns).collect();
            let (rows, share) = match (width < NARROW_TREE, is_tight) {
                (true, _) => (0, 0),
                (false, true) => (self.widest.rows(), OWN),
                (false, false) => (ROWS, OWN),
            };
            let bar = if rows == 0 { 0 } else { bar };
            let taken: usize = amounts.iter().map(|(_, columns)| columns).sum();
            TreeColumns {
                names: width.saturating_sub(taken + rows + share + MARKS + bar),
                amounts,
                rows,
                bar,
            }
        };
        let possible = choices.iter().flat_map(|amounts| {
            [
                with(amounts, BAR, false),
                with(amounts, 0, false),
                with(amounts, 0, true),
            ]
        });
        let mut fitting = possible.filter(|columns| columns.names >= self.widest.name);
        let least = choices.last().map_or(&[][..], |amounts| *amounts);
        fitting.next().unwrap_or_else(|| with(least, 0, true))
    }

    /// The columns of a tree that cuts no name.
    pub fn least_width(&self) -> usize {
        let amounts: &[Amount] = match self.timed {
            true => &[Amount::Time, Amount::OwnTime],
            false => &[Amount::Cost],
        };
        let amounts: usize = amounts.iter().map(|amount| self.widest.of(*amount)).sum();
        self.widest.name + amounts + self.widest.rows() + OWN + MARKS
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

    /// The whole name of a node, which is cut beside its numbers; nothing where it is not.
    pub fn name_below(&self, node: usize, room: NameRoom) -> Vec<String> {
        let line = &self.lines[node];
        if line.headline.width() <= room.beside {
            return Vec::new();
        }
        let title = printable(&self.plan.node(NodeId(node)).title()).into_owned();
        let indent = format!("{}  ", line.below);
        let indent = match indent.width() > room.below / 2 {
            true => "  ".to_owned(),
            false => indent,
        };
        wrap_hanging(
            &format!("{indent}{title}"),
            room.below,
            &format!("{indent}  "),
            MAX_WRAPPED,
        )
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

fn widest(plan: &Plan, lines: &[NodeLines], metrics: &Metrics) -> Widest {
    let mut widest = Widest {
        // `est→actual`, `rows`.
        rows: match plan.root().actual_rows() {
            Some(_) => "est→actual".width(),
            None => "rows".width(),
        },
        ..Widest::default()
    };
    for (node, lines) in plan.nodes().iter().zip(lines) {
        let wrong = misestimate(node).map_or(0, |factor| 2 + factor_text(factor).width());
        widest.name = widest.name.max(2 + lines.headline.width() + wrong);
        widest.cost = widest.cost.max(lines.cost.width());
        widest.rows = widest.rows.max(rows_text(node, lines).width());
        if node.number("Actual Loops") == Some(0.0) {
            widest.time = widest.time.max("never run".len());
        }
        if let Some(time) = metrics.nodes.get(node.id.0).and_then(|node| node.time) {
            widest.time = widest.time.max(time.inclusive.to_string().width());
            widest.own_time = widest.own_time.max(time.own.to_string().width());
        }
    }
    widest
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

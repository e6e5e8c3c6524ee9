//! What a rule is, and what it returns.

use super::subject::Subject;
use crate::plan::{Node, NodeId, NodeType};

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// For information.
    Info,
    /// Worth acting on.
    Warning,
    /// A main cause of the statement's cost.
    Critical,
}

impl Severity {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

/// A rule: its description, and the function that checks a plan.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its name: that of its file and of its fixtures, with dashes.
    pub name: &'static str,
    /// The highest severity its findings can have.
    pub max_severity: Severity,
    /// What it searches for.
    pub looks_for: &'static str,
    /// Why that is bad.
    pub why: &'static str,
    /// Where to read about it.
    pub source: &'static str,
    pub(super) check: Check,
}

/// What the function of a rule is called with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Check {
    /// Each node of these types (all types when the list is empty) that is costly enough for a
    /// finding.
    Node(&'static [NodeType], NodeCheck),
    /// Each node of these types whose waste no rule of the kind above explains.
    Rest(&'static [NodeType], NodeCheck),
    /// The plan as a whole.
    Plan(fn(&Subject<'_>) -> Vec<Draft>),
}

/// What a rule found, before its share and severity are known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub(super) node: NodeId,
    /// In the unit of the plan's [`Basis`](crate::plan::metrics::Basis).
    pub(super) impact: f64,
    pub(super) message: String,
    pub(super) action: Option<String>,
}

impl Draft {
    pub(super) fn new(node: &Node, impact: f64, message: impl Into<String>) -> Draft {
        Draft {
            node: node.id,
            impact,
            message: message.into(),
            action: None,
        }
    }

    pub(super) fn action(self, action: impl Into<Option<String>>) -> Draft {
        Draft {
            action: action.into(),
            ..self
        }
    }
}

/// The function of a rule that checks single nodes.
pub(super) type NodeCheck = fn(&Subject<'_>, &Node) -> Option<Draft>;

//! A sequential scan that keeps few of the rows it reads, where a plain column index would find
//! them.

use super::index_proposal::{IndexProposal, looks_up_columns, propose, scan_use};
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::Subject;
use super::waste::waste;
use crate::plan::{Node, NodeType};

pub(super) const RULE: Rule = Rule {
    name: "selective-seq-scan",
    max_severity: Severity::Critical,
    looks_for: "a sequential scan whose filter on plain columns keeps at most a tenth of the rows",
    why: "the whole table is read for rows that an index would lead to",
    source: "https://www.postgresql.org/docs/current/indexes-intro.html",
    check: Check::Node(&[NodeType::SeqScan], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    // Repeated scans have a rule of their own.
    if subject.repetitions(node).is_some_and(|loops| loops > 1.0) {
        return None;
    }
    let waste = waste(subject, node)?;
    let node = subject.node(node.id);
    let wanted = scan_use(subject, node, &["Filter"]).filter(looks_up_columns)?;
    let table = subject.table_name(node)?;
    let proposal = propose(subject, &wanted);
    let volatile = node
        .filter()
        .and_then(|filter| subject.plan_catalog().volatile_call(filter));
    if let Some(call) = volatile {
        let message = format!(
            "the sequential scan of {table} {} ({}). {} is VOLATILE: it is evaluated for every row, and no index can be used.",
            waste.text(),
            subject.impact_text(waste.impact),
            call.called
        );
        return Some(Draft::new(node, waste.impact, message));
    }
    let unused = match &proposal {
        Some(IndexProposal::Existing(index)) => format!(
            " The index {index} exists and was not chosen: its columns may be too unselective, or the statistics too old."
        ),
        _ => String::new(),
    };
    let message = format!(
        "the sequential scan of {table} {} ({}).{unused}",
        waste.text(),
        subject.impact_text(waste.impact)
    );
    let action = proposal.and_then(|proposal| proposal.statement(subject, node));
    Some(Draft::new(node, waste.impact, message).action(action))
}

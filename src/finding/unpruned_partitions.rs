//! Partitions that were read and had no matching rows.

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use crate::plan::{Node, NodeType};

/// The minimum number of partitions.
const MIN_PARTITIONS: usize = 4;
/// The minimum share of partitions without matching rows.
const MIN_EMPTY: f64 = 0.75;

pub(super) const RULE: Rule = Rule {
    name: "unpruned-partitions",
    max_severity: Severity::Critical,
    looks_for: "an Append over four or more partitions of a table, three quarters of which are filtered down to nothing",
    why: "partitions are skipped only for conditions that compare the partition key itself with something of its own type",
    source: "https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITION-PRUNING",
    check: Check::Node(&[NodeType::Append, NodeType::MergeAppend], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let node = subject.node(node.id);
    // The numbers are checked before the names: they exclude most Appends.
    let nothing = |scan: &&Node| subject.rows(scan) == Some(0.0);
    if subject.inputs(node).filter(nothing).count() < MIN_PARTITIONS / 2 {
        return None;
    }
    let scans: Vec<&Node> = subject
        .inputs(node)
        .filter(|child| is_partition(child))
        .collect();
    let ran = |scan: &&&Node| subject.of(scan).executed() == Some(true);
    let read: Vec<&Node> = scans.iter().filter(ran).copied().collect();
    let empty: Vec<&Node> = read
        .iter()
        .filter(|scan| subject.rows(scan) == Some(0.0))
        .copied()
        .collect();
    let filtered = |scan: &&Node| scan.filter().is_some() || scan.index_cond().is_some();
    if read.len() < MIN_PARTITIONS
        || (empty.len() as f64) < MIN_EMPTY * read.len() as f64
        || !empty.iter().any(filtered)
    {
        return None;
    }
    let impact: f64 = empty.iter().map(|scan| subject.inclusive(scan.id)).sum();
    let condition = empty
        .iter()
        .find_map(|scan| scan.filter().or_else(|| scan.index_cond()))
        .unwrap_or_default();
    let message = format!(
        "{} of {} partitions were read to find nothing for {condition} ({}). A condition on the partition key itself, without function \
         or cast, lets the planner skip them.",
        count(empty.len() as f64),
        count(read.len() as f64),
        subject.impact_text(impact)
    );
    Some(Draft::new(node, impact, message))
}

/// The planner numbers the aliases of a table's partitions: `events_1`, `events_2` (since
/// PostgreSQL 12; before, all have one alias).
fn is_partition(node: &Node) -> bool {
    let (Some(relation), Some(alias)) = (node.relation_name(), node.alias()) else {
        return false;
    };
    let numbered = alias
        .rsplit_once('_')
        .is_some_and(|(_, digits)| digits.bytes().all(|byte| byte.is_ascii_digit()));
    alias != relation && (numbered || relation.starts_with(alias))
}

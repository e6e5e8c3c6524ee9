//! A HashAggregate whose groups did not fit into memory (since PostgreSQL 13 it goes to disk
//! instead of taking more).

use super::advice;
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use crate::model::Bytes;
use crate::plan::{Node, NodeType};

pub(super) const RULE: Rule = Rule {
    name: "hash-aggregate-spilled",
    max_severity: Severity::Critical,
    looks_for: "a HashAggregate on disk, or one that is planned in partitions",
    why: "rows of groups that do not fit are written to temporary files and aggregated later",
    source: "https://www.postgresql.org/docs/current/runtime-config-resource.html#GUC-WORK-MEM",
    check: Check::Node(&[NodeType::Aggregate], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let memory = subject.of(node).memory;
    let impact = subject.own(node.id);
    let keys = node.group_key().join(", ");
    if let Some(disk) = memory.disk {
        // The disk has rows, not groups: peak memory times batches is closer to the size of the
        // groups.
        let wanted = Bytes((memory.peak.unwrap_or_default().0 * 2).max(disk.0 * 2));
        let message = format!(
            "grouping by {keys} did not fit into memory: {disk} went to disk, in {} batches ({}).",
            memory.batches.unwrap_or(1),
            subject.impact_text(impact)
        );
        return Some(Draft::new(node, impact, message).action(advice::set_work_mem(wanted)));
    }
    let partitions = node
        .number("Planned Partitions")
        .filter(|partitions| *partitions > 0.0 && !subject.measured())?;
    let message = format!(
        "grouping by {keys} is expected not to fit into memory: it is planned in {} partitions on disk ({}).",
        count(partitions),
        subject.impact_text(impact)
    );
    let wanted = node.plan_rows()? * (node.plan_width().unwrap_or(8.0) + 64.0);
    Some(Draft::new(node, impact, message).action(advice::set_work_mem(Bytes(wanted as u64))))
}

//! A sort that did not fit into work_mem and used temporary files.

use super::advice;
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::Subject;
use crate::model::Bytes;
use crate::plan::{Node, NodeType};

/// What a row takes in a sort besides its data: the tuple's header and the sort's own entry for it
/// (src/backend/utils/sort/tuplesort.c, `SortTuple`; src/include/access/htup_details.h,
/// `MinimalTupleData`; both with what the allocator adds).
const ROW_OVERHEAD: f64 = 24.0 + 16.0 + 8.0;

pub(super) const RULE: Rule = Rule {
    name: "sort-spilled",
    max_severity: Severity::Critical,
    looks_for: "a sort on disk",
    why: "its rows are written to temporary files and read back",
    source: "https://www.postgresql.org/docs/current/runtime-config-resource.html#GUC-WORK-MEM",
    check: Check::Node(&[NodeType::Sort, NodeType::IncrementalSort], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let impact = subject.own(node.id);
    let wanted = memory_wanted(subject, node)?;
    let action = advice::set_work_mem(wanted);
    let message = match subject.of(node).memory.disk {
        Some(disk) => format!(
            "the sort by {} wrote {disk} to disk; in memory it takes about {wanted} ({}).",
            node.sort_key().join(", "),
            subject.impact_text(impact)
        ),
        None if subject.measured() => return None,
        None => {
            let work_mem = subject.work_mem().filter(|work_mem| wanted > *work_mem)?;
            format!(
                "the sort by {} is expected to take about {wanted}, more than work_mem ({work_mem}): it would go to disk ({}).",
                node.sort_key().join(", "),
                subject.impact_text(impact)
            )
        }
    };
    Some(Draft::new(node, impact, message).action(action))
}

/// What one process needs to sort its rows in memory: by the size of the rows, and at least what
/// went to disk.
fn memory_wanted(subject: &Subject<'_>, node: &Node) -> Option<Bytes> {
    let estimate = subject.of(node).estimate?;
    let rows = estimate.actual.unwrap_or(estimate.expected);
    let width = node.plan_width().unwrap_or(0.0);
    let by_rows = rows * ((width / 8.0).ceil() * 8.0 + ROW_OVERHEAD);
    let on_disk = subject
        .of(node)
        .memory
        .disk
        .map_or(0.0, |disk| disk.0 as f64);
    Some(Bytes(by_rows.max(on_disk) as u64))
}

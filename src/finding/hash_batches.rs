//! The hash table of a join that did not fit into memory and was split into batches on disk.

use super::advice;
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::Subject;
use crate::model::Bytes;
use crate::plan::{Node, NodeType};

pub(super) const RULE: Rule = Rule {
    name: "hash-batches",
    max_severity: Severity::Critical,
    looks_for: "a hash join whose hash table was cut into batches",
    why: "both sides of the join are written to temporary files and read back, all batches but the first",
    source: "https://www.postgresql.org/docs/current/runtime-config-resource.html#GUC-HASH-MEM-MULTIPLIER",
    check: Check::Node(&[NodeType::Hash], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let memory = subject.of(node).memory;
    let batches = memory.batches.filter(|batches| *batches > 1)?;
    let join = subject.parent(node)?;
    // The rows of both sides go through files: by the hash node those of its side, by the join
    // those of the other.
    let impact = subject.own(node.id) + subject.own(join.id);
    let wanted = Bytes(memory.peak?.0 * batches);
    let planned = node
        .number("Original Hash Batches")
        .filter(|planned| *planned < batches as f64);
    let surprise = planned.map_or_else(String::new, |planned| {
        format!(", {planned} were planned: more rows came than expected")
    });
    let message = format!(
        "the hash table of {} did not fit into memory and went to disk in {batches} batches{surprise}; in one piece it takes about \
         {wanted} ({}). Memory for hash tables is work_mem × hash_mem_multiplier.",
        join.title(),
        subject.impact_text(impact)
    );
    Some(
        Draft::new(node, impact, message)
            .action(advice::set_work_mem(Bytes(wanted.0 / multiplier(subject)))),
    )
}

/// `hash_mem_multiplier`: 1 by default up to PostgreSQL 14, 2 since 15; 1 when the version is
/// unknown.
fn multiplier(subject: &Subject<'_>) -> u64 {
    let by_version = subject.catalog.map_or(1, |catalog| {
        if catalog.server.version_num >= 150_000 {
            2
        } else {
            1
        }
    });
    let set = subject
        .setting("hash_mem_multiplier")
        .and_then(|text| text.parse::<f64>().ok());
    set.map_or(by_version, |number| number.max(1.0) as u64)
}

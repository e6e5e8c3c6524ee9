//! A node that spends most of its time waiting for blocks from disk.

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count, percent};
use crate::plan::Node;

/// At least this share of the node's own time is waiting.
const MIN_SHARE: f64 = 0.50;
/// Fewer blocks are no finding.
const MIN_BLOCKS: f64 = 100.0;

pub(super) const RULE: Rule = Rule {
    name: "waits-for-reads",
    max_severity: Severity::Critical,
    looks_for: "a node that waits for reads more than half of its time (with track_io_timing)",
    why: "the blocks are not in shared buffers; fewer or adjacent blocks, more memory or faster storage are what helps",
    source: "https://www.postgresql.org/docs/current/runtime-config-statistics.html#GUC-TRACK-IO-TIMING",
    check: Check::Node(&[], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let metrics = subject.of(node);
    let (buffers, time) = (metrics.buffers?, metrics.time?);
    let waited = buffers.read_time.0 / metrics.processes.max(1.0);
    let blocks = buffers.shared_read + buffers.local_read;
    if blocks < MIN_BLOCKS || waited < MIN_SHARE * time.own.0 {
        return None;
    }
    let impact = waited.min(time.own.0);
    let each = format!("{:.3} ms", buffers.read_time.0 / blocks);
    let node = subject.node(node.id);
    let message = format!(
        "{} waited {} of its own time for {} blocks from disk, {each} each ({}). The same blocks in memory take nearly no time: run it \
         again to see; an index that needs fewer of them, CLUSTER where its rows lie far apart, or more shared_buffers help.",
        node.title(),
        percent(waited / time.own.0.max(f64::MIN_POSITIVE)),
        count(blocks),
        subject.impact_text(impact)
    );
    Some(Draft::new(node, impact, message))
}

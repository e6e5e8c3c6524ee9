//! What was measured at one node, in a line below it: loops, removed rows, blocks, memory; without
//! the nodes below it.

use crate::model::group_thousands;
use crate::plan::Node;
use crate::plan::metrics::{Buffers, NodeMetrics};

/// The facts worth a line, in words.
pub(super) fn facts(node: &Node, metrics: &NodeMetrics) -> Vec<String> {
    let mut facts = Vec::new();
    facts.extend(disabled(node));
    facts.extend(loops(metrics));
    facts.extend(searches(node));
    facts.extend(removed(metrics));
    facts.extend(metrics.buffers.iter().filter_map(blocks));
    facts.extend(memory(metrics));
    facts
}

fn count(number: f64) -> String {
    group_thousands(number, 0)
}

/// From 18 on; before, a disabled node shows in its cost only.
fn disabled(node: &Node) -> Option<String> {
    let disabled = node.flag("Disabled")?;
    disabled.then(|| "disabled by a setting".to_owned())
}

/// How often the index was searched from its root, in all loops (from 18 on); once for each loop is what everybody expects.
fn searches(node: &Node) -> Option<String> {
    let searches = node.number("Index Searches")?;
    let loops = node.number("Actual Loops").unwrap_or(1.0);
    (searches > loops.max(1.0)).then(|| format!("{} index searches", count(searches)))
}

fn loops(metrics: &NodeMetrics) -> Option<String> {
    let loops = metrics.loops.filter(|loops| *loops > 1.0)?;
    let rows = metrics
        .estimate
        .and_then(|estimate| estimate.actual)
        .unwrap_or(0.0);
    let digits = if rows.fract() == 0.0 { 0 } else { 2 };
    let processes = if metrics.processes > 1.0 {
        format!(" in {} processes", count(metrics.processes))
    } else {
        String::new()
    };
    let word = if rows == 1.0 { "row" } else { "rows" };
    Some(format!(
        "{} loops × {} {word}{processes}",
        count(loops),
        group_thousands(rows, digits)
    ))
}

fn removed(metrics: &NodeMetrics) -> Option<String> {
    let removed = &metrics.removed;
    let kinds = [
        ("filter", removed.by_filter),
        ("join filter", removed.by_join_filter),
        ("recheck", removed.by_recheck),
    ];
    let kinds = kinds.into_iter().filter(|(_, rows)| *rows > 0.0);
    let texts: Vec<String> = kinds
        .map(|(what, rows)| format!("{} by {what}", count(rows)))
        .collect();
    (!texts.is_empty()).then(|| format!("removed {}", texts.join(", ")))
}

fn blocks(buffers: &Buffers) -> Option<String> {
    let kinds = [
        ("hit", buffers.shared_hit),
        ("read", buffers.shared_read),
        ("dirtied", buffers.shared_dirtied),
        ("written", buffers.shared_written),
        ("local hit", buffers.local_hit),
        ("local read", buffers.local_read),
        ("temp read", buffers.temp_read),
        ("temp written", buffers.temp_written),
    ];
    let texts: Vec<String> = kinds
        .into_iter()
        .filter(|(_, blocks)| *blocks > 0.0)
        .map(|(what, blocks)| format!("{} {what}", count(blocks)))
        .collect();
    let waiting = if buffers.read_time.0 >= 0.05 {
        format!(" ({} reading)", buffers.read_time)
    } else {
        String::new()
    };
    (!texts.is_empty()).then(|| format!("blocks {}{waiting}", texts.join(", ")))
}

fn memory(metrics: &NodeMetrics) -> Option<String> {
    let memory = &metrics.memory;
    let peak = memory.peak.map(|peak| format!("memory {peak}"));
    let disk = memory.disk.map(|disk| format!("disk {disk}"));
    let batches = memory
        .batches
        .filter(|batches| *batches > 1)
        .map(|batches| format!("{batches} batches"));
    let texts: Vec<String> = peak.into_iter().chain(disk).chain(batches).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

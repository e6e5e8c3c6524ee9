//! A scan that touches many more blocks than its rows need: bloat, dead rows, or an index condition
//! that is checked on far more entries than match.

use super::index_proposal::{create_index, scan_use};
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use crate::plan::metrics::buffers::BLOCK_BYTES;
use crate::plan::{Node, NodeType};

/// Fewer blocks are no finding.
const MIN_BLOCKS: f64 = 1_000.0;
/// The blocks are at least this many times those that the rows need.
const MIN_FACTOR: f64 = 10.0;
/// Levels of an index, descended in each search.
const LEVELS: f64 = 4.0;
/// What a row takes beside its columns: header and line pointer.
const ROW_BYTES: f64 = 28.0;

pub(super) const RULE: Rule = Rule {
    name: "blocks-per-row",
    max_severity: Severity::Critical,
    looks_for: "a scan that touches at least ten times the blocks that its rows need",
    why: "dead rows, an index full of dead entries, or entries that have to be passed over are read each time",
    source: "https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-SPACE-RECOVERY",
    check: Check::Node(
        &[
            NodeType::SeqScan,
            NodeType::IndexScan,
            NodeType::IndexOnlyScan,
        ],
        check,
    ),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let metrics = subject.of(node);
    let blocks = metrics.buffers?.touched();
    let node = subject.node(node.id);
    let removed = metrics.removed.by_filter + metrics.removed.by_recheck;
    let rows = metrics.rows_total()? + removed;
    let needed = if *node.node_type() == NodeType::SeqScan {
        let width = node.plan_width()? + ROW_BYTES;
        (rows * width / BLOCK_BYTES).ceil().max(1.0)
    } else {
        let searches = node.number("Index Searches").or(metrics.loops)?;
        rows + searches.max(1.0) * LEVELS + node.number("Heap Fetches").unwrap_or(0.0)
    };
    if blocks < MIN_BLOCKS || blocks < MIN_FACTOR * needed {
        return None;
    }
    // A scan of a whole table may have been stopped early, and a large row takes blocks of its own.
    if *node.node_type() == NodeType::SeqScan && blocks < 2.0 * rows {
        return None;
    }
    let impact = subject.own(node.id);
    let table = subject.table_name(node)?;
    let is_index_scan = *node.node_type() != NodeType::SeqScan;
    let is_unleading = if is_index_scan {
        " Or the index does not begin with what the condition gives, and all of it is read."
    } else {
        ""
    };
    let message = format!(
        "{} touches {} blocks for {}, where about {} would do ({}): dead rows or index entries, or rows that lie far apart.{is_unleading} Look \
         at n_dead_tup in pg_stat_user_tables and for old transactions; VACUUM removes dead rows, REINDEX or VACUUM FULL the space \
         they leave.",
        node.title(),
        count(blocks),
        super::subject::rows(rows),
        count(needed),
        subject.impact_text(impact)
    );
    // Rows that were not looked up in the table are on pages where VACUUM has nothing to do.
    let is_vacuumed =
        *node.node_type() == NodeType::IndexOnlyScan && node.number("Heap Fetches") == Some(0.0);
    let action = match is_vacuumed {
        true => scan_use(subject, node, &["Index Cond"])
            .and_then(|wanted| create_index(subject, node, &wanted)),
        false => Some(format!("VACUUM (VERBOSE, ANALYZE) {table};")),
    };
    Some(Draft::new(node, impact, message).action(action))
}

//! A bitmap that exceeded work_mem and stores pages instead of rows.

use super::advice;
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use super::waste::MIN_REMOVED;
use crate::model::Bytes;
use crate::plan::{Node, NodeType};

/// What the bitmap takes for each page (src/backend/nodes/tidbitmap.c, `tbm_calculate_entries`): an
/// entry of 48 bytes and two pointers.
const BYTES_PER_PAGE: f64 = 64.0;

pub(super) const RULE: Rule = Rule {
    name: "lossy-bitmap",
    max_severity: Severity::Critical,
    looks_for: "a bitmap heap scan with lossy pages and many rows removed by the recheck",
    why: "every row of a lossy page is read and compared again",
    source: "https://www.postgresql.org/docs/current/indexes-bitmap-scans.html",
    check: Check::Node(&[NodeType::BitmapHeapScan], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let lossy = node
        .number("Lossy Heap Blocks")
        .filter(|blocks| *blocks > 0.0)?;
    let exact = node.number("Exact Heap Blocks").unwrap_or(0.0);
    let metrics = subject.of(node);
    let rechecked = metrics.removed.by_recheck;
    let kept = metrics.rows_total()? + metrics.removed.by_filter;
    if rechecked < MIN_REMOVED {
        return None;
    }
    let impact = subject.own(node.id) * rechecked / (rechecked + kept);
    let wanted = Bytes(((lossy + exact) * BYTES_PER_PAGE) as u64);
    let message = format!(
        "the bitmap of {} ran out of work_mem: {} of {} pages are lossy, and {} rows were read only for the recheck ({}). Exact, \
         the bitmap takes about {wanted}.",
        subject.table_name(node)?,
        count(lossy),
        count(lossy + exact),
        count(rechecked),
        subject.impact_text(impact)
    );
    Some(Draft::new(node, impact, message).action(advice::set_work_mem(wanted)))
}

//! An index that is searched again for each value of its first column (skip scan, from 18 on).

use super::index_proposal::{create_index, scan_use};
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use crate::plan::{Node, NodeType};

/// Fewer searches are no finding.
const MIN_SEARCHES: f64 = 100.0;
/// An execution makes at least this many searches.
const MIN_SEARCHES_EACH: f64 = 10.0;

pub(super) const RULE: Rule = Rule {
    name: "many-index-searches",
    max_severity: Severity::Critical,
    looks_for: "an index scan that searches its index a hundred times and more, and ten times in each execution",
    why: "the index begins with a column that the condition does not give; it is searched once for each value of that column",
    source: "https://www.postgresql.org/docs/current/indexes-multicolumn.html",
    check: Check::Node(
        &[
            NodeType::IndexScan,
            NodeType::IndexOnlyScan,
            NodeType::BitmapIndexScan,
        ],
        check,
    ),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let node = subject.node(node.id);
    let searches = node.number("Index Searches")?;
    let loops = subject.of(node).loops?.max(1.0);
    let condition = node.text("Index Cond")?;
    // An array is searched for once for each of its values.
    if searches < MIN_SEARCHES
        || searches < MIN_SEARCHES_EACH * loops
        || condition.contains(" ANY (")
    {
        return None;
    }
    let impact = subject.own(node.id);
    let action = scan_use(subject, node, &["Index Cond"])
        .and_then(|wanted| create_index(subject, node, &wanted));
    let message = format!(
        "{} was searched {} times for {condition}: it begins with a column that the condition does not give ({}). An index that begins \
         with the column that is searched for needs one search.",
        node.index_name().unwrap_or("the index"),
        count(searches),
        subject.impact_text(impact)
    );
    Some(Draft::new(node, impact, message).action(action))
}

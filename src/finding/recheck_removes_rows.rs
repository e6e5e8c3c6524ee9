//! An index whose entries only approximate the condition: most rows that it found are removed by the
//! recheck, although the bitmap is exact.

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use super::waste::MIN_REMOVED;
use crate::plan::{Node, NodeType};

/// At least this many rows are removed for each that is kept.
const MIN_REMOVED_PER_KEPT: f64 = 3.0;

pub(super) const RULE: Rule = Rule {
    name: "recheck-removes-rows",
    max_severity: Severity::Critical,
    looks_for: "an index scan of which the recheck removes most rows, without lossy pages",
    why: "the index holds an approximation (trigrams, bounding boxes, words without their positions), so it finds rows that do not match; \
          each is read to be thrown away",
    source: "https://www.postgresql.org/docs/current/index-functions.html",
    check: Check::Node(&[NodeType::BitmapHeapScan, NodeType::IndexScan], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let is_lossy = node
        .number("Lossy Heap Blocks")
        .is_some_and(|blocks| blocks > 0.0);
    let metrics = subject.of(node);
    let removed = metrics.removed.by_recheck;
    let kept = metrics.rows_total()? + metrics.removed.by_filter;
    if is_lossy || removed < MIN_REMOVED || removed < MIN_REMOVED_PER_KEPT * kept {
        return None;
    }
    let impact = subject.own(node.id) * removed / (removed + kept);
    let node = subject.node(node.id);
    let condition = node
        .text("Recheck Cond")
        .or_else(|| node.text("Index Cond"))?;
    let message = format!(
        "the index found {} rows of {} for {condition}, and the recheck removed {} of them ({}). {}",
        count(removed + kept),
        subject.table_name(node)?,
        count(removed),
        subject.impact_text(impact),
        what_helps(condition)
    );
    Some(Draft::new(node, impact, message))
}

/// What makes the index more exact, by the operator of the condition.
fn what_helps(condition: &str) -> &'static str {
    let has = |operators: &[&str]| operators.iter().any(|it| condition.contains(it));
    if has(&[" ~~ ", " ~~* ", " ~ ", " ~* ", " % ", " %> "]) {
        "Trigrams say which parts of three characters a text has, not where: a longer or rarer text to search for, or another condition in \
         the same index, leaves fewer."
    } else if has(&[" @@ "]) {
        "A GIN index has no positions and weights of words: phrases and weights are checked in the rows. Another condition leaves fewer; \
         the rum extension keeps positions."
    } else if has(&[" && ", " @ ", " <-> ", "st_"]) {
        "The index compares bounding boxes: smaller shapes (ST_Subdivide), or another condition in the same index, leave fewer."
    } else {
        "Another operator class, or a btree index on what is compared, may be exact; another condition in the same index leaves fewer."
    }
}

//! OFFSET: rows that are computed and skipped, more with every page.

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use super::waste::MIN_REMOVED;
use crate::plan::{Node, NodeType};

/// The minimum number of skipped rows for each returned row.
const MIN_SKIPPED_PER_ROW: f64 = 10.0;

pub(super) const RULE: Rule = Rule {
    name: "large-offset",
    max_severity: Severity::Critical,
    looks_for: "a LIMIT with an OFFSET that skips at least 1,000 rows and ten times what it delivers",
    why: "skipped rows are computed all the same; a condition on the last row seen (keyset pagination) starts at the right place",
    source: "https://use-the-index-luke.com/no-offset",
    check: Check::Node(&[NodeType::Limit], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let node = subject.node(node.id);
    let input = subject.inputs(node).next()?;
    let (made, delivered) = if subject.measured() {
        (subject.rows(input)?, subject.rows(node)?)
    } else {
        expected(node, input)?
    };
    let skipped = made - delivered;
    if skipped < MIN_REMOVED || skipped < MIN_SKIPPED_PER_ROW * delivered {
        return None;
    }
    let impact = subject.inclusive(input.id) * skipped / made;
    let message = format!(
        "OFFSET skips {} rows to deliver {} ({}). Remember the last row shown and ask for those after it (WHERE (sort columns) > \
         (last values) … LIMIT) instead.",
        count(skipped),
        count(delivered),
        subject.impact_text(impact)
    );
    Some(Draft::new(node, impact, message))
}

/// Without ANALYZE the offset shows in the costs (src/backend/optimizer/util/pathnode.c,
/// `adjust_limit_rows_costs`): a LIMIT starts as much later than its input as it skips.
fn expected(node: &Node, input: &Node) -> Option<(f64, f64)> {
    let (start, input_start) = (node.startup_cost()?, input.startup_cost()?);
    let run = input.number("Total Cost")? - input_start;
    let skipped = if run > 0.0 {
        (start - input_start).max(0.0) / run * input.plan_rows()?
    } else {
        0.0
    };
    let delivered = node.plan_rows()?;
    Some((skipped + delivered, delivered))
}

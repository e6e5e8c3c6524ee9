//! Scans whose filters discard most of the rows they read, and the thresholds for a finding.

use super::subject::Subject;
use crate::plan::{Node, NodeType};

/// Minimum number of discarded rows for a finding.
pub(super) const MIN_REMOVED: f64 = 1_000.0;
/// A scan is selective when it keeps at most this share of what it reads.
pub(super) const MAX_KEPT: f64 = 0.10;
/// Without ANALYZE: fetching the rows one random page each would have to be this many times cheaper
/// than the scan. (For a function of a column the planner guesses half a per cent of the rows,
/// which has to pass here.)
const MIN_GAIN: f64 = 2.0;

/// A scan that discards most of the rows it reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Waste {
    /// The time or cost of the scan, in the unit of the basis.
    pub(super) impact: f64,
    /// Rows read, when they were counted.
    pub(super) read: Option<f64>,
    /// Rows kept, counted or expected.
    pub(super) kept: f64,
}

impl Waste {
    /// `reads 300,000 rows to keep 600`, or `expects to keep 600 rows`.
    pub(super) fn text(&self) -> String {
        let kept = super::subject::count(self.kept);
        match self.read {
            Some(read) => format!("reads {} to keep {kept}", super::subject::rows(read)),
            None => format!(
                "reads the whole table to keep an expected {}",
                super::subject::rows(self.kept)
            ),
        }
    }
}

/// Does a node's filter discard most of the rows it reads? Counted with ANALYZE; without, judged by
/// whether fetching the expected rows one by one would cost much less than the scan does
/// (`random_page_cost`, 4 when it is not known).
pub(super) fn waste(subject: &Subject<'_>, node: &Node) -> Option<Waste> {
    node.filter().or_else(|| node.text("Vectorized Filter"))?;
    let own = subject.own(node.id);
    if !subject.is_reportable(own) {
        return None;
    }
    if subject.measured() {
        let metrics = subject.of(node);
        let (kept, removed) = (metrics.rows_total()?, metrics.removed.by_filter);
        let read = kept + removed;
        let wasteful = removed >= MIN_REMOVED && kept <= MAX_KEPT * read;
        return wasteful.then(|| Waste {
            impact: own * removed / read,
            read: Some(read),
            kept,
        });
    }
    if *node.node_type() != NodeType::SeqScan {
        return None;
    }
    let random_page = subject
        .setting("random_page_cost")
        .and_then(|cost| cost.parse().ok())
        .unwrap_or(4.0_f64);
    let kept = node.plan_rows()?;
    let one_by_one = kept * random_page.max(1.0);
    (one_by_one * MIN_GAIN <= node_cost(node)).then_some(Waste {
        impact: own,
        read: None,
        kept,
    })
}

/// The cost of one execution of a scan, without the penalty of a disabled one.
fn node_cost(node: &Node) -> f64 {
    crate::plan::metrics::cost::without_penalty(node.total_cost().0)
}

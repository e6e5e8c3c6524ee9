//! Rows expected and actual rows, and rows that were read and discarded.

use super::raw::RawNumbers;
use crate::plan::{Node, Plan};

/// The rows the planner expects of a node, those of all processes of a parallel scan together: its
/// `Plan Rows` are of one of them (`get_parallel_divisor`, src/backend/optimizer/path/costsize.c).
pub fn rows_of_all_processes(plan: &Plan, node: &Node) -> Option<f64> {
    let rows = node.plan_rows()?;
    if !node.is_parallel_aware() {
        return Some(rows);
    }
    let workers = plan
        .ancestors(node.id)
        .find_map(Node::workers_planned)
        .unwrap_or(0.0);
    Some(rows * (workers + (1.0 - 0.3 * workers).max(0.0)))
}

/// Rows of one execution of a node.
///
/// `Plan Rows` of a node in a parallel part is for one process, and `Actual Rows` the average of
/// the loops of all processes, so the two compare as they are (as long as all planned workers
/// came).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// `Plan Rows`.
    pub expected: f64,
    /// `Actual Rows`; none without ANALYZE or when the node never ran.
    pub actual: Option<f64>,
}

/// The direction of an estimate's error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// More rows than expected, which is the dangerous error (nested loops, small hash tables).
    Under,
    /// Fewer rows than expected.
    Over,
    /// No error.
    Exact,
}

impl Estimate {
    /// The factor of the error, at least 1. The planner never expects less than one row, and
    /// servers before 18 round the average over loops to whole rows, so less than one row counts as
    /// one.
    pub fn factor(&self) -> Option<f64> {
        let (expected, actual) = (self.expected.max(1.0), self.actual?.max(1.0));
        Some((actual / expected).max(expected / actual))
    }

    /// The direction of the error.
    pub fn direction(&self) -> Option<Direction> {
        let (expected, actual) = (self.expected.max(1.0), self.actual?.max(1.0));
        Some(match actual.total_cmp(&expected) {
            std::cmp::Ordering::Greater => Direction::Under,
            std::cmp::Ordering::Less => Direction::Over,
            std::cmp::Ordering::Equal => Direction::Exact,
        })
    }
}

/// Rows that were read and discarded, in all loops. EXPLAIN prints the average of a loop, which is
/// multiplied here.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Removed {
    /// By `Filter`.
    pub by_filter: f64,
    /// By `Join Filter`.
    pub by_join_filter: f64,
    /// By the recheck of a lossy bitmap or a lossy index.
    pub by_recheck: f64,
}

pub(super) fn estimate(raw: &RawNumbers<'_>) -> Option<Estimate> {
    let ran = raw.loops.is_none_or(|loops| loops > 0.0);
    Some(Estimate {
        expected: raw.plan_rows?,
        actual: raw.rows.filter(|_| ran),
    })
}

pub(super) fn removed(raw: &RawNumbers<'_>) -> Removed {
    let loops = raw.loops.unwrap_or(0.0);
    Removed {
        by_filter: raw.removed_by_filter * loops,
        by_join_filter: raw.removed_by_join_filter * loops,
        by_recheck: raw.removed_by_recheck * loops,
    }
}

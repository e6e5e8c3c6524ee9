//! The sums over all pairs of a comparison.

use serde::Serialize;

use super::{Diff, NamedPlan, Pairs};

/// Sums of both sides.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(super) struct Total {
    /// Of how many pairs: those that have the number on both sides.
    pub(super) pairs: usize,
    /// Before.
    pub(super) before: f64,
    /// After.
    pub(super) after: f64,
    /// Pairs that became at least 5 % lower.
    pub(super) lower: usize,
    /// Pairs that became at least 5 % higher.
    pub(super) higher: usize,
}

/// All sums, as the JSON report has them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Totals {
    /// Planner units.
    pub(super) cost: Option<Total>,
    /// Execution times of the pairs of which both plans were run.
    pub(super) time_ms: Option<Total>,
    /// The files of plans whose statement the other side does not have.
    pub(super) only_before: Vec<String>,
    /// The same, of the plans after.
    pub(super) only_after: Vec<String>,
}

impl Totals {
    pub(super) fn of(diffs: &[Diff<'_>], pairs: &Pairs<'_>) -> Totals {
        let files = |plans: &[NamedPlan<'_>]| plans.iter().map(|it| it.file.to_owned()).collect();
        Totals {
            cost: cost(diffs),
            time_ms: time(diffs),
            only_before: files(&pairs.only_before),
            only_after: files(&pairs.only_after),
        }
    }
}

/// The sums of the costs.
pub(super) fn cost(diffs: &[Diff<'_>]) -> Option<Total> {
    Total::of(diffs, |diff| {
        (
            diff.report.before.numbers.cost,
            diff.report.after.numbers.cost,
        )
    })
}

/// The sums of the execution times of the pairs of which both plans were run.
pub(super) fn time(diffs: &[Diff<'_>]) -> Option<Total> {
    Total::of(diffs, |diff| {
        let (before, after) = (&diff.report.before, &diff.report.after);
        match (before.time_ms(), after.time_ms()) {
            (Some(old), Some(new)) => (Some(old), Some(new)),
            _ => (None, None),
        }
    })
}

/// Smaller changes are not counted.
const MIN_CHANGE: f64 = 1.05;

impl Total {
    /// The sums of a number over the pairs that have it on both sides; none when no pair has.
    pub(super) fn of(
        diffs: &[Diff<'_>],
        numbers: impl Fn(&Diff<'_>) -> (Option<f64>, Option<f64>),
    ) -> Option<Total> {
        let mut total = Total::default();
        for diff in diffs {
            let (Some(before), Some(after)) = numbers(diff) else {
                continue;
            };
            total.pairs += 1;
            total.before += before;
            total.after += after;
            total.lower += usize::from(before > after * MIN_CHANGE);
            total.higher += usize::from(after > before * MIN_CHANGE);
        }
        (total.pairs > 0).then_some(total)
    }
}

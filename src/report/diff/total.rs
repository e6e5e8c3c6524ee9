//! The sums over all pairs of a comparison.

use super::Diff;

/// Sums of both sides.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Total {
    /// Of how many pairs.
    pub(super) pairs: usize,
    pub(super) before: f64,
    pub(super) after: f64,
    /// Pairs that became at least 5 % lower.
    pub(super) lower: usize,
    /// Pairs that became at least 5 % higher.
    pub(super) higher: usize,
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

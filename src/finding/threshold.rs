//! The minimum impact of a finding that is reported, and of one that is a warning or critical.

use crate::model::{Cost, Millis};
use crate::plan::metrics::Basis;

/// A finding is reported when its impact is at least this share of the plan,
pub const MIN_SHARE: f64 = 0.05;
/// and at least this time, when time was measured,
pub const MIN_TIME: Millis = Millis(1.0);
/// or at least this cost, when it was not: that of reading a hundred pages.
pub const MIN_COST: Cost = Cost(100.0);
/// From this share on a finding is a warning.
pub const WARNING_SHARE: f64 = 0.10;
/// From this share on a finding is critical.
pub const CRITICAL_SHARE: f64 = 0.50;

/// Is an impact large enough for a finding?
pub(super) fn is_reportable(impact: f64, basis: Basis) -> bool {
    let min = match basis {
        Basis::Time(_) => MIN_TIME.0,
        Basis::Cost(_) => MIN_COST.0,
    };
    impact >= min && impact >= MIN_SHARE * basis.whole()
}

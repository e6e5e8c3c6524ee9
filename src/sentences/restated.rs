//! That a cost before is not what the planner says today.

use crate::advise::restated::Restated;

/// Why the cost before is another one than EXPLAIN shows today.
pub fn restated(restated: &Restated) -> String {
    format!(
        "EXPLAIN says {} today: without statistics of {} the planner assumes that 0.5 % of the rows are wanted. Compared here under the statistics that an index on it brings: {}.",
        restated.today,
        restated.expressions.join(" and "),
        restated.plan.total_cost()
    )
}

//! The share of each statement in the workload: by measured time if most statements have one, by
//! the planner's cost otherwise.

use std::collections::BTreeMap;

use super::statement_view::{StatementView, TimeCoverage};
use crate::workload::StatementId;

/// Sets the shares: of time or of cost, depending on how many statements have a measured time. What
/// a statement costs with other values is part of its share.
pub(super) fn set_shares(statements: &mut [StatementView]) -> TimeCoverage {
    let time_coverage = time_coverage(statements);
    let weight = |statement: &StatementView| match time_coverage {
        TimeCoverage::Majority => statement.source.total_time_ms(),
        TimeCoverage::None | TimeCoverage::Minority => {
            Some(statement.source.calls * statement.cost()?.0)
        }
    };
    let mut weights: BTreeMap<StatementId, f64> = BTreeMap::new();
    for statement in statements.iter() {
        if let Some(weight) = weight(statement) {
            *weights.entry(statement.as_written().clone()).or_default() += weight;
        }
    }
    let all: f64 = weights.values().sum();
    for statement in statements
        .iter_mut()
        .filter(|statement| statement.is_listed())
    {
        let weight = weights.get(&statement.source.id);
        statement.share = weight.map(|weight| if all > 0.0 { weight / all } else { 0.0 });
    }
    time_coverage
}

fn time_coverage(statements: &[StatementView]) -> TimeCoverage {
    let listed = statements.iter().filter(|statement| statement.is_listed());
    let measured = listed
        .clone()
        .filter(|statement| statement.source.mean_time_ms.is_some());
    match measured.count() {
        0 => TimeCoverage::None,
        some if 2 * some > listed.count() => TimeCoverage::Majority,
        _ => TimeCoverage::Minority,
    }
}

//! The share of each statement in the workload: by measured time if most statements have one, by
//! the planner's cost otherwise.

use super::statement_view::{StatementView, TimeCoverage};

/// Sets the shares: of time or of cost, depending on how many statements have a measured time.
pub(super) fn set_shares(statements: &mut [StatementView]) -> TimeCoverage {
    let time_coverage = time_coverage(statements);
    let weight = |statement: &StatementView| match time_coverage {
        TimeCoverage::Majority => statement.source.total_time_ms(),
        TimeCoverage::None | TimeCoverage::Minority => {
            Some(statement.source.calls * statement.cost()?.0)
        }
    };
    let all: f64 = statements.iter().filter_map(weight).sum();
    for statement in statements {
        statement.share =
            weight(statement).map(|weight| if all > 0.0 { weight / all } else { 0.0 });
    }
    time_coverage
}

fn time_coverage(statements: &[StatementView]) -> TimeCoverage {
    match statements
        .iter()
        .filter(|statement| statement.source.mean_time_ms.is_some())
        .count()
    {
        0 => TimeCoverage::None,
        some if 2 * some > statements.len() => TimeCoverage::Majority,
        _ => TimeCoverage::Minority,
    }
}

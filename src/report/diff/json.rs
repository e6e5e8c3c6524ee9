//! The differences as JSON: a list of comparisons, each with the sums over all of them.

use serde::Serialize;

use super::total::Totals;
use super::{Diff, DiffReport, Pairs};

/// A comparison in the JSON report.
#[derive(Serialize)]
struct ReportWithTotals<'d> {
    #[serde(flatten)]
    report: &'d DiffReport,
    /// The sums over all pairs; the same in each comparison.
    totals: &'d Totals,
}

/// All differences as JSON, indented, with a newline at the end. Each has the sums over all pairs.
///
/// # Errors
/// When a number has no JSON form, which does not happen for plans.
pub fn write_json(diffs: &[Diff<'_>], pairs: &Pairs<'_>) -> serde_json::Result<String> {
    let totals = &Totals::of(diffs, pairs);
    let with_totals = |diff| ReportWithTotals {
        report: Diff::report(diff),
        totals,
    };
    let reports: Vec<ReportWithTotals<'_>> = diffs.iter().map(with_totals).collect();
    Ok(serde_json::to_string_pretty(&reports)? + "\n")
}

//! `check --tui`: before and after in the interactive interface, statement by statement.

use crate::check::comparison::{CheckedStatement, StatementChange};
use crate::check::gate::JudgedGate;
use crate::check::outcome::CheckOutcome;
use crate::cli::Cli;
use crate::command::{CommandError, interactive};
use crate::plan::Plan;
use crate::planner::PlanOutcome;
use crate::report::check::{summary, text};
use crate::sentences::check as words;
use crate::tui::session_data::{ChangedFrom, ComparedStatement};

/// The width of the report in the interface.
const REPORT_COLUMNS: usize = 100;

/// Shows what a check found until the user quits.
pub(super) fn show(
    cli: &Cli,
    outcome: &CheckOutcome,
    gates: &[JudgedGate],
) -> Result<(), CommandError> {
    let report = text::write(outcome, gates, REPORT_COLUMNS);
    let changed = ChangedFrom {
        summary: summary::counts(outcome),
        sides: format!("{} | {}", outcome.before.source, outcome.after.source),
        report: anstream::adapter::strip_str(&report).to_string(),
    };
    let compared = outcome.statements.iter().map(compared).collect();
    let subject = outcome.after.source.clone();
    interactive::on_comparison(cli, subject, compared, changed).map(drop)
}

fn compared(checked: &CheckedStatement) -> ComparedStatement {
    let change = checked
        .change
        .filter(|change| *change != StatementChange::Same);
    let mut remarks: Vec<String> = checked.assumed.iter().map(words::assumed).collect();
    if !checked.causes.is_empty() {
        remarks.insert(0, words::reasons(checked));
    }
    remarks.extend(words::chance(checked));
    ComparedStatement {
        statement: checked.statement.clone(),
        before: plan_of(&checked.before),
        after: plan_of(&checked.after),
        change: change.map_or_else(String::new, |change| {
            words::statement_change(change).to_owned()
        }),
        remarks,
    }
}

fn plan_of(outcome: &PlanOutcome) -> Result<Plan, String> {
    match outcome {
        PlanOutcome::Plan(plan) => Ok(plan.clone()),
        other => Err(words::no_plan(other).unwrap_or_else(|| "nothing to plan".to_owned())),
    }
}

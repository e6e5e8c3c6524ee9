//! A statement with its plans side by side, and what is to say about them.

use std::fmt::Write as _;

use super::gain::gain;
use super::{side_by_side, values};
use crate::advise::{Advice, StatementAdvice, StatementStatus};
use crate::catalog::Catalog;
use crate::finding::{Finding, Severity, findings};
use crate::model::printable;
use crate::model::printable::{printable_lines, printable_sql};
use crate::plan::Plan;
use crate::report::style::{BAD, BOLD, DIM, HOT, styled};
use crate::report::words::{count, execution_text, statement_name};
use crate::sentences;
use crate::text_layout::{indent, titled_rule};

/// Writes the statement; nothing where it was not planned.
pub(in crate::report) fn statement_block(
    text: &mut String,
    statement: &StatementAdvice,
    advice: &Advice,
    width: usize,
) {
    let (Some(before), Some(cost_before), Some(cost_after)) = (
        &statement.before,
        statement.cost_before(),
        statement.cost_after(),
    ) else {
        return;
    };
    let name = statement_name(statement);
    let (style, gain) = gain(statement.change, cost_before, cost_after);
    let used = if statement.recommendations.is_empty() {
        String::new()
    } else {
        format!("  [{}]", statement.recommendations.join(", "))
    };
    let gain = styled(style, format!("{gain}{used}"));
    let _ = writeln!(text, "{}", titled_rule(&styled(BOLD, name), &gain, width));
    sql(text, statement, "  ");
    if let Some((before, after)) = &statement.executed {
        let _ = writeln!(
            text,
            "  {}",
            styled(DIM, format!("executed: {}", execution_text(before, after)))
        );
    }
    if let Some(restated) = &statement.restated {
        let line = printable(&sentences::restated(restated)).into_owned();
        let _ = writeln!(text, "{}", styled(HOT, indent(&line, "  ", width)));
    }
    if let Some(reason) = &statement.not_executed {
        let line = format!(
            "not executed: {}",
            printable(&sentences::not_executed(reason))
        );
        let _ = writeln!(text, "{}", styled(HOT, indent(&line, "  ", width)));
    }
    text.push_str(&side_by_side::write(
        before,
        statement.after.as_ref(),
        width,
    ));
    values::write(text, statement, advice, width);
    if let Some(no_index) = &statement.no_index {
        let line = format!(
            "no index helps: {}",
            printable(&sentences::no_index(no_index))
        );
        let _ = writeln!(text, "{}", styled(DIM, indent(&line, "  ", width)));
    }
    top_findings(text, before, &advice.catalog, width);
    text.push('\n');
}

/// Findings about a statement that do not suggest an index, which the rest of the report covers.
fn top_findings(text: &mut String, plan: &Plan, catalog: &Catalog, width: usize) {
    const MAX_FINDINGS: usize = 2;
    let about_index = |finding: &Finding| {
        finding
            .action
            .as_ref()
            .is_some_and(|sql| sql.starts_with("CREATE INDEX"))
    };
    let findings = findings(plan, Some(catalog)).into_iter();
    let more =
        findings.filter(|finding| finding.severity >= Severity::Warning && !about_index(finding));
    for Finding {
        rule,
        message,
        action,
        ..
    } in more.take(MAX_FINDINGS)
    {
        let action = action.map_or_else(String::new, |action| format!(" {action}"));
        let line = format!("{rule}: {}{}", printable(&message), printable_sql(&action));
        let _ = writeln!(text, "{}", styled(HOT, indent(&line, "  ! ", width)));
    }
}

/// The statement's whole text.
fn sql(text: &mut String, statement: &StatementAdvice, indent: &str) {
    for line in statement.statement.as_written().lines() {
        let _ = writeln!(text, "{indent}{}", styled(DIM, printable_sql(line)));
    }
}

/// Writes the statements that were not planned, with the reasons.
pub(super) fn not_planned(text: &mut String, advice: &Advice) {
    let failed: Vec<_> = advice
        .statements
        .iter()
        .filter(|statement| statement.status != StatementStatus::Planned)
        .collect();
    if failed.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "{}",
        styled(
            BOLD,
            format!(
                "NOT PLANNED  {}",
                count(failed.len(), "statement", "statements")
            )
        )
    );
    for statement in failed {
        let _ = writeln!(
            text,
            "  {}  ({})",
            printable(&statement.statement.id.0),
            printable(&statement.statement.place)
        );
        sql(text, statement, "      ");
        let error = sentences::error(statement).unwrap_or_default();
        for line in printable_lines(&error).lines() {
            let _ = writeln!(text, "      {}", styled(BAD, line));
        }
    }
    text.push('\n');
}

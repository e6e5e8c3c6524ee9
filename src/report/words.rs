//! Short pieces of text that several reports have.

use crate::advise::{Advice, Rejected, StatementAdvice, StatementStatus};
use crate::model::printable::printable_sql;
use crate::model::{group_thousands, printable};
use crate::plan::Plan;
use crate::sentences;
use crate::text_layout::truncate;
use crate::workload::Statement;

/// `1 index`, `3 indexes`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// `PostgreSQL 15.18 · shop · 56 of 56 statements planned`.
pub(super) fn title(advice: &Advice) -> String {
    let server = &advice.catalog.server;
    let planned = |statement: &&StatementAdvice| statement.status == StatementStatus::Planned;
    let planned = advice.as_written().filter(planned).count();
    let version = server.version.split(' ').next().unwrap_or_default();
    let statements = match advice.as_written().count() {
        0 => "no workload".to_owned(),
        1 if planned == 1 => "1 statement planned".to_owned(),
        number => format!("{planned} of {number} statements planned"),
    };
    format!(
        "PostgreSQL {} · {} · {statements}",
        printable(version),
        printable(&server.database),
    )
}

/// Without recommendations, says whether there was something to plan, and whether every candidate
/// could be tested.
pub(super) fn no_index(advice: &Advice) -> String {
    if advice.statements.is_empty() {
        let found = count(advice.existing.len(), "problem", "problems");
        return format!("Only the existing indexes were checked, without a workload: {found}.");
    }
    let planned = |statement: &StatementAdvice| statement.status == StatementStatus::Planned;
    if !advice.as_written().any(planned) {
        return match advice.as_written().count() {
            1 => "Nothing was planned: the only statement failed.".to_owned(),
            all => format!("Nothing was planned: none of the {all} statements could be."),
        };
    }
    let reasons = advice.rejected.iter().map(Rejected::reason);
    format!("{}.", sentences::none_recommended(reasons))
}

/// Time and blocks of two executions.
pub(super) fn execution_text(before: &Plan, after: &Plan) -> String {
    let text = |plan: &Plan| {
        let time = plan.execution_time().unwrap_or_default();
        match plan.shared_blocks() {
            Some(blocks) => format!("{time}, {} blocks", group_thousands(blocks, 0)),
            None => time.to_string(),
        }
    };
    format!("{} → {}", text(before), text(after))
}

/// The statement's text in a line, where its name says nothing about it.
pub(super) fn shortened_text(statement: &Statement, columns: usize) -> Option<String> {
    if statement.is_named() {
        return None;
    }
    Some(sql_line(statement, columns))
}

/// The statement's text in a line.
pub(super) fn sql_line(statement: &Statement, columns: usize) -> String {
    let words: Vec<&str> = statement.as_written().split_whitespace().collect();
    truncate(&printable_sql(&words.join(" ")), columns)
}

/// A share in per cent: `41 %`, `0.4 %`; `–` for nothing. Only the whole is 100 %.
pub(super) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent.abs() {
        nothing if nothing < 0.005 => "–".to_owned(),
        little if little < 0.1 => "<0.1 %".to_owned(),
        small if small < 10.0 => format!("{percent:.1} %"),
        nearly if (99.5..99.995).contains(&nearly) => {
            format!("{:.1} %", (percent * 10.0).trunc() / 10.0)
        }
        _ => format!("{percent:.0} %"),
    }
}

/// `job-list · 1,200 calls`.
pub(super) fn statement_name(statement: &StatementAdvice) -> String {
    let Statement { id, .. } = &statement.statement;
    let calls = statement.statement.calls_with_any_values();
    let calls = if calls > 1.0 {
        format!(" · {} calls", group_thousands(calls, 0))
    } else {
        String::new()
    };
    format!("{}{calls}", printable(&id.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_but_nothing_becomes_all_or_nothing() {
        for (share, text) in [
            (0.0, "–"),
            (0.0004, "<0.1 %"),
            (0.004, "0.4 %"),
            (0.413, "41 %"),
            (0.994, "99 %"),
            (0.9989, "99.8 %"),
            (0.99994, "99.9 %"),
            (1.0, "100 %"),
            (-0.031, "-3.1 %"),
        ] {
            assert_eq!(percent(share), text);
        }
    }
}

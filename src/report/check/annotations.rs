//! Annotations of GitHub Actions, which show findings in the files of a pull request
//! (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).

use std::fmt::Write as _;

use super::summary;
use crate::check::comparison::StatementChange;
use crate::check::gate::JudgedGate;
use crate::check::migration::StepStatus;
use crate::check::outcome::CheckOutcome;
use crate::model::printable;
use crate::sentences::check as words;

/// A line for each finding about the migration and each statement that got worse.
pub fn write(outcome: &CheckOutcome, gates: &[JudgedGate]) -> String {
    let mut text = String::new();
    for step in &outcome.steps {
        let place = (
            step.outcome.step.file.as_str(),
            Some(step.outcome.step.line),
        );
        if let StepStatus::Failed(message) = &step.outcome.status {
            line(&mut text, "error", place, ("pgrehearse check", message));
        }
        for finding in &step.judged.findings {
            let message = words::ddl_finding(finding);
            line(&mut text, "warning", place, (finding.rule(), &message));
        }
    }
    for checked in summary::changed(outcome) {
        let level = match checked.change {
            Some(StatementChange::CannotRun) => "error",
            Some(StatementChange::Cheaper | StatementChange::Same) | None => "notice",
            Some(_) if checked.regression_percent() > 0.0 => "warning",
            Some(_) => "notice",
        };
        let change = checked.change.map_or("", words::statement_change);
        let mut message = format!("{}: {change}", checked.statement.id.0);
        for more in [
            summary::cost_change(checked),
            summary::error_after(checked).unwrap_or_default(),
        ] {
            if !more.is_empty() {
                let _ = write!(message, ", {more}");
            }
        }
        let (file, number) = match checked.statement.place.rsplit_once(':') {
            Some((file, number)) => (file, number.parse().ok()),
            None => (checked.statement.place.as_str(), None),
        };
        line(&mut text, level, (file, number), ("plan change", &message));
    }
    for gate in gates.iter().filter(|gate| gate.is_met()) {
        let message = summary::gate(gate);
        line(&mut text, "error", ("", None), ("gate", &message));
    }
    text
}

fn line(
    text: &mut String,
    level: &str,
    (file, number): (&str, Option<usize>),
    (title, message): (&str, &str),
) {
    let mut properties = Vec::new();
    if !file.is_empty() {
        properties.push(format!("file={}", property(file)));
    }
    if let Some(number) = number {
        properties.push(format!("line={number}"));
    }
    properties.push(format!("title={}", property(title)));
    let _ = writeln!(
        text,
        "::{level} {}::{}",
        properties.join(","),
        data(message)
    );
}

/// `escapeData` of the actions toolkit; other control characters are escaped as everywhere.
fn data(text: &str) -> String {
    let lines: Vec<String> = text
        .replace('%', "%25")
        .lines()
        .map(|line| printable(line).into_owned())
        .collect();
    lines.join("%0A")
}

/// `escapeProperty` of the actions toolkit.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_ends_a_command() {
        let mut text = String::new();
        let message = "50 % of a\n::error::b\u{1b}[2J";
        line(&mut text, "warning", ("a,b:c.sql", Some(3)), ("t", message));
        assert_eq!(text.lines().count(), 1);
        assert!(
            text.starts_with(
                "::warning file=a%2Cb%3Ac.sql,line=3,title=t::50 %25 of a%0A::error::b"
            )
        );
        assert!(!text.contains('\u{1b}'));
    }
}

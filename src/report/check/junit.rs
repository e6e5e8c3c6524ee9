//! The report of `check` as test results: a case for each statement of the migration and of the
//! workload, in the XML that CI systems read
//! (<https://github.com/testmoapp/junitxml>).

use std::fmt::Write as _;

use quick_xml::escape::escape;

use super::summary;
use crate::check::comparison::{CheckedStatement, StatementChange};
use crate::check::gate::{Gate, JudgedGate};
use crate::check::migration::StepStatus;
use crate::check::outcome::{CheckOutcome, CheckedStep};
use crate::model::printable;
use crate::sentences::check as words;

/// A result of a test.
struct Case {
    name: String,
    /// What went wrong; none if it passed.
    failure: Option<String>,
}

/// The results. A statement fails where a condition of `--fail-on` says so; without conditions, where
/// it cannot run.
pub fn write(outcome: &CheckOutcome, gates: &[JudgedGate]) -> String {
    let default = [Gate::CannotRun.judge(outcome)];
    let gates = if gates.is_empty() { &default } else { gates };
    let steps = outcome.steps.iter().map(|step| of_step(step, gates));
    let statements = outcome
        .statements
        .iter()
        .map(|checked| of_statement(checked, gates));
    let indexes = outcome.indexes.iter().map(|index| {
        let name = index.index.name.to_string();
        let failure = met(&name, gates).map(|gate| {
            let finding = index.finding.as_ref().map(words::index_finding);
            format!("{gate}\n{}", finding.unwrap_or_default())
        });
        Case { name, failure }
    });
    let suites = [
        ("migration", steps.collect::<Vec<_>>()),
        ("statements", statements.collect()),
        ("indexes", indexes.collect()),
    ];
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = || suites.iter().flat_map(|(_, cases)| cases);
    let _ = writeln!(
        xml,
        "<testsuites name=\"pgrehearse check\" tests=\"{}\" failures=\"{}\" errors=\"0\">",
        all().count(),
        all().filter(|case| case.failure.is_some()).count()
    );
    for (name, cases) in suites.iter().filter(|(_, cases)| !cases.is_empty()) {
        suite(&mut xml, name, cases);
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn suite(xml: &mut String, name: &str, cases: &[Case]) {
    let failures = cases.iter().filter(|case| case.failure.is_some()).count();
    let _ = writeln!(
        xml,
        "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\">",
        cases.len()
    );
    for case in cases {
        let start = format!(
            "    <testcase classname=\"pgrehearse.{name}\" name=\"{}\"",
            safe(&case.name)
        );
        match &case.failure {
            None => {
                let _ = writeln!(xml, "{start}/>");
            }
            Some(failure) => {
                let title = failure.lines().next().unwrap_or_default();
                let _ = writeln!(
                    xml,
                    "{start}>\n      <failure message=\"{}\">{}</failure>\n    </testcase>",
                    safe(title),
                    failure.lines().map(safe).collect::<Vec<_>>().join("\n")
                );
            }
        }
    }
    xml.push_str("  </testsuite>\n");
}

/// Text without characters that XML does not have.
fn safe(text: &str) -> String {
    escape(printable(text).as_ref()).into_owned()
}

/// The condition that this meets.
fn met(name: &str, gates: &[JudgedGate]) -> Option<String> {
    let is_met = |gate: &&JudgedGate| gate.by.iter().any(|by| by == name);
    let gate = gates.iter().find(is_met)?;
    Some(format!("--fail-on {}", gate.gate.text()))
}

fn of_step(step: &CheckedStep, gates: &[JudgedGate]) -> Case {
    let failure = met(&step.place(), gates).map(|gate| {
        let mut text = gate;
        if let StepStatus::Failed(message) = &step.outcome.status {
            let _ = write!(text, "\n{message}");
        }
        for lock in &step.outcome.locks {
            let _ = write!(text, "\n{}", words::lock(lock));
        }
        text
    });
    Case {
        name: format!("{} {}", step.place(), summary::one_line(step)),
        failure,
    }
}

fn of_statement(checked: &CheckedStatement, gates: &[JudgedGate]) -> Case {
    let failure = met(&checked.statement.id.0, gates).map(|gate| {
        let change = checked.change.unwrap_or(StatementChange::Same);
        let mut text = format!("{gate}: {}", words::statement_change(change));
        for more in [
            summary::cost_change(checked),
            summary::error_after(checked).unwrap_or_default(),
        ] {
            if !more.is_empty() {
                let _ = write!(text, "\n{more}");
            }
        }
        for (title, outcome) in [("before", &checked.before), ("after", &checked.after)] {
            if let Some(plan) = outcome.plan() {
                let _ = write!(text, "\n\n{title}:\n{}", crate::check::shape::shape(plan));
            }
        }
        text
    });
    Case {
        name: checked.statement.id.0.clone(),
        failure,
    }
}

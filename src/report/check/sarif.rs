//! Findings of `check` as SARIF 2.1.0, which code scanning shows in the files of a pull request
//! (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::summary;
use crate::check::comparison::{CheckedStatement, StatementChange};
use crate::check::migration::StepStatus;
use crate::check::outcome::CheckOutcome;
use crate::sentences::check as words;

/// What is reported about a place in a file.
struct Found {
    rule: String,
    level: &'static str,
    message: String,
    place: Option<(String, usize)>,
}

/// The report, indented, with a newline at the end.
///
/// # Errors
/// When it has no JSON form, which does not happen.
pub fn write(outcome: &CheckOutcome) -> serde_json::Result<String> {
    let found = found(outcome);
    let rules: BTreeMap<&str, usize> = found
        .iter()
        .map(|one| one.rule.as_str())
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .enumerate()
        .map(|(number, rule)| (rule, number))
        .collect();
    let rule_list: Vec<Value> = rules.keys().map(|rule| json!({"id": rule})).collect();
    let results: Vec<Value> = found.iter().map(|one| result(one, &rules)).collect();
    let report = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rule_list,
            }},
            "results": results,
        }],
    });
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

fn result(one: &Found, rules: &BTreeMap<&str, usize>) -> Value {
    let mut result = json!({
        "ruleId": one.rule,
        "ruleIndex": rules.get(one.rule.as_str()),
        "level": one.level,
        "message": {"text": one.message},
    });
    if let Some((file, line)) = &one.place {
        result["locations"] = json!([{
            "physicalLocation": {
                "artifactLocation": {"uri": file},
                "region": {"startLine": line},
            },
        }]);
    }
    result
}

fn found(outcome: &CheckOutcome) -> Vec<Found> {
    let mut found = Vec::new();
    for step in &outcome.steps {
        let place = Some((step.outcome.step.file.clone(), step.outcome.step.line));
        if let StepStatus::Failed(message) = &step.outcome.status {
            found.push(Found {
                rule: "fails".to_owned(),
                level: "error",
                message: message.clone(),
                place: place.clone(),
            });
        }
        found.extend(step.judged.findings.iter().map(|finding| Found {
            rule: finding.rule().to_owned(),
            level: "warning",
            message: words::ddl_finding(finding),
            place: place.clone(),
        }));
    }
    found.extend(
        summary::changed(outcome)
            .into_iter()
            .filter_map(of_statement),
    );
    found.extend(outcome.indexes.iter().filter_map(|index| {
        let finding = index.finding.as_ref()?;
        Some(Found {
            rule: format!("{}-index", finding.name()),
            level: "note",
            message: format!("{}: {}", index.index.name, words::index_finding(finding)),
            place: None,
        })
    }));
    found
}

/// A statement that got worse.
fn of_statement(checked: &CheckedStatement) -> Option<Found> {
    let change = checked.change?;
    let level = match change {
        StatementChange::CannotRun => "error",
        _ if checked.regression_percent() > 0.0 => "warning",
        _ => return None,
    };
    let details = [
        summary::cost_change(checked),
        summary::error_after(checked).unwrap_or_default(),
    ];
    let details: Vec<String> = details
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    let place = checked.statement.place.rsplit_once(':');
    let place = place.and_then(|(file, line)| Some((file.to_owned(), line.parse().ok()?)));
    Some(Found {
        rule: format!("statement-{}", change.name().replace('_', "-")),
        level,
        message: format!(
            "{}: {}. {}",
            checked.statement.id.0,
            words::statement_change(change),
            details.join(". ")
        ),
        place,
    })
}

//! What all formats say about a check.

use crate::check::comparison::{Cause, CheckedStatement, StatementChange};
use crate::check::gate::JudgedGate;
use crate::check::outcome::{CheckOutcome, CheckedStep};
use crate::model::factor_text;
use crate::sentences;
use crate::sentences::check as words;

/// `1 plan flipped · 2 dearer · 9 same`.
pub(crate) fn counts(outcome: &CheckOutcome) -> String {
    let mut parts: Vec<String> = StatementChange::ALL
        .into_iter()
        .map(|change| (change, outcome.count(change)))
        .filter(|(_, number)| *number > 0)
        .map(|(change, number)| format!("{number} {}", words::counted_change(change)))
        .collect();
    let without = |is_possible: bool| {
        let is_one = |checked: &&CheckedStatement| {
            checked.change.is_none() && checked.after.plan().is_some() == is_possible
        };
        outcome.statements.iter().filter(is_one).count()
    };
    let (new, unplanned) = (without(true), without(false));
    if new > 0 {
        parts.push(format!("{new} possible only now"));
    }
    if unplanned > 0 {
        parts.push(format!("{unplanned} not planned"));
    }
    let may_change = outcome
        .statements
        .iter()
        .filter(|checked| {
            checked.change == Some(StatementChange::Same) && !checked.assumed.is_empty()
        })
        .count();
    if may_change > 0 {
        parts.push(format!("{may_change} of the same may change"));
    }
    if parts.is_empty() {
        "no statements".to_owned()
    } else {
        parts.join(" · ")
    }
}

/// A migration has no other cause than itself.
pub(super) fn tells_causes(checked: &CheckedStatement) -> bool {
    checked.causes != [Cause::Schema]
}

/// `145 → 3,971: 27 times dearer`; nothing where it is the same, or there is no plan.
pub(super) fn cost_change(checked: &CheckedStatement) -> String {
    let (Some(before), Some(after)) = (checked.cost_before(), checked.cost_after()) else {
        return String::new();
    };
    let times = if after > before {
        format!(": {} dearer", factor_text(after.factor_to(before)))
    } else if after < before {
        format!(": {} cheaper", factor_text(before.factor_to(after)))
    } else {
        String::new()
    };
    if checked.change == Some(StatementChange::Same) {
        return String::new();
    }
    format!("cost {before} → {after}{times}")
}

/// Why a statement has no plan after.
pub(super) fn error_after(checked: &CheckedStatement) -> Option<String> {
    words::no_plan(&checked.after)
}

/// Statements that changed, and those that change under an assumption; what matters most comes first.
pub(super) fn changed(outcome: &CheckOutcome) -> Vec<&CheckedStatement> {
    let mut changed = Vec::new();
    for change in StatementChange::ALL {
        let of_change = outcome.statements.iter().filter(|checked| {
            let is_worth = change != StatementChange::Same || !checked.assumed.is_empty();
            checked.change == Some(change) && is_worth
        });
        let mut of_change: Vec<&CheckedStatement> = of_change.collect();
        of_change.sort_by(|a, b| b.regression_percent().total_cmp(&a.regression_percent()));
        changed.extend(of_change);
    }
    changed
}

/// Statements that can be planned only after the change.
pub(super) fn possible_now(outcome: &CheckOutcome) -> Vec<&CheckedStatement> {
    let is_new = |one: &&CheckedStatement| one.change.is_none() && one.after.plan().is_some();
    outcome.statements.iter().filter(is_new).collect()
}

/// Statements with the same plan, and those that could not be planned.
pub(super) fn unchanged(outcome: &CheckOutcome) -> Vec<&CheckedStatement> {
    let changed = changed(outcome);
    let is_other = |one: &&CheckedStatement| {
        let is_new = one.change.is_none() && one.after.plan().is_some();
        !is_new
            && !changed
                .iter()
                .any(|changed| changed.statement.id == one.statement.id)
    };
    outcome.statements.iter().filter(is_other).collect()
}

/// The first line of a statement of the migration, without line feeds.
pub(super) fn one_line(step: &CheckedStep) -> String {
    let words: Vec<&str> = step.outcome.step.sql.split_whitespace().collect();
    words.join(" ")
}

/// Is there anything to say about a statement of the migration besides that it ran?
pub(super) fn is_worth_saying(step: &CheckedStep) -> bool {
    let outcome = &step.outcome;
    let works = [&outcome.rewrites, &outcome.scans, &outcome.builds];
    !outcome.locks.is_empty()
        || works.iter().any(|tables| !tables.is_empty())
        || !step.judged.findings.is_empty()
        || words::step_status(&outcome.status).is_some()
}

/// What everybody should know who trusts the result.
pub(super) fn notices(outcome: &CheckOutcome) -> Vec<String> {
    let mut notices = words::unknowns(&outcome.unknown);
    if outcome.misses_something() {
        notices.insert(0, words::PARTIAL.to_owned());
    }
    if outcome.may_break_others() {
        notices.push(words::PARTIAL_DEPENDENCIES.to_owned());
    }
    if outcome.steps.iter().any(|step| step.duration.is_some()) {
        notices.push(
            "Durations are estimates from the sizes of tables, from half to four times of what was measured on one machine; waiting for a lock is not in them"
                .to_owned(),
        );
    }
    notices.extend(words::upgrade(&outcome.upgrade));
    notices.extend(words::only(&outcome.only));
    notices.extend(outcome.gaps.iter().map(sentences::gap));
    notices.extend(outcome.left_out.iter().map(sentences::left_out));
    notices
}

/// `--fail-on flip: jobs-queue, job-list`.
pub(super) fn gate(gate: &JudgedGate) -> String {
    format!("--fail-on {}: {}", gate.gate.text(), gate.by.join(", "))
}

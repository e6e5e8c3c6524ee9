//! Triggers that take more than the statement itself; above all those of foreign keys without an
//! index on the referencing side.

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count, percent};
use crate::model::quote_identifier;
use crate::plan::metrics::{Basis, Trigger};

/// At least this share of the execution.
const MIN_TRIGGER_SHARE: f64 = 0.20;

pub(super) const RULE: Rule = Rule {
    name: "trigger-dominates",
    max_severity: Severity::Critical,
    looks_for: "a trigger that takes a fifth of the execution time or more",
    why: "deleting or changing a referenced row searches the referencing table for it, row by row; without an index it is read whole",
    source: "https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK",
    check: Check::Plan(check),
};

fn check(subject: &Subject<'_>) -> Vec<Draft> {
    let Basis::Time(whole) = subject.metrics.basis else {
        return Vec::new();
    };
    let triggers = subject.metrics.summary.triggers.iter();
    let long = triggers.filter(|trigger| trigger.time.0 >= MIN_TRIGGER_SHARE * whole.0);
    long.map(|trigger| draft(subject, trigger, trigger.time.0 / whole.0))
        .collect()
}

fn draft(subject: &Subject<'_>, trigger: &Trigger, share: f64) -> Draft {
    let table = trigger
        .relation
        .as_deref()
        .map_or_else(String::new, |relation| {
            format!(" on {}", quote_identifier(relation))
        });
    let name = trigger.constraint.as_ref().unwrap_or(&trigger.name);
    let what = match &trigger.constraint {
        Some(_) => "foreign key or constraint",
        None => "trigger",
    };
    let taken = format!(
        "the {what} {name}{table} took {} for {} calls, {} of the execution.",
        trigger.time,
        count(trigger.calls),
        percent(share.min(1.0))
    );
    let draft = |message| Draft::new(subject.plan.root(), trigger.time.0, message);
    if trigger.constraint.is_none() {
        return draft(taken);
    }
    let literal = name.replace('\'', "''");
    draft(format!("{taken} Each call searches the referencing table; create an index on its columns.")).action(format!(
        "SELECT conrelid::regclass, pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{literal}';"
    ))
}

//! What a check found, in sentences.

use crate::check::comparison::{Assumed, Assumption, Cause, CheckedStatement, StatementChange};
use crate::check::duration::DurationRange;
use crate::check::index_use::IndexFinding;
use crate::check::lock::Blocks;
use crate::check::migration::{HeldLock, StepStatus};
use crate::check::outcome::{Only, SettingChange, Unknown, Upgrade};
use crate::check::row_conditions::Contradiction;
use crate::check::safer::DdlFinding;
use crate::check::script::LeftOut;
use crate::model::QualifiedName;
use crate::planner::PlanOutcome;

/// Why something may be missing.
pub const PARTIAL: &str = "What does not exist may be missing in the twin file only, which has the tables of its workload: take it with pgrehearse snapshot --all-tables";

/// Why something that would be refused may not have been.
pub const PARTIAL_DEPENDENCIES: &str = "The twin file has only the tables of its workload: views and foreign keys of others that need what is dropped or changed are not known. Take it with pgrehearse snapshot --all-tables";

/// What is said of a statement of a migration.
pub fn ddl_finding(finding: &DdlFinding) -> String {
    match finding {
        DdlFinding::IndexBlocksWrites => {
            "builds an index while all writers of the table wait".to_owned()
        }
        DdlFinding::DropWaits => {
            "waits for everybody who uses the table, and everybody who comes later waits for it"
                .to_owned()
        }
        DdlFinding::ConstraintScans => {
            "reads all rows to check the constraint while others wait".to_owned()
        }
        DdlFinding::NotNullScans => {
            "reads all rows to look for NULLs while everybody waits; a validated CHECK (… IS NOT NULL) spares that".to_owned()
        }
        DdlFinding::ConstraintBuilds => {
            "builds the index of the constraint while everybody waits".to_owned()
        }
        DdlFinding::DefaultRewrites => {
            "writes all rows anew, because the default is not the same value for all of them"
                .to_owned()
        }
        DdlFinding::TypeRewrites => {
            "writes all rows and indexes anew while everybody waits, because the new type stores values in another way".to_owned()
        }
        DdlFinding::Rewrites => "writes all rows anew while everybody waits".to_owned(),
        DdlFinding::FailsOnValues(message) => format!(
            "fails on a value that the statistics have, so probably on the server, too: {message}"
        ),
        DdlFinding::FailsOnRows(Contradiction::Nulls { column, share }) => format!(
            "probably fails: when ANALYZE last ran, {} of the rows had no {column}",
            null_share(*share)
        ),
        DdlFinding::FailsOnRows(Contradiction::Repeats { column }) => format!(
            "probably fails: when ANALYZE last ran, several rows had the same {column}"
        ),
        DdlFinding::LosesStatistics(columns) => format!(
            "removes the statistics of {}: run ANALYZE right after it, or plans are guesses until autovacuum does",
            columns.join(", ")
        ),
        DdlFinding::NoLockTimeout => {
            "waits for its lock as long as any transaction uses the table, and everybody who comes later waits, too: set lock_timeout, and try again if it fails".to_owned()
        }
        DdlFinding::HoldsLock(table) => format!(
            "its lock is held to the end of the transaction, while a later statement works on all rows of {table}: put them in different transactions"
        ),
    }
}

fn null_share(share: f32) -> String {
    let percent = f64::from(share) * 100.0;
    if percent < 0.1 {
        "less than 0.1 %".to_owned()
    } else {
        format!("{percent:.1} %")
    }
}

/// How a statement of a migration ended, where that is worth saying.
pub fn step_status(status: &StepStatus) -> Option<String> {
    match status {
        StepStatus::Done => None,
        StepStatus::Planned { rows } => Some(format!(
            "not executed, because the planner twin has no rows; expected rows: {}",
            crate::model::group_thousands(*rows, 0)
        )),
        StepStatus::LeftOut(LeftOut::Privileges) => {
            Some("not executed: privileges and owners change no plan".to_owned())
        }
        StepStatus::LeftOut(LeftOut::Rows) => {
            Some("not executed: the planner twin has no rows".to_owned())
        }
        StepStatus::LeftOut(LeftOut::Outside) => Some(
            "not executed: the planner twin runs only what defines tables, indexes, views, types and functions".to_owned(),
        ),
        StepStatus::LeftOut(LeftOut::Unknown) => {
            Some("not executed: this is no statement that a migration is known to have".to_owned())
        }
        StepStatus::NotPossible(message) => {
            Some(format!("not executed, the planner twin refuses it: {message}"))
        }
        StepStatus::Failed(message) => Some(message.clone()),
        StepStatus::NotReached => Some("not reached, because a statement before failed".to_owned()),
    }
}

/// `AccessExclusiveLock on public.t: reads and writes wait`.
pub fn lock(lock: &HeldLock) -> String {
    let waits = match lock.mode.blocks() {
        Blocks::ReadsAndWrites => "reads and writes wait",
        Blocks::Writes => "writes wait",
        Blocks::Definitions => "reads and writes go on",
    };
    format!("{} on {}: {waits}", lock.mode.name(), lock.relation)
}

/// `12 s to 50 s`, or `at once`.
pub fn duration(range: DurationRange) -> String {
    if range.is_short() {
        "at once".to_owned()
    } else {
        format!("{} to {}", range.low, range.high)
    }
}

/// An assumption about what nobody knows yet.
pub fn assumption(assumption: Assumption) -> String {
    let text = match assumption {
        Assumption::NotAnalyzed => "until ANALYZE has run",
        Assumption::DistinctColumns => "if each row has another value in the new columns",
        Assumption::ConstantColumns => "if all rows have the same value in the new columns",
        Assumption::LargeTables => "once the new tables are as large as the largest one",
        Assumption::Grown { last: 1, factor } => {
            return format!("with {factor} times the rows or less");
        }
        Assumption::Redrawn { times, draws } => {
            return format!("in {times} of {draws} draws of what ANALYZE may find");
        }
        Assumption::Grown { last, factor } => {
            return format!("between {last} and {factor} times the rows");
        }
    };
    text.to_owned()
}

/// `plan flipped until ANALYZE has run`.
pub fn assumed(assumed: &Assumed) -> String {
    format!(
        "{} {}",
        statement_change(assumed.change),
        assumption(assumed.assumption)
    )
}

/// Why a statement changed: `because of settings and statistics`.
fn causes(causes: &[Cause]) -> String {
    let names: Vec<&str> = causes.iter().map(|cause| cause.name()).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => format!("because of {one}"),
        [first @ .., last] => format!("because of {} and {last}", first.join(", ")),
    }
}

/// Why a statement changed, and what alone makes the difference: `because of version (enable_memoize)`.
pub fn reasons(checked: &CheckedStatement) -> String {
    let causes = causes(&checked.causes);
    if causes.is_empty() || checked.responsible.is_empty() {
        return causes;
    }
    format!("{causes} ({})", checked.responsible.join(", "))
}

/// The columns on whose statistics a plan depends by chance, and what helps.
pub fn chance(checked: &CheckedStatement) -> Vec<String> {
    let is_drawn = |assumed: &Assumed| matches!(assumed.assumption, Assumption::Redrawn { .. });
    if !checked.assumed.iter().any(is_drawn) {
        return Vec::new();
    }
    let columns = match checked.responsible.as_slice() {
        [] => "depends on the statistics of several columns together".to_owned(),
        columns => format!("depends on the statistics of {}", columns.join(", ")),
    };
    let remedy = match checked.remedies.as_slice() {
        [] => "neither a larger statistics target nor an index that was tried makes it certain"
            .to_owned(),
        remedies => format!("certain after: {}", remedies.join(" ")),
    };
    vec![columns, remedy]
}

/// What happened to a statement, in a word or two.
pub fn statement_change(change: StatementChange) -> &'static str {
    match change {
        StatementChange::Same => "same",
        StatementChange::Cheaper => "cheaper",
        StatementChange::Dearer => "dearer",
        StatementChange::Flipped => "plan flipped",
        StatementChange::CannotRun => "cannot run any more",
    }
}

/// The same where statements are counted: `2 flipped`.
pub fn counted_change(change: StatementChange) -> &'static str {
    match change {
        StatementChange::Flipped => "flipped",
        StatementChange::CannotRun => "cannot run",
        other => statement_change(other),
    }
}

/// What is wrong with an index that was added.
pub fn index_finding(finding: &IndexFinding) -> String {
    match finding {
        IndexFinding::Unused => "no statement of the workload uses it".to_owned(),
        IndexFinding::Redundant(other) => {
            format!("redundant: {other} answers all that it answers")
        }
    }
}

/// What the result rests on, because nobody can know it yet.
pub fn unknowns(unknown: &Unknown) -> Vec<String> {
    let mut sentences = Vec::new();
    let columns = |columns: &[(QualifiedName, String)]| {
        let names = columns
            .iter()
            .map(|(table, name)| format!("{table}.{name}"));
        names.collect::<Vec<_>>().join(", ")
    };
    if !unknown.tables.is_empty() {
        let names: Vec<String> = unknown.tables.iter().map(ToString::to_string).collect();
        sentences.push(format!(
            "{} new: planned as empty, and as large as the largest table",
            is_are(&names.join(", "), names.len())
        ));
    }
    if !unknown.columns.is_empty() {
        sentences.push(format!(
            "{} new: planned without statistics, with another value in each row, and with one value in all rows",
            is_are(&columns(&unknown.columns), unknown.columns.len())
        ));
    }
    if !unknown.rewritten.is_empty() {
        let names: Vec<String> = unknown.rewritten.iter().map(ToString::to_string).collect();
        sentences.push(format!(
            "{} written anew: until VACUUM has run, index-only scans read the table, too, and cost more",
            is_are(&names.join(", "), names.len())
        ));
    }
    if !unknown.until_analyze.is_empty() {
        sentences.push(format!(
            "{} no statistics until the next ANALYZE: planned without any, and with those of before, converted",
            has_have(&columns(&unknown.until_analyze), unknown.until_analyze.len())
        ));
    }
    if unknown.left_open {
        sentences.push(
            "The migration ends in a transaction without COMMIT, which takes back what was done in it"
                .to_owned(),
        );
    }
    sentences
}

fn is_are(names: &str, number: usize) -> String {
    format!("{names} {}", if number == 1 { "is" } else { "are" })
}

fn has_have(names: &str, number: usize) -> String {
    format!("{names} {}", if number == 1 { "has" } else { "have" })
}

/// What another version changes besides plans.
pub fn upgrade(upgrade: &Upgrade) -> Vec<String> {
    let refused = upgrade.refused.iter();
    let mut sentences: Vec<String> = refused
        .map(|(object, message)| {
            let first = message.lines().next().unwrap_or_default();
            format!("The new version refuses {object}, so an upgrade would fail: {first}")
        })
        .collect();
    let list = |kind: &dyn Fn(&SettingChange) -> Option<String>| {
        let settings = upgrade.settings.iter().filter_map(kind);
        settings.collect::<Vec<_>>().join(", ")
    };
    let new = list(&|setting| match (&setting.before, &setting.after) {
        (None, Some(after)) => Some(format!("{} = {after}", setting.name)),
        _ => None,
    });
    let gone = list(&|setting| match (&setting.before, &setting.after) {
        (Some(before), None) => Some(format!("{} (was {before})", setting.name)),
        _ => None,
    });
    let other = list(&|setting| match (&setting.before, &setting.after) {
        (Some(before), Some(after)) => Some(format!("{} = {after} (was {before})", setting.name)),
        _ => None,
    });
    for (what, names) in [
        ("Settings that are new", new),
        ("Settings that are gone", gone),
        (
            "Settings with another default, which nobody had changed",
            other,
        ),
    ] {
        if !names.is_empty() {
            sentences.push(format!("{what}: {names}"));
        }
    }
    sentences
}

/// Statements that only one side has.
pub fn only(only: &Only) -> Vec<String> {
    [(&only.before, "before"), (&only.after, "after")]
        .into_iter()
        .filter(|(names, _)| !names.is_empty())
        .map(|(names, side)| format!("Only {side}: {}", names.join(", ")))
        .collect()
}

/// Why a statement has no plan; none if it has one.
pub fn no_plan(outcome: &PlanOutcome) -> Option<String> {
    match outcome {
        PlanOutcome::Plan(_) => None,
        PlanOutcome::Failed(message) => Some(message.clone()),
        PlanOutcome::Empty => Some("there is nothing to plan".to_owned()),
        PlanOutcome::NotExecuted(reason) => Some(super::not_executed(reason)),
        PlanOutcome::TwinOnly(reason) => Some(super::not_planned(reason)),
    }
}

//! The report of `check` as text: the summary first, then the migration statement by statement, the
//! statements that changed with both plans side by side, and last what decides the exit status.

use std::fmt::Write as _;

use super::summary;
use crate::check::comparison::{Assumed, CheckedStatement, StatementChange};
use crate::check::gate::JudgedGate;
use crate::check::index_use::IndexUse;
use crate::check::migration::{IndexChange, StepStatus};
use crate::check::outcome::{CheckOutcome, CheckedStep};
use crate::model::printable;
use crate::model::printable::printable_sql;
use crate::planner::PlanOutcome;
use crate::report::style::{BAD, BOLD, DIM, GOOD, HOT, MIN_WIDTH, styled};
use crate::report::text::side_by_side;
use crate::sentences::check as words;
use crate::text_layout::{indent, titled_rule, truncate};

/// Columns before what is said of a statement of the migration.
const LABEL_COLUMNS: usize = 11;

/// Writes the report.
pub fn write(outcome: &CheckOutcome, gates: &[JudgedGate], width: usize) -> String {
    let width = width.max(MIN_WIDTH);
    let mut text = String::new();
    let title = format!(
        "{} → {}",
        printable(&outcome.before.source),
        printable(&outcome.after.source)
    );
    let _ = writeln!(text, "{}", styled(BOLD, truncate(&title, width)));
    let _ = writeln!(text, "{}\n", indent(&summary::counts(outcome), "", width));
    migration(&mut text, outcome, width);
    for checked in summary::changed(outcome) {
        statement(&mut text, checked, width);
        fixes(&mut text, checked, outcome, width);
        text.push('\n');
    }
    for checked in summary::possible_now(outcome) {
        new_statement(&mut text, checked, width);
    }
    unchanged(&mut text, outcome, width);
    indexes(&mut text, &outcome.indexes, width);
    for notice in summary::notices(outcome) {
        let line = format!("! {}", printable(&notice));
        let _ = writeln!(text, "{}", styled(DIM, indent(&line, "", width)));
    }
    for gate in gates.iter().filter(|gate| gate.is_met()) {
        let line = printable(&summary::gate(gate)).into_owned();
        let _ = writeln!(text, "{}", styled(BAD, indent(&line, "", width)));
    }
    text
}

fn migration(text: &mut String, outcome: &CheckOutcome, width: usize) {
    let mut file = "";
    let not_reached = outcome
        .steps
        .iter()
        .filter(|step| step.outcome.status == StepStatus::NotReached)
        .count();
    for step in &outcome.steps {
        if step.outcome.status == StepStatus::NotReached {
            continue;
        }
        let name = &step.outcome.step.file;
        if name != file {
            let _ = writeln!(text, "{}", styled(BOLD, truncate(&printable(name), width)));
            file = name;
        }
        ddl(text, step, width);
    }
    if not_reached > 0 {
        let line = format!("      {not_reached} more statements were not reached");
        let _ = writeln!(text, "{}", styled(DIM, line));
    }
    if !outcome.steps.is_empty() {
        text.push('\n');
    }
}

fn ddl(text: &mut String, step: &CheckedStep, width: usize) {
    let place = format!("{:>4}  ", step.outcome.step.line);
    let sql = truncate(
        &printable_sql(&summary::one_line(step)),
        width.saturating_sub(place.len()),
    );
    let _ = writeln!(text, "{}{sql}", styled(DIM, place));
    if !summary::is_worth_saying(step) {
        return;
    }
    for lock in &step.outcome.locks {
        labelled(text, "lock", &words::lock(lock), width);
    }
    let tables = |tables: &[crate::model::QualifiedName]| {
        let names: Vec<String> = tables.iter().map(ToString::to_string).collect();
        names.join(", ")
    };
    let outcome = &step.outcome;
    if !outcome.rewrites.is_empty() {
        labelled(text, "rewrites", &tables(&outcome.rewrites), width);
    }
    if !outcome.scans.is_empty() {
        labelled(text, "reads", &tables(&outcome.scans), width);
    }
    if !outcome.builds.is_empty() {
        let number = outcome.builds.len();
        let what = if number == 1 { "index" } else { "indexes" };
        labelled(text, "builds", &format!("{number} {what}"), width);
    }
    if let Some(range) = step.duration {
        labelled(text, "takes", &words::duration(range), width);
    }
    if let Some(status) = words::step_status(&outcome.status) {
        let (style, label) = match outcome.status {
            StepStatus::Failed(_) => (BAD, "fails"),
            _ => (DIM, "note"),
        };
        for line in status.lines() {
            styled_label(text, (style, label), line, width);
        }
    }
    for finding in &step.judged.findings {
        styled_label(text, (HOT, "!"), &words::ddl_finding(finding), width);
    }
    for (number, sql) in step.judged.safer.iter().enumerate() {
        let label = if number == 0 { "instead" } else { "" };
        styled_label(text, (GOOD, label), &printable_sql(sql), width);
    }
}

fn labelled(text: &mut String, label: &str, what: &str, width: usize) {
    let line = beside_label(what, width);
    let label = styled(DIM, format!("{label:<LABEL_COLUMNS$}"));
    let _ = writeln!(text, "      {label}{line}");
}

fn styled_label(
    text: &mut String,
    (style, label): (anstyle::Style, &str),
    what: &str,
    width: usize,
) {
    let line = beside_label(what, width);
    let line = styled(style, format!("{label:<LABEL_COLUMNS$}{line}"));
    let _ = writeln!(text, "      {line}");
}

/// Wrapped to what a label leaves of the width.
fn beside_label(what: &str, width: usize) -> String {
    let margin = " ".repeat(6 + LABEL_COLUMNS);
    let wrapped = indent(&printable(what), &margin, width);
    wrapped.trim_start().to_owned()
}

fn statement(text: &mut String, checked: &CheckedStatement, width: usize) {
    let Some(change) = checked.change else { return };
    let style = match change {
        StatementChange::CannotRun | StatementChange::Dearer => BAD,
        StatementChange::Flipped if checked.cost_after() > checked.cost_before() => BAD,
        StatementChange::Same => DIM,
        _ => GOOD,
    };
    let name = styled(BOLD, printable(&checked.statement.id.0));
    let (style, what) = match (change, checked.assumed.first()) {
        (StatementChange::Same, Some(first)) => (HOT, words::assumed(first)),
        _ => (style, words::statement_change(change).to_owned()),
    };
    let what = styled(style, what);
    let _ = writeln!(text, "{}", titled_rule(&name, &what, width));
    let costs = summary::cost_change(checked);
    let causes = if summary::tells_causes(checked) {
        printable(&words::reasons(checked)).into_owned()
    } else {
        String::new()
    };
    let line: Vec<&str> = [costs.as_str(), causes.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    if !line.is_empty() {
        let _ = writeln!(
            text,
            "{}",
            styled(style, indent(&line.join(", "), "  ", width))
        );
    }
    if let Some(error) = summary::error_after(checked) {
        for line in error.lines() {
            let _ = writeln!(
                text,
                "{}",
                styled(BAD, indent(&printable(line), "  ", width))
            );
        }
    }
    for line in words::chance(checked) {
        let _ = writeln!(
            text,
            "{}",
            styled(HOT, indent(&printable(&line), "  ", width))
        );
    }
    if change == StatementChange::Flipped {
        plans(text, &checked.before, &checked.after, width);
    }
    for assumed in &checked.assumed {
        assumption(text, assumed, width);
        if assumed.change == StatementChange::Flipped {
            plans(text, &checked.before, &assumed.after, width);
        }
    }
}

/// What a statement does under an assumption, and its cost then.
fn assumption(text: &mut String, assumed: &Assumed, width: usize) {
    let cost = assumed
        .after
        .plan()
        .map_or_else(String::new, |plan| format!(", cost {}", plan.total_cost()));
    let line = format!("{}{cost}", words::assumed(assumed));
    let _ = writeln!(text, "{}", styled(HOT, indent(&line, "  ", width)));
}

/// Two plans side by side.
fn plans(text: &mut String, before: &PlanOutcome, after: &PlanOutcome, width: usize) {
    if let (Some(before), Some(after)) = (before.plan(), after.plan()) {
        text.push_str(&side_by_side::write(before, Some(after), width));
    }
}

/// A statement that can be planned only after the change, with its plan.
fn new_statement(text: &mut String, checked: &CheckedStatement, width: usize) {
    let Some(plan) = checked.after.plan() else {
        return;
    };
    let name = styled(BOLD, printable(&checked.statement.id.0));
    let what = styled(DIM, "possible only now");
    let _ = writeln!(text, "{}", titled_rule(&name, &what, width));
    let _ = writeln!(text, "  cost {}", plan.total_cost());
    let shape = crate::check::shape::shape(plan);
    for line in printable::printable_lines(&shape).lines() {
        let _ = writeln!(text, "    {}", truncate(line, width.saturating_sub(4)));
    }
    for assumed in &checked.assumed {
        assumption(text, assumed, width);
    }
    text.push('\n');
}

/// The indexes that would help.
fn fixes(text: &mut String, checked: &CheckedStatement, outcome: &CheckOutcome, width: usize) {
    for (fix, cost) in outcome.fixes_of(&checked.statement.id) {
        let line = format!("{} would help (cost {cost}, {}):", fix.id, fix.size);
        let _ = writeln!(text, "{}", styled(GOOD, indent(&line, "  ", width)));
        for sql in &fix.ddl {
            let _ = writeln!(text, "{}", indent(&printable_sql(sql), "    ", width));
        }
    }
}

fn unchanged(text: &mut String, outcome: &CheckOutcome, width: usize) {
    let (mut same, mut unplanned) = (Vec::new(), Vec::new());
    for checked in summary::unchanged(outcome) {
        let name = printable(&checked.statement.id.0).into_owned();
        match (checked.change, &checked.before) {
            (Some(_), _) => same.push(name),
            (None, before) => unplanned.push((name, before)),
        }
    }
    if !same.is_empty() {
        let line = format!("same: {}", same.join(", "));
        let _ = writeln!(text, "{}\n", styled(DIM, indent(&line, "", width)));
    }
    for (name, before) in unplanned {
        let line = format!("{name} was not planned: {}", reason(before));
        let _ = writeln!(text, "{}\n", styled(DIM, indent(&line, "", width)));
    }
}

fn reason(before: &PlanOutcome) -> String {
    let reason = words::no_plan(before).unwrap_or_default();
    printable(reason.lines().next().unwrap_or_default()).into_owned()
}

fn indexes(text: &mut String, indexes: &[IndexUse], width: usize) {
    for index in indexes {
        let (sign, verb) = match index.index.change {
            IndexChange::Added => ("+", "used by"),
            IndexChange::Dropped => ("-", "was used by"),
        };
        let used = match (index.used_by.as_slice(), index.index.change) {
            ([], IndexChange::Dropped) => "no statement of the workload used it".to_owned(),
            ([], IndexChange::Added) if index.index.enforces => "enforces a constraint".to_owned(),
            ([], IndexChange::Added) => String::new(),
            (names, _) => format!("{verb} {}", names.join(", ")),
        };
        let finding = index.finding.as_ref().map(words::index_finding);
        let parts: Vec<String> = [Some(used), finding].into_iter().flatten().collect();
        let parts: Vec<&str> = parts
            .iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        let line = format!(
            "{sign} {} ({}): {}",
            printable(&index.index.name.to_string()),
            index.index.size,
            printable(&parts.join("; "))
        );
        let style = if index.finding.is_some() { HOT } else { DIM };
        let _ = writeln!(text, "{}", styled(style, indent(&line, "", width)));
    }
    if !indexes.is_empty() {
        text.push('\n');
    }
}

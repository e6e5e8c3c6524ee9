//! Two twin files: which statements changed, and why (`causes`).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use super::causes::Causes;
use super::subject::{Subject, plan_of};
use crate::check::comparison::CheckedStatement;
use crate::check::outcome::{CheckOutcome, Only};
use crate::check::shape::Renamed;
use crate::cli::CheckArgs;
use crate::command::CommandError;
use crate::command::planners::TwinMaker;
use crate::planner::Event;
use crate::sql::fingerprint::fingerprint;
use crate::terminal::Progress;
use crate::workload::{Statement, Workload};

/// Compares the plans of the statements that both files have.
pub(super) fn compare(
    (before, after): (&Path, &Path),
    arguments: &CheckArgs,
    twin_maker: &TwinMaker,
    progress: &Progress,
) -> Result<CheckOutcome, CommandError> {
    progress.observe(Event::Begin {
        what: "comparing twin files",
        steps: 3,
    });
    let own = Subject::of_file(before, arguments, twin_maker)?;
    let other = Subject::of_file(after, arguments, twin_maker)?;
    let (statements, only) = shared(&own.workload, &other.workload);
    let causes = Causes {
        before: &own,
        after: &other,
        twin_maker,
        known: RefCell::default(),
    };
    progress.observe(Event::Step("plans before"));
    let plans_before = causes.plans(&own.snapshot, &statements)?;
    progress.observe(Event::Step("plans after"));
    let plans_after = causes.plans(&other.snapshot, &statements)?;
    let renamed = Renamed::new();
    let mut checked: Vec<CheckedStatement> = statements
        .iter()
        .map(|statement| {
            let outcomes = (
                plan_of(&plans_before, &statement.id),
                plan_of(&plans_after, &statement.id),
            );
            CheckedStatement::new(statement.clone(), outcomes.0, outcomes.1, &renamed)
        })
        .collect();
    progress.observe(Event::Step("causes"));
    causes.note(&mut checked)?;
    progress.observe(Event::End);
    Ok(CheckOutcome {
        before: own.side(),
        after: other.side(),
        statements: checked,
        only,
        gaps: other.snapshot.gaps.clone(),
        left_out: other.workload.left_out().to_vec(),
        ..CheckOutcome::default()
    })
}

/// The statements of both workloads, with the texts of the second; they correspond by their names, or
/// else by what they are without their constants.
fn shared(before: &Workload, after: &Workload) -> (Vec<Statement>, Only) {
    let key = |statement: &Statement| fingerprint(&statement.sql);
    let ids = |workload: &Workload| {
        let statements = workload.statements().iter();
        statements
            .map(|statement| (key(statement), statement.id.clone()))
            .collect::<BTreeMap<_, _>>()
    };
    let (of_before, of_after) = (ids(before), ids(after));
    let is_in = |statement: &Statement, workload: &Workload, keys: &BTreeMap<_, _>| {
        let has_name = statement.is_named() && workload.statement(&statement.id).is_some();
        has_name || keys.contains_key(&key(statement))
    };
    let mut only = Only::default();
    let mut statements = Vec::new();
    for statement in after.statements() {
        if is_in(statement, before, &of_before) {
            statements.push(statement.clone());
        } else {
            only.after.push(statement.id.0.clone());
        }
    }
    for statement in before.statements() {
        if !is_in(statement, after, &of_after) {
            only.before.push(statement.id.0.clone());
        }
    }
    (statements, only)
}

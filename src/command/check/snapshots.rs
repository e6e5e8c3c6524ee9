//! Two twin files: which statements changed, and why. The reason is found by exchanging one part of a
//! snapshot at a time.

use std::collections::BTreeMap;
use std::path::Path;

use super::subject::{Plans, Subject, plan_of, plans};
use crate::check::comparison::{Cause, CheckedStatement, StatementChange, change};
use crate::check::outcome::{CheckOutcome, Only};
use crate::check::shape::Renamed;
use crate::cli::CheckArgs;
use crate::command::CommandError;
use crate::command::planners::TwinMaker;
use crate::planner::{Event, Target};
use crate::sql::fingerprint::fingerprint;
use crate::terminal::Progress;
use crate::twin::Snapshot;
use crate::twin::exchange::{Part, exchanged};
use crate::workload::{Statement, Workload};

/// Plans statements with a twin of a snapshot.
type PlanWith<'p> = dyn Fn(&Snapshot, &[Statement]) -> Result<Plans, CommandError> + 'p;

/// The parts that are exchanged, and the cause that each stands for.
const PARTS: [(Part, Cause); 3] = [
    (Part::Statistics, Cause::Statistics),
    (Part::Size, Cause::Size),
    (Part::Settings, Cause::Settings),
];

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
    let planned = |snapshot: &Snapshot, statements: &[Statement]| -> Result<Plans, CommandError> {
        let mut twin = twin_maker.make(snapshot)?;
        plans(&mut twin, Target::Twin, statements)
    };
    progress.observe(Event::Step("plans before"));
    let plans_before = planned(&own.snapshot, &statements)?;
    progress.observe(Event::Step("plans after"));
    let plans_after = planned(&other.snapshot, &statements)?;
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
    let snapshots = (&own.snapshot, &other.snapshot);
    find_causes(&mut checked, snapshots, &planned)?;
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

/// A part is a cause if it alone, exchanged, makes the plan another one: in the snapshot before, or
/// exchanged back in the one after. What no part explains is the schema, or the version.
fn find_causes(
    checked: &mut [CheckedStatement],
    (before, after): (&Snapshot, &Snapshot),
    planned: &PlanWith<'_>,
) -> Result<(), CommandError> {
    let is_changed = |checked: &&mut CheckedStatement| {
        checked
            .change
            .is_some_and(|change| change != StatementChange::Same)
    };
    let mut changed: Vec<&mut CheckedStatement> = checked.iter_mut().filter(is_changed).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let statements: Vec<Statement> = changed.iter().map(|one| one.statement.clone()).collect();
    let renamed = Renamed::new();
    let differs = |one: &CheckedStatement, plans: &Plans| {
        let plan = plan_of(plans, &one.statement.id);
        change(&one.before, &plan, &renamed) != Some(StatementChange::Same)
    };
    let all_parts: Vec<Part> = PARTS.iter().map(|(part, _)| *part).collect();
    for (part, cause) in PARTS {
        let alone = planned(&exchanged(before, after, &[part]), &statements)?;
        for one in &mut changed {
            if differs(one, &alone) {
                one.causes.push(cause);
            }
        }
    }
    // Everything but the schema as before.
    let other_schema = planned(&exchanged(after, before, &all_parts), &statements)?;
    let is_other_version = before.origin.major() != after.origin.major();
    for one in &mut changed {
        if differs(one, &other_schema) {
            let cause = if is_other_version {
                Cause::Version
            } else {
                Cause::Schema
            };
            one.causes.push(cause);
        }
        if one.causes.is_empty() {
            // Only several of them together make the difference.
            one.causes.extend([Cause::Statistics, Cause::Size]);
        }
    }
    Ok(())
}

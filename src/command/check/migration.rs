//! A migration, executed in a twin.

use super::advice;
use super::subject::{Plans, Subject, plan_of, plans};
use crate::check::comparison::{Assumption, CheckedStatement};
use crate::check::migration::Migrated;
use crate::check::outcome::{CheckOutcome, Side};
use crate::check::script::Step;
use crate::command::CommandError;
use crate::command::planners::TwinMaker;
use crate::db::Twin;
use crate::planner::{Event, Target};
use crate::terminal::Progress;
use crate::workload::Statement;

/// Executes the migration in a twin and plans the statements before and after it.
pub(super) fn migrate(
    subject: &Subject,
    steps: &[Step],
    twin_maker: &TwinMaker,
    progress: &Progress,
) -> Result<CheckOutcome, CommandError> {
    progress.observe(Event::Begin {
        what: "checking the migration",
        steps: 4,
    });
    let statements = subject.workload.statements();
    progress.observe(Event::Step("planner twin"));
    let mut twin = twin_maker.make(&subject.snapshot)?;
    let before = plans(&mut twin, Target::Twin, statements)?;
    progress.observe(Event::Step("migration"));
    let executed = twin.migrate(&subject.snapshot, steps)?;
    progress.observe(Event::Step("plans"));
    let at_once = plans(&mut twin, Target::Twin, statements)?;
    twin.assume_analyzed(&executed.lost)?;
    let has_lost = !executed.lost.is_empty();
    let migrated = executed.migrated;
    let after = if has_lost {
        plans(&mut twin, Target::Twin, statements)?
    } else {
        at_once.clone()
    };
    let mut assumed = with_new_columns(&mut twin, &migrated, statements)?;
    if has_lost {
        assumed.insert(0, (Assumption::NotAnalyzed, at_once));
    }
    let compared = |assumed: &[(Assumption, Plans)]| -> Vec<CheckedStatement> {
        let one = |statement: &Statement| {
            let id = &statement.id;
            let outcomes = (plan_of(&before, id), plan_of(&after, id));
            let mut checked =
                CheckedStatement::new(statement.clone(), outcomes.0, outcomes.1, &migrated.renamed);
            for (assumption, plans) in assumed {
                checked.assume(*assumption, plan_of(plans, id), &migrated.renamed);
            }
            checked.note_cause_of_migration();
            checked
        };
        statements.iter().map(one).collect()
    };
    progress.observe(Event::Step("indexes for what got worse"));
    let fixes = advice::fixes(&mut twin, &compared(&[]))?;
    assumed.extend(with_large_tables(&mut twin, &migrated, statements)?);
    progress.observe(Event::End);
    let checked = compared(&assumed);
    let sides = (subject.side(), after_files(subject, &migrated));
    let mut outcome = CheckOutcome::of_migration(sides, &migrated, checked);
    outcome.fixes = fixes;
    outcome.is_partial = subject.is_partial;
    outcome.gaps.clone_from(&subject.snapshot.gaps);
    outcome.left_out = subject.workload.left_out().to_vec();
    Ok(outcome)
}

/// `prod.twin + m.sql`.
fn after_files(subject: &Subject, migrated: &Migrated) -> Side {
    let mut files: Vec<&str> = vec![&subject.source];
    for step in &migrated.steps {
        if files.last() != Some(&step.step.file.as_str()) {
            files.push(&step.step.file);
        }
    }
    let source = match files.as_slice() {
        [own, first, _, .., last] => format!("{own} + {first} … {last}"),
        all => all.join(" + "),
    };
    Side {
        source,
        ..subject.side()
    }
}

/// The plans under assumptions about new columns.
fn with_new_columns(
    twin: &mut Twin,
    migrated: &Migrated,
    statements: &[Statement],
) -> Result<Vec<(Assumption, Plans)>, CommandError> {
    let mut assumed = Vec::new();
    if !migrated.new_columns.is_empty() {
        for (assumption, distinct) in [
            (Assumption::DistinctColumns, -1.0),
            (Assumption::ConstantColumns, 1.0),
        ] {
            twin.assume_new_columns(migrated, distinct)?;
            assumed.push((assumption, plans(twin, Target::Twin, statements)?));
        }
        twin.forget_new_columns()?;
    }
    Ok(assumed)
}

/// The plans once new tables are large. The twin keeps that.
fn with_large_tables(
    twin: &mut Twin,
    migrated: &Migrated,
    statements: &[Statement],
) -> Result<Option<(Assumption, Plans)>, CommandError> {
    if migrated.new_tables.is_empty() {
        return Ok(None);
    }
    twin.enlarge_new_tables(&migrated.new_tables)?;
    let large = plans(twin, Target::Twin, statements)?;
    Ok(Some((Assumption::LargeTables, large)))
}

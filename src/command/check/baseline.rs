//! Expected plans in a directory: read, compared, and written with `--update`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::check::baseline::{ExpectedPlan, file_names};
use crate::check::comparison::CheckedStatement;
use crate::check::outcome::{CheckOutcome, Only};
use crate::check::shape::Renamed;
use crate::command::CommandError;
use crate::plan::Plan;
use crate::planner::PlanOutcome;
use crate::workload::StatementId;

/// Compares the plans after with those of the directory, in place of those before.
pub(super) fn compare(outcome: &mut CheckOutcome, directory: &Path) -> Result<(), CommandError> {
    let mut expected = read(directory)?;
    let mut only = Only::default();
    let renamed = Renamed::new();
    for checked in &mut outcome.statements {
        let before = match expected.remove(&checked.statement.id) {
            Some((path, expected)) => {
                let plan = expected
                    .plan(checked.after.plan().map(Plan::total_cost))
                    .map_err(|error| CommandError::Other(format!("{}: {error}", path.display())))?;
                PlanOutcome::Plan(plan)
            }
            None => {
                only.after.push(checked.statement.id.0.clone());
                PlanOutcome::Empty
            }
        };
        let statement = checked.statement.clone();
        *checked = CheckedStatement::new(statement, before, checked.after.clone(), &renamed);
    }
    only.before = expected.into_keys().map(|id| id.0).collect();
    outcome.only = only;
    outcome.before.source = directory.display().to_string();
    Ok(())
}

/// Writes the plans after, and removes the files of statements that are gone. Returns how many files
/// changed.
pub(super) fn update(outcome: &CheckOutcome, directory: &Path) -> Result<usize, CommandError> {
    let failed = |path: &Path, error: std::io::Error| {
        CommandError::Other(format!("{}: {error}", path.display()))
    };
    fs::create_dir_all(directory).map_err(|error| failed(directory, error))?;
    let old = read(directory)?;
    let ids = outcome
        .statements
        .iter()
        .map(|checked| &checked.statement.id);
    let names = file_names(ids);
    let mut changed = 0;
    let mut kept: Vec<PathBuf> = Vec::new();
    for checked in &outcome.statements {
        let id = &checked.statement.id;
        let (Some(plan), Some(name)) = (checked.after.plan(), names.get(id)) else {
            // What cannot be planned keeps what was expected of it.
            kept.extend(old.get(id).map(|(path, _)| path.clone()));
            continue;
        };
        let path = directory.join(name);
        let text = ExpectedPlan::of(id, plan).text();
        if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            fs::write(&path, text).map_err(|error| failed(&path, error))?;
            changed += 1;
        }
        kept.push(path);
    }
    for (path, _) in old.values().filter(|(path, _)| !kept.contains(path)) {
        fs::remove_file(path).map_err(|error| failed(path, error))?;
        changed += 1;
    }
    Ok(changed)
}

/// The expected plans, with their files.
fn read(directory: &Path) -> Result<BTreeMap<StatementId, (PathBuf, ExpectedPlan)>, CommandError> {
    let failed = |path: &Path, error: &dyn std::fmt::Display| {
        CommandError::Other(format!("{}: {error}", path.display()))
    };
    let mut expected = BTreeMap::new();
    for entry in fs::read_dir(directory).map_err(|error| failed(directory, &error))? {
        let path = entry.map_err(|error| failed(directory, &error))?.path();
        if path.extension().is_none_or(|extension| extension != "plan") {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|error| failed(&path, &error))?;
        let plan = ExpectedPlan::read(&text).map_err(|error| failed(&path, &error))?;
        expected.insert(plan.id.clone(), (path, plan));
    }
    Ok(expected)
}

//! The next major version: the same schema, statistics and sizes, planned by its planner.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::subject::{Plans, Subject, plan_of, plans};
use crate::check::comparison::{Cause, CheckedStatement, StatementChange, change};
use crate::check::outcome::{CheckOutcome, SettingChange, Side, Upgrade};
use crate::check::shape::Renamed;
use crate::cluster::Binaries;
use crate::command::CommandError;
use crate::command::planners::TwinMaker;
use crate::db::{PlannerSettings, Twin};
use crate::model::Gap;
use crate::planner::{Event, Target};
use crate::terminal::Progress;
use crate::twin::Snapshot;
use crate::twin::snapshot::Origin;
use crate::twin::upgrade::{Renumbering, bare, of_snapshot, upgraded};
use crate::workload::Statement;

/// Plans the statements with both versions.
pub(super) fn upgrade(
    subject: &Subject,
    version: u32,
    twin_maker: &TwinMaker,
    progress: &Progress,
) -> Result<CheckOutcome, CommandError> {
    let old_version = subject.snapshot.origin.major();
    if version <= old_version {
        return Err(CommandError::Usage(format!(
            "--upgrade {version}: {} is of PostgreSQL {old_version} already",
            subject.source
        )));
    }
    let (old_maker, new_maker) = (
        of_version(twin_maker, old_version),
        of_version(twin_maker, version),
    );
    progress.observe(Event::Begin {
        what: "checking the upgrade",
        steps: 4,
    });
    let statements = subject.workload.statements();
    progress.observe(Event::Step("planner twin"));
    let mut old = old_maker.make(&subject.snapshot)?;
    let before = plans(&mut old, Target::Twin, statements)?;
    progress.observe(Event::Step("the schema in the new version"));
    let carried = carried(subject, &old, version, &new_maker)?;
    drop(old);
    progress.observe(Event::Step("plans of the new version"));
    let mut new = new_maker.make(&carried.snapshot)?;
    let after = plans(&mut new, Target::Twin, statements)?;
    let renamed = Renamed::new();
    let one = |statement: &Statement| {
        let id = &statement.id;
        let mut checked = CheckedStatement::new(
            statement.clone(),
            plan_of(&before, id),
            plan_of(&after, id),
            &renamed,
        );
        if is_changed(&checked) {
            checked.causes.push(Cause::Version);
        }
        checked
    };
    let mut checked: Vec<CheckedStatement> = statements.iter().map(one).collect();
    progress.observe(Event::Step("settings that make the difference"));
    find_settings(&mut checked, &carried.upgrade.settings, &mut new)?;
    progress.observe(Event::End);
    let version_num = carried.snapshot.origin.version_num;
    Ok(CheckOutcome {
        before: subject.side(),
        after: Side {
            source: format!("{} with PostgreSQL {version}", subject.source),
            version_num,
            ..subject.side()
        },
        statements: checked,
        upgrade: carried.upgrade,
        gaps: gaps(&subject.snapshot, &new),
        left_out: subject.workload.left_out().to_vec(),
        ..CheckOutcome::default()
    })
}

/// The gaps of the snapshot, and what the new version lacks besides.
fn gaps(snapshot: &Snapshot, new: &Twin) -> Vec<Gap> {
    let tables: BTreeSet<_> = snapshot
        .files
        .iter()
        .map(|file| file.name.clone())
        .collect();
    let mut gaps = snapshot.gaps.clone();
    for gap in new.gaps(&tables) {
        if !gaps.contains(&gap) {
            gaps.push(gap);
        }
    }
    gaps
}

/// With those of the given directories that have this version; where there are none, it is looked for.
pub(super) fn of_version(twin_maker: &TwinMaker, version: u32) -> TwinMaker {
    let has_it = |directory: &&PathBuf| {
        Binaries::in_directory(directory).is_ok_and(|found| found.major == version)
    };
    TwinMaker {
        pg_bin: twin_maker.pg_bin.iter().filter(has_it).cloned().collect(),
        ..twin_maker.clone()
    }
}

/// The snapshot as a later version has it; none where that version is an earlier one or refuses it.
pub(super) fn snapshot_in(
    subject: &Subject,
    version: u32,
    twin_maker: &TwinMaker,
) -> Result<Option<Snapshot>, CommandError> {
    let old_version = subject.snapshot.origin.major();
    if version < old_version {
        return Ok(None);
    }
    let old = of_version(twin_maker, old_version).make(&subject.snapshot)?;
    let new_maker = of_version(twin_maker, version);
    match carried(subject, &old, version, &new_maker) {
        Ok(carried) => Ok(Some(carried.snapshot)),
        Err(CommandError::Other(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What an upgrade carries over.
struct Carried {
    snapshot: Snapshot,
    upgrade: Upgrade,
}

/// The snapshot in the new version: a first twin of that version, with tables but nothing in them,
/// parses what the old one prints.
fn carried(
    subject: &Subject,
    old: &Twin,
    version: u32,
    new_maker: &TwinMaker,
) -> Result<Carried, CommandError> {
    let snapshot = &subject.snapshot;
    let origin = Origin {
        version_num: version * 10_000,
        ..snapshot.origin.clone()
    };
    let empty = new_maker.empty(&origin)?;
    let server = empty.session.new_server(snapshot)?;
    let renumbering = Renumbering::between(&old.numbered()?, &server.numbered)
        .map_err(|why| CommandError::Other(format!("no upgrade can be checked: {why}")))?;
    let parser = empty.load(&bare(snapshot, &server, &renumbering))?;
    let texts = of_snapshot(old.stored_texts()?, snapshot);
    let parsed = parser.parsed(texts, snapshot)?;
    if let Some((what, message)) = parsed.refused_otherwise() {
        return Err(CommandError::Other(format!(
            "PostgreSQL {version} refuses {what}, so an upgrade would fail: {message}"
        )));
    }
    let (here, there) = (old.settings_here()?, parser.settings_of_server()?);
    let mut snapshot = upgraded(snapshot, &server, &renumbering, &parsed.trees);
    // What nobody changed becomes the new version's default.
    snapshot
        .settings
        .retain(|name, _| here.get(name).is_none_or(|setting| !setting.is_default));
    Ok(Carried {
        snapshot,
        upgrade: Upgrade {
            settings: changed_settings(&here, &there),
            refused: parsed.refused_rules().into_iter().collect(),
        },
    })
}

/// Settings that only one version has, or that have another default and that nobody changed.
fn changed_settings(here: &PlannerSettings, there: &PlannerSettings) -> Vec<SettingChange> {
    let names: BTreeSet<&String> = here.keys().chain(there.keys()).collect();
    let change = |name: &String| {
        let (before, after) = (here.get(name), there.get(name));
        let is_kept = before.is_some_and(|before| !before.is_default) && after.is_some();
        let is_same = before.map(|setting| &setting.value) == after.map(|setting| &setting.value);
        (!is_kept && !is_same).then(|| SettingChange {
            name: name.clone(),
            before: before.map(|setting| setting.value.clone()),
            after: after.map(|setting| setting.value.clone()),
        })
    };
    names.into_iter().filter_map(change).collect()
}

/// A setting is responsible if a statement is planned as before without it: a new one that is off, or
/// one with the old default.
fn find_settings(
    checked: &mut [CheckedStatement],
    settings: &[SettingChange],
    new: &mut Twin,
) -> Result<(), CommandError> {
    let renamed = Renamed::new();
    let mut changed: Vec<&mut CheckedStatement> = checked
        .iter_mut()
        .filter(|checked| is_changed(checked) && checked.after.plan().is_some())
        .collect();
    let statements: Vec<Statement> = changed.iter().map(|one| one.statement.clone()).collect();
    if statements.is_empty() {
        return Ok(());
    }
    for setting in settings {
        let (Some(now), Some(instead)) = (&setting.after, without(setting)) else {
            continue;
        };
        new.set(&setting.name, &instead)?;
        let planned: Plans = plans(new, Target::Twin, &statements)?;
        new.set(&setting.name, now)?;
        for one in &mut changed {
            let plan = plan_of(&planned, &one.statement.id);
            if change(&one.before, &plan, &renamed) == Some(StatementChange::Same) {
                one.responsible.push(setting.name.clone());
                if setting.before.is_some() {
                    one.causes = vec![Cause::Settings];
                }
            }
        }
    }
    Ok(())
}

/// The value with which the new version does what the old one did.
fn without(setting: &SettingChange) -> Option<String> {
    match &setting.before {
        Some(before) => Some(before.clone()),
        None => (setting.after.as_deref() == Some("on")).then(|| "off".to_owned()),
    }
}

fn is_changed(checked: &CheckedStatement) -> bool {
    checked
        .change
        .is_some_and(|change| change != StatementChange::Same)
}

//! Why plans of two twin files differ: one part of a snapshot at a time is exchanged, and the plans
//! are asked for again (`src/check/cause.rs` judges them).

use std::cell::RefCell;

use super::subject::{Plans, Subject, plan_of, plans};
use super::upgrade;
use crate::check::cause::{Exchanged, causes, needs_more};
use crate::check::comparison::{Cause, CheckedStatement, StatementChange, change};
use crate::check::shape::Renamed;
use crate::command::CommandError;
use crate::command::planners::TwinMaker;
use crate::planner::{PlanOutcome, Target};
use crate::twin::Snapshot;
use crate::twin::exchange::{Part, exchanged};
use crate::workload::Statement;

/// The parts that are exchanged, and the cause that each stands for. What is left is the schema.
const PARTS: [(Part, Cause); 3] = [
    (Part::Statistics, Cause::Statistics),
    (Part::Size, Cause::Size),
    (Part::Settings, Cause::Settings),
];

const ALL_PARTS: [Part; 3] = [Part::Statistics, Part::Size, Part::Settings];

/// Two twin files that are compared.
pub(super) struct Causes<'s> {
    pub(super) before: &'s Subject,
    pub(super) after: &'s Subject,
    pub(super) twin_maker: &'s TwinMaker,
    /// What was asked before.
    pub(super) known: RefCell<Vec<(Snapshot, Plans)>>,
}

/// How statements are planned with one part exchanged.
struct Answers {
    part: Cause,
    alone: Plans,
    without: Option<Plans>,
}

impl Causes<'_> {
    /// The plans of these statements in a twin of a snapshot; of one that was asked before, at least these.
    pub(super) fn plans(
        &self,
        snapshot: &Snapshot,
        statements: &[Statement],
    ) -> Result<Plans, CommandError> {
        // What is the same in both files makes no other snapshot when it is exchanged.
        let has_all = |plans: &Plans| statements.iter().all(|one| plans.contains_key(&one.id));
        let known = self.known.borrow().iter().find_map(|(known, plans)| {
            (has_all(plans) && known == snapshot).then(|| plans.clone())
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let maker = upgrade::of_version(self.twin_maker, snapshot.origin.major());
        let mut twin = maker.make(snapshot)?;
        let planned = plans(&mut twin, Target::Twin, statements)?;
        let mut known = self.known.borrow_mut();
        known.push((snapshot.clone(), planned.clone()));
        Ok(planned)
    }

    /// Notes the causes of each change.
    pub(super) fn note(&self, checked: &mut [CheckedStatement]) -> Result<(), CommandError> {
        let is_changed = |checked: &&mut CheckedStatement| {
            checked
                .change
                .is_some_and(|change| change != StatementChange::Same)
        };
        let mut changed: Vec<&mut CheckedStatement> =
            checked.iter_mut().filter(is_changed).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let statements: Vec<Statement> = changed.iter().map(|one| one.statement.clone()).collect();
        let mut answers = self.alone(&statements)?;
        let is_open = |one: &&mut CheckedStatement| {
            needs_more(&one.before, &one.after, &of_statement(&answers, one))
        };
        let open: Vec<Statement> = changed
            .iter_mut()
            .filter(|one| is_open(one))
            .map(|one| one.statement.clone())
            .collect();
        if !open.is_empty() {
            self.ask_without(&mut answers, &open)?;
        }
        for one in &mut changed {
            one.causes = causes(&one.before, &one.after, &of_statement(&answers, one));
        }
        self.name_settings(&mut changed)
    }

    /// As before, with one part as afterwards.
    fn alone(&self, statements: &[Statement]) -> Result<Vec<Answers>, CommandError> {
        let (before, after) = (&self.before.snapshot, &self.after.snapshot);
        let mut answers = Vec::new();
        for (part, cause) in PARTS {
            answers.push(Answers {
                part: cause,
                alone: self.plans(&exchanged(before, after, &[part]), statements)?,
                without: None,
            });
        }
        // Everything but the schema as before.
        let other_schema = self.plans(&exchanged(after, before, &ALL_PARTS), statements)?;
        if before.origin.major() == after.origin.major() {
            answers.push(Answers {
                part: Cause::Schema,
                alone: other_schema,
                without: None,
            });
        } else {
            answers.extend(self.version(statements, other_schema)?);
        }
        Ok(answers)
    }

    /// The new version with the old schema; what the new schema does there besides is the schema's. Where
    /// the old schema cannot be had in the other version, the version is all that is left.
    fn version(
        &self,
        statements: &[Statement],
        other_schema: Plans,
    ) -> Result<Vec<Answers>, CommandError> {
        let answers = |part, alone| Answers {
            part,
            alone,
            without: None,
        };
        let version = self.after.snapshot.origin.major();
        let Some(upgraded) = upgrade::snapshot_in(self.before, version, self.twin_maker)? else {
            return Ok(vec![answers(Cause::Version, other_schema)]);
        };
        let here = self.plans(&self.before.snapshot, statements)?;
        let there = self.plans(&upgraded, statements)?;
        let renamed = Renamed::new();
        let of_schema = statements.iter().map(|statement| {
            let id = &statement.id;
            let (old, new) = (plan_of(&there, id), plan_of(&other_schema, id));
            let is_same = change(&old, &new, &renamed) == Some(StatementChange::Same);
            let plan = if is_same { plan_of(&here, id) } else { new };
            (id.clone(), plan)
        });
        let of_schema = of_schema.collect();
        Ok(vec![
            answers(Cause::Version, there),
            answers(Cause::Schema, of_schema),
        ])
    }

    /// As afterwards, with one part as before.
    fn ask_without(
        &self,
        answers: &mut [Answers],
        statements: &[Statement],
    ) -> Result<(), CommandError> {
        let (before, after) = (&self.before.snapshot, &self.after.snapshot);
        for answer in answers {
            let part = PARTS.iter().find(|(_, cause)| *cause == answer.part);
            let snapshot = match part {
                Some((part, _)) => exchanged(after, before, &[*part]),
                None if answer.part == Cause::Schema => exchanged(before, after, &ALL_PARTS),
                None => continue,
            };
            answer.without = Some(self.plans(&snapshot, statements)?);
        }
        Ok(())
    }

    /// Of settings, those that alone bring the change.
    fn name_settings(&self, changed: &mut [&mut CheckedStatement]) -> Result<(), CommandError> {
        let has_settings = |one: &&mut &mut CheckedStatement| one.causes.contains(&Cause::Settings);
        let mut because: Vec<&mut &mut CheckedStatement> =
            changed.iter_mut().filter(has_settings).collect();
        if because.is_empty() {
            return Ok(());
        }
        let statements: Vec<Statement> = because.iter().map(|one| one.statement.clone()).collect();
        let (before, after) = (&self.before.snapshot, &self.after.snapshot);
        let renamed = Renamed::new();
        for (name, value) in &after.settings {
            if before.settings.get(name).is_none_or(|old| old == value) {
                continue;
            }
            let mut snapshot = before.clone();
            snapshot.settings.insert(name.clone(), value.clone());
            let planned = self.plans(&snapshot, &statements)?;
            for one in &mut because {
                let plan = plan_of(&planned, &one.statement.id);
                if change(&one.before, &plan, &renamed) == one.change {
                    one.responsible.push(name.clone());
                }
            }
        }
        Ok(())
    }
}

/// What was asked about one statement.
fn of_statement(answers: &[Answers], checked: &CheckedStatement) -> Vec<Exchanged> {
    let id = &checked.statement.id;
    let plan = |plans: &Plans| -> PlanOutcome { plan_of(plans, id) };
    let exchanged = answers.iter().map(|answers| Exchanged {
        part: answers.part,
        alone: plan(&answers.alone),
        without: answers.without.as_ref().map(plan),
    });
    exchanged.collect()
}

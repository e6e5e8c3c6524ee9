//! What is checked: a copy of a server and statements; and how a planner is asked about them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::check::comparison::CheckedStatement;
use crate::check::outcome::{CheckOutcome, Side};
use crate::check::script::{Step, relations};
use crate::cli::{CheckArgs, Cli};
use crate::command::planners::{TwinMaker, named_besides, names_of, scope};
use crate::command::{CommandError, connection, snapshot, workload};
use crate::db::Server;
use crate::plan::Plan;
use crate::planner::{Answer, Event, PlanOutcome, Planner, Question, Target};
use crate::sentences;
use crate::terminal::Progress;
use crate::twin::Snapshot;
use crate::verdict::Limits;
use crate::workload::{Statement, StatementId, Workload};

/// What is checked.
pub(super) struct Subject {
    /// The file or the database.
    pub(super) source: String,
    pub(super) snapshot: Snapshot,
    pub(super) workload: Workload,
    /// Are tables missing that no statement names?
    pub(super) is_partial: bool,
}

/// Plans by statement.
pub(super) type Plans = BTreeMap<StatementId, PlanOutcome>;

impl Subject {
    /// As a side of a comparison.
    pub(super) fn side(&self) -> Side {
        Side {
            source: self.source.clone(),
            version_num: self.snapshot.origin.version_num,
            database: self.snapshot.origin.database.clone(),
        }
    }

    /// Its statements, compared with what they are under an assumption about the same database.
    pub(super) fn assuming(
        &self,
        assumption: &str,
        statements: Vec<CheckedStatement>,
    ) -> CheckOutcome {
        let mut after = self.side();
        after.source = format!("{} {assumption}", after.source);
        CheckOutcome {
            before: self.side(),
            after,
            statements,
            gaps: self.snapshot.gaps.clone(),
            left_out: self.workload.left_out().to_vec(),
            ..CheckOutcome::default()
        }
    }

    /// Reads a twin file, with the workload of the options or else its own.
    pub(super) fn of_file(
        path: &Path,
        arguments: &CheckArgs,
        twin_maker: &TwinMaker,
    ) -> Result<Subject, CommandError> {
        let file = snapshot::read(path, &twin_maker.interrupt)?;
        let workload = workload::read_offline(&arguments.workload, &file.workload, &|_| {})?;
        Ok(Subject {
            source: path.display().to_string(),
            is_partial: file.others.is_none(),
            snapshot: file.snapshot,
            workload,
        })
    }
}

/// Reads the twin file of the options, or copies the server.
pub(super) fn subject(
    cli: &Cli,
    arguments: &CheckArgs,
    steps: &[Step],
    twin_maker: &TwinMaker,
) -> Result<Subject, CommandError> {
    if let Some(path) = &arguments.snapshot {
        return Subject::of_file(path, arguments, twin_maker);
    }
    let progress = Progress::new(&cli.output);
    let observer = |event: Event<'_>| progress.observe(event);
    workload::check(&arguments.workload)?;
    let safety = arguments.safety.safety(&Limits::default());
    let session = connection::session(cli, safety, &twin_maker.interrupt)?;
    let workload = workload::read(&arguments.workload, &session, &observer)?;
    let mut server = Server::new(&session);
    let planned = plans(&mut server, Target::Server, workload.statements())?;
    let tables: BTreeSet<_> = planned
        .values()
        .filter_map(PlanOutcome::plan)
        .flat_map(Plan::tables)
        .collect();
    let mut names = names_of(&workload);
    names.extend(relations(steps));
    let snapshot = session.snapshot_naming(&scope(&tables, &names), &named_besides(&workload))?;
    Ok(Subject {
        source: snapshot.origin.database.clone(),
        snapshot,
        workload,
        is_partial: false,
    })
}

/// The plans of these statements.
pub(super) fn plans(
    planner: &mut dyn Planner,
    target: Target,
    statements: &[Statement],
) -> Result<Plans, CommandError> {
    match planner.ask(&Question::plans(target, statements))? {
        Answer::Planned(planned) => Ok(planned.plans),
        Answer::Refused(refusal) => Err(CommandError::Other(sentences::refusal(&refusal.cause))),
    }
}

/// The plan of a statement.
pub(super) fn plan_of(plans: &Plans, id: &StatementId) -> PlanOutcome {
    plans.get(id).cloned().unwrap_or(PlanOutcome::Empty)
}

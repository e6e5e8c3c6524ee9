//! `pgrehearse snapshot`: writes a twin file; and the planner for such a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::planners::{
    CapturedServer, TwinMaker, TwinPlanner, identifiers_of, named_besides, names_of, scope,
};
use super::{CommandError, Outcome, connection, workload};
use crate::cli::{Cli, SnapshotArgs};
use crate::db::{Interrupt, Scope, Server, Session};
use crate::plan::Plan;
use crate::planner::{Answer, Event, PlanOutcome, Planned, Planner, Question, Rollback, Target};
use crate::sentences;
use crate::sentences::gap as gap_sentence;
use crate::terminal::{self, Progress};
use crate::twin::checks::Checked;
use crate::twin::file::{TwinFile, TwinFileError};
use crate::twin::redaction::{RedactionKey, RedactionReport};
use crate::verdict::Limits;
use crate::workload::Workload;

pub(super) fn run(cli: &Cli, arguments: &SnapshotArgs) -> Result<Outcome, CommandError> {
    let Some(path) = &cli.output.output else {
        return Err(CommandError::Usage(
            "a twin file is not text: name the file with --output FILE".to_owned(),
        ));
    };
    // A file with all tables also serves to check their indexes only.
    let has_none = arguments.all_tables && arguments.workload.is_empty();
    if !has_none {
        workload::check(&arguments.workload)?;
    }
    let interrupt = connection::interrupt()?;
    let safety = arguments.safety.safety(&Limits::default());
    let session = connection::session(cli, safety, &interrupt)?;
    let progress = Progress::new(&cli.output);
    let workload = match has_none {
        true => Workload::default(),
        false => workload::read(&arguments.workload, &session, &|event| {
            progress.observe(event);
        })?,
    };
    let mut file = capture(cli, &session, &workload, arguments)?;
    if arguments.redact {
        file = file.redact(&redaction_key(arguments)?);
        file.redacted.iter().for_each(print_redaction);
    }
    write(&file, path)?;
    for gap in &file.snapshot.gaps {
        terminal::print_message(&gap_sentence(gap));
    }
    Ok(Outcome::Done)
}

fn redaction_key(arguments: &SnapshotArgs) -> Result<RedactionKey, CommandError> {
    match &arguments.redact_key {
        Some(passphrase) => Ok(RedactionKey::from_passphrase(passphrase)),
        None => {
            let mut key = [0; 32];
            let read =
                File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut key));
            read.map_err(|error| CommandError::Other(format!("/dev/urandom: {error}")))?;
            Ok(RedactionKey::new(key))
        }
    }
}

/// Prints what redaction did, so that users know what the file contains before they pass it on.
fn print_redaction(report: &RedactionReport) {
    for (what, list) in [
        ("replaced", &report.replaced),
        ("dropped", &report.dropped),
        ("still in the file", &report.kept),
    ] {
        for line in list {
            terminal::print_message(&format!("{what}: {line}"));
        }
    }
}

fn capture(
    cli: &Cli,
    session: &Session,
    workload: &Workload,
    arguments: &SnapshotArgs,
) -> Result<TwinFile, CommandError> {
    let progress = Progress::new(&cli.output);
    progress.observe(Event::Begin {
        what: "reading server",
        steps: 4,
    });
    let mut server = Server::new(session);
    progress.observe(Event::Step("plans"));
    let Planned { plans, settled, .. } = plans(&mut server, workload)?;
    let tables = plans
        .values()
        .filter_map(PlanOutcome::plan)
        .flat_map(Plan::tables)
        .collect();
    progress.observe(Event::Step("catalog"));
    let catalog = server.catalog(&tables)?;
    progress.observe(Event::Step("statistics and settings"));
    let identifiers = identifiers_of(workload);
    let others = match arguments.all_tables {
        true => {
            let known = catalog.tables.iter().map(|table| table.name.clone());
            Some(server.other_tables(&known.collect())?)
        }
        false => None,
    };
    let scope = if arguments.all_tables {
        Scope::Everything
    } else {
        scope(&tables, &names_of(workload))
    };
    let mut snapshot = session.snapshot_naming(&scope, &named_besides(workload))?;
    progress.observe(Event::Step("samples of rows"));
    if arguments.sample {
        let only = arguments.all_tables.then_some(&tables);
        snapshot.keep_samples(session.samples(&snapshot, &identifiers, only)?);
    }
    progress.observe(Event::End);
    let file = TwinFile::new(workload.with_texts(&settled), catalog, plans, snapshot);
    Ok(match others {
        Some(others) => file.with_others(others),
        None => file,
    })
}

/// The plans of the workload, and the texts that were planned in place of others.
fn plans(server: &mut Server<'_>, workload: &Workload) -> Result<Planned, CommandError> {
    match server.ask(&Question::plans(Target::Server, workload.statements()))? {
        Answer::Planned(planned) => Ok(planned),
        Answer::Refused(refusal) => Err(CommandError::Other(sentences::refusal(&refusal.cause))),
    }
}

fn write(file: &TwinFile, path: &Path) -> Result<(), CommandError> {
    let failed = |error: TwinFileError| CommandError::Other(format!("{}: {error}", path.display()));
    let created = terminal::create_private(path).map_err(|error| failed(error.into()))?;
    file.write(created).map_err(failed)
}

/// Reads a twin file in a thread of its own, so that an interrupt is answered at once.
pub(super) fn read(path: &Path, interrupt: &Interrupt) -> Result<TwinFile, CommandError> {
    const POLL_INTERVAL: Duration = Duration::from_millis(20);
    let (send, receive) = mpsc::channel();
    let owned = path.to_owned();
    let thread = std::thread::Builder::new().name("twin file".to_owned());
    thread
        .spawn(move || {
            // After an interrupt the file is no longer wanted.
            let _ = send.send(read_whole(&owned));
        })
        .map_err(|error| CommandError::Other(format!("could not start a thread: {error}")))?;
    loop {
        match receive.recv_timeout(POLL_INTERVAL) {
            Ok(file) => return file,
            Err(RecvTimeoutError::Timeout) if interrupt.is_raised() => {
                return Err(CommandError::Interrupted(Rollback::Confirmed));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                let message = format!("{}: reading it failed", path.display());
                return Err(CommandError::Other(message));
            }
        }
    }
}

/// Reads a twin file and checks what is in it.
pub(super) fn read_whole(path: &Path) -> Result<TwinFile, CommandError> {
    let failed = |error: TwinFileError| CommandError::Other(format!("{}: {error}", path.display()));
    let opened = File::open(path).map_err(|error| CommandError::unreadable(path, &error))?;
    let file = TwinFile::read(opened).map_err(failed)?;
    Checked::of(&file.snapshot)
        .map_err(|fault| CommandError::Other(format!("{}: {fault}", path.display())))?;
    Ok(file)
}

/// The planner for a twin file: the captured server and a twin.
pub(super) fn planner(
    file: &TwinFile,
    twin_maker: &TwinMaker,
) -> Result<TwinPlanner, CommandError> {
    let captured = CapturedServer {
        catalog: file.catalog.clone(),
        plans: file.plans.clone(),
        others: file.others.clone(),
    };
    let first = twin_maker.make(&file.snapshot)?;
    let twins = twin_maker.several(first, Arc::new(file.snapshot.clone()));
    Ok(TwinPlanner::new(twins, Some(captured)))
}

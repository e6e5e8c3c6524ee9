//! `--follow-foreign` and `--foreign-server`: advice from the servers that foreign tables are on.
//!
//! Each server is a server like any other: what is sent there is the workload, it gets a twin of its
//! own, and its advice is kept beside the advice here. Options of a user mapping are used for that one
//! connection; nothing of the caller's environment (a password above all) is sent where only the
//! database says to connect.

use super::advising::{AdviseOptions, Follow, advise_and_record, left_behind, unless_interrupted};
use super::planners::LivePlanner;
use super::{CommandError, connection};
use crate::advise::foreign::ForeignServer;
use crate::advise::{Advice, Followed};
use crate::cli::Cli;
use crate::db::{ForeignConnection, Session};
use crate::planner::Event;
use crate::terminal::{self, Progress};
use crate::workload::{Usage, Workload};

/// Asks each of the servers.
///
/// # Errors
/// When the user interrupts, and it is not known what was rolled back. A server that cannot be asked
/// is not an error.
pub(super) fn ask(
    cli: &Cli,
    session: &Session,
    options: &AdviseOptions<'_>,
    advice: &mut Advice,
    progress: &Progress,
) -> Result<(), CommandError> {
    for name in options.follow.connections.keys() {
        let mut used = advice.foreign_servers.iter();
        if !used.any(|server| server.name == *name) {
            terminal::print_message(&format!(
                "warning: --foreign-server {name}: the workload reads no foreign table of a server of that name"
            ));
        }
    }
    let followed = advice.foreign_servers.iter();
    let followed = followed.filter(|server| options.follow.includes(server));
    for server in followed.cloned().collect::<Vec<_>>() {
        progress.observe(Event::Begin {
            what: "asking foreign servers",
            steps: 1,
        });
        progress.observe(Event::Step(&server.name));
        progress.observe(Event::End);
        let followed = match advised(cli, session, options, &server, progress) {
            Err(interrupted @ CommandError::Interrupted(_)) => Err(interrupted),
            Err(error) => Ok(Followed::Failed(error.to_string())),
            Ok(followed) => Ok(followed),
        };
        let Some(followed) = unless_interrupted(advice, followed)? else {
            break;
        };
        let is_interrupted =
            matches!(&followed, Followed::Advised { advice, .. } if advice.rehearsal.interrupted);
        advice.followed.insert(server.name.clone(), followed);
        if is_interrupted {
            advice.rehearsal.interrupted = true;
            break;
        }
    }
    Ok(())
}

fn advised(
    cli: &Cli,
    session: &Session,
    options: &AdviseOptions<'_>,
    server: &ForeignServer,
    progress: &Progress,
) -> Result<Followed, CommandError> {
    let interrupt = &options.twin_maker.interrupt;
    let remote = match options.follow.connections.get(&server.name) {
        Some(given) => {
            connection::session_as(cli, given.clone(), options.follow.safety, interrupt)?
        }
        None => {
            let conninfo = mapped(session, &server.name)?;
            connection::session_unattended(cli, conninfo, options.follow.safety, interrupt)?
        }
    };
    let workload = workload_of(server);
    let planner = LivePlanner::new(&remote, &workload, options.twin_maker.clone());
    let mut planner = planner.within(options.limits);
    let options = AdviseOptions {
        limits: options.limits,
        asking: options.asking,
        twin_maker: options.twin_maker.clone(),
        what_if: None,
        record: None,
        started: options.started,
        follow: Follow::default(),
        standbys: Vec::new(),
    };
    let (mut advice, _) = advise_and_record(&mut planner, &workload, &options, progress)?;
    let left_behind = left_behind(&planner, &advice)?;
    mark(&mut advice, &server.name);
    Ok(Followed::Advised {
        advice: Box::new(advice),
        left_behind,
    })
}

/// The connection string of this role's user mapping.
fn mapped(session: &Session, server: &str) -> Result<String, CommandError> {
    let missing = |why: &str| {
        CommandError::Other(format!(
            "{why}; --foreign-server {server}=CONNECTION says how to connect"
        ))
    };
    match session.foreign_connection(server)? {
        ForeignConnection::Conninfo(conninfo) => Ok(conninfo),
        ForeignConnection::NotMapped => Err(missing("the role has no user mapping for it")),
        ForeignConnection::NotReadable => Err(missing(
            "the role may not read the user and the password of its user mapping",
        )),
    }
}

fn workload_of(server: &ForeignServer) -> Workload {
    let mut workload = Workload::default();
    for sent in &server.statements {
        let usage = Usage {
            calls: sent.calls,
            mean_time_ms: None,
        };
        let place = format!("foreign server {}", server.name);
        workload.add(&sent.id.0, &sent.sql, usage, place);
    }
    workload
}

/// Ids of recommendations are unique in a report: `app1.r1`.
fn mark(advice: &mut Advice, server: &str) {
    let marked = |id: &String| format!("{server}.{id}");
    for recommendation in &mut advice.recommendations {
        recommendation.id = marked(&recommendation.id);
    }
    for statement in &mut advice.statements {
        for id in &mut statement.recommendations {
            *id = marked(id);
        }
    }
}

//! What users read of the core's reasons: reports, screens and errors say them in the same words.
//! The core itself knows no sentences and no options of the command line.

use crate::planner::{BuildPlan, RefusalCause};
use crate::verdict::{Limits, Rehearse};

pub mod check;
mod existing;
mod explanation;
mod foreign;
mod gap;
mod left_out;
mod no_index;
mod not_indexable;
mod notice;
mod rejection;
mod remedy;
mod restated;
#[cfg(test)]
mod tests;
mod withheld;

pub use existing::{checked_tables, existing_index};
pub use explanation::explanation;
pub use foreign::{foreign_server, not_pushed_down};
pub use gap::gap;
pub use left_out::left_out;
pub use no_index::{no_index, none_recommended};
pub use not_indexable::not_indexable;
pub use notice::notice;
pub use rejection::rejection;
pub use remedy::{needed_index, remedy};
pub use restated::restated;
pub use withheld::{error, not_executed, not_planned, twin_only};

/// Why the conditions of a question could not be met.
pub fn refusal(cause: &RefusalCause) -> String {
    match cause {
        RefusalCause::BuildingNotAllowed(Rehearse::Off) => {
            "--rehearse=off: nothing was built".to_owned()
        }
        RefusalCause::BuildingNotAllowed(_) => "nothing was built on the server".to_owned(),
        RefusalCause::NoTwin => {
            "there is no planner twin, and --rehearse=auto builds nothing without one".to_owned()
        }
        RefusalCause::ReadOnlyServer => {
            "the server is a standby: no index can be built on it".to_owned()
        }
        RefusalCause::NotOwner(table) => {
            format!("only the owner of {table} can build an index on it")
        }
        RefusalCause::TableTooLarge { table, size, limit } => {
            format!("{table} has {size}, more than --max-table-size {limit}")
        }
        RefusalCause::TableLocked(_)
        | RefusalCause::LockTimeout(_)
        | RefusalCause::LockNotFree(_)
        | RefusalCause::WriteBlockTooLong(_)
        | RefusalCause::UnwatchedTooLong(_)
        | RefusalCause::WriteBudgetSpent(_) => waiting(cause).unwrap_or_default(),
        RefusalCause::Declined => "not built: the builds were declined".to_owned(),
        RefusalCause::StatementTimeout(limit) => {
            format!("stopped after --statement-timeout {limit}")
        }
        RefusalCause::NoServer => "there is no server to build it on".to_owned(),
        RefusalCause::CannotSimulate {
            hypothesis,
            beside_indexes,
        } => {
            let beside = if *beside_indexes {
                " together with new indexes"
            } else {
                ""
            };
            format!("cannot simulate {hypothesis}{beside}")
        }
        RefusalCause::ServerSilent(silence) => format!("not tested: {silence}"),
        RefusalCause::Interrupted => "interrupted before it was tested".to_owned(),
        RefusalCause::OutOfTime => "--search-time ran out before it was tested".to_owned(),
        RefusalCause::NotUsableNow => {
            "an older snapshot of another session kept the planner from using it".to_owned()
        }
        RefusalCause::NotUsedByServer => "the server did not use it".to_owned(),
        RefusalCause::PlannedInTwinOnly(statement) => {
            format!("{statement}, which it is for, is planned in the planner twin only")
        }
        RefusalCause::NotExecuted(reason) => not_executed(reason),
        RefusalCause::Server { message, .. } => message.clone(),
        RefusalCause::TwinCannotPlan {
            cause,
            statement,
            message,
        } => {
            let not_built = not_built(cause);
            format!("{not_built}; the planner twin cannot plan {statement}: {message}")
        }
    }
}

/// Why candidates for a statement that the twin cannot plan are not built, either.
fn not_built(cause: &RefusalCause) -> String {
    match cause {
        RefusalCause::NoTwin => {
            "--rehearse=auto builds nothing that was not tested in the planner twin".to_owned()
        }
        _ => refusal(cause),
    }
}

/// Why the waiting of others, or for others, ended it; none for another cause.
fn waiting(cause: &RefusalCause) -> Option<String> {
    Some(match cause {
        RefusalCause::TableLocked(table) => {
            format!("could not acquire the lock on {table} for an earlier candidate")
        }
        RefusalCause::LockTimeout(limit) => {
            format!("could not acquire the lock within --lock-timeout {limit}")
        }
        RefusalCause::LockNotFree(table) => format!(
            "could not acquire the lock on {table} at once, and there is no waiting while another table is locked"
        ),
        RefusalCause::WriteBlockTooLong(limit) => {
            format!("stopped: a session waited for it for --max-write-block {limit}")
        }
        RefusalCause::UnwatchedTooLong(limit) => format!(
            "stopped: it took longer than --max-write-block {limit}, and the sessions that wait for it could not be watched"
        ),
        RefusalCause::WriteBudgetSpent(limit) => format!(
            "not built: sessions had waited for this run's builds for --max-total-write-block {limit}; to prove it, run again at a quieter time or allow more"
        ),
        _ => return None,
    })
}

/// What is about to be built, and what it may do to others.
pub fn build_plan(plan: &BuildPlan, limits: &Limits) -> String {
    let number: usize = plan.tables.values().sum();
    let tables: Vec<String> = plan
        .tables
        .iter()
        .map(|(table, indexes)| format!("{table} ({indexes})"))
        .collect();
    format!(
        "building {number} {} on {} for about {}, each rolled back; no session waits longer than {} for one, nor {} for all",
        if number == 1 { "index" } else { "indexes" },
        tables.join(", "),
        plan.time,
        limits.max_write_block,
        limits.max_total_write_block
    )
}

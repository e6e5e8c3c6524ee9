//! Why the conditions of a question could not be met.

use serde::{Deserialize, Serialize};

use super::{NotExecuted, Silence, Waits};
use crate::model::{Bytes, Millis, QualifiedName};
use crate::verdict::{Reason, Rehearse};
use crate::workload::StatementId;

/// Why the conditions of a question could not be met, and what the attempt took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// The reason, with what there is to say about it.
    pub cause: RefusalCause,
    /// How long the tables were locked all the same; absent where no lock was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_block: Option<Millis>,
    /// What other sessions felt of the attempt; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Waits>,
    /// How many indexes were built before the refusal.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub built: usize,
    /// Who has the lock that was waited for; absent where nobody was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_by: Option<Box<LockHolders>>,
}

/// The sessions that have a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolders {
    /// The table.
    pub table: QualifiedName,
    /// Their process numbers, as in `pg_stat_activity`.
    pub pids: Vec<i32>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// A reason with its facts. What users read of it is written by the reports and screens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCause {
    /// Nothing may be built this way.
    BuildingNotAllowed(Rehearse),
    /// There is no planner twin, and nothing is built instead.
    NoTwin,
    /// The server is a standby.
    ReadOnlyServer,
    /// Only the table's owner may build on it.
    NotOwner(QualifiedName),
    /// The table is larger than what may be built on.
    TableTooLarge {
        /// The table.
        table: QualifiedName,
        /// Its size.
        size: Bytes,
        /// The largest size that is allowed.
        limit: Bytes,
    },
    /// The lock of this table could not be acquired for another candidate: waiting for it again and
    /// again would make writers queue behind us each time.
    TableLocked(QualifiedName),
    /// The table's lock could not be acquired within this time.
    LockTimeout(Millis),
    /// The table's lock is not waited for while another table's is held, and it was not free.
    LockNotFree(QualifiedName),
    /// A session waited for it for this long, and it was stopped.
    WriteBlockTooLong(Millis),
    /// Nobody could watch who waits for it, so it was stopped after this long.
    UnwatchedTooLong(Millis),
    /// Sessions had waited for the builds of this run for as long as is allowed.
    WriteBudgetSpent(Millis),
    /// The user declined the builds.
    Declined,
    /// A statement took longer than this, and was stopped.
    StatementTimeout(Millis),
    /// There is no server to build or execute on.
    NoServer,
    /// The planner that was asked cannot simulate the hypothesis.
    CannotSimulate {
        /// The hypothesis.
        hypothesis: String,
        /// It could without new indexes.
        beside_indexes: bool,
    },
    /// The server stopped answering.
    ServerSilent(Silence),
    /// The time for the search is over.
    OutOfTime,
    /// The user asked to stop.
    Interrupted,
    /// An older snapshot of another session keeps the planner from using the index now.
    NotUsableNow,
    /// The server was asked, too, and its plans do not use the index.
    NotUsedByServer,
    /// The statements that it is for (this is the first) are planned in the twin only.
    PlannedInTwinOnly(StatementId),
    /// It would execute a statement that is not executed.
    NotExecuted(NotExecuted),
    /// The server refused.
    Server {
        /// What kind of refusal it is.
        reason: Reason,
        /// The server's message.
        message: String,
    },
    /// The twin cannot plan a statement that the server plans, and nothing is built instead.
    TwinCannotPlan {
        /// Why nothing is built.
        cause: Box<RefusalCause>,
        /// The statement.
        statement: StatementId,
        /// The twin's message.
        message: String,
    },
}

impl RefusalCause {
    /// Does it end the search?
    pub fn ends_the_search(&self) -> bool {
        matches!(self, RefusalCause::OutOfTime | RefusalCause::Interrupted)
    }

    /// The kind of reason, as reports name it.
    pub fn reason(&self) -> Reason {
        match self {
            RefusalCause::BuildingNotAllowed(_) => Reason::NotRehearsed,
            RefusalCause::NoTwin => Reason::NoTwin,
            RefusalCause::ReadOnlyServer => Reason::ReadOnlyServer,
            RefusalCause::NotOwner(_) => Reason::NotOwner,
            RefusalCause::TableTooLarge { .. } => Reason::TableTooLarge,
            RefusalCause::TableLocked(_)
            | RefusalCause::LockTimeout(_)
            | RefusalCause::LockNotFree(_) => Reason::LockTimeout,
            RefusalCause::WriteBlockTooLong(_) | RefusalCause::UnwatchedTooLong(_) => {
                Reason::WriteBlockTooLong
            }
            RefusalCause::WriteBudgetSpent(_) => Reason::WriteBudgetSpent,
            RefusalCause::Declined => Reason::Declined,
            RefusalCause::StatementTimeout(_) => Reason::StatementTimeout,
            RefusalCause::NoServer | RefusalCause::CannotSimulate { .. } => Reason::Offline,
            RefusalCause::ServerSilent(_) => Reason::ServerSilent,
            RefusalCause::OutOfTime => Reason::OutOfTime,
            RefusalCause::Interrupted => Reason::Interrupted,
            RefusalCause::NotUsableNow => Reason::NotUsableNow,
            RefusalCause::NotUsedByServer => Reason::NotChosen,
            RefusalCause::PlannedInTwinOnly(_) | RefusalCause::NotExecuted(_) => {
                Reason::NotRehearsed
            }
            RefusalCause::Server { reason, .. } => *reason,
            RefusalCause::TwinCannotPlan { cause, .. } => cause.reason(),
        }
    }
}

impl Refusal {
    /// The server refused.
    pub fn server(reason: Reason, message: impl Into<String>) -> Refusal {
        let message = message.into();
        RefusalCause::Server { reason, message }.into()
    }

    /// The kind of reason, as reports name it.
    pub fn reason(&self) -> Reason {
        self.cause.reason()
    }
}

/// Nothing was attempted.
impl From<RefusalCause> for Refusal {
    fn from(cause: RefusalCause) -> Refusal {
        Refusal {
            cause,
            write_block: None,
            waits: None,
            built: 0,
            locked_by: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_for_want_of_a_twin_has_the_reason_why_nothing_may_be_built() {
        let cause = RefusalCause::TwinCannotPlan {
            cause: Box::new(RefusalCause::BuildingNotAllowed(Rehearse::Twin)),
            statement: StatementId("s".to_owned()),
            message: "no such function".to_owned(),
        };
        assert_eq!(cause.reason(), Reason::NotRehearsed);
    }

    #[test]
    fn only_what_says_nothing_of_the_index_passes() {
        let table = || QualifiedName::new("public", "t");
        for passing in [
            RefusalCause::TableLocked(table()),
            RefusalCause::LockNotFree(table()),
            RefusalCause::LockTimeout(Millis(1.0)),
            RefusalCause::NotUsableNow,
            RefusalCause::ServerSilent(Silence {
                waited: Millis(8_000.0),
                rollback_seen: true,
            }),
        ] {
            assert!(passing.reason().is_passing(), "{passing:?}");
        }
        for lasting in [
            RefusalCause::NotUsedByServer,
            RefusalCause::StatementTimeout(Millis(1.0)),
            RefusalCause::WriteBlockTooLong(Millis(1.0)),
            RefusalCause::NotOwner(table()),
        ] {
            assert!(!lasting.reason().is_passing(), "{lasting:?}");
        }
    }

    #[test]
    fn a_refusal_is_written_and_read_back() {
        let refusal = Refusal {
            built: 2,
            write_block: Some(Millis(5.0)),
            ..Refusal::server(Reason::BuildFailed, "out of room")
        };
        for refusal in [refusal, RefusalCause::OutOfTime.into()] {
            let json = serde_json::to_string(&refusal).unwrap();
            assert_eq!(serde_json::from_str::<Refusal>(&json).unwrap(), refusal);
        }
    }
}

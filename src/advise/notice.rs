//! Something the reader of a report has to know, as a value.

use crate::candidate::NotIndexable;
use crate::model::{Cost, Gap, QualifiedName};
use crate::planner::{Silence, TwinOnly};
use crate::twin::agreement::Agreement;
use crate::workload::{LeftOut, StatementId};

/// Something the reader has to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// The workload's sources have something that it has not.
    LeftOut(LeftOut),
    /// Plans on this table are based on default estimates.
    NeverAnalyzed(QualifiedName),
    /// The table has row-level security, and its policies do not apply to the role that asks.
    PoliciesForOthers {
        /// The table.
        table: QualifiedName,
        /// The role whose policies its statements are also planned with; none: PUBLIC.
        role: Option<String>,
        /// The statements that are also planned with them.
        statements: Vec<StatementId>,
        /// The settings that the policies read, with the values that they have there.
        settings: Vec<(String, String)>,
    },
    /// A statement costs more with the recommended indexes.
    Worse {
        /// The statement.
        statement: StatementId,
        /// Its cost without them.
        before: Cost,
        /// Its cost with them.
        after: Cost,
    },
    /// With better statistics a recommended index may gain more or less than in the test.
    PlannedOtherwise {
        /// The remedy that changes statistics, by id.
        remedy: String,
        /// A statement whose plan changes by it, and for which an index is recommended.
        statement: StatementId,
    },
    /// No index can serve a statement as it is written.
    NotIndexable(NotIndexable),
    /// The server stopped answering: the advice is what was known by then, and what the twin says.
    ServerSilent(Silence),
    /// The user asked to stop: a longer search may find more.
    Interrupted {
        /// How many candidates had been tested.
        tested: usize,
        /// How many there are.
        candidates: usize,
    },
    /// The user asked to stop when the search was over: what is asked after it is missing.
    InterruptedAfterwards,
    /// The time for the search was over: a longer search may find more.
    OutOfTime {
        /// How many candidates were tested.
        tested: usize,
        /// How many there are.
        candidates: usize,
    },
    /// There was no planner twin, for this reason.
    NoTwin(String),
    /// The twin cannot plan a statement.
    TwinCannotPlan {
        /// The statement.
        statement: StatementId,
        /// The twin's message.
        message: String,
    },
    /// The server was not asked about a statement.
    TwinOnly {
        /// The statement.
        statement: StatementId,
        /// Why.
        reason: TwinOnly,
    },
    /// The twin plans a statement differently from the server.
    TwinDiffers {
        /// The statement.
        statement: StatementId,
        /// How far.
        agreement: Agreement,
    },
    /// The twin lacks something.
    TwinGap(Gap),
    /// Nobody watched who waited for the builds, for this reason.
    Unwatched(String),
    /// The number of candidates that could not be tested because their tables are busy.
    Untested(usize),
    /// ANALYZE in a rehearsal has reset the counter that autovacuum uses, and its statistics
    /// were rolled back.
    AutovacuumCounterReset {
        /// The table.
        table: QualifiedName,
        /// How many changed rows are no longer counted.
        rows: u64,
    },
    /// Recommended indexes that the user switched off, by name: they are not in these numbers.
    SwitchedOff(Vec<String>),
    /// The number of recorded answers that were not used: another version of the program made the
    /// recording.
    UnusedAnswers(usize),
}

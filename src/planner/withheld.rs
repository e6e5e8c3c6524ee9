//! Why a statement was not executed, or not planned on the server.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{Bytes, Millis};

/// Why a statement was not executed (`--analyze`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotExecuted {
    /// It may call this function, which is volatile: it may write, wait, lock, or reach outside the
    /// transaction.
    Volatile(String),
    /// It may call this function, which is not volatile, but executes a text as a query, or has an
    /// effect outside the transaction or the database.
    ReachesOutside(String),
    /// It may call this function of a language that cannot be checked.
    Language {
        /// The function.
        function: String,
        /// The language.
        language: String,
    },
    /// It may call this function, whose statements are made at run time.
    DynamicSql(String),
    /// It reads this foreign table.
    ForeignTable(String),
    /// It locks rows (`SELECT … FOR UPDATE`).
    LocksRows,
    /// It writes.
    Writes,
    /// It has parameters, whose values are not known.
    HasParameters,
    /// It could not be checked what it calls; the server's message.
    NotChecked(String),
    /// The time for executing statements (this long) is over.
    OutOfTime(Millis),
    /// It was executed, and failed; the server's message.
    Failed(String),
}

/// Why a statement is planned in the twin only: it was executed by other users, and planning it may
/// execute their functions with the rights of this session; or it is planned as others execute it; or
/// its plan is too long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TwinOnly {
    /// The users whose statement it is.
    pub authors: BTreeSet<String>,
    /// What may be executed.
    pub reason: TwinOnlyReason,
}

/// What planning a statement may execute, or whose policies it is planned with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TwinOnlyReason {
    /// A function of a user who is neither a superuser nor the one who asks.
    FunctionOf {
        /// The function.
        function: String,
        /// Its owner.
        owner: String,
    },
    /// It has names with escaped characters (`U&"…"`), which are not resolved.
    EscapedNames,
    /// It could not be checked; the server's message.
    NotChecked(String),
    /// It is planned with row-level security policies that do not apply to the role that asks.
    PoliciesOfOthers,
    /// The one who asks may not execute it; the server's message.
    NoRights(String),
    /// Its plan is so long that it is not read while writers wait for a build.
    LongPlan(Bytes),
}

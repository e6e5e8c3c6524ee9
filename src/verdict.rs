//! Thresholds, limits and reasons: when a gain is a gain, and why a candidate is not recommended.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{Bytes, Cost, Millis};

pub mod no_index;

pub use no_index::NoIndexReason;

/// Why a candidate is not recommended. "No" always has a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It was built, and no plan used it.
    NotChosen,
    /// It was used, but no statement gained enough.
    GainTooSmall,
    /// Its work is done by a recommended index, or by one that exists.
    Redundant,
    /// Only statements that are better written another way would use it, and as they are written
    /// then, they do not.
    BetterRewritten,
    /// The recommended indexes leave no room for it in `--budget`.
    OverBudget,
    /// `--max-indexes` were reached.
    TooManyIndexes,
    /// Beside many others the workload would hardly cost less with it, and no call that takes long.
    Negligible,
    /// Its write cost is higher than what reads gain.
    UpkeepTooHigh,
    /// The table is larger than `--max-table-size`: not built.
    TableTooLarge,
    /// The lock could not be acquired within `--lock-timeout`: not built.
    LockTimeout,
    /// The build took longer than `--statement-timeout`: stopped.
    StatementTimeout,
    /// A session waited for the build for `--max-write-block`: stopped.
    WriteBlockTooLong,
    /// Sessions had waited for earlier builds for `--max-total-write-block`: not built.
    WriteBudgetSpent,
    /// The user declined the builds.
    Declined,
    /// The server would not build it.
    BuildFailed,
    /// Only the table's owner may build on it.
    NotOwner,
    /// A standby: nothing can be built there.
    ReadOnlyServer,
    /// Built, but an older snapshot of another session kept the planner from using it now.
    NotUsableNow,
    /// `--analyze`: every statement that uses it took longer with it.
    Slower,
    /// `--rehearse=off`, or `--rehearse=twin` where it is about building.
    NotRehearsed,
    /// There is no planner twin, or it cannot plan the statements, and without
    /// `--rehearse=transaction` nothing is built instead.
    NoTwin,
    /// There is no server to build on: the advice is made from a file.
    Offline,
    /// `--search-time` ran out before it was tested.
    OutOfTime,
    /// The run was interrupted before it was tested.
    Interrupted,
    /// The server stopped answering before it was tested.
    ServerSilent,
}

impl Reason {
    /// Is the reason temporary, so that it says nothing about the index?
    pub fn is_passing(self) -> bool {
        matches!(
            self,
            Reason::LockTimeout | Reason::NotUsableNow | Reason::ServerSilent | Reason::Interrupted
        )
    }

    /// Was it not tested, so that nobody knows what it would bring?
    pub fn is_untested(self) -> bool {
        match self {
            Reason::TableTooLarge
            | Reason::LockTimeout
            | Reason::StatementTimeout
            | Reason::WriteBlockTooLong
            | Reason::WriteBudgetSpent
            | Reason::Declined
            | Reason::NotOwner
            | Reason::ReadOnlyServer
            | Reason::NotUsableNow
            | Reason::NotRehearsed
            | Reason::NoTwin
            | Reason::Offline
            | Reason::OutOfTime
            | Reason::Interrupted
            | Reason::ServerSilent => true,
            Reason::NotChosen
            | Reason::GainTooSmall
            | Reason::Redundant
            | Reason::BetterRewritten
            | Reason::OverBudget
            | Reason::TooManyIndexes
            | Reason::Negligible
            | Reason::UpkeepTooHigh
            | Reason::BuildFailed
            | Reason::Slower => false,
        }
    }

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Reason::NotChosen => "not_chosen",
            Reason::GainTooSmall => "gain_too_small",
            Reason::Redundant => "redundant",
            Reason::BetterRewritten => "better_rewritten",
            Reason::OverBudget => "over_budget",
            Reason::TooManyIndexes => "too_many_indexes",
            Reason::Negligible => "negligible",
            Reason::UpkeepTooHigh => "upkeep_too_high",
            Reason::TableTooLarge => "table_too_large",
            Reason::LockTimeout => "lock_timeout",
            Reason::StatementTimeout => "statement_timeout",
            Reason::WriteBlockTooLong => "write_block_too_long",
            Reason::WriteBudgetSpent => "write_budget_spent",
            Reason::Declined => "declined",
            Reason::BuildFailed => "build_failed",
            Reason::NotOwner => "not_owner",
            Reason::ReadOnlyServer => "read_only_server",
            Reason::NotUsableNow => "not_usable_now",
            Reason::NotRehearsed => "not_rehearsed",
            Reason::NoTwin => "no_twin",
            Reason::Slower => "slower",
            Reason::Offline => "offline",
            Reason::OutOfTime => "out_of_time",
            Reason::Interrupted => "interrupted",
            Reason::ServerSilent => "server_silent",
        }
    }
}

/// What counts as a gain.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MinImprovement(
    /// Share of a statement's cost, 0 to 1.
    pub f64,
);

impl MinImprovement {
    /// Is a statement that much cheaper?
    pub fn reached(self, before: Cost, after: Cost) -> bool {
        before.saved_share(after) >= self.0 && after < before
    }
}

/// What may be recommended, and what may be tested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Total size of the recommended indexes.
    pub budget: Option<Bytes>,
    /// Number of recommended indexes.
    pub max_indexes: Option<usize>,
    /// What counts as a gain.
    pub min_improvement: MinImprovement,
    /// Nothing is built on larger tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_table_size: Option<Bytes>,
    /// No session waits longer for a build.
    pub max_write_block: Millis,
    /// All waiting of a run, the longest of each build, is not longer.
    #[serde(default = "max_total_write_block")]
    pub max_total_write_block: Millis,
    /// How candidates are tested.
    pub rehearse: Rehearse,
    /// The statements that the chosen indexes help are executed without and with them.
    #[serde(default)]
    pub analyze: bool,
    /// Statements that are executed though a check finds that they may have effects, by name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub analyze_volatile: BTreeSet<String>,
    /// Statements are executed for at most this long, all together.
    #[serde(default = "max_analyze_time")]
    pub max_analyze_time: Millis,
    /// The search ends after this long, with the best set found until then. The time to verify that
    /// set is not included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_time: Option<Millis>,
    /// Minimum time without a scan after which an index counts as unused.
    #[serde(default = "unused_after")]
    pub unused_after: Millis,
    /// The indexes of all tables of the database are checked, not only those of the workload.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_tables: bool,
    /// Foreign servers may be connected to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follow_foreign: bool,
}

/// How long statements are executed if nothing else is said, all together.
pub const MAX_ANALYZE_TIME: Millis = Millis(120_000.0);

fn max_analyze_time() -> Millis {
    MAX_ANALYZE_TIME
}

/// A week covers jobs that run daily or weekly; those that run monthly or yearly are not covered.
pub const UNUSED_AFTER: Millis = Millis(7.0 * 86_400_000.0);

fn unused_after() -> Millis {
    UNUSED_AFTER
}

fn max_total_write_block() -> Millis {
    Limits::default().max_total_write_block
}

/// Expected duration of a build where there was none yet: five million rows took 11 s.
const BUILD_MS_A_ROW: f64 = 0.0022;

/// How long building an index on a table with this many rows is expected to take.
pub fn expected_build(rows: f64) -> Millis {
    Millis(rows * BUILD_MS_A_ROW)
}

/// How candidates are tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rehearse {
    /// Searched in the planner twin, and the chosen ones built in a transaction that is rolled
    /// back. Without a twin nothing is built.
    #[default]
    Auto,
    /// Only in the planner twin: the server is only read from.
    Twin,
    /// Each built in a transaction that is rolled back.
    Transaction,
    /// Not at all: they are only listed.
    Off,
}

impl Limits {
    /// May indexes that take this long be built in one transaction, so that writers that come
    /// during it need not wait longer than `--max-write-block`? With room for planning and for a
    /// slower build.
    pub fn have_room_for(&self, build_times: impl IntoIterator<Item = Millis>) -> bool {
        build_times.into_iter().map(|time| time.0).sum::<f64>() * 2.0 < self.max_write_block.0
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            budget: None,
            max_indexes: None,
            min_improvement: MinImprovement(0.1),
            max_table_size: None,
            max_write_block: Millis(2_000.0),
            max_total_write_block: Millis(30_000.0),
            rehearse: Rehearse::default(),
            analyze: false,
            analyze_volatile: BTreeSet::new(),
            max_analyze_time: MAX_ANALYZE_TIME,
            search_time: None,
            unused_after: UNUSED_AFTER,
            all_tables: false,
            follow_foreign: false,
        }
    }
}

/// A statement is called worse only beyond what the planner's rounding and a refreshed row count
/// explain.
pub const WORSE_SHARE: f64 = 0.01;

/// How a statement fares with the recommended set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// At least as much cheaper as a gain has to be.
    Better,
    /// Neither.
    Same,
    /// More expensive.
    Worse,
}

impl Change {
    /// Compares the plan costs of one statement.
    pub fn between(before: Cost, after: Cost, min_improvement: MinImprovement) -> Change {
        if min_improvement.reached(before, after) {
            Change::Better
        } else if before.saved_share(after) < -WORSE_SHARE {
            Change::Worse
        } else {
            Change::Same
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_has_to_reach_the_threshold() {
        let ten_percent = MinImprovement(0.1);
        assert!(ten_percent.reached(Cost(100.0), Cost(90.0)));
        assert!(!ten_percent.reached(Cost(100.0), Cost(91.0)));
        assert!(
            !MinImprovement(0.0).reached(Cost(100.0), Cost(100.0)),
            "no gain is no gain"
        );
        assert_eq!(
            Change::between(Cost(100.0), Cost(102.0), ten_percent),
            Change::Worse
        );
        assert_eq!(
            Change::between(Cost(100.0), Cost(100.5), ten_percent),
            Change::Same
        );
    }

    #[test]
    fn builds_need_twice_their_time() {
        let limits = Limits {
            max_write_block: Millis(1_000.0),
            ..Limits::default()
        };
        assert!(limits.have_room_for([Millis(200.0), Millis(299.0)]));
        assert!(!limits.have_room_for([Millis(200.0), Millis(301.0)]));
    }

    #[test]
    fn reasons_are_named_as_they_serialize() {
        for reason in [
            Reason::NotChosen,
            Reason::LockTimeout,
            Reason::WriteBlockTooLong,
            Reason::WriteBudgetSpent,
            Reason::Declined,
            Reason::TooManyIndexes,
            Reason::Negligible,
            Reason::NoTwin,
            Reason::ServerSilent,
        ] {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
        }
    }
}

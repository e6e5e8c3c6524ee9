//! The start of the server's counters, on which "never scanned" is based.

use serde::{Deserialize, Serialize};

/// The beginning of a database's cumulative statistics (`pg_stat_user_indexes`,
/// `pg_stat_user_tables`).
///
/// Resetting a single table's or index's counters moves `pg_stat_database.stats_reset`, too (seen
/// on 14 to 18), so nothing was reset later than that says. Where it is NULL, nothing has been
/// reset since the server's statistics began: when it was initialised, or recovered from a crash,
/// which throws them away (src/backend/utils/activity/pgstat.c, `pgstat_reset_after_failure`). Then
/// the earliest of `pg_stat_bgwriter.stats_reset` and `pg_stat_archiver.stats_reset` is no earlier
/// than that beginning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counters {
    /// The time they count from, in UTC: `2024-05-01T10:00:00Z`.
    pub since: String,
    /// Seconds from then until this was read.
    pub counted_for_s: f64,
    /// `pg_stat_database.stats_reset` is set: the database's statistics were reset then. Otherwise
    /// the server's statistics began then. (In 14 it is set when they begin, too.)
    pub was_reset: bool,
    /// Connections that replicate the whole server (`pg_stat_replication` without logical slots):
    /// standbys, as a rule. Their counters are their own.
    #[serde(default)]
    pub standbys: u32,
    /// Other servers of the cluster whose counters are added to these (`--standby`).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub standbys_counted: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

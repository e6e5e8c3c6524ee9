//! The limits of a session, and how PostgreSQL writes them.

use std::time::Duration;

use crate::model::Millis;

/// Limits for everything on the server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Safety {
    /// `lock_timeout`: how long to wait for a lock, and so how long later writers may queue behind
    /// us.
    pub lock_timeout: Millis,
    /// `statement_timeout`: how long one statement may run.
    pub statement_timeout: Millis,
    /// How long writers to a table may be blocked by one rehearsal.
    pub max_write_block: Millis,
}

impl Default for Safety {
    fn default() -> Self {
        Safety {
            lock_timeout: Millis(1_000.0),
            statement_timeout: Millis(30_000.0),
            max_write_block: Millis(10_000.0),
        }
    }
}

/// How soon the server notices during a build that the client is gone (PG 14+; otherwise it would
/// complete the build).
pub(in crate::db) const CONNECTION_CHECK_INTERVAL: &str = "500ms";

/// A limit of the server as a time; zero means no limit, as everywhere in PostgreSQL.
pub(super) fn limit(timeout: Millis) -> Option<Duration> {
    (timeout.0 > 0.0).then(|| Duration::from_secs_f64(timeout.0 / 1000.0))
}

/// The limit that a value of `statement_timeout` sets; all values are in milliseconds or seconds.
pub(super) fn limit_of(value: &str) -> Option<Duration> {
    let (number, unit_ms) = match value.strip_suffix("ms") {
        Some(number) => (number, 1.0),
        None => (value.strip_suffix('s')?, 1000.0),
    };
    limit(Millis(number.parse::<f64>().ok()? * unit_ms))
}

/// A duration as the value of a setting; zero means no limit, as everywhere in PostgreSQL.
pub(in crate::db) fn milliseconds(duration: Millis) -> String {
    format!("{}ms", duration.0.ceil())
}

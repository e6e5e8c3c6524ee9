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
    /// The same while indexes are built; none: as long as they are expected to take, with a margin.
    pub build_timeout: Option<Millis>,
    /// How long another session may wait because of one rehearsal.
    pub max_write_block: Millis,
    /// How long others may wait because of all rehearsals of a run.
    pub max_total_write_block: Millis,
}

impl Default for Safety {
    fn default() -> Self {
        Safety {
            lock_timeout: Millis(1_000.0),
            statement_timeout: Millis(30_000.0),
            build_timeout: None,
            max_write_block: Millis(2_000.0),
            max_total_write_block: Millis(30_000.0),
        }
    }
}

/// A build may take this many times as long as expected,
const BUILD_MARGIN: f64 = 3.0;

/// and at least this long.
const MIN_BUILD_TIMEOUT: Millis = Millis(30_000.0);

impl Safety {
    /// How long a statement may run where a build is expected to take this long.
    pub(in crate::db) fn build_timeout(&self, expected: Millis) -> Millis {
        self.build_timeout
            .unwrap_or(Millis(MIN_BUILD_TIMEOUT.0.max(expected.0 * BUILD_MARGIN)))
    }

    /// How long the server waits for a client that does not answer.
    pub(super) fn stalled_client(&self) -> Millis {
        Millis(STALLED_CLIENT.0.max(self.max_write_block.0))
    }
}

/// How long the server waits for a client that does not answer while nobody waits for us.
const STALLED_CLIENT: Millis = Millis(10_000.0);

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

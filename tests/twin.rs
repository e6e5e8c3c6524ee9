//! The planner twin against real servers: every plan the same, node by node.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

#[path = "common/live.rs"]
#[allow(dead_code, reason = "not every helper is needed here")]
mod live;

#[path = "twin/advice.rs"]
mod advice;
#[path = "twin/candidates.rs"]
mod candidates;
#[path = "twin/exactness.rs"]
mod exactness;
#[path = "twin/fail_closed.rs"]
mod fail_closed;
#[path = "twin/policies.rs"]
mod policies;
#[path = "twin/privileges.rs"]
mod privileges;
#[path = "twin/standby.rs"]
mod standby;

#[path = "twin/tally.rs"]
mod tally;

#[path = "twin/offline.rs"]
mod offline;

#[path = "twin/fallbacks.rs"]
mod fallbacks;
#[path = "twin/growth.rs"]
mod growth;
#[path = "twin/hostile.rs"]
mod hostile;
#[path = "twin/jobs.rs"]
mod jobs;
#[path = "twin/many.rs"]
mod many;

#[path = "twin/stopped.rs"]
mod stopped;

#[path = "twin/redaction.rs"]
mod redaction;

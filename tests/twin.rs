//! The planner twin against real servers: every plan the same, node by node.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, missing_docs, reason = "tests")]

#[path = "common/live.rs"]
#[allow(dead_code, reason = "shared with tests that use all of it")]
mod live;

#[path = "twin/exactness.rs"]
mod exactness;

#[path = "twin/tally.rs"]
mod tally;

#[path = "twin/growth.rs"]
mod growth;

#[path = "twin/redaction.rs"]
mod redaction;

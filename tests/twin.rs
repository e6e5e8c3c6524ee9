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
#[allow(dead_code, reason = "this binary never runs the program")]
mod live;

#[path = "twin/candidates.rs"]
mod candidates;
#[path = "twin/exactness.rs"]
mod exactness;

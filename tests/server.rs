//! The program against a real PostgreSQL server that these tests start themselves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

#[path = "common/live.rs"]
mod live;

#[path = "server/adversarial.rs"]
mod adversarial;
#[path = "server/advice.rs"]
mod advice;
#[path = "server/candidates.rs"]
mod candidates;
#[path = "server/cluster.rs"]
mod cluster;
#[path = "server/demo.rs"]
mod demo;
#[path = "server/existing.rs"]
mod existing;
#[path = "server/findings.rs"]
mod findings;
#[path = "server/idioms.rs"]
mod idioms;
#[path = "server/interruption.rs"]
mod interruption;
#[path = "server/isolated_columns.rs"]
mod isolated_columns;
#[path = "server/migration.rs"]
mod migration;
#[path = "server/progress.rs"]
mod progress;
#[path = "server/remedies.rs"]
mod remedies;
#[path = "server/report.rs"]
mod report;
#[path = "server/rewrites.rs"]
mod rewrites;
#[path = "server/safety.rs"]
mod safety;
#[path = "server/sources.rs"]
mod sources;
#[path = "server/statements.rs"]
mod statements;
#[path = "server/unfinished.rs"]
mod unfinished;
#[path = "server/upkeep.rs"]
mod upkeep;
#[path = "server/waits.rs"]
mod waits;
#[path = "server/watch.rs"]
mod watch;

//! `pgrehearse check`: what it says of a migration, compared with what the migration does to a real
//! server with data; and what a migration of a stranger cannot do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

#[path = "common/live.rs"]
#[allow(dead_code, reason = "not every helper is needed here")]
mod live;

#[path = "check/causes.rs"]
mod causes;
#[path = "check/compare.rs"]
mod compare;
#[path = "check/hostile.rs"]
mod hostile;
#[path = "check/outputs.rs"]
mod outputs;
#[path = "check/risk.rs"]
mod risk;
#[path = "check/shop.rs"]
mod shop;
#[path = "check/truth.rs"]
mod truth;
#[path = "check/upgrade.rs"]
mod upgrade;

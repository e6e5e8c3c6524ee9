//! pgrehearse: rehearse an index before you build it.
//!
//! The data's way through the rooms is drawn in ARCHITECTURE.md. The core (everything from [`model`] to [`report`]) is pure and
//! synchronous; servers, files and the terminal are at the edges ([`db`], [`cluster`], [`terminal`], [`command`]).

pub mod advise;
pub mod candidate;
pub mod catalog;
pub mod cli;
pub mod cluster;
pub mod command;
pub mod db;
pub mod finding;
pub mod index;
pub mod log;
pub mod model;
pub mod plan;
pub mod planner;
pub mod predicate;
pub mod remedy;
pub mod report;
pub mod search;
pub mod sentences;
pub mod sql;
pub mod terminal;
pub mod text_layout;
pub mod tui;
pub mod twin;
pub mod verdict;
pub mod workload;

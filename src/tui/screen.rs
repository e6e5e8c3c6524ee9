//! The state of each screen, one small struct each, with the methods that its keys call.

pub mod compare;
pub mod indexes;
pub mod plan;
pub mod report;
pub mod workload;

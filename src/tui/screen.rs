//! The screens' states: one small struct each, with what a key does to it.

pub mod compare;
pub mod indexes;
pub mod plan;
pub mod workload;

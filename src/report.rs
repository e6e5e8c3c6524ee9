//! Reports: types of their own for other programs to rely on, and one small writer for each format.
//!
//! The core's types may change; these may only gain fields. The JSON Schema in `schema/` is made
//! from them.

pub mod check;
pub mod diff;
pub(crate) mod heat;
pub mod json;
pub mod markdown;
pub(crate) mod plan_summary;
pub mod review;
mod rewriting;
pub mod run_measurements;
mod style;
pub mod text;

//! Reports: types of their own for other programs to rely on, and one small writer for each format.
//!
//! The core's types may change; these may only gain fields. The JSON Schema in `schema/` is made
//! from them.

pub mod check;
mod closing;
mod columns;
pub mod compare;
pub mod diff;
mod document;
pub(crate) mod gains;
mod headline;
pub(crate) mod heat;
pub mod html;
pub mod json;
pub mod markdown;
pub mod migration;
mod notices;
pub mod part;
pub(crate) mod plan_summary;
pub mod review;
mod rewriting;
pub mod run_measurements;
pub mod short;
mod style;
pub mod text;
pub mod watch;
mod words;

pub(crate) use words::sql_line;

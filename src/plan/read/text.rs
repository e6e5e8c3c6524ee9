//! Reads the format TEXT into the properties of the JSON format, with the same names and types.
//!
//! A line is one of these (explain.c prints them, two columns per level):
//! ```text
//! Hash Join  (cost=1.09..2.19 rows=4 width=8)          the first node's headline
//!   Hash Cond: (a.id = b.id)                           a detail: two columns in from the first node
//!   InitPlan 1 (returns $0)                            a label: the name of the node on the next line
//!     ->  Result  (cost=0.00..0.01 rows=1 width=4)     a node: an arrow
//!   ->  Hash  (cost=1.04..1.04 rows=4 width=4)
//!         Buckets: 1024  Batches: 1  Memory Usage: 9kB its details: six columns in from the arrow
//! Planning Time: 0.1 ms                                about the whole plan: in the first node's column
//! ```
//! A line belongs to the last node above it whose details are not indented further. What TEXT
//! leaves out (zero counters, `false`, worker times without VERBOSE) is missing in the result too.
//! The words of a headline (`Hash Left Join`) become the properties that they express.
//! `Parent Relationship` follows from a node's position and its parent's type, and is set.

mod arity;
mod composite;
mod damage;
mod detail;
mod headline;
mod identifier;
mod logical;
mod numbers;
mod operation;
mod relationship;
mod summary;
mod tree;

pub(crate) use arity::{Arity, arity};
pub(crate) use headline::begins_with_operation;
pub(crate) use relationship::is_label;
pub(crate) use summary::is_summary as is_summary_line;

use super::error::OffsetError;
use super::lines::SourceLine;
use tree::TextPlan;

/// Whether a plan begins with this line.
pub(crate) fn begins<'a>(
    line: &SourceLine<'a>,
    next: impl FnOnce() -> Option<SourceLine<'a>>,
) -> bool {
    headline::begins_plan(line, next)
}

/// `Query Text: …`, which auto_explain prints above a plan, to its end.
pub(crate) fn query_text(above: &str) -> Option<String> {
    const LABEL: &str = "Query Text: ";
    let start = above.rfind(LABEL)?;
    let text = above.get(start + LABEL.len()..)?;
    let end = text.find("\nQuery Parameters: ").unwrap_or(text.len());
    let text = text.get(..end)?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Reads the plan whose first headline begins at `start`.
pub(crate) fn read_plan(text: &str, start: usize) -> Result<TextPlan, OffsetError> {
    tree::read(text, start)
}

//! What a recommended index does for which statement, and what it costs: the facts from which its
//! explanation is written.

use super::benefit::Benefit;
use crate::model::{Bytes, Millis, QualifiedName};
use crate::planner::RefusalCause;

/// The facts of an explanation.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The statement that gains most, none where no statement gains enough.
    pub gain: Option<Gain>,
    /// The size of the index.
    pub size: Bytes,
    /// How long building it took, where it was built.
    pub build_time: Option<Millis>,
    /// Why it was not built, where that was refused.
    pub not_built: Option<RefusalCause>,
    /// The table whose writes keep it up to date.
    pub table: QualifiedName,
    /// Does it hold only some rows?
    pub is_partial: bool,
    /// Existing indexes that can be dropped then.
    pub supersedes: Vec<(QualifiedName, Bytes)>,
}

/// What the statement that gains most gains.
#[derive(Debug, Clone, PartialEq)]
pub struct Gain {
    /// The statement with its costs.
    pub benefit: Benefit,
    /// How many other statements gain something.
    pub others: usize,
    /// How the plan reads the table today; none where it is unknown.
    pub today: Option<AccessPath>,
    /// How it reads the index then: `Index Scan`, and whether it still sorts.
    pub then: Option<AccessPath>,
    /// The columns of the conditions that the index answers.
    pub columns: Vec<String>,
    /// Does the index bring the order, so that nothing is sorted?
    pub in_order: bool,
    /// The predicate of a partial index, without parentheses around it.
    pub predicate: Option<String>,
    /// Other new indexes that the plan uses, too.
    pub beside: Vec<String>,
    /// Its times without and with the recommended set, where it was executed.
    pub times: Option<(Millis, Millis)>,
}

/// How a plan reads a table, in EXPLAIN's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessPath {
    /// `Sort`, where what is read is sorted.
    pub sort: Option<String>,
    /// `Seq Scan`.
    pub scan: String,
    /// The index it uses.
    pub index: Option<String>,
}

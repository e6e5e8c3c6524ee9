//! What an index gains one statement.

use crate::model::Cost;
use crate::workload::StatementId;

/// What an index gains one statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Benefit {
    /// The statement.
    pub statement: StatementId,
    /// Its cost without new indexes.
    pub before: Cost,
    /// Its cost with the index.
    pub after: Cost,
}

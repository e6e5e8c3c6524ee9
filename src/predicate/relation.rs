//! A relation of a plan, and which expressions are its own.

use super::key::{key_of, plain_column};
use crate::catalog::{Column, Table};
use crate::index::Key;
use crate::sql::Expression;

/// A relation as its conditions see it.
#[derive(Debug, Clone, Copy)]
pub struct Relation<'a> {
    /// What the statement calls it.
    pub alias: &'a str,
    /// The table; a partition's partitioned table.
    pub table: &'a Table,
}

impl<'a> Relation<'a> {
    /// Does the expression read columns of this relation and of no other? Columns without a
    /// qualifier are its own: without VERBOSE, a scan prints them so.
    pub fn reads_only_this(&self, expression: &Expression) -> bool {
        let is_own = |alias: &String| alias == self.alias;
        !expression.columns.is_empty() && expression.relations.iter().all(is_own)
    }

    /// What an index would have as its key for an expression of this relation.
    pub fn key(&self, expression: &Expression) -> Option<Key> {
        key_of(expression, self.table).filter(|_| self.reads_only_this(expression))
    }

    /// The plain column that an expression of this relation is, also behind a cast that only
    /// relabels it.
    pub fn column(&self, expression: &Expression) -> Option<&'a Column> {
        plain_column(expression, self.table).filter(|_| self.reads_only_this(expression))
    }
}

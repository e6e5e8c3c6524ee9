//! What an expression over one table would be as the key of an index.

use std::fmt;

use super::search_value::contains_search_value;
use crate::catalog::{Column, Table};
use crate::index::{IndexKey, Key};
use crate::sql::{Expression, Shape};

/// One column of an order that a plan needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderKey {
    /// What is ordered.
    pub key: Key,
    /// DESC.
    pub descending: bool,
    /// Nulls first.
    pub nulls_first: bool,
}

impl OrderKey {
    /// The key of an index that delivers this order.
    pub fn as_index_key(&self) -> IndexKey {
        IndexKey {
            key: self.key.clone(),
            operator_class: None,
            descending: self.descending,
            nulls_first: self.nulls_first,
        }
    }
}

impl fmt::Display for OrderKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_index_key().fmt(formatter)
    }
}

/// The index key that an expression over one table is: a column, also behind a cast that only
/// relabels it and with its own collation named, or an expression over its columns.
pub(super) fn key_of(expression: &Expression, table: &Table) -> Option<Key> {
    if let Some(column) = plain_column(expression, table) {
        return Some(Key::Column(column.name.clone()));
    }
    let known = expression
        .columns
        .iter()
        .all(|name| table.column(name).is_some());
    let computed = !matches!(
        expression.shape,
        Shape::Constant | Shape::RunTime | Shape::Column(_)
    );
    let fixed = !is_known_at_run_time(expression) && !contains_search_value(expression, table);
    (known && computed && fixed && !expression.columns.is_empty())
        .then(|| Key::Expression(expression.clone()))
}

/// Does a part of it change from call to call, so that no index can hold it?
fn is_known_at_run_time(expression: &Expression) -> bool {
    let mut parts = expression.parts().into_iter();
    matches!(expression.shape, Shape::RunTime) || parts.any(is_known_at_run_time)
}

pub(super) fn plain_column<'t>(expression: &Expression, table: &'t Table) -> Option<&'t Column> {
    match &expression.shape {
        Shape::Column(name) => table.column(name),
        Shape::Cast { operand, type_name } => {
            plain_column(operand, table).filter(|column| column.is_relabelled_by(type_name))
        }
        Shape::Collate { operand, collation } => plain_column(operand, table)
            .filter(|column| column.collation.as_ref() == Some(collation)),
        _ => None,
    }
}

//! Expressions that an index may hold whatever the settings are.

use crate::sql::{Expression, Shape};

/// Is an expression made of operators of JSON and numbers alone, which an index may compute?
pub(super) fn is_fixed(expression: &Expression) -> bool {
    match &expression.shape {
        Shape::Column(_) | Shape::Constant => true,
        Shape::Binary {
            operator,
            left,
            right,
        } => {
            let is_json = matches!(operator.as_str(), "->" | "->>" | "#>" | "#>>");
            let is_number = matches!(operator.as_str(), "+" | "-" | "*" | "/" | "%")
                && is_whole(left)
                && is_whole(right);
            (is_json || is_number) && is_fixed(left) && is_fixed(right)
        }
        Shape::Cast { operand, type_name } => {
            matches!(
                type_name.as_str(),
                "text" | "integer" | "bigint" | "numeric"
            ) && is_fixed(operand)
                && !matches!(operand.shape, Shape::Column(_))
        }
        _ => false,
    }
}

/// A column, or a literal without quotes: the sum of a time and an interval depends on a setting.
fn is_whole(expression: &Expression) -> bool {
    match &expression.shape {
        Shape::Constant => !expression.text.contains('\''),
        _ => true,
    }
}

//! What share of a table's rows a partial index holds: rows that are not in it cost it nothing.

use crate::catalog::{Column, Table};
use crate::index::Index;
use crate::sql::{Expression, Shape, array_elements};

/// As the planner guesses ranges that it knows nothing about (`DEFAULT_INEQ_SEL`,
/// src/include/utils/selfuncs.h).
const UNKNOWN_RANGE: f64 = 1.0 / 3.0;

/// The share of rows in the index, 0 to 1; all of them where the predicate's share is unknown.
pub(super) fn of_index(index: &Index, table: &Table) -> f64 {
    index.predicate.as_ref().map_or(1.0, |predicate| {
        of_condition(predicate, table)
            .unwrap_or(1.0)
            .clamp(0.0, 1.0)
    })
}

fn of_condition(condition: &Expression, table: &Table) -> Option<f64> {
    let rows = table.rows.unwrap_or(0.0);
    let column = |part: &Expression| match &part.shape {
        Shape::Column(name) => table.column(name),
        Shape::Cast { operand, .. } => match &operand.shape {
            Shape::Column(name) => table.column(name),
            _ => None,
        },
        _ => None,
    };
    let equal = |column: &Column, literal: &str| column.equality_share(literal, rows);
    match &condition.shape {
        Shape::And(parts) => Some(
            parts
                .iter()
                .map(|part| of_condition(part, table).unwrap_or(1.0))
                .product(),
        ),
        Shape::Or(parts) => parts.iter().map(|part| of_condition(part, table)).sum(),
        Shape::Not(part) => of_condition(part, table).map(|share| 1.0 - share),
        Shape::NullTest { operand, negated } => {
            let null = column(operand)?.null_share()?;
            Some(if *negated { 1.0 - null } else { null })
        }
        Shape::Column(_) => equal(column(condition)?, "true"),
        Shape::AnyOf {
            operator,
            operand,
            array,
        } if operator == "=" => {
            let column = column(operand)?;
            array_elements(&array.text)
                .iter()
                .map(|literal| equal(column, literal))
                .sum()
        }
        Shape::Binary {
            operator,
            left,
            right,
        } => match operator.as_str() {
            "=" => equal(column(left)?, &right.text),
            "<>" => Some(1.0 - equal(column(left)?, &right.text)?),
            "<" | "<=" | ">" | ">=" => Some(UNKNOWN_RANGE),
            _ => None,
        },
        _ => None,
    }
}

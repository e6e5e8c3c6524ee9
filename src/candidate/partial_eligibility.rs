//! Does a condition select a category of rows (a state, a flag, NULL, late ones), and how many rows
//! are in it?
//!
//! A condition with a parameter does not: a generic plan cannot match it with a predicate, and the
//! next call may have another value. Such columns are keys, which serve every value. A literal may
//! be such a value, too, written out. Two things show that: other statements that are the same but
//! for it ([`super::workload_profile`]), and the column's statistics. A column of categories has
//! few values, or one or two that nearly all rows have. Where many values are about as frequent
//! (sizes, cities, ship modes), the next call is likely to have another one.

use super::context::CandidateContext;
use crate::catalog::Column;
use crate::index::{Key, Method};
use crate::predicate::{Condition, ConditionKind, Operand};
use crate::sql::{array_elements, literal_value};

/// What the planner assumes of an inequality it knows nothing about (src/include/utils/selfuncs.h,
/// `DEFAULT_INEQ_SEL`).
const UNKNOWN_SHARE: f64 = 1.0 / 3.0;

/// With more values than this, they are not categories, however rare most of them are.
const MAX_CATEGORIES: f64 = 100.0;

/// The maximum of effective values (see [`Column::effective_values`]). Four states are categories,
/// and so are twenty of which one has most rows; seven that are equally frequent are not.
const MAX_EFFECTIVE_CATEGORIES: f64 = 4.0;

/// A column that refers to something (a user, a tenant) has categories only when there are few
/// values.
const MAX_CATEGORIES_OF_REFERENCE: f64 = 10.0;

/// A value that at least this share of the rows has is the usual one; all other rows together are a
/// category.
const MIN_SHARE_OF_USUAL_VALUE: f64 = 0.5;

/// A longer list of values is not a category.
const MAX_LIST: usize = 8;

/// The share of rows that satisfy the condition; none when they are not a category.
pub(super) fn kept_share(condition: &Condition, context: CandidateContext<'_>) -> Option<f64> {
    let Operand::Constant(literal) = &condition.operand else {
        return None;
    };
    if has_two_bounds(condition, context)
        || context
            .profile
            .varies(context.statement, context.relation, condition)
    {
        return None;
    }
    match &condition.key {
        Key::Expression(_) => {
            let of_expression = matches!(
                condition.kind,
                ConditionKind::Range | ConditionKind::Inequality | ConditionKind::RowPredicate
            );
            of_expression.then_some(UNKNOWN_SHARE)
        }
        Key::Column(name) => of_column(condition, literal, context.table.column(name)?, context),
    }
}

fn of_column(
    condition: &Condition,
    literal: &str,
    column: &Column,
    context: CandidateContext<'_>,
) -> Option<f64> {
    let rows = context.table.rows.unwrap_or(0.0);
    let of_list = || {
        let elements = array_elements(literal);
        let share: Option<f64> = elements
            .iter()
            .map(|value| column.equality_share(value, rows))
            .sum();
        share.filter(|_| elements.len() <= MAX_LIST)
    };
    let share = match condition.kind {
        ConditionKind::Null => return column.null_share(),
        ConditionKind::NotNull => return column.null_share().map(|share| 1.0 - share),
        _ if !has_categories(column, context) => {
            return share_without_usual_value(condition, literal, column);
        }
        ConditionKind::Equality => column.equality_share(literal, rows),
        ConditionKind::Inequality => column
            .equality_share(literal, rows)
            .map(|share| 1.0 - share),
        ConditionKind::Range => common_values_share(column, condition, literal),
        ConditionKind::Membership => of_list(),
        ConditionKind::Exclusion => of_list().map(|share| 1.0 - share),
        ConditionKind::Other | ConditionKind::RowPredicate => None,
    };
    share.map(|share| share.clamp(0.0, 1.0))
}

/// BETWEEN: the next call is likely to have other bounds.
fn has_two_bounds(condition: &Condition, context: CandidateContext<'_>) -> bool {
    let same_key = context
        .relation
        .conditions
        .iter()
        .filter(|other| other.kind == ConditionKind::Range && other.key == condition.key);
    condition.kind == ConditionKind::Range && same_key.count() > 1
}

/// Are the column's values categories (a state, a flag)? `user_id = 42` is about one user, however
/// few there are now: the values of a column that refers to another table are categories only when
/// they are very few.
fn has_categories(column: &Column, context: CandidateContext<'_>) -> bool {
    if column.type_name == "boolean" || is_enum(column, context) {
        return true;
    }
    let rows = context.table.rows.unwrap_or(0.0);
    let is_own = |columns: &[String]| columns.contains(&column.name);
    let refers = context
        .catalog
        .foreign_keys
        .iter()
        .any(|key| key.table == context.table.name && is_own(key.columns.as_slice()));
    let is_key = refers
        || column.name == "id"
        || column.name.ends_with("_id")
        || column.name.ends_with("_uuid");
    let max = if is_key {
        MAX_CATEGORIES_OF_REFERENCE
    } else {
        MAX_CATEGORIES
    };
    column
        .distinct_values(rows)
        .is_some_and(|distinct| distinct <= max)
        && column
            .effective_values(rows)
            .is_some_and(|values| values <= MAX_EFFECTIVE_CATEGORIES)
}

/// All enum types have the same operator class (`enum_ops`, src/include/catalog/pg_opclass.dat).
fn is_enum(column: &Column, context: CandidateContext<'_>) -> bool {
    let mut classes = context.catalog.operator_classes.iter();
    classes.any(|class| {
        class.method == Method::Btree
            && class.input_type == column.type_name
            && class.name.ends_with("enum_ops")
    })
}

/// `balance <> 0`, `balance > 0` where most rows have 0: all rows but the usual ones.
fn share_without_usual_value(condition: &Condition, literal: &str, column: &Column) -> Option<f64> {
    let leaves_out = match condition.kind {
        ConditionKind::Inequality => true,
        ConditionKind::Range => matches!(condition.operator.as_str(), "<" | ">"),
        _ => false,
    };
    let (_, share) = column
        .common_value(literal)
        .filter(|(_, share)| *share >= MIN_SHARE_OF_USUAL_VALUE)?;
    leaves_out.then_some(1.0 - share)
}

/// For `attempts > 0` over a handful of values: the share of the common values on the right side.
fn common_values_share(column: &Column, condition: &Condition, literal: &str) -> Option<f64> {
    let bound: f64 = literal_value(literal).parse().ok()?;
    let keeps = |value: f64| match condition.operator.as_str() {
        ">=" => value >= bound,
        "<=" => value <= bound,
        ">" => value > bound,
        "<" => value < bound,
        _ => true,
    };
    let values = &column.statistics.as_ref()?.most_common_values;
    let parsed: Option<Vec<(f64, f64)>> = values
        .iter()
        .map(|(value, share)| Some((value.parse().ok()?, *share)))
        .collect();
    let parsed = parsed.filter(|values| !values.is_empty())?;
    Some(
        parsed
            .into_iter()
            .filter(|(value, _)| keeps(*value))
            .map(|(_, share)| share)
            .sum(),
    )
}

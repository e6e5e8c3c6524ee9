//! Does a condition name a *kind* of row (a state, a flag, NULL, late ones), and how many rows are of that kind?
//!
//! What is compared with a parameter never does: a generic plan cannot match a predicate, and even where one value is asked for
//! most, nobody knows that the next call asks for it, too. Such columns are keys, which serve every value. A literal may be such a
//! value all the same, written out. Two things tell: other statements that are the same but for it ([`super::workload_profile`]), and the
//! column's statistics. A column of kinds has few values, or one or two that nearly all rows have; where many values are about as
//! frequent (sizes, cities, ship modes), each is as good as the other, and the next call asks for another one.

use super::Ask;
use crate::catalog::Column;
use crate::index::{Key, Method};
use crate::predicate::{Condition, ConditionKind, Operand};
use crate::sql::{array_elements, literal_value};

/// What the planner assumes of an inequality it knows nothing about (src/include/utils/selfuncs.h, `DEFAULT_INEQ_SEL`).
const UNKNOWN_SHARE: f64 = 1.0 / 3.0;

/// More values than this are no kinds, however rare most of them are.
const MAX_KINDS: f64 = 100.0;

/// So many values, were they equally frequent. Four states are kinds, and twenty of which one is that of most rows; seven that are
/// equally frequent are not.
const MAX_KINDS_IN_EFFECT: f64 = 4.0;

/// A column that refers to something (a user, a tenant) names kinds only when there are few.
const MAX_KINDS_OF_REFERENCE: f64 = 10.0;

/// The value of at least so many rows is the usual one; what differs from it is a kind, whatever the other values are.
const MIN_SHARE_OF_THE_USUAL: f64 = 0.5;

/// A longer list of values is no kind of row.
const MAX_LIST: usize = 8;

/// The share of rows that satisfy the condition; none when it does not name a kind of row.
pub(super) fn kept_share(condition: &Condition, ask: Ask<'_>) -> Option<f64> {
    let Operand::Constant(literal) = &condition.operand else {
        return None;
    };
    if is_window(condition, ask) || ask.profile.varies(ask, condition) {
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
        Key::Column(name) => of_column(condition, literal, ask.table.column(name)?, ask),
    }
}

fn of_column(condition: &Condition, literal: &str, column: &Column, ask: Ask<'_>) -> Option<f64> {
    let rows = ask.table.rows.unwrap_or(0.0);
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
        _ if !names_kinds(column, ask) => return unusual_share(condition, literal, column),
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

/// BETWEEN: a window, which is another one in the next call.
fn is_window(condition: &Condition, ask: Ask<'_>) -> bool {
    let same_key = ask
        .relation
        .conditions
        .iter()
        .filter(|other| other.kind == ConditionKind::Range && other.key == condition.key);
    condition.kind == ConditionKind::Range && same_key.count() > 1
}

/// Are the column's values kinds (a state, a flag) rather than facts? `user_id = 42` is about a user, whatever their number now:
/// what refers to another table does so only with very few values.
fn names_kinds(column: &Column, ask: Ask<'_>) -> bool {
    if column.type_name == "boolean" || is_enum(column, ask) {
        return true;
    }
    let rows = ask.table.rows.unwrap_or(0.0);
    let is_own = |columns: &[String]| columns.contains(&column.name);
    let refers = ask
        .catalog
        .foreign_keys
        .iter()
        .any(|key| key.table == ask.table.name && is_own(key.columns.as_slice()));
    let is_key = refers
        || column.name == "id"
        || column.name.ends_with("_id")
        || column.name.ends_with("_uuid");
    let most = if is_key {
        MAX_KINDS_OF_REFERENCE
    } else {
        MAX_KINDS
    };
    column
        .distinct_values(rows)
        .is_some_and(|distinct| distinct <= most)
        && column
            .values_in_effect(rows)
            .is_some_and(|values| values <= MAX_KINDS_IN_EFFECT)
}

/// Every enum type has the class that is made for all of them (`enum_ops`, src/include/catalog/pg_opclass.dat).
fn is_enum(column: &Column, ask: Ask<'_>) -> bool {
    let mut classes = ask.catalog.operator_classes.iter();
    classes.any(|class| {
        class.method == Method::Btree
            && class.input_type == column.type_name
            && class.name.ends_with("enum_ops")
    })
}

/// `balance <> 0`, `balance > 0` where most rows have 0: everything but the usual.
fn unusual_share(condition: &Condition, literal: &str, column: &Column) -> Option<f64> {
    let leaves_out = match condition.kind {
        ConditionKind::Inequality => true,
        ConditionKind::Range => matches!(condition.operator.as_str(), "<" | ">"),
        _ => false,
    };
    let (_, share) = column
        .common_value(literal)
        .filter(|(_, share)| *share >= MIN_SHARE_OF_THE_USUAL)?;
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

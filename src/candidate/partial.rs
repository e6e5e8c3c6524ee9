//! A condition with constants becomes the index's predicate; the rest of the statement gives the keys.
//!
//! Only for conditions that name a *kind* of row (a state, a flag, NULL, a computed threshold): a predicate on a value that
//! changes from call to call (a user, a date) would serve one call. And only when few rows satisfy it.

use super::composite::key_lists;
use super::{Ask, ascending};
use crate::catalog::Column;
use crate::catalog::selectivity::literal_value;
use crate::index::{Index, Key};
use crate::predicate::{Condition, Kind, Operand};

/// A predicate that keeps more rows than this saves too little over the whole index.
const LARGEST_SHARE: f64 = 0.35;

/// What the planner assumes of an inequality it knows nothing about (src/include/utils/selfuncs.h, `DEFAULT_INEQ_SEL`).
const UNKNOWN_RANGE_SHARE: f64 = 1.0 / 3.0;

pub(super) fn generate(ask: Ask<'_>) -> Vec<Index> {
    let kinds: Vec<(&Condition, f64)> =
        ask.relation.conditions.iter().filter_map(|condition| Some((condition, kept_share(condition, ask)?))).collect();
    predicate_sets(&kinds).into_iter().flat_map(|set| with_predicate(ask, &set)).collect()
}

/// Each selective condition by itself, and all of them together.
fn predicate_sets<'a>(kinds: &[(&'a Condition, f64)]) -> Vec<Vec<&'a Condition>> {
    let selective = kinds.iter().filter(|(_, share)| *share <= LARGEST_SHARE);
    let mut sets: Vec<Vec<&Condition>> = selective.map(|(condition, _)| vec![*condition]).collect();
    let all_keep: f64 = kinds.iter().map(|(_, share)| share).product();
    if kinds.len() > 1 && all_keep <= LARGEST_SHARE {
        sets.push(kinds.iter().map(|(condition, _)| *condition).collect());
    }
    sets
}

fn with_predicate(ask: Ask<'_>, set: &[&Condition]) -> Vec<Index> {
    let mut lists = key_lists(ask, set);
    if lists.is_empty() {
        lists.extend(set.first().map(|condition| ascending(std::slice::from_ref(&condition.key))));
    }
    let texts: Vec<&str> = set.iter().map(|condition| condition.text.as_str()).collect();
    let predicate = match texts.as_slice() {
        [only] => (*only).to_owned(),
        several => format!("({})", several.join(" AND ")),
    };
    lists.into_iter().map(|keys| ask.btree(keys).partial(predicate.clone())).collect()
}

/// The share of rows that satisfy the condition; none when it does not name a kind of row.
fn kept_share(condition: &Condition, ask: Ask<'_>) -> Option<f64> {
    let Operand::Constant(literal) = &condition.operand else { return None };
    let same_key =
        ask.relation.conditions.iter().filter(|other| other.kind == Kind::Range && other.key == condition.key);
    if condition.kind == Kind::Range && same_key.count() > 1 {
        // BETWEEN: a window, which is another one in the next call.
        return None;
    }
    let rows = ask.table.rows.unwrap_or(0.0);
    match &condition.key {
        Key::Expression(_) => matches!(condition.kind, Kind::Range | Kind::Inequality).then_some(UNKNOWN_RANGE_SHARE),
        Key::Column(name) => {
            let column = ask.table.column(name)?;
            match condition.kind {
                Kind::Null => column.null_share(),
                Kind::NotNull => column.null_share().map(|share| 1.0 - share),
                _ if !column.is_enumeration(ask.table) => None,
                Kind::Equality => column.equality_share(literal, rows),
                Kind::Inequality => column.equality_share(literal, rows).map(|share| 1.0 - share),
                Kind::Range => common_values_share(column, &condition.text, literal),
                Kind::Membership => {
                    array_elements(literal).iter().map(|value| column.equality_share(value, rows)).sum()
                }
                Kind::Other => None,
            }
        }
    }
}

/// `'{QUEUED,RUNNING}'::text[]` → `QUEUED`, `RUNNING`, each as a literal.
fn array_elements(literal: &str) -> Vec<String> {
    let value = literal_value(literal);
    let elements = value.trim_start_matches('{').trim_end_matches('}').split(',');
    elements.map(|element| format!("'{}'", element.trim_matches('"').replace('\'', "''"))).collect()
}

/// For `attempts > 0` over a handful of values: the share of the common values on the right side.
fn common_values_share(column: &Column, text: &str, literal: &str) -> Option<f64> {
    let bound: f64 = literal_value(literal).parse().ok()?;
    let column_first = !text.trim_start_matches('(').starts_with(literal);
    let keeps = |value: f64| match (text, column_first) {
        (text, true) if text.contains(" >= ") => value >= bound,
        (text, true) if text.contains(" <= ") => value <= bound,
        (text, true) if text.contains(" > ") => value > bound,
        (text, true) if text.contains(" < ") => value < bound,
        _ => true,
    };
    let values = &column.statistics.as_ref()?.most_common_values;
    let parsed: Option<Vec<(f64, f64)>> =
        values.iter().map(|(value, share)| Some((value.parse().ok()?, *share))).collect();
    let parsed = parsed.filter(|values| !values.is_empty())?;
    Some(parsed.into_iter().filter(|(value, _)| keeps(*value)).map(|(_, share)| share).sum())
}

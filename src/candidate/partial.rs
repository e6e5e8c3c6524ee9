//! A condition with constants becomes the index's predicate; the rest of the statement gives the keys.
//!
//! Only for conditions that name a *kind* of row (a state, a flag, NULL, a computed threshold): a predicate on a value that
//! changes from call to call (a user, a date) would serve one call. And only when few rows satisfy it.

use super::composite::key_lists;
use super::{Ask, ascending};
use crate::catalog::selectivity::literal_value;
use crate::catalog::{Catalog, Column, Table};
use crate::index::{Index, IndexKey, Key};
use crate::predicate::{Condition, Kind, Operand};

/// A predicate that keeps more rows than this saves too little over the whole index.
const LARGEST_SHARE: f64 = 0.35;

/// `<>` and `IS NOT NULL` leave out what nobody asks for, and need not leave much.
const LARGEST_SHARE_OF_THE_REST: f64 = 0.8;

/// What the planner assumes of an inequality it knows nothing about (src/include/utils/selfuncs.h, `DEFAULT_INEQ_SEL`).
const UNKNOWN_RANGE_SHARE: f64 = 1.0 / 3.0;

/// A column that refers to something (a user, a tenant) names kinds only when there are few.
const MOST_KINDS_OF_REFERENCE: f64 = 10.0;

/// A longer list of values is no kind of row.
const LONGEST_LIST: usize = 8;

pub(super) fn generate(ask: Ask<'_>) -> Vec<Index> {
    let with_lists = predicates(ask).into_iter();
    with_lists
        .flat_map(|(predicate, lists)| {
            lists.into_iter().map(|keys| ask.btree(keys).partial(predicate.clone())).collect::<Vec<_>>()
        })
        .collect()
}

/// The predicates worth trying, each with the key lists that go with it.
pub(super) fn predicates(ask: Ask<'_>) -> Vec<(String, Vec<Vec<IndexKey>>)> {
    let kinds: Vec<(&Condition, f64)> =
        ask.relation.conditions.iter().filter_map(|condition| Some((condition, kept_share(condition, ask)?))).collect();
    predicate_sets(&kinds).into_iter().map(|set| (predicate_text(&set), lists_for(ask, &set))).collect()
}

/// Each selective condition by itself, and all of them together.
fn predicate_sets<'a>(kinds: &[(&'a Condition, f64)]) -> Vec<Vec<&'a Condition>> {
    let largest = |condition: &Condition| match condition.kind {
        Kind::NotNull | Kind::Inequality => LARGEST_SHARE_OF_THE_REST,
        _ => LARGEST_SHARE,
    };
    let selective = kinds.iter().filter(|(condition, share)| *share <= largest(condition));
    let mut sets: Vec<Vec<&Condition>> = selective.map(|(condition, _)| vec![*condition]).collect();
    let all_keep: f64 = kinds.iter().map(|(_, share)| share).product();
    if kinds.len() > 1 && all_keep <= LARGEST_SHARE_OF_THE_REST {
        sets.push(kinds.iter().map(|(condition, _)| *condition).collect());
    }
    sets
}

/// What is left of the statement gives the keys; where that is nothing, or only what it is joined on, the predicate's own column.
fn lists_for(ask: Ask<'_>, set: &[&Condition]) -> Vec<Vec<IndexKey>> {
    let mut lists = key_lists(ask, set);
    let joined = ask.join_keys();
    if lists.iter().flatten().all(|key| joined.contains(&key.key)) {
        lists.extend(set.first().map(|condition| ascending(std::slice::from_ref(&condition.key))));
    }
    lists
}

/// Conditions as an index's predicate.
pub(super) fn predicate_text(set: &[&Condition]) -> String {
    let texts: Vec<&str> = set.iter().map(|condition| condition.text.as_str()).collect();
    match texts.as_slice() {
        [only] => (*only).to_owned(),
        several => format!("({})", several.join(" AND ")),
    }
}

/// The share of rows that satisfy the condition; none when it does not name a kind of row.
pub(super) fn kept_share(condition: &Condition, ask: Ask<'_>) -> Option<f64> {
    let Operand::Constant(literal) = &condition.operand else { return None };
    if is_window(condition, ask) || ask.habits.varies(&ask.table.name, &condition.key) {
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
                _ if !names_kinds(column, ask.table, ask.catalog) => None,
                Kind::Equality => column.equality_share(literal, rows),
                Kind::Inequality => column.equality_share(literal, rows).map(|share| 1.0 - share),
                Kind::Range => common_values_share(column, &condition.text, literal),
                Kind::Membership => {
                    let elements = array_elements(literal);
                    let share = elements.iter().map(|value| column.equality_share(value, rows)).sum();
                    if elements.len() > LONGEST_LIST { None } else { share }
                }
                Kind::Other => None,
            }
        }
    }
}

/// BETWEEN: a window, which is another one in the next call.
fn is_window(condition: &Condition, ask: Ask<'_>) -> bool {
    let same_key =
        ask.relation.conditions.iter().filter(|other| other.kind == Kind::Range && other.key == condition.key);
    condition.kind == Kind::Range && same_key.count() > 1
}

/// Are the column's values kinds (a state, a flag) rather than facts? `user_id = 42` is about a user, whatever their number now:
/// what refers to another table does so only with very few values.
fn names_kinds(column: &Column, table: &Table, catalog: &Catalog) -> bool {
    let rows = table.rows.unwrap_or(0.0);
    let refers = catalog.foreign_keys.iter().any(|key| key.table == table.name && key.columns.contains(&column.name));
    let is_key = refers || column.name == "id" || column.name.ends_with("_id") || column.name.ends_with("_uuid");
    let few = || column.distinct_values(rows).is_some_and(|distinct| distinct <= MOST_KINDS_OF_REFERENCE);
    column.is_enumeration(table) && (!is_key || few())
}

/// `'{QUEUED,RUNNING}'::text[]` → `QUEUED`, `RUNNING`, each as a literal.
pub(super) fn array_elements(literal: &str) -> Vec<String> {
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

//! Does a condition select a kind of rows that the application means (a state, a flag, NULL, late
//! ones), and how many rows are of that kind?
//!
//! A literal is a sample of what the statement is called with. It becomes a predicate only where the
//! values are kinds: NULL, a boolean, a state that few rows have. A condition with a parameter does
//! not: a generic plan cannot match it with a predicate. Nor does a literal that is a value like any
//! other: other statements are the same but for it ([`super::workload_profile`]), the column is a
//! key or a version, or other values are about as frequent (sizes, cities, providers). Such columns
//! are keys, which serve every value. The author of a workload can say which literals are fixed.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::context::CandidateContext;
use super::expression_types::plain;
use crate::catalog::{Catalog, Column, Table};
use crate::index::{Key, Method};
use crate::predicate::{Condition, ConditionKind, Operand};
use crate::sql::{Shape, array_elements, literal_value, literals};

/// A predicate that keeps more rows than this saves too little over the whole index.
pub(super) const MAX_SHARE: f64 = 0.35;

/// What the planner assumes of an inequality it knows nothing about (src/include/utils/selfuncs.h,
/// `DEFAULT_INEQ_SEL`).
const UNKNOWN_SHARE: f64 = 1.0 / 3.0;

/// With more values than this, they are not categories, however rare most of them are.
const MAX_CATEGORIES: f64 = 100.0;

/// The maximum of effective values (see [`Column::effective_values`]). Four states are categories,
/// and so are twenty of which one has most rows; seven that are equally frequent are not.
const MAX_EFFECTIVE_CATEGORIES: f64 = 4.0;

/// A number is the code of a state only where there are few of them.
const MAX_CODES: f64 = 20.0;

/// A value is rare among a column's values when it has less than this part of an equal share.
const RARE_PART_OF_EQUAL_SHARE: f64 = 0.5;

/// A value that at least this share of the rows has is the usual one; all other rows together are a
/// category. Of two values with half of the rows each none is.
const MIN_SHARE_OF_USUAL_VALUE: f64 = 0.6;

/// Beside a usual value another one is a state up to this share of the rows, or up to an equal share
/// of the values: of five grades, one that a third of the rows has is a grade like any other.
const MAX_SHARE_OF_STATE: f64 = 0.2;

/// A value that has about as many rows as so many others is one of many: error codes, shops.
const MANY_ALIKE: f64 = 7.0;

/// Values have about as many rows as each other within this factor.
const ALIKE: f64 = 2.0;

/// ANALYZE counts values in so many rows where the statistics target is the usual one
/// (src/backend/commands/analyze.c): counts that differ by chance alone are alike.
const SAMPLED_ROWS: f64 = 30_000.0;

/// Fewer values than these are states, whatever they look like.
const MIN_STANDARD_CODES: usize = 5;

/// A longer list of values is not a category.
const MAX_LIST: usize = 8;

/// The share of rows that satisfy the condition; none when they are not a category.
pub(super) fn kept_share(condition: &Condition, context: CandidateContext<'_>) -> Option<f64> {
    let Operand::Constant(literal) = &condition.operand else {
        return None;
    };
    if context.profile.is_fixed(context.statement, condition) {
        return share_of_fixed(condition, literal, context);
    }
    if has_two_bounds(condition, context)
        || context
            .profile
            .varies(context.statement, context.relation, condition)
    {
        return None;
    }
    match &condition.key {
        Key::Expression(_) => is_fact(condition).then_some(UNKNOWN_SHARE),
        Key::Column(name) => of_column(condition, literal, context.table.column(name)?, context),
    }
}

/// IS NULL, or a flag that few rows have: a predicate, and no key to begin an index with. All the rows
/// that are wanted have the same value there.
pub(super) fn is_flag(condition: &Condition, context: CandidateContext<'_>) -> bool {
    let is_boolean = |name: &String| {
        let column = context.table.column(name);
        column.is_some_and(|column| column.type_name == "boolean")
    };
    match (condition.kind, &condition.key) {
        (ConditionKind::Null, Key::Column(_)) => kept_share(condition, context).is_some(),
        (ConditionKind::Equality, Key::Column(name)) if is_boolean(name) => {
            kept_share(condition, context).is_some_and(|share| share <= MAX_SHARE)
        }
        (ConditionKind::Equality, Key::Expression(_)) => kept_share(condition, context).is_some(),
        _ => false,
    }
}

/// A flag whose value in the statement most rows have.
pub(super) fn is_usual_flag(condition: &Condition, context: CandidateContext<'_>) -> bool {
    let (Operand::Constant(literal), Key::Column(name), ConditionKind::Equality) =
        (&condition.operand, &condition.key, condition.kind)
    else {
        return false;
    };
    let column = context.table.column(name);
    let rows = context.table.rows.unwrap_or(0.0);
    column
        .filter(|column| column.type_name == "boolean")
        .and_then(|column| column.equality_share(literal, rows))
        .is_some_and(|share| share >= MIN_SHARE_OF_USUAL_VALUE)
}

/// Is the literal of a condition the name of a kind of rows, and not one value of many that the
/// statement is called with?
pub fn names_a_kind(condition: &Condition, table: &Table, catalog: &Catalog) -> bool {
    let (Operand::Constant(literal), Key::Column(name)) = (&condition.operand, &condition.key)
    else {
        return false;
    };
    let is_kind = |column: &Column| {
        has_categories(column, table, catalog)
            && is_state(condition, literal, column, (table, catalog))
    };
    table.column(name).is_some_and(is_kind)
}

/// Is it a fact about the row, with nothing in it that somebody searches for? `shipped > due`,
/// `ordered - reserved > 0`, `abs(amount) >= 1000`, and not `starts_with(email, 'user77')`.
fn is_fact(condition: &Condition) -> bool {
    let values = literals(&without_paths(&condition.expression.text)).unwrap_or_default();
    let mut values = values.iter().map(String::as_str);
    match condition.kind {
        _ if is_test_of_bits(condition) => true,
        ConditionKind::Range | ConditionKind::Inequality => values.all(is_threshold),
        ConditionKind::Null | ConditionKind::NotNull => values.all(is_threshold),
        ConditionKind::RowPredicate => values.all(|value| matches!(value, "0" | "1")),
        _ => false,
    }
}

/// `flags & 16 = 16`, `(flags & 16) <> 0`: a bit is a flag, whatever its number.
fn is_test_of_bits(condition: &Condition) -> bool {
    let Key::Expression(key) = &condition.key else {
        return false;
    };
    let compared = matches!(
        condition.kind,
        ConditionKind::Equality | ConditionKind::Inequality | ConditionKind::Range
    );
    let masked = match &key.shape {
        Shape::Binary {
            operator,
            left,
            right,
        } => {
            operator == "&"
                && [left, right]
                    .iter()
                    .any(|side| side.shape == Shape::Constant)
        }
        _ => false,
    };
    compared && masked
}

/// The name of a field is no value: `(props ->> 'urgent'::text)::boolean`.
fn without_paths(text: &str) -> Cow<'_, str> {
    static PATHS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(->>?|#>>?) '(?:[^']|'')*'").ok());
    match PATHS.as_ref() {
        Some(paths) => paths.replace_all(text, "$1 field"),
        None => Cow::Borrowed(text),
    }
}

/// Is it a number or an interval that somebody decided on and not one that somebody looks for? The
/// former are round: `0.5`, `1000`, `30 days`, `10:00:00`.
fn is_threshold(value: &str) -> bool {
    let words = value.split(|character: char| !character.is_alphanumeric());
    let mut words = words.filter(|word| !word.is_empty());
    let significant = value
        .chars()
        .filter(|character| matches!(character, '1'..='9'));
    let is_unit = |word: &str| {
        let word = word.to_lowercase();
        let singular = word.strip_suffix('s').unwrap_or(&word);
        matches!(
            singular,
            "year"
                | "mon"
                | "month"
                | "week"
                | "day"
                | "hour"
                | "min"
                | "minute"
                | "sec"
                | "second"
        )
    };
    value.chars().any(|character| character.is_ascii_digit())
        && significant.count() <= 1
        && words.all(|word| is_unit(word) || word.chars().all(|digit| digit.is_ascii_digit()))
}

/// The share of a literal that the author of the workload says is always this one.
fn share_of_fixed(
    condition: &Condition,
    literal: &str,
    context: CandidateContext<'_>,
) -> Option<f64> {
    let rows = context.table.rows.unwrap_or(0.0);
    match (&condition.key, condition.kind) {
        (Key::Column(name), ConditionKind::Equality) => {
            context.table.column(name)?.equality_share(literal, rows)
        }
        _ => Some(UNKNOWN_SHARE),
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
        _ if !has_categories(column, context.table, context.catalog) => {
            return share_without_usual_value(condition, literal, column);
        }
        ConditionKind::Equality | ConditionKind::Membership
            if !is_state(condition, literal, column, (context.table, context.catalog)) =>
        {
            None
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

/// Are the column's values categories (a state, a flag)? Not those of a key (`user_id = 42` is about
/// one user, however few there are now), of a version, or of a type that has no names.
fn has_categories(column: &Column, table: &Table, catalog: &Catalog) -> bool {
    if column.type_name == "boolean" || is_enum(column, catalog) {
        return true;
    }
    let rows = table.rows.unwrap_or(0.0);
    let max = match plain(&column.type_name).as_str() {
        "text" | "character" | "bpchar" | "citext" | "name" | "\"char\"" => MAX_CATEGORIES,
        "smallint" | "integer" | "bigint" => MAX_CODES,
        _ => return false,
    };
    !is_key(column, table, catalog)
        && !is_version(&column.name)
        && !has_standard_codes(column)
        && column
            .distinct_values(rows)
            .is_some_and(|distinct| distinct <= max)
        && column
            .effective_values(rows)
            .is_some_and(|values| values <= MAX_EFFECTIVE_CATEGORIES)
}

/// Does the column name something: its own row, or a row of another table?
fn is_key(column: &Column, table: &Table, catalog: &Catalog) -> bool {
    let is_own = |columns: &[String]| columns.contains(&column.name);
    let refers = catalog
        .foreign_keys
        .iter()
        .any(|key| key.table == table.name && is_own(key.columns.as_slice()));
    let name = column.name.to_lowercase();
    let camel_case = column.name.ends_with("Id") || column.name.ends_with("ID");
    refers
        || camel_case
        || name == "id"
        || name.starts_with("id_")
        || ["_id", "_uuid", "_key", "_no", "_number"]
            .iter()
            .any(|ending| name.ends_with(ending))
}

/// A counter for optimistic locking: the next call has the next number.
fn is_version(name: &str) -> bool {
    let name = name.to_lowercase();
    name.ends_with("version") || name.ends_with("revision") || name == "rev"
}

/// Countries, currencies, languages, locales: two or three capital letters in each value, or two small
/// ones, or `de_AT`. The next statement asks for another one.
fn has_standard_codes(column: &Column) -> bool {
    let common = column
        .statistics
        .as_ref()
        .map(|known| &known.most_common_values);
    let Some([(first, _), others @ ..]) = common.map(Vec::as_slice) else {
        return false;
    };
    let all = |is_code: fn(&str) -> bool| {
        is_code(first) && others.iter().all(|(value, _)| is_code(value))
    };
    let same_length = others.iter().all(|(value, _)| value.len() == first.len());
    let capitals = |value: &str| value.chars().all(|letter| letter.is_ascii_uppercase());
    let small = |value: &str| value.chars().all(|letter| letter.is_ascii_lowercase());
    let codes = match first.len() {
        2 => same_length && (all(capitals) || all(small)),
        3 => same_length && all(capitals),
        _ => all(is_locale),
    };
    others.len() + 1 >= MIN_STANDARD_CODES && codes
}

/// `de`, `de_AT`, `de-AT`.
fn is_locale(value: &str) -> bool {
    let (language, region) = value.split_at_checked(2).unwrap_or((value, "-"));
    let region = region.strip_prefix(['_', '-']).unwrap_or(region);
    language.len() == 2
        && language.chars().all(|letter| letter.is_ascii_lowercase())
        && matches!(region.len(), 0 | 2)
        && region.chars().all(|letter| letter.is_ascii_uppercase())
}

/// Is it a number like several others, which have about as many rows? A state that has a name may be
/// asked for by that alone.
fn is_one_of_many(value: &str, column: &Column, rows: f64) -> bool {
    let type_name = plain(&column.type_name);
    if !matches!(type_name.as_str(), "smallint" | "integer" | "bigint") {
        return false;
    }
    let (Some(share), Some(known)) = (
        column.equality_share(value, rows),
        column.statistics.as_ref(),
    ) else {
        return false;
    };
    let is_alike = |other: f64| {
        let by_chance = 2.0 * ((share + other) * SAMPLED_ROWS).sqrt() / SAMPLED_ROWS;
        other <= ALIKE * share && share <= ALIKE * other || (other - share).abs() <= by_chance
    };
    let common = &known.most_common_values;
    let listed: f64 = common.iter().map(|(_, share)| share).sum();
    let alike = common.iter().filter(|(_, share)| is_alike(*share)).count() as f64;
    let others = column.distinct_values(rows).unwrap_or(0.0) - common.len() as f64;
    let of_one = (1.0 - listed - known.null_fraction) / others.max(1.0);
    let unlisted = if others >= 1.0 && is_alike(of_one) {
        others
    } else {
        0.0
    };
    alike + unlisted - 1.0 >= MANY_ALIKE
}

/// Does the literal name a state that few rows have? In a column where one value is usual any other
/// is that is not about as frequent; elsewhere it has to be rare among the values.
fn is_state(
    condition: &Condition,
    literal: &str,
    column: &Column,
    (table, catalog): (&Table, &Catalog),
) -> bool {
    if column.type_name == "boolean" {
        return true;
    }
    let rows = table.rows.unwrap_or(0.0);
    let statistics = column.statistics.as_ref();
    let is_usually_null =
        statistics.is_some_and(|known| known.null_fraction >= MIN_SHARE_OF_USUAL_VALUE);
    let common = statistics.map_or(&[][..], |known| &known.most_common_values);
    let has_usual_value = is_usually_null
        || common
            .iter()
            .any(|(_, share)| *share >= MIN_SHARE_OF_USUAL_VALUE);
    let equal_share = column
        .distinct_values(rows)
        .map(|distinct| 1.0 / distinct.max(1.0));
    let max_share = match has_usual_value {
        true => Some(equal_share.map_or(1.0, |equal| equal.max(MAX_SHARE_OF_STATE))),
        false => equal_share.map(|equal| RARE_PART_OF_EQUAL_SHARE * equal),
    };
    let is_rare = |value: &str| {
        if !may_name_a_state(value, is_usually_null, column, catalog)
            || is_one_of_many(value, column, rows)
        {
            return false;
        }
        let share = column.equality_share(value, rows);
        match share.zip(max_share) {
            Some((share, max)) => share <= max || share >= MIN_SHARE_OF_USUAL_VALUE,
            None => has_usual_value,
        }
    };
    match condition.kind {
        ConditionKind::Membership => array_elements(literal).iter().all(|value| is_rare(value)),
        _ => is_rare(literal),
    }
}

/// Can the literal be the name of a state? A state that no row is in now (an empty queue) is not in the
/// statistics either. But where most rows have no value, the few that there are may be texts that
/// somebody wrote, and one that none of them has is a search for such a text. So is one that was read
/// with the wrong encoding.
fn may_name_a_state(
    value: &str,
    is_usually_null: bool,
    column: &Column,
    catalog: &Catalog,
) -> bool {
    let is_damaged = value.contains(char::REPLACEMENT_CHARACTER);
    let is_known = || column.common_value(value).is_some() || is_enum(column, catalog);
    !is_damaged && (!is_usually_null || is_known())
}

/// All enum types have the same operator class (`enum_ops`, src/include/catalog/pg_opclass.dat).
fn is_enum(column: &Column, catalog: &Catalog) -> bool {
    let mut classes = catalog.operator_classes.iter();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_field_is_no_value() {
        let text = "((props ->> 'it''s'::text))::boolean OR (a = 'x'::text)";
        let without = "((props ->> field::text))::boolean OR (a = 'x'::text)";
        assert_eq!(without_paths(text), without);
    }

    #[test]
    fn somebody_decided_on_a_round_number() {
        let round = ["0", "0.5", "-1", "1000", "30 days", "10:00:00", "1 mon"];
        assert!(round.into_iter().all(is_threshold));
        let searched = ["42", "user7", "2024-01-01", "(12,34)", "", "none"];
        assert!(!searched.into_iter().any(is_threshold));
    }
}

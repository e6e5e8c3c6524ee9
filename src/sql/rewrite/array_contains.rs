//! `x = ANY (column)` of an array column: no index answers that, while GIN answers
//! `column @> ARRAY[x]` (<https://www.postgresql.org/docs/current/gin-builtin-opclasses.html>).
//! Where an array holds a NULL but not x, the first is NULL and the second false, so only where
//! either leaves the row out; for x that is NULL no row is found by either.

use sqlparser::tokenizer::Token;

use super::conditions::{Place, Replacement, replaced};
use super::constants::{Constant, Value, constant, without_modifiers};
use super::from_tables::{Rewriting, Schema};
use super::select::{Span, closing};
use super::whole::listed;

/// Types whose `=` for array elements is not the one that is meant for x alone, or whose literals
/// are changed by the cast.
const OTHER_EQUALITY: &[&str] = &["character", "bpchar", "\"char\"", "name", "json", "xml"];

/// A statement with such conditions on columns that GIN can hold.
pub fn array_contains(
    sql: &str,
    schema: &Schema<'_>,
    has_gin: &dyn Fn(&str) -> bool,
) -> Option<Rewriting> {
    replaced(sql, schema, |place| rule(place, has_gin))
}

fn rule(place: &Place<'_, '_>, has_gin: &dyn Fn(&str) -> bool) -> Option<Replacement> {
    let (tokens, (from, to)) = (place.tokens, place.span);
    let any = (from + 2..to).find(|position| tokens.is_one_of(*position, &["any", "some"]))?;
    let open = any + 1;
    let whole = tokens.at(any - 1) == Some(&Token::Eq)
        && tokens.at(open) == Some(&Token::LParen)
        && closing(tokens, open) == to.checked_sub(1);
    let operand = operand(place, (open + 1, to - 1)).filter(|_| whole)?;
    let element = without_modifiers(operand.type_name.strip_suffix("[]")?);
    let value = constant(tokens, (from, any - 1))?;
    let array = format!("{element}[]");
    if OTHER_EQUALITY.contains(&element.as_str()) || !has_gin(&operand.type_name) {
        return None;
    }
    if !fits(&value, &element) {
        return None;
    }
    Some(Replacement {
        text: format!("{} @> ARRAY[{}]::{array}", operand.text, value.text),
        column: operand.column.to_owned(),
    })
}

/// An array that every row has one of.
struct Operand<'s> {
    /// As the statement writes it.
    text: &'s str,
    column: &'s str,
    type_name: String,
}

/// A column, or `string_to_array(column, ',')`.
fn operand<'s>(place: &Place<'_, 's>, (from, to): Span) -> Option<Operand<'s>> {
    let tokens = place.tokens;
    let text = tokens.text(from, to)?;
    let known = |column: usize, end: usize| {
        let (column, column_end) = tokens.column(column)?;
        let known = place.block.column(&column, place.schema)?;
        (column_end == end).then_some(known.type_name)
    };
    if !tokens.is_word(from, "string_to_array") || tokens.at(from + 1) != Some(&Token::LParen) {
        return Some(Operand {
            text,
            column: text,
            type_name: known(from, to)?,
        });
    }
    closing(tokens, from + 1).filter(|end| end + 1 == to)?;
    let arguments = listed(tokens, (from + 2, to - 1));
    let [(start, end), delimiter] = arguments.as_slice() else {
        return None;
    };
    constant(tokens, *delimiter).filter(|found| matches!(found.value, Value::String(_)))?;
    let type_name = without_modifiers(&known(*start, *end)?);
    let is_text = ["text", "character varying"].contains(&type_name.as_str());
    is_text.then_some(Operand {
        text,
        column: tokens.text(*start, *end)?,
        type_name: "text[]".to_owned(),
    })
}

/// Is it the same value as an element of that type?
fn fits(value: &Constant<'_>, element: &str) -> bool {
    const TEXTS: &[&str] = &["text", "character varying"];
    let limit = match element {
        "smallint" => Some(i64::from(i16::MAX)),
        "integer" => Some(i64::from(i32::MAX)),
        "bigint" => Some(i64::MAX),
        _ => None,
    };
    match (&value.value, value.cast.as_deref()) {
        (Value::String(_) | Value::Parameter, None) => true,
        (Value::Number(number), None) => match limit {
            Some(limit) => number
                .parse::<i64>()
                .is_ok_and(|number| number.abs() <= limit),
            None => element == "numeric",
        },
        (_, Some(cast)) => {
            let integers = ["smallint", "integer", "bigint"];
            let rank = |name: &str| integers.iter().position(|known| *known == name);
            cast == element
                || (TEXTS.contains(&cast) && TEXTS.contains(&element))
                || matches!((rank(cast), rank(element)), (Some(cast), Some(element)) if cast <= element)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::from_tables::{FromTable, only_t};
    use super::*;

    fn rewritten(condition: &str) -> Option<String> {
        let schema = |table: &FromTable| {
            let columns = [
                ("tags", "text[]"),
                ("Codes", "character varying(8)[]"),
                ("ids", "bigint[]"),
                ("small", "smallint[]"),
                ("fixed", "character(3)[]"),
                ("word", "text"),
            ];
            only_t(&columns, table)
        };
        let sql = format!("SELECT * FROM t WHERE {condition}");
        let rewriting = array_contains(&sql, &schema, &|name| name.ends_with("[]"))?;
        let (_, condition) = rewriting.sql.split_once("WHERE ")?;
        Some(condition.to_owned())
    }

    #[test]
    fn any_of_a_column_becomes_containment() {
        for (condition, wanted) in [
            ("'x' = ANY(tags)", "tags @> ARRAY['x']::text[]"),
            (
                "'x'::text = any (t.tags)",
                "t.tags @> ARRAY['x'::text]::text[]",
            ),
            (
                "a = 1 AND ('it''s' = ANY(\"tags\")) ORDER BY a",
                "a = 1 AND (\"tags\" @> ARRAY['it''s']::text[]) ORDER BY a",
            ),
            (
                "$1 = SOME(\"Codes\") OR 5 = ANY(ids)",
                "\"Codes\" @> ARRAY[$1]::character varying[] OR ids @> ARRAY[5]::bigint[]",
            ),
            (
                "'x' = ANY(string_to_array(word, ','))",
                "string_to_array(word, ',') @> ARRAY['x']::text[]",
            ),
            (
                "CAST($2 AS int) = ANY(ids)",
                "ids @> ARRAY[CAST($2 AS int)]::bigint[]",
            ),
        ] {
            assert_eq!(rewritten(condition).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn what_may_mean_something_else_stays() {
        for condition in [
            "NOT 'x' = ANY(tags)",
            "NOT ('x' = ANY(tags) AND a = 1)",
            "('x' = ANY(tags)) IS NULL",
            "'x' <> ALL(tags)",
            "'x' <> ANY(tags)",
            "NULL = ANY(tags)",
            "word = ANY(tags)",
            "5.5 = ANY(ids)",
            "$1::bigint = ANY(small)",
            "40000 = ANY(small)",
            "'abc' = ANY(fixed)",
            "'x' = ANY(other)",
            "'x' = ANY(string_to_array(word, tags))",
            "'x' = ANY(string_to_array(ids, ','))",
            "5 = ANY(string_to_array(word, ','))",
            "'x' = ANY(ARRAY['a', 'b'])",
            "'x' = ANY(u.tags)",
            "'x' = ANY(SELECT tags FROM t)",
        ] {
            assert_eq!(rewritten(condition), None, "{condition}");
        }
    }
}

//! `column IS NOT DISTINCT FROM 5`: no index answers that operator, while for a value that is not
//! NULL it is `column = 5`, except that this is NULL where the column is.

use super::conditions::{Place, Replacement, replaced};
use super::constants::{Constant, Value, constant};
use super::from_tables::{Rewriting, Schema};

/// A statement with such conditions.
pub fn equal(sql: &str, schema: &Schema<'_>) -> Option<Rewriting> {
    replaced(sql, schema, rule)
}

fn rule(place: &Place<'_, '_>) -> Option<Replacement> {
    let (tokens, (from, to)) = (place.tokens, place.span);
    let (column, end) = tokens.column(from)?;
    let words = ["is", "not", "distinct", "from"];
    let mut written = words.iter().zip(end..);
    let is_it = written.all(|(word, position)| tokens.is_word(position, word));
    place
        .block
        .column(&column, place.schema)
        .filter(|_| is_it)?;
    let value: Constant<'_> = constant(tokens, (end + 4, to))?;
    let column = tokens.text(from, end)?;
    let known = !matches!(value.value, Value::Parameter);
    known.then(|| Replacement {
        text: format!("{column} = {}", value.text),
        column: column.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::from_tables::{FromTable, KnownColumn, KnownTable};
    use super::*;

    fn rewritten(condition: &str) -> Option<String> {
        let schema = |table: &FromTable| {
            let column = KnownColumn {
                name: "word".to_owned(),
                type_name: "text".to_owned(),
                not_null: false,
                groups: None,
                parent: None,
            };
            (table.name == "t").then(|| KnownTable {
                columns: vec![column],
            })
        };
        let rewriting = equal(&format!("SELECT * FROM t WHERE {condition}"), &schema)?;
        let (_, condition) = rewriting.sql.split_once("WHERE ")?;
        Some(condition.to_owned())
    }

    #[test]
    fn not_distinct_from_a_value_is_equal_to_it() {
        assert_eq!(
            rewritten("a = 1 AND t.word is not distinct from 'x'::text").as_deref(),
            Some("a = 1 AND t.word = 'x'::text")
        );
        for condition in [
            "word IS NOT DISTINCT FROM NULL",
            "word IS NOT DISTINCT FROM $1",
            "word IS DISTINCT FROM 'x'",
            "NOT word IS NOT DISTINCT FROM 'x'",
            "(word IS NOT DISTINCT FROM 'x') IS FALSE",
            "other IS NOT DISTINCT FROM 'x'",
            "word IS NOT DISTINCT FROM other",
        ] {
            assert_eq!(rewritten(condition), None, "{condition}");
        }
    }
}

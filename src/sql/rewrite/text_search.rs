//! `to_tsvector(column)` depends on `default_text_search_config`, so no index can hold it, while
//! `to_tsvector('english', column)` is IMMUTABLE
//! (<https://www.postgresql.org/docs/current/textsearch-tables.html#TEXTSEARCH-TABLES-INDEX>). The
//! two are the same as long as the setting is that configuration.

use sqlparser::tokenizer::Token;

use super::conditions::{Place, Replacement, replaced};
use super::from_tables::{Rewriting, Schema};
use super::select::{Span, closing};
use crate::model::quote_literal;

/// A statement whose conditions name the configuration.
pub fn name_configuration(
    sql: &str,
    schema: &Schema<'_>,
    configuration: &str,
) -> Option<Rewriting> {
    replaced(sql, schema, |place| rule(place, configuration))
}

fn rule(place: &Place<'_, '_>, configuration: &str) -> Option<Replacement> {
    let (tokens, (from, to)) = (place.tokens, place.span);
    let calls = (from..to).filter_map(|position| {
        let open = position + 1;
        let is_call =
            tokens.is_word(position, "to_tsvector") && tokens.at(open) == Some(&Token::LParen);
        let end = closing(tokens, open).filter(|end| is_call && *end < to)?;
        (!has_second_argument(place, (open + 1, end))).then_some((open, end))
    });
    let calls: Vec<Span> = calls.collect();
    let column = calls.iter().find_map(|(open, end)| {
        (open + 1..*end).find_map(|position| {
            let is_first = tokens.at(position - 1) != Some(&Token::Period);
            let (column, end) = tokens.column(position).filter(|_| is_first)?;
            place.block.column(&column, place.schema)?;
            tokens.text(position, end)
        })
    })?;
    let mut text = String::new();
    let mut done = from;
    for (open, _) in &calls {
        text += tokens.text(done, open + 1)?;
        text += &format!("{}, ", quote_literal(configuration));
        done = open + 1;
    }
    text += tokens.text(done, to)?;
    Some(Replacement {
        text,
        column: column.to_owned(),
    })
}

fn has_second_argument(place: &Place<'_, '_>, (from, to): Span) -> bool {
    let mut position = from;
    while position < to {
        match place.tokens.at(position) {
            Some(Token::Comma) => return true,
            Some(Token::LParen | Token::LBracket) => {
                position = closing(place.tokens, position).unwrap_or(to);
            }
            _ => {}
        }
        position += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::from_tables::{FromTable, only_t};
    use super::*;

    fn rewritten(condition: &str) -> Option<String> {
        let schema = |table: &FromTable| only_t(&[("body", "text"), ("title", "text")], table);
        let sql = format!("SELECT * FROM t WHERE {condition}");
        let rewriting = name_configuration(&sql, &schema, "pg_catalog.german")?;
        let (_, condition) = rewriting.sql.split_once("WHERE ")?;
        Some(condition.to_owned())
    }

    #[test]
    fn the_configuration_is_named() {
        for (condition, wanted) in [
            (
                "to_tsvector(body) @@ plainto_tsquery('x')",
                "to_tsvector('pg_catalog.german', body) @@ plainto_tsquery('x')",
            ),
            (
                "title = 'a' AND TO_TSVECTOR(coalesce(t.title, '') || body) @@ $1",
                "title = 'a' AND TO_TSVECTOR('pg_catalog.german', coalesce(t.title, '') || body) @@ $1",
            ),
            (
                "(to_tsvector(title) || to_tsvector(body)) @@ to_tsquery('x & y')",
                "(to_tsvector('pg_catalog.german', title) || to_tsvector('pg_catalog.german', body)) @@ to_tsquery('x & y')",
            ),
        ] {
            assert_eq!(rewritten(condition).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn what_is_named_already_or_unknown_stays() {
        for condition in [
            "to_tsvector('english', body) @@ plainto_tsquery('x')",
            "to_tsvector('x') @@ plainto_tsquery('x')",
            "to_tsvector(u.body) @@ plainto_tsquery('x')",
            "to_tsquery('x') @@ body",
        ] {
            assert_eq!(rewritten(condition), None, "{condition}");
        }
    }
}

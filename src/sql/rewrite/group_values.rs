//! The values of a column that has few of them, in many rows: `SELECT DISTINCT kind`, the same with
//! GROUP BY, and `count(DISTINCT kind)`. PostgreSQL reads every row, or every entry of an index; a
//! recursive query jumps from value to value (<https://wiki.postgresql.org/wiki/Loose_indexscan>).
//!
//! Conditions stand in each jump. A value that is NULL would be missed, so the column must be NOT
//! NULL.

use sqlparser::tokenizer::Token;

use super::from_tables::{KnownColumn, Rewriting, Schema};
use super::groups::{Grouped, KEYS, is_free};
use super::select::{SelectBlock, Span, closing};
use super::whole::{Item, items, listed, only_select, order_term, quoted};
use crate::sql::tokens::{Column, Tokens};

/// What is returned of the values.
enum Wanted {
    /// Each of them, under this name.
    Values { column: Column, name: String },
    /// How many there are.
    Number { column: Column, name: String },
}

/// A statement that jumps from value to value instead, and the column.
pub fn group_values(sql: &str, schema: &Schema<'_>) -> Option<(Rewriting, KnownColumn)> {
    let tokens = &Tokens::read(sql)?;
    let block = only_select(tokens).filter(|_| is_free(tokens))?;
    let other = ["having", "window", "fetch", "for"];
    if other.into_iter().any(|clause| block.has(clause)) {
        return None;
    }
    let wanted = wanted(tokens, &block, schema)?;
    let (Wanted::Values { column, name } | Wanted::Number { column, name }) = &wanted;
    let mut grouped = Grouped::of_rows(tokens, &block, column, schema)?;
    grouped.known.parent = None;
    let keys = grouped.keys_of_rows()?;
    let name = quoted(name);
    let sql = match wanted {
        Wanted::Values { .. } => {
            let rest = ending(tokens, &block, column, schema)?;
            format!(
                "WITH {keys}\nSELECT {KEYS}.group_key AS {name} FROM {KEYS} WHERE {KEYS}.group_key IS NOT NULL{rest}"
            )
        }
        Wanted::Number { .. } => {
            let plain = ["order", "limit", "offset"];
            if plain.into_iter().any(|clause| block.has(clause)) {
                return None;
            }
            format!("WITH {keys}\nSELECT count({KEYS}.group_key) AS {name} FROM {KEYS}")
        }
    };
    Some(grouped.done(sql))
}

fn wanted(tokens: &Tokens<'_>, block: &SelectBlock, schema: &Schema<'_>) -> Option<Wanted> {
    let list = block.list();
    let distinct = tokens.is_word(list.0, "distinct");
    match block.clause("group") {
        None if distinct && !tokens.is_word(list.0 + 1, "on") => {
            let (column, name) = only_item(tokens, (list.0 + 1, list.1))?;
            Some(Wanted::Values { column, name })
        }
        None => number(tokens, list),
        Some((group, end)) if !distinct => {
            let (column, name) = only_item(tokens, list)?;
            let (by, _) = tokens
                .column(group + 2)
                .filter(|(_, behind)| *behind == end)?;
            let same = block.column_of(&by, schema)? == block.column_of(&column, schema)?;
            same.then_some(Wanted::Values { column, name })
        }
        Some(_) => None,
    }
}

/// A list of one column, and what it is called.
fn only_item(tokens: &Tokens<'_>, list: Span) -> Option<(Column, String)> {
    match items(tokens, list).as_slice() {
        [
            Item::One {
                column: Some(column),
                name: Some(name),
                ..
            },
        ] => Some((column.clone(), name.clone())),
        _ => None,
    }
}

/// `count(DISTINCT kind) AS kinds`
fn number(tokens: &Tokens<'_>, (from, to): Span) -> Option<Wanted> {
    let begins = tokens.is_word(from, "count")
        && tokens.at(from + 1) == Some(&Token::LParen)
        && tokens.is_word(from + 2, "distinct");
    let close = closing(tokens, from + 1).filter(|_| begins)?;
    let (column, _) = tokens
        .column(from + 3)
        .filter(|(_, behind)| *behind == close)?;
    let name = match to - close {
        1 => "count".to_owned(),
        2 => tokens.name(close + 1)?,
        3 if tokens.is_word(close + 1, "as") => tokens.name(close + 2)?,
        _ => return None,
    };
    Some(Wanted::Number { column, name })
}

/// The order, by the column and nothing else, and the limits.
fn ending(
    tokens: &Tokens<'_>,
    block: &SelectBlock,
    column: &Column,
    schema: &Schema<'_>,
) -> Option<String> {
    let mut rest = String::new();
    if let Some((start, end)) = block.clause("order") {
        let terms = listed(tokens, (start + 2, end));
        let [term] = terms.as_slice() else {
            return None;
        };
        let (key, direction) = order_term(tokens, *term)?;
        let (by, _) = tokens
            .column(key.0)
            .filter(|(_, behind)| *behind == key.1)?;
        if block.column_of(&by, schema)? != block.column_of(column, schema)? {
            return None;
        }
        rest = format!("\nORDER BY {KEYS}.group_key {direction}");
        rest.truncate(rest.trim_end().len());
    }
    for clause in ["limit", "offset"] {
        if let Some((start, end)) = block.clause(clause) {
            rest = format!("{rest} {}", tokens.text(start, end)?);
        }
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::super::from_tables::{FromTable, KnownTable};
    use super::*;

    fn rewritten(sql: &str) -> Option<String> {
        let schema = |table: &FromTable| {
            let columns = [
                ("Kind", "text", true),
                ("shop", "integer", true),
                ("maybe", "integer", false),
                ("price", "numeric", true),
            ];
            let columns = columns.map(|(name, type_name, not_null)| KnownColumn {
                name: name.to_owned(),
                type_name: type_name.to_owned(),
                not_null,
                groups: Some(20),
                parent: None,
            });
            (table.name == "log").then(|| KnownTable {
                columns: columns.to_vec(),
            })
        };
        group_values(sql, &schema).map(|(rewriting, _)| rewriting.sql)
    }

    fn keys(key: &str, from: &str, condition: Option<&str>) -> String {
        let (first, next) = match condition {
            Some(condition) => (format!(" WHERE {condition}"), format!("{condition} AND ")),
            None => Default::default(),
        };
        format!(
            "WITH RECURSIVE group_keys AS (\n  (SELECT {key} AS group_key {from}{first} ORDER BY 1 LIMIT 1)\n  UNION ALL\n  \
             SELECT (SELECT {key} {from} WHERE {next}{key} > group_keys.group_key ORDER BY 1 LIMIT 1) FROM group_keys \
             WHERE group_keys.group_key IS NOT NULL\n)\n"
        )
    }

    #[test]
    fn the_values_are_jumped_to() {
        let values = |name: &str| {
            format!(
                "SELECT group_keys.group_key AS {name} FROM group_keys WHERE group_keys.group_key IS NOT NULL"
            )
        };
        let kind = keys("log.\"Kind\"", "FROM log", None);
        for sql in [
            "SELECT DISTINCT \"Kind\" FROM log",
            "SELECT \"Kind\" FROM log GROUP BY \"Kind\"",
        ] {
            assert_eq!(
                rewritten(sql),
                Some(format!("{kind}{}", values("\"Kind\""))),
                "{sql}"
            );
        }
        assert_eq!(
            rewritten(
                "SELECT DISTINCT l.shop AS s FROM log l WHERE price > 3 OR maybe = 1 ORDER BY l.shop DESC LIMIT 5"
            ),
            Some(format!(
                "{}{}\nORDER BY group_keys.group_key DESC LIMIT 5",
                keys("l.shop", "FROM log l", Some("(price > 3 OR maybe = 1)")),
                values("s")
            ))
        );
        assert_eq!(
            rewritten("SELECT count(DISTINCT \"Kind\") AS kinds FROM log"),
            Some(format!(
                "{kind}SELECT count(group_keys.group_key) AS kinds FROM group_keys"
            ))
        );
    }

    #[test]
    fn what_may_mean_something_else_stays() {
        for sql in [
            "SELECT DISTINCT maybe FROM log",
            "SELECT DISTINCT price FROM log",
            "SELECT DISTINCT shop, \"Kind\" FROM log",
            "SELECT DISTINCT shop + 1 FROM log",
            "SELECT DISTINCT ON (shop) shop FROM log",
            "SELECT DISTINCT shop FROM log ORDER BY \"Kind\"",
            "SELECT DISTINCT shop AS price FROM log ORDER BY price",
            "SELECT DISTINCT shop FROM log WHERE random() < 0.5",
            "SELECT DISTINCT shop FROM log JOIN o ON true",
            "SELECT shop FROM log",
            "SELECT shop FROM log GROUP BY \"Kind\"",
            "SELECT shop FROM log GROUP BY shop HAVING count(*) > 1",
            "SELECT count(shop) FROM log",
            "SELECT count(DISTINCT shop), max(price) FROM log",
            "SELECT count(DISTINCT shop) FILTER (WHERE price > 1) FROM log",
            "SELECT count(DISTINCT shop) FROM log GROUP BY \"Kind\"",
            "SELECT DISTINCT shop FROM log UNION SELECT 1",
        ] {
            assert_eq!(rewritten(sql), None, "{sql}");
        }
    }
}

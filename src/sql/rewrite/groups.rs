//! The newest row of each group, or its first few, where groups are few and rows are many: DISTINCT
//! ON and row_number() read every row. A recursive query jumps from group to group in an index
//! (<https://wiki.postgresql.org/wiki/Loose_indexscan>), and LATERAL reads the first rows of each.
//!
//! Where a foreign key says that a table has each group once, LATERAL reads the groups from there: a
//! group without rows adds none. Every jump costs more than such a row.
//!
//! A group that is NULL would be missed, so the column must be NOT NULL.

use sqlparser::tokenizer::Token;

use super::constants::{Constant, Value, constant, without_modifiers};
use super::from_tables::{FromTable, KnownColumn, Rewriting, Schema};
use super::joined_groups::{self, Joined};
use super::select::{SelectBlock, Span, closing, divided, select_blocks, unwrapped};
use super::whole::{
    Item, calls_are_safe, items, listed, only_column, only_select, order_term, quoted,
};
use crate::sql::tokens::{Column, Tokens};

/// Types whose order and equality are one operator family's, and no value of which is special.
const KEY_TYPES: &[&str] = &[
    "smallint",
    "integer",
    "bigint",
    "uuid",
    "date",
    "text",
    "character varying",
];

/// What the groups are called in a rewritten statement.
pub(super) const KEYS: &str = "group_keys";

/// Clauses that change what the rows of FROM are.
const OTHER_ROWS: &[&str] = &["group", "having", "window", "fetch", "for"];

/// Where the groups come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Groups {
    /// From the rows, by jumps.
    Jumps,
    /// From the table that a foreign key refers to.
    Parent,
}

/// A statement that reads group by group instead, and the column that it groups by.
pub fn group_by_group(
    sql: &str,
    groups: Groups,
    schema: &Schema<'_>,
) -> Option<(Rewriting, KnownColumn)> {
    let schema = &|table: &FromTable| {
        let mut known = schema(table)?;
        for column in &mut known.columns {
            match groups {
                Groups::Jumps => column.parent = None,
                // What has no parent is no column to group by.
                Groups::Parent if column.parent.is_none() => column.groups = None,
                Groups::Parent => {}
            }
        }
        Some(known)
    };
    let tokens = Tokens::read(sql)?;
    if !is_free(&tokens) {
        return None;
    }
    distinct_on(&tokens, schema)
        .or_else(|| row_number(&tokens, schema))
        .or_else(|| extreme(&tokens, schema))
}

/// Does the statement use none of the names that are given here?
pub(super) fn is_free(tokens: &Tokens<'_>) -> bool {
    (0..tokens.len()).all(|position| {
        tokens
            .name(position)
            .is_none_or(|name| name != KEYS && name != "group_key")
    })
}

/// The rows of one table in groups.
pub(super) struct Grouped<'t, 's> {
    tokens: &'t Tokens<'s>,
    block: &'t SelectBlock,
    pub(super) known: KnownColumn,
    /// The column, with its table's alias.
    key: String,
    /// The table of the groups, where the statement reads that, too.
    joined: Option<Joined>,
}

impl<'t, 's> Grouped<'t, 's> {
    fn read(
        tokens: &'t Tokens<'s>,
        block: &'t SelectBlock,
        key: &Column,
        schema: &Schema<'_>,
    ) -> Option<Grouped<'t, 's>> {
        let plain = !OTHER_ROWS.iter().any(|clause| block.has(clause));
        Grouped::of_rows(tokens, block, key, schema)
            .or_else(|| Grouped::of_joined(tokens, block, key, schema))
            .filter(|_| plain)
    }

    /// Of rows that are joined with their groups.
    fn of_joined(
        tokens: &'t Tokens<'s>,
        block: &'t SelectBlock,
        key: &Column,
        schema: &Schema<'_>,
    ) -> Option<Grouped<'t, 's>> {
        let (joined, known, key) = joined_groups::read(tokens, block, key, schema)?;
        // `*` would be the columns of one of the two.
        let (from, to) = block.list();
        let all = (from..to).any(|at| {
            tokens.at(at) == Some(&Token::Mul) && tokens.at(at - 1) != Some(&Token::Period)
        });
        (!all).then_some(Grouped {
            tokens,
            block,
            known,
            key,
            joined: Some(joined),
        })
    }

    /// Whatever is made of the rows.
    pub(super) fn of_rows(
        tokens: &'t Tokens<'s>,
        block: &'t SelectBlock,
        key: &Column,
        schema: &Schema<'_>,
    ) -> Option<Grouped<'t, 's>> {
        let [Some(_)] = block.from.as_slice() else {
            return None;
        };
        let from = block.clause("from")?;
        let plain = calls_are_safe(tokens, from, false)
            && block
                .clause("where")
                .is_none_or(|where_| calls_are_safe(tokens, where_, true));
        let (table, known) = block.column_of(key, schema)?;
        let key_type = without_modifiers(&known.type_name);
        let few = known.groups.is_some();
        let sound = plain && few && known.not_null && KEY_TYPES.contains(&key_type.as_str());
        let key = format!("{}.{}", quoted(&table.alias), quoted(&known.name));
        sound.then_some(Grouped {
            tokens,
            block,
            known,
            key,
            joined: None,
        })
    }

    fn from(&self) -> Option<&'s str> {
        let (start, end) = self.block.clause("from")?;
        self.tokens.text(start, end)
    }

    /// What the groups come from, behind WITH; nothing where FROM has them.
    fn keys(&self) -> Option<String> {
        if self.joined.is_some() {
            return Some(String::new());
        }
        let (key, from) = (&self.key, self.from()?);
        if let Some(parent) = &self.known.parent {
            let column = quoted(&parent.column);
            let table = &parent.table;
            return Some(format!(
                "{KEYS} AS (SELECT {column} AS group_key FROM {table})"
            ));
        }
        Some(jumps(key, from, ""))
    }

    /// WITH, if it takes one.
    fn with(&self) -> Option<String> {
        let keys = self.keys()?;
        Some(match keys.is_empty() {
            true => keys,
            false => format!("WITH {keys}\n"),
        })
    }

    /// The key of a group.
    fn group(&self) -> String {
        let joined = self.joined.as_ref();
        joined.map_or_else(
            || format!("{KEYS}.group_key"),
            |joined| joined.group.clone(),
        )
    }

    /// The same of the rows that satisfy the statement's conditions.
    pub(super) fn keys_of_rows(&self) -> Option<String> {
        Some(jumps(&self.key, self.from()?, &self.condition()?))
    }

    /// The first rows of each group.
    fn rows(&self, list: Span, order: &str, limit: u32) -> Option<String> {
        self.listed_rows(self.tokens.text(list.0, list.1)?, order, limit)
    }

    /// The conditions of WHERE, with AND behind them, if there are any.
    fn condition(&self) -> Option<String> {
        let Some((start, end)) = self.block.clause("where") else {
            return Some(String::new());
        };
        let text = self.tokens.text(start + 1, end)?;
        let whole = unwrapped(self.tokens, (start + 1, end));
        Some(match divided(self.tokens, whole, "or").len() {
            1 => format!("{text} AND "),
            _ => format!("({text}) AND "),
        })
    }

    fn listed_rows(&self, list: &str, order: &str, limit: u32) -> Option<String> {
        if let Some(joined) = &self.joined {
            let Joined {
                parent,
                rows,
                group,
                of_groups,
                of_rows,
            } = joined;
            return Some(format!(
                "SELECT first_rows.* FROM {parent} CROSS JOIN LATERAL (SELECT {list} FROM {rows} WHERE {of_rows}{} = {group}{order} LIMIT {limit}) \
                 AS first_rows{of_groups}",
                self.key
            ));
        }
        let condition = self.condition()?;
        let found = match self.known.parent {
            Some(_) => String::new(),
            None => format!(" WHERE {KEYS}.group_key IS NOT NULL"),
        };
        Some(format!(
            "SELECT first_rows.* FROM {KEYS} CROSS JOIN LATERAL (SELECT {list} {} WHERE {condition}{} = {KEYS}.group_key{order} LIMIT {limit}) \
             AS first_rows{found}",
            self.from()?,
            self.key
        ))
    }

    pub(super) fn done(self, sql: String) -> (Rewriting, KnownColumn) {
        let columns = vec![self.key];
        (Rewriting { sql, columns }, self.known)
    }
}

/// `RECURSIVE group_keys AS (…)`: the first value of the rows, and the next one behind each; `condition`
/// ends with AND.
fn jumps(key: &str, from: &str, condition: &str) -> String {
    let first = match condition.strip_suffix(" AND ") {
        Some(condition) => format!(" WHERE {condition}"),
        None => String::new(),
    };
    format!(
        "RECURSIVE {KEYS} AS (\n  (SELECT {key} AS group_key {from}{first} ORDER BY 1 LIMIT 1)\n  UNION ALL\n  \
         SELECT (SELECT {key} {from} WHERE {condition}{key} > {KEYS}.group_key ORDER BY 1 LIMIT 1) FROM {KEYS} WHERE {KEYS}.group_key IS NOT NULL\n)"
    )
}

/// `SELECT DISTINCT ON (key) … ORDER BY key, newest DESC`
fn distinct_on(tokens: &Tokens<'_>, schema: &Schema<'_>) -> Option<(Rewriting, KnownColumn)> {
    let block = only_select(tokens)?;
    let (start, end) = block.list();
    let begins = tokens.is_word(start, "distinct")
        && tokens.is_word(start + 1, "on")
        && tokens.at(start + 2) == Some(&Token::LParen);
    let close = closing(tokens, start + 2).filter(|_| begins)?;
    let list = (close + 1, end);
    if list.0 >= list.1 || !calls_are_safe(tokens, list, false) || has_over(tokens, list) {
        return None;
    }
    let column = only_column(tokens, (start + 3, close))?;
    let grouped = Grouped::read(tokens, &block, &column, schema)?;
    let (order, order_end) = block.clause("order")?;
    let terms = listed(tokens, (order + 2, order_end));
    let (first, direction) = order_term(tokens, *terms.first()?)?;
    let first = only_column(tokens, first)?;
    let same = block.column_of(&first, schema)? == block.column_of(&column, schema)?;
    let renamed = items(tokens, list).iter().any(|item| {
        matches!(item, Item::One { column, name: Some(name), .. }
            if *name == first.name && column.as_ref().is_none_or(|column| column.name != first.name))
    });
    if !same || renamed {
        return None;
    }
    let rest = match terms.get(1) {
        Some((from, _)) => format!(" ORDER BY {}", tokens.text(*from, order_end)?),
        None => String::new(),
    };
    let by_number = terms
        .iter()
        .any(|(from, _)| matches!(tokens.at(*from), Some(Token::Number(..))));
    if by_number {
        return None;
    }
    let mut sql = format!(
        "{}{}\nORDER BY {}",
        grouped.with()?,
        grouped.rows(list, &rest, 1)?,
        grouped.group()
    );
    if !direction.is_empty() {
        sql = format!("{sql} {direction}");
    }
    for clause in ["limit", "offset"] {
        if let Some((start, end)) = block.clause(clause) {
            sql = format!("{sql} {}", tokens.text(start, end)?);
        }
    }
    Some(grouped.done(sql))
}

/// Types of which max() and min() are values in the order of their column.
const EXTREME_TYPES: &[&str] = &[
    "smallint",
    "integer",
    "bigint",
    "numeric",
    "date",
    "timestamp without time zone",
    "timestamp with time zone",
];

/// `SELECT key, max(at) FROM … GROUP BY key`
fn extreme(tokens: &Tokens<'_>, schema: &Schema<'_>) -> Option<(Rewriting, KnownColumn)> {
    let block = only_select(tokens)?;
    let (group, group_end) = block.clause("group")?;
    let column = only_column(tokens, (group + 2, group_end))?;
    let items = listed(tokens, block.list());
    let [key, call] = items.as_slice() else {
        return None;
    };
    let key_text = tokens.text(key.0, key.1)?;
    let key_column = only_column(tokens, *key)?;
    let same = |other: &Column| block.column_of(other, schema) == block.column_of(&column, schema);
    let direction = match call.0 {
        at if tokens.is_word(at, "max") => " DESC",
        at if tokens.is_word(at, "min") => "",
        _ => return None,
    };
    let close = closing(tokens, call.0 + 1).filter(|_| same(&key_column))?;
    let value = only_column(tokens, (call.0 + 2, close))?;
    let known = block.column(&value, schema)?;
    let extreme_type = without_modifiers(&known.type_name);
    // NULLs would come first.
    let sound = known.not_null && EXTREME_TYPES.contains(&extreme_type.as_str());
    let name = match call.1 - close {
        1 => tokens.name(call.0)?,
        2 => tokens.name(close + 1)?,
        3 if tokens.is_word(close + 1, "as") => tokens.name(close + 2)?,
        _ => return None,
    };
    let ordered = match block.clause("order") {
        Some((start, end)) => {
            let (key, direction) = order_term(tokens, (start + 2, end))?;
            only_column(tokens, key).filter(|key| same(key))?;
            Some(direction)
        }
        None => None,
    };
    let others = ["having", "window", "limit", "offset", "fetch", "for"];
    if !sound || others.into_iter().any(|clause| block.has(clause)) {
        return None;
    }
    let grouped = Grouped::of_rows(tokens, &block, &column, schema)
        .or_else(|| Grouped::of_joined(tokens, &block, &column, schema))?;
    let ordered = ordered.map_or_else(String::new, |direction| {
        format!("\nORDER BY {} {direction}", grouped.group())
    });
    let value = tokens.text(call.0 + 2, close)?;
    let list = format!("{key_text}, {value} AS {}", quoted(&name));
    let rows = grouped.listed_rows(&list, &format!(" ORDER BY {value}{direction}"), 1)?;
    let sql = format!("{}{rows}{}", grouped.with()?, ordered.trim_end());
    Some(grouped.done(sql))
}

fn has_over(tokens: &Tokens<'_>, (from, to): Span) -> bool {
    (from..to).any(|position| tokens.is_one_of(position, &["over", "select"]))
}

/// `SELECT … FROM (SELECT …, row_number() OVER (PARTITION BY key ORDER BY …) AS n FROM …) WHERE n <=
/// 3`, or the same with WITH.
fn row_number(tokens: &Tokens<'_>, schema: &Schema<'_>) -> Option<(Rewriting, KnownColumn)> {
    let blocks = select_blocks(tokens);
    let over = (0..tokens.len()).filter(|position| tokens.is_word(*position, "over"));
    let only = over.clone().count() == 1 && tokens.count_words("select") == 2;
    let over = over.clone().next().filter(|_| only)?;
    let inner = blocks
        .iter()
        .find(|block| block.list().0 <= over && over < block.list().1)?;
    let outer = blocks.iter().find(|block| block.span.0 != inner.span.0)?;
    let window = Window::read(tokens, inner, over)?;
    let name = subquery_name(tokens, inner, outer)?;
    let limit = most(tokens, outer, (&name, &window.name))?;
    let grouped = Grouped::read(tokens, inner, &window.key, schema)?;
    let other_words = |word: &str| !inner.has(word);
    if !["order", "limit", "offset"].into_iter().all(other_words)
        || !calls_are_safe(tokens, inner.list(), false)
    {
        return None;
    }
    let order = format!(" {}", tokens.text(window.order.0, window.order.1)?);
    let rows = grouped.rows(inner.list(), &order, limit)?;
    let keys = grouped.keys()?;
    // A statement begins with WITH or with SELECT.
    let mut replacements = match tokens.is_word(0, "with") {
        _ if keys.is_empty() => Vec::new(),
        true => vec![(0, 1, format!("WITH {keys},"))],
        false => vec![(0, 1, format!("WITH {keys}\n{}", tokens.text(0, 1)?))],
    };
    replacements.push((inner.span.0, inner.span.1, rows));
    let sql = tokens.replaced(&replacements)?;
    Some(grouped.done(sql))
}

/// What the rows are numbered by.
struct Window {
    key: Column,
    /// `ORDER BY …`
    order: Span,
    /// What the number is called.
    name: String,
}

impl Window {
    fn read(tokens: &Tokens<'_>, block: &SelectBlock, over: usize) -> Option<Window> {
        let numbered = over >= 3
            && tokens.is_word(over - 3, "row_number")
            && tokens.at(over - 2) == Some(&Token::LParen)
            && tokens.at(over - 1) == Some(&Token::RParen)
            && tokens.at(over + 1) == Some(&Token::LParen)
            && tokens.is_word(over + 2, "partition")
            && tokens.is_word(over + 3, "by");
        let close = closing(tokens, over + 1).filter(|_| numbered)?;
        let order = (over + 4..close).find(|position| tokens.is_word(*position, "order"))?;
        let key = only_column(tokens, (over + 4, order))?;
        for term in listed(tokens, (order + 2, close)) {
            order_term(tokens, term)?;
        }
        let framed = (order..close).any(|position| {
            tokens.is_one_of(position, &["rows", "range", "groups"])
                || matches!(tokens.at(position), Some(Token::Number(..)))
        });
        let as_word = usize::from(tokens.is_word(close + 1, "as"));
        let name = tokens.name(close + 1 + as_word)?;
        // In ORDER BY a name means what is returned first.
        let items = items(tokens, block.list());
        let renamed = |item: &Item| {
            let Item::One {
                column,
                name: Some(name),
                ..
            } = item
            else {
                return false;
            };
            column.as_ref().is_none_or(|column| column.name != *name)
                && (order..close).any(|position| tokens.name(position).as_ref() == Some(name))
        };
        let sound = !framed && !items.iter().any(renamed);
        sound.then_some(Window {
            key,
            order: (order, close),
            name,
        })
    }
}

/// What the inner SELECT is called in the outer one, which reads nothing else.
fn subquery_name(tokens: &Tokens<'_>, inner: &SelectBlock, outer: &SelectBlock) -> Option<String> {
    let (from, end) = outer.clause("from")?;
    let open = inner.span.0.checked_sub(1)?;
    if tokens.at(open) != Some(&Token::LParen) || closing(tokens, open) != Some(inner.span.1) {
        return None;
    }
    if open == from + 1 {
        let as_word = usize::from(tokens.is_word(inner.span.1 + 1, "as"));
        let name = inner.span.1 + 1 + as_word;
        return tokens
            .name(name)
            .filter(|_| name + 1 == end && outer.span == (0, tokens.len()));
    }
    let common = tokens.is_word(0, "with")
        && open == 3
        && tokens.is_word(2, "as")
        && outer.span == (inner.span.1 + 1, tokens.len());
    let name = tokens.name(1).filter(|_| common)?;
    let as_word = usize::from(tokens.is_word(from + 2, "as"));
    let alias = match end - from {
        2 => name.clone(),
        _ => tokens
            .name(from + 2 + as_word)
            .filter(|_| from + 3 + as_word == end)?,
    };
    // The table inside must not be the query itself, which WITH RECURSIVE would make of it.
    let other = inner.from.iter().flatten().all(|table| table.name != name);
    (tokens.name(from + 1)? == name && other).then_some(alias)
}

/// The greatest number that is wanted: `n <= 3`, `n < 4`, `n = 1`.
fn most(tokens: &Tokens<'_>, outer: &SelectBlock, (alias, number): (&str, &str)) -> Option<u32> {
    let (start, end) = outer.clause("where")?;
    let parts = divided(tokens, unwrapped(tokens, (start + 1, end)), "and");
    if divided(tokens, unwrapped(tokens, (start + 1, end)), "or").len() > 1 {
        return None;
    }
    parts.into_iter().find_map(|part| {
        let (from, to) = unwrapped(tokens, part);
        let (column, operator) = tokens.column(from)?;
        let Constant {
            value: Value::Number(value),
            cast: None,
            ..
        } = constant(tokens, (operator + 1, to))?
        else {
            return None;
        };
        let value: u32 = value.parse().ok().filter(|value| *value > 0)?;
        let own = column.name == number
            && column
                .qualifier
                .as_ref()
                .is_none_or(|qualifier| qualifier == alias);
        match tokens.at(operator)? {
            Token::LtEq if own => Some(value),
            Token::Lt if own && value > 1 => Some(value - 1),
            Token::Eq if own && value == 1 => Some(1),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::from_tables::{KnownTable, ParentKey};
    use super::*;
    use crate::model::QualifiedName;

    fn rewritten(sql: &str) -> Option<String> {
        rewritten_from(sql, Groups::Jumps)
    }

    fn rewritten_from(sql: &str, groups: Groups) -> Option<String> {
        let schema = |table: &FromTable| {
            let columns = [
                ("user_id", "integer", true),
                ("Kind", "text", true),
                ("at", "date", true),
                ("amount", "numeric", true),
                ("maybe", "integer", false),
                ("id", "integer", true),
            ];
            let columns = columns.map(|(name, type_name, not_null)| KnownColumn {
                name: name.to_owned(),
                type_name: type_name.to_owned(),
                not_null,
                groups: (name != "id").then_some(50),
                parent: (name == "user_id").then(|| ParentKey {
                    table: QualifiedName::new("public", "User"),
                    column: "key".to_owned(),
                }),
            });
            (table.name == "log").then(|| KnownTable {
                columns: columns.to_vec(),
            })
        };
        group_by_group(sql, groups, &schema).map(|(rewriting, _)| rewriting.sql)
    }

    #[test]
    fn groups_come_from_the_table_that_has_each_once() {
        let sql = "SELECT * FROM (SELECT p.*, row_number() OVER (PARTITION BY user_id ORDER BY at) AS n FROM log p) s WHERE n <= 3";
        assert_eq!(
            rewritten_from(sql, Groups::Parent).as_deref(),
            Some(
                "WITH group_keys AS (SELECT key AS group_key FROM public.\"User\")\nSELECT * FROM (SELECT first_rows.* FROM group_keys \
                 CROSS JOIN LATERAL (SELECT p.*, row_number() OVER (PARTITION BY user_id ORDER BY at) AS n FROM log p \
                 WHERE p.user_id = group_keys.group_key ORDER BY at LIMIT 3) AS first_rows) s WHERE n <= 3"
            )
        );
        let distinct =
            "SELECT DISTINCT ON (user_id) user_id, at FROM log ORDER BY user_id, at DESC";
        let found = rewritten_from(distinct, Groups::Parent).unwrap();
        assert!(
            found.starts_with("WITH group_keys AS (SELECT key"),
            "{found}"
        );
        assert!(
            found.ends_with("AS first_rows\nORDER BY group_keys.group_key"),
            "{found}"
        );
        let without = "SELECT DISTINCT ON (\"Kind\") at FROM log ORDER BY \"Kind\", at DESC";
        assert_eq!(rewritten_from(without, Groups::Parent), None);
    }

    #[test]
    fn distinct_on_becomes_jumps() {
        let keys = |key: &str, from: &str| {
            format!(
                "WITH RECURSIVE group_keys AS (\n  (SELECT {key} AS group_key {from} ORDER BY 1 LIMIT 1)\n  UNION ALL\n  \
                 SELECT (SELECT {key} {from} WHERE {key} > group_keys.group_key ORDER BY 1 LIMIT 1) FROM group_keys \
                 WHERE group_keys.group_key IS NOT NULL\n)\n"
            )
        };
        assert_eq!(
            rewritten(
                "select distinct on (user_id) user_id, at from log where at <= '2023-03-01' order by user_id, at desc"
            ),
            Some(format!(
                "{}SELECT first_rows.* FROM group_keys CROSS JOIN LATERAL (SELECT user_id, at from log WHERE at <= '2023-03-01' AND \
                 log.user_id = group_keys.group_key ORDER BY at desc LIMIT 1) AS first_rows WHERE group_keys.group_key IS NOT NULL\n\
                 ORDER BY group_keys.group_key",
                keys("log.user_id", "from log")
            ))
        );
        let found = rewritten(
            "SELECT DISTINCT ON (l.\"Kind\") l.* FROM s.log AS l WHERE at = $1 OR amount > 3 ORDER BY l.\"Kind\" DESC, at LIMIT 5",
        )
        .unwrap();
        assert!(
            found.ends_with(
                "(SELECT l.* FROM s.log AS l WHERE (at = $1 OR amount > 3) AND l.\"Kind\" = group_keys.group_key ORDER BY at LIMIT 1) \
                 AS first_rows WHERE group_keys.group_key IS NOT NULL\nORDER BY group_keys.group_key DESC LIMIT 5"
            ),
            "{found}"
        );
    }

    #[test]
    fn the_first_rows_of_each_group_are_read_by_lateral() {
        for sql in [
            "SELECT * FROM (SELECT p.*, row_number() OVER (PARTITION BY user_id ORDER BY amount DESC) AS n FROM log p) s WHERE n <= 3",
            "WITH s AS (SELECT p.*, row_number() OVER (PARTITION BY p.user_id ORDER BY amount DESC) n FROM log p) \
             SELECT * FROM s WHERE s.n < 4 AND at > '2024-01-01' ORDER BY 1",
        ] {
            let found = rewritten(sql).unwrap_or_else(|| panic!("{sql}"));
            assert!(
                found.starts_with("WITH RECURSIVE group_keys AS ("),
                "{found}"
            );
            assert!(
                found.contains(
                    "FROM log p WHERE p.user_id = group_keys.group_key ORDER BY amount DESC LIMIT 3) AS first_rows"
                ),
                "{found}"
            );
            assert!(Tokens::read(&found).is_some());
        }
    }

    #[test]
    fn the_greatest_of_each_group_is_its_first_row() {
        let found = rewritten("select l.user_id, max(at) last from log l where amount > 1 group by user_id order by user_id desc").unwrap();
        assert!(
            found.ends_with(
                "CROSS JOIN LATERAL (SELECT l.user_id, at AS last from log l WHERE amount > 1 AND l.user_id = group_keys.group_key \
                 ORDER BY at DESC LIMIT 1) AS first_rows WHERE group_keys.group_key IS NOT NULL\nORDER BY group_keys.group_key desc"
            ),
            "{found}"
        );
        for sql in [
            "SELECT user_id, max(maybe) FROM log GROUP BY user_id",
            "SELECT user_id, max(\"Kind\") FROM log GROUP BY user_id",
            "SELECT user_id, max(at + 1) FROM log GROUP BY user_id",
            "SELECT user_id, max(DISTINCT at) FROM log GROUP BY user_id",
            "SELECT user_id, max(at) FILTER (WHERE amount > 1) FROM log GROUP BY user_id",
            "SELECT user_id, max(at), min(at) FROM log GROUP BY user_id",
            "SELECT user_id, max(at) FROM log GROUP BY user_id HAVING count(*) > 1",
            "SELECT user_id, max(at) FROM log GROUP BY user_id ORDER BY max(at)",
            "SELECT user_id, count(*) FROM log GROUP BY user_id",
            "SELECT \"Kind\", max(at) FROM log GROUP BY user_id",
        ] {
            assert_eq!(rewritten(sql), None, "{sql}");
        }
    }

    #[test]
    fn what_may_mean_something_else_stays() {
        for sql in [
            "SELECT DISTINCT ON (maybe) maybe, at FROM log ORDER BY maybe, at DESC",
            "SELECT DISTINCT ON (id) id, at FROM log ORDER BY id, at DESC",
            "SELECT DISTINCT ON (user_id, at) user_id FROM log ORDER BY user_id, at",
            "SELECT DISTINCT ON (user_id) user_id, at FROM log",
            "SELECT DISTINCT ON (user_id) user_id, at FROM log ORDER BY 1, at",
            "SELECT DISTINCT ON (amount) amount, at FROM log ORDER BY amount, at",
            "SELECT DISTINCT ON (user_id) at AS user_id FROM log ORDER BY user_id, at",
            "SELECT DISTINCT ON (user_id) user_id, random() FROM log ORDER BY user_id, at",
            "SELECT DISTINCT ON (user_id) user_id FROM log JOIN o ON true ORDER BY user_id, at",
            "SELECT DISTINCT ON (user_id) user_id FROM group_keys ORDER BY user_id, at",
            "SELECT * FROM (SELECT p.*, rank() OVER (PARTITION BY user_id ORDER BY amount) n FROM log p) s WHERE n <= 3",
            "SELECT * FROM (SELECT p.*, row_number() OVER (PARTITION BY user_id ORDER BY amount) n FROM log p) s WHERE n >= 3",
            "SELECT * FROM (SELECT p.*, row_number() OVER (PARTITION BY user_id ORDER BY amount) n FROM log p) s WHERE n <= 3 OR amount > 5",
            "SELECT * FROM (SELECT p.*, row_number() OVER (PARTITION BY maybe ORDER BY amount) n FROM log p) s WHERE n <= 3",
            "SELECT * FROM (SELECT -amount AS amount, row_number() OVER (PARTITION BY user_id ORDER BY amount) n FROM log p) s WHERE n <= 3",
            "SELECT * FROM (SELECT p.*, row_number() OVER (ORDER BY amount) n FROM log p) s WHERE n <= 3",
            "SELECT * FROM (SELECT p.*, row_number() OVER (PARTITION BY user_id ORDER BY amount) n FROM log p) s, log WHERE n <= 3",
        ] {
            assert_eq!(rewritten(sql), None, "{sql}");
        }
    }
}

//! `a NOT IN (SELECT b FROM …)`: for one NULL among the `b`, nothing is true, and so the planner
//! may not make an anti-join of it. Where neither can be NULL, `NOT EXISTS (… a = b)` means the
//! same and may
//! (<https://www.postgresql.org/docs/current/functions-subquery.html#FUNCTIONS-SUBQUERY-NOTIN>).

use sqlparser::tokenizer::Token;

use super::from_tables::{FromTable, Rewriting, tables_of_select};
use crate::model::quote_identifier;
use crate::sql::tokens::{Column, Tokens};

/// Clauses behind which a subquery's rows are other ones than those of its table.
const OTHER_ROWS: &[&str] = &[
    "select",
    "group",
    "having",
    "order",
    "limit",
    "offset",
    "fetch",
    "union",
    "intersect",
    "except",
    "window",
    "for",
    "join",
];

/// Behind these a column that cannot be NULL may be.
const MAKE_NULLS: &[&str] = &["rollup", "cube", "grouping"];

/// A SELECT from one table with such a condition; `not_null` knows of a table's column whether it
/// is there and cannot be NULL.
pub fn not_exists(sql: &str, not_null: &dyn Fn(&FromTable, &str) -> bool) -> Option<Rewriting> {
    let [outer] = <[FromTable; 1]>::try_from(tables_of_select(sql)?).ok()?;
    let tokens = Tokens::read(sql).filter(|tokens| tokens.count_words("select") == 2)?;
    if MAKE_NULLS.iter().any(|word| tokens.count_words(word) > 0) {
        return None;
    }
    let position = (0..tokens.len()).find(|position| {
        tokens.begins_condition(*position)
            && tokens
                .column(*position)
                .is_some_and(|(_, end)| is_not_in(&tokens, end))
    })?;
    let (compared, end) = tokens.column(position)?;
    let subquery = Subquery::read(&tokens, end + 3)?;
    let own = |column: &Column, table: &FromTable| {
        column
            .qualifier
            .as_ref()
            .is_none_or(|qualifier| *qualifier == table.alias)
            && not_null(table, &column.name)
    };
    let certain = own(&compared, &outer)
        && own(&subquery.column, &subquery.table)
        && outer.alias != subquery.table.alias
        && tokens.ends_condition(subquery.end);
    let column = |table: &FromTable, column: &Column| {
        format!(
            "{}.{}",
            quote_identifier(&table.alias),
            quote_identifier(&column.name)
        )
    };
    let joined = format!(
        "{} = {}",
        column(&outer, &compared),
        column(&subquery.table, &subquery.column)
    );
    let condition = match subquery.condition {
        Some(condition) => format!("({condition}) AND {joined}"),
        None => joined,
    };
    let text = format!("NOT EXISTS (SELECT 1 {} WHERE {condition})", subquery.from);
    let sql = tokens
        .replaced(&[(position, subquery.end, text)])
        .filter(|_| certain)?;
    Some(Rewriting {
        sql,
        columns: vec![
            column(&outer, &compared),
            column(&subquery.table, &subquery.column),
        ],
    })
}

fn is_not_in(tokens: &Tokens<'_>, position: usize) -> bool {
    tokens.is_word(position, "not")
        && tokens.is_word(position + 1, "in")
        && tokens.at(position + 2) == Some(&Token::LParen)
}

/// `SELECT b FROM t WHERE …` and the parenthesis behind it.
struct Subquery<'s> {
    column: Column,
    table: FromTable,
    /// `FROM t`, as it stands there.
    from: &'s str,
    /// What stands behind WHERE.
    condition: Option<&'s str>,
    end: usize,
}

impl<'s> Subquery<'s> {
    fn read(tokens: &Tokens<'s>, position: usize) -> Option<Subquery<'s>> {
        let (column, from) = tokens
            .column(position + 1)
            .filter(|_| tokens.is_word(position, "select"))?;
        let closing = closing(tokens, position)?;
        let (table, next) = table(tokens, from)?;
        let condition = match tokens.is_word(next, "where") {
            true => Some(tokens.text(next + 1, closing)?),
            false if next == closing => None,
            false => return None,
        };
        let plain = !(next..closing).any(|position| tokens.is_one_of(position, OTHER_ROWS));
        let from = tokens.text(from, next)?;
        plain.then_some(Subquery {
            column,
            table,
            from,
            condition,
            end: closing + 1,
        })
    }
}

/// The parenthesis that closes what is open here.
fn closing(tokens: &Tokens<'_>, from: usize) -> Option<usize> {
    let mut depth = 0usize;
    for position in from..tokens.len() {
        match tokens.at(position)? {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => return Some(position),
            Token::RParen => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `FROM [schema.]table [[AS] alias]`
fn table(tokens: &Tokens<'_>, position: usize) -> Option<(FromTable, usize)> {
    let (name, mut next) = tokens
        .column(position + 1)
        .filter(|_| tokens.is_word(position, "from"))?;
    let with_as = tokens.is_word(next, "as");
    next += usize::from(with_as);
    let alias = tokens.name(next).filter(|_| !tokens.is_word(next, "where"));
    if with_as && alias.is_none() {
        return None;
    }
    next += usize::from(alias.is_some());
    let Column {
        qualifier: schema,
        name,
    } = name;
    Some((
        FromTable {
            schema,
            alias: alias.unwrap_or_else(|| name.clone()),
            name,
        },
        next,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(sql: &str) -> Option<String> {
        let not_null = |table: &FromTable, column: &str| {
            matches!((table.name.as_str(), column), ("a", "id") | ("b", "a_id"))
                && table.schema.is_none()
        };
        not_exists(sql, &not_null).map(|rewriting| rewriting.sql)
    }

    #[test]
    fn not_in_becomes_not_exists() {
        for (sql, wanted) in [
            (
                "SELECT * FROM a WHERE id NOT IN (SELECT a_id FROM b)",
                "SELECT * FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE a.id = b.a_id)",
            ),
            (
                "SELECT x.* FROM a AS x WHERE n > 5 AND x.id NOT IN (SELECT y.a_id FROM b y WHERE y.n = 1 OR y.n = 2 /* é */) ORDER BY id",
                "SELECT x.* FROM a AS x WHERE n > 5 AND NOT EXISTS (SELECT 1 FROM b y WHERE (y.n = 1 OR y.n = 2) AND x.id = y.a_id) ORDER BY id",
            ),
        ] {
            assert_eq!(rewritten(sql).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn what_may_be_null_or_means_something_else_stays() {
        for sql in [
            "SELECT * FROM a WHERE n NOT IN (SELECT a_id FROM b)",
            "SELECT * FROM a WHERE id NOT IN (SELECT n FROM b)",
            "SELECT * FROM a WHERE id NOT IN (SELECT id FROM b)",
            "SELECT * FROM a WHERE id NOT IN (SELECT a.id FROM b)",
            "SELECT * FROM a WHERE id NOT IN (SELECT max(a_id) FROM b)",
            "SELECT * FROM a WHERE id NOT IN (SELECT a_id FROM b LIMIT 5)",
            "SELECT * FROM a WHERE id NOT IN (SELECT a_id FROM b, c)",
            "SELECT * FROM a WHERE id NOT IN (SELECT a_id FROM b LEFT JOIN c ON true)",
            "SELECT * FROM a LEFT JOIN c ON true WHERE id NOT IN (SELECT a_id FROM b)",
            "SELECT * FROM c LEFT JOIN a ON true WHERE a.id NOT IN (SELECT a_id FROM b)",
            "SELECT * FROM a WHERE 1 + id NOT IN (SELECT a_id FROM b)",
            "SELECT * FROM a WHERE id NOT IN (SELECT a_id FROM a)",
            "SELECT * FROM a WHERE id NOT IN (SELECT a_id FROM s.b)",
            "SELECT * FROM a WHERE id NOT IN (SELECT a_id FROM b) IS NULL",
            "SELECT * FROM a WHERE id IN (SELECT a_id FROM b)",
            "WITH b AS (SELECT 1 AS a_id) SELECT * FROM a WHERE id NOT IN (SELECT a_id FROM b)",
        ] {
            assert_eq!(rewritten(sql), None, "{sql}");
        }
    }
}

//! `at::date = '2024-01-01'` of a `timestamptz`: what day it is depends on the session's TimeZone,
//! so no index can hold it. A range on the column itself can use one. The condition stays, and the
//! range has a day more at either end than the period: two places on earth are never more than a
//! day apart, nor does a change of offset skip or repeat more. So it holds for every row of the
//! period in every time zone, and the result is the same, NULLs and infinities included.

use sqlparser::tokenizer::Token;

use super::from_tables::{FromTable, Rewriting, tables_of_select};
use crate::sql::tokens::{Column, Tokens};

/// Can a column of these tables, with this qualifier and name, only be a `timestamptz`?
pub type IsTimestamptz<'a> = dyn Fn(&[FromTable], Option<&str>, &str) -> bool + 'a;

/// A SELECT with such ranges added.
pub fn bounded(sql: &str, is_timestamptz: &IsTimestamptz<'_>) -> Option<Rewriting> {
    let tables = tables_of_select(sql)?;
    let tokens = Tokens::read(sql).filter(|tokens| tokens.count_words("select") == 1)?;
    let (mut replacements, mut columns) = (Vec::new(), Vec::new());
    let mut position = 0;
    while position < tokens.len() {
        let found = tokens
            .begins_condition(position)
            .then(|| comparison(&tokens, position))
            .flatten();
        let found = found.filter(|(found, end)| {
            tokens.ends_condition(*end)
                && is_timestamptz(
                    &tables,
                    found.column.qualifier.as_deref(),
                    &found.column.name,
                )
        });
        match found {
            Some((found, end)) => {
                replacements.push((position, end, found.bounded(tokens.text(position, end)?)));
                columns.push(found.column_text);
                position = end;
            }
            None => position += 1,
        }
    }
    let sql = tokens
        .replaced(&replacements)
        .filter(|_| !replacements.is_empty())?;
    Some(Rewriting { sql, columns })
}

/// A comparison of a period.
struct Comparison {
    column: Column,
    column_text: String,
    operator: Token,
    /// The period's first day, as SQL.
    first: String,
    /// Its days at most.
    days: u32,
}

impl Comparison {
    fn bounded(&self, condition: &str) -> String {
        let Comparison {
            column_text: column,
            first,
            days,
            ..
        } = self;
        let lower = |shift: i64| format!(" AND {column} >= {first}{}", shifted(shift));
        let upper = |shift: i64| format!(" AND {column} <= {first}{}", shifted(shift));
        let days = i64::from(*days);
        let range = match self.operator {
            Token::GtEq => lower(-1),
            Token::Gt => lower(0),
            Token::LtEq => upper(days + 1),
            Token::Lt => upper(1),
            _ => lower(-1) + &upper(days + 1),
        };
        format!("({condition}{range})")
    }
}

fn shifted(days: i64) -> String {
    match days {
        0 => String::new(),
        less if less < 0 => format!(" - {}", -less),
        more => format!(" + {more}"),
    }
}

fn comparison(tokens: &Tokens<'_>, position: usize) -> Option<(Comparison, usize)> {
    let (column, (from, to), days, next) = period(tokens, position)?;
    let operator = tokens.at(next)?.clone();
    let truncated = !tokens.is_word(position, "date_trunc");
    let known = matches!(operator, Token::Eq)
        || (truncated && matches!(operator, Token::GtEq | Token::Gt | Token::LtEq | Token::Lt));
    let (first, end) = day(tokens, next + 1).filter(|_| known)?;
    let column_text = tokens.text(from, to)?.to_owned();
    Some((
        Comparison {
            column,
            column_text,
            operator,
            first,
            days,
        },
        end,
    ))
}

/// The column, its tokens, the days of the period at most, and where it ends.
type Period = (Column, (usize, usize), u32, usize);

fn period(tokens: &Tokens<'_>, position: usize) -> Option<Period> {
    let opened = tokens.at(position + 1) == Some(&Token::LParen);
    let closed = |at: usize| tokens.at(at) == Some(&Token::RParen);
    if opened && tokens.is_word(position, "date") {
        let (column, end) = tokens.column(position + 2)?;
        return closed(end).then_some((column, (position + 2, end), 1, end + 1));
    }
    if opened && tokens.is_word(position, "cast") {
        let (column, end) = tokens.column(position + 2)?;
        let to_date =
            tokens.is_word(end, "as") && tokens.is_word(end + 1, "date") && closed(end + 2);
        return to_date.then_some((column, (position + 2, end), 1, end + 3));
    }
    if opened && tokens.is_word(position, "date_trunc") {
        let Some(Token::SingleQuotedString(unit)) = tokens.at(position + 2) else {
            return None;
        };
        let days = match unit.as_str() {
            "day" => 1,
            "week" => 7,
            "month" => 31,
            "quarter" => 92,
            "year" => 366,
            _ => return None,
        };
        let (column, end) = tokens
            .column(position + 4)
            .filter(|_| tokens.at(position + 3) == Some(&Token::Comma))?;
        return closed(end).then_some((column, (position + 4, end), days, end + 1));
    }
    let (column, end) = tokens.column(position)?;
    let cast = tokens.at(end) == Some(&Token::DoubleColon) && tokens.is_word(end + 1, "date");
    cast.then_some((column, (position, end), 1, end + 2))
}

/// A day that does not depend on the session: `'2024-01-01'`, with or without its type, or
/// `current_date`.
fn day(tokens: &Tokens<'_>, position: usize) -> Option<(String, usize)> {
    if tokens.is_word(position, "current_date") {
        return Some(("current_date".to_owned(), position + 1));
    }
    let typed = tokens.is_word(position, "date");
    let literal = if typed { position + 1 } else { position };
    let Some(Token::SingleQuotedString(text)) = tokens.at(literal) else {
        return None;
    };
    let cast = !typed
        && tokens.at(literal + 1) == Some(&Token::DoubleColon)
        && tokens.is_word(literal + 2, "date");
    let end = if cast { literal + 3 } else { literal + 1 };
    is_iso_day(text).then(|| (format!("'{text}'::date"), end))
}

/// `YYYY-MM-DD`, which every DateStyle reads alike. The server checks that the date exists.
fn is_iso_day(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| {
            if matches!(at, 4 | 7) {
                *byte == b'-'
            } else {
                byte.is_ascii_digit()
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(condition: &str) -> Option<String> {
        let sql = format!("SELECT * FROM t -- é, a comment\n WHERE {condition}");
        let known = |tables: &[FromTable], qualifier: Option<&str>, column: &str| {
            column == "at"
                && qualifier
                    .is_none_or(|qualifier| tables.iter().any(|table| table.alias == qualifier))
        };
        let rewriting = bounded(&sql, &known)?;
        rewriting
            .sql
            .split_once("WHERE ")
            .map(|(_, condition)| condition.to_owned())
    }

    #[test]
    fn a_period_gets_a_range_beside_it() {
        let range = |condition: &str| {
            format!(
                "({condition} AND at >= '2024-01-31'::date - 1 AND at <= '2024-01-31'::date + 2)"
            )
        };
        for condition in [
            "at::date = '2024-01-31'",
            "at :: DATE = '2024-01-31'::date",
            "date(at) = DATE '2024-01-31'",
            "CAST(at AS date) = '2024-01-31'",
            "date_trunc('day', at) = '2024-01-31'",
        ] {
            assert_eq!(rewritten(condition), Some(range(condition)));
            assert_eq!(
                rewritten(&format!("b = 'x' AND {condition} ORDER BY b")),
                Some(format!("b = 'x' AND {} ORDER BY b", range(condition)))
            );
        }
        assert_eq!(
            rewritten("t.at::date >= '2024-01-31'").unwrap(),
            "(t.at::date >= '2024-01-31' AND t.at >= '2024-01-31'::date - 1)"
        );
        assert_eq!(
            rewritten("at::date < current_date").unwrap(),
            "(at::date < current_date AND at <= current_date + 1)"
        );
        let month = rewritten("date_trunc('month', at) = '2024-01-01'").unwrap();
        assert!(
            month.ends_with("AND at <= '2024-01-01'::date + 32)"),
            "{month}"
        );
    }

    #[test]
    fn what_is_not_certain_stays_as_it_is() {
        for condition in [
            "other::date = '2024-01-31'",
            "x.at::date = '2024-01-31'",
            "at::date = '31.1.2024'",
            "at::date = $1",
            "at::date = '2024-01-31' + 1",
            "1 + at::date = '2024-01-31'",
            "b BETWEEN 1 AND at::date = '2024-01-31'",
            "date_trunc('month', at) >= '2024-01-01'",
            "date_trunc('hour', at) = '2024-01-01'",
            "at::date = '2024-01-31' AND b IN (SELECT 1)",
        ] {
            assert_eq!(rewritten(condition), None, "{condition}");
        }
    }
}

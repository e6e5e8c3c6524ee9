//! SQL for the screens: split into keywords, literals and comments, and wrapped to a width. The
//! lexer is for colours only: what it does not recognize is plain text.

use crate::model::printable::printable_lines;
use crate::text_layout::wrap_styled;

/// What a piece of SQL is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlToken {
    /// A keyword.
    Keyword,
    /// A string or a number.
    Literal,
    /// `-- …` or `/* … */`.
    Comment,
    /// Anything else.
    Plain,
}

/// One line: pieces in order.
pub type SqlLine = Vec<(SqlToken, String)>;

const KEYWORDS: &[&str] = &[
    "ALL",
    "AND",
    "ANY",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CONCURRENTLY",
    "COUNT",
    "CREATE",
    "CROSS",
    "DELETE",
    "DESC",
    "DISTINCT",
    "DROP",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "FALSE",
    "FILTER",
    "FIRST",
    "FOR",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INCLUDE",
    "INDEX",
    "INNER",
    "INSERT",
    "INTERSECT",
    "INTERVAL",
    "INTO",
    "IS",
    "JOIN",
    "LAST",
    "LATERAL",
    "LEFT",
    "LIKE",
    "LIMIT",
    "LOCKED",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "RETURNING",
    "RIGHT",
    "SELECT",
    "SET",
    "SKIP",
    "THEN",
    "TRUE",
    "UNION",
    "UPDATE",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
];

/// The statement in lines of at most `columns` columns. Line breaks and indentation are kept.
pub fn lines(sql: &str, columns: usize) -> Vec<SqlLine> {
    let clean = printable_lines(sql.trim());
    wrap_styled(pieces(&clean), columns)
}

/// The text cut into pieces that are of one kind each.
fn pieces(sql: &str) -> Vec<(SqlToken, &str)> {
    let mut pieces = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = piece(rest, first);
        let (piece, tail) = rest.split_at(length);
        pieces.push((kind, piece));
        rest = tail;
    }
    pieces
}

fn piece(rest: &str, first: char) -> (SqlToken, usize) {
    let until = |end: &str, from: usize| {
        rest[from..]
            .find(end)
            .map_or(rest.len(), |at| from + at + end.len())
    };
    let while_in = |wanted: &dyn Fn(char) -> bool| rest.find(|c| !wanted(c)).unwrap_or(rest.len());
    match first {
        '\'' => (SqlToken::Literal, until("'", 1)),
        '"' => (SqlToken::Plain, until("\"", 1)),
        '-' if rest.starts_with("--") => (SqlToken::Comment, rest.find('\n').unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => (SqlToken::Comment, until("*/", 2)),
        digit if digit.is_ascii_digit() => (
            SqlToken::Literal,
            while_in(&|c| c.is_ascii_alphanumeric() || c == '.'),
        ),
        letter if letter.is_alphabetic() || letter == '_' => {
            let length = while_in(&|c| c.is_alphanumeric() || c == '_');
            let word = rest[..length].to_ascii_uppercase();
            let kind = if KEYWORDS.binary_search(&word.as_str()).is_ok() {
                SqlToken::Keyword
            } else {
                SqlToken::Plain
            };
            (kind, length)
        }
        other => (SqlToken::Plain, other.len_utf8()),
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn text(lines: &[SqlLine]) -> Vec<String> {
        lines
            .iter()
            .map(|line| line.iter().map(|(_, piece)| piece.as_str()).collect())
            .collect()
    }

    #[test]
    fn keywords_are_sorted_for_the_search() {
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn words_literals_and_comments_are_told_apart() {
        let line = lines("select 'from' -- where\nfrom t", 80);
        assert_eq!(line[0][0], (SqlToken::Keyword, "select".to_owned()));
        assert!(line[0].contains(&(SqlToken::Literal, "'from'".to_owned())));
        assert!(line[0].contains(&(SqlToken::Comment, "-- where".to_owned())));
        assert_eq!(line[1][0], (SqlToken::Keyword, "from".to_owned()));
    }

    #[test]
    fn nothing_is_wider_than_the_columns_and_nothing_is_raw() {
        for sql in [
            "SELECT 'それは日本語です' FROM 表 WHERE 名前 = '🙂🙂🙂🙂🙂🙂🙂'",
            "SELECT aaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "",
            "'",
        ] {
            for line in text(&lines(sql, 12)) {
                assert!(line.trim_end().width() <= 12, "{line:?}");
            }
        }
        assert_eq!(text(&lines("a\u{1b}[2Jb", 80)), ["a\\u{1b}[2Jb"]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_wrapped(sql in "[\\PC\n'\"/*-]{0,60}", columns in 0usize..30) {
            lines(&sql, columns);
        }
    }
}

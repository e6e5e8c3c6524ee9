//! A rewritten statement beside the one that it replaces, line by line.

use crate::advise::Advice;
use crate::model::printable::printable_sql;
use crate::remedy::{Kind, Remedy};

/// A line with the mark that `diff` gives it.
pub(super) type Marked = (char, String);

/// Of a rewrite: what has to be created for it, and the two statements line by line.
pub(super) fn of_remedy<'a>(
    remedy: &'a Remedy,
    advice: &'a Advice,
) -> Option<(&'a [String], Vec<Marked>)> {
    let (after, created) = remedy
        .statements
        .split_last()
        .filter(|_| remedy.kind == Kind::Rewrite)?;
    let id = &remedy.benefits.first()?.statement;
    let mut statements = advice.statements.iter();
    let before = statements.find(|advice| advice.statement.id == *id)?;
    let marked = lines(&before.statement.sql, after).into_iter();
    let owned = marked.map(|line| {
        let (mark, line) = line.marked();
        (mark, printable_sql(line).into_owned())
    });
    Some((created, owned.collect()))
}

/// A line of either, or of both.
#[derive(Debug, PartialEq, Eq)]
enum Line<'s> {
    Same(&'s str),
    Before(&'s str),
    After(&'s str),
}

/// The lines of a statement as it was and as it is now: those that begin or end both stand once.
fn lines<'s>(before: &'s str, after: &'s str) -> Vec<Line<'s>> {
    let before: Vec<&str> = ended(before).lines().collect();
    let after: Vec<&str> = ended(after).lines().collect();
    let same = before.iter().zip(&after);
    let first = same.take_while(|(a, b)| a == b).count();
    let (before_rest, after_rest) = (
        before.get(first..).unwrap_or_default(),
        after.get(first..).unwrap_or_default(),
    );
    let same = before_rest.iter().rev().zip(after_rest.iter().rev());
    let last = same.take_while(|(a, b)| a == b).count();
    let middle = |rest: &[&'s str]| rest.len().saturating_sub(last);
    let begin = before.iter().take(first).map(|line| Line::Same(line));
    let removed = before_rest.iter().take(middle(before_rest));
    let added = after_rest.iter().take(middle(after_rest));
    let end = after_rest.iter().skip(middle(after_rest));
    begin
        .chain(removed.map(|line| Line::Before(line)))
        .chain(added.map(|line| Line::After(line)))
        .chain(end.map(|line| Line::Same(line)))
        .collect()
}

/// Without the semicolon, which only one of them may have.
fn ended(sql: &str) -> &str {
    sql.trim_end().trim_end_matches(';').trim_end()
}

impl<'s> Line<'s> {
    fn marked(&self) -> (char, &'s str) {
        match self {
            Line::Same(line) => (' ', line),
            Line::Before(line) => ('-', line),
            Line::After(line) => ('+', line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &str, after: &str) -> Vec<String> {
        let lines = lines(before, after).into_iter();
        lines
            .map(|line| {
                let (mark, line) = line.marked();
                format!("{mark}{line}")
            })
            .collect()
    }

    #[test]
    fn what_is_the_same_stands_once() {
        assert_eq!(
            shown(
                "SELECT *\nFROM t\nWHERE a\nORDER BY b",
                "SELECT *\nFROM t\nWHERE b\nAND c\nORDER BY b;"
            ),
            [
                " SELECT *",
                " FROM t",
                "-WHERE a",
                "+WHERE b",
                "+AND c",
                " ORDER BY b"
            ]
        );
        assert_eq!(shown("a\na", "a"), [" a", "-a"]);
        assert_eq!(shown("a;", "b;"), ["-a", "+b"]);
    }
}

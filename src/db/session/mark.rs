//! The comment by which our own queries are recognized in logs and in `pg_stat_statements`.

use std::borrow::Cow;

/// Our query with its comment behind the first word: from version 18 on, `pg_stat_statements` drops
/// comments in front.
pub(in crate::db) fn marked(sql: &str) -> Cow<'_, str> {
    let moved = || {
        let (comment, statement) = sql.strip_prefix("/* pgrehearse")?.split_once("*/")?;
        let statement = statement.trim_start();
        let end = statement.find(|next: char| !next.is_ascii_alphabetic())?;
        let (word, rest) = statement.split_at(end);
        (!word.is_empty()).then(|| format!("{word} /* pgrehearse{comment}*/{rest}"))
    };
    moved().map_or(Cow::Borrowed(sql), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comment_goes_behind_the_first_word() {
        assert_eq!(
            marked("/* pgrehearse: tables */\nWITH RECURSIVE t AS (SELECT 1) SELECT 2"),
            "WITH /* pgrehearse: tables */ RECURSIVE t AS (SELECT 1) SELECT 2"
        );
        assert_eq!(
            marked("/* pgrehearse */ SELECT 1"),
            "SELECT /* pgrehearse */ 1"
        );
    }

    #[test]
    fn other_statements_stay_as_they_are() {
        for sql in [
            "SELECT 1",
            "/* mine */ SELECT 1",
            "/* pgrehearse: no end",
            "/* pgrehearse */ (SELECT 1)",
        ] {
            assert_eq!(marked(sql), sql);
        }
    }
}

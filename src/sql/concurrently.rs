//! Statements on indexes in the form that does not block writers.

use super::tokens::Tokens;

/// `CREATE INDEX`, `DROP INDEX` or `REINDEX` with CONCURRENTLY; none for other statements and where it
/// is there already.
pub fn concurrently(sql: &str) -> Option<String> {
    let tokens = Tokens::read(sql)?;
    if (0..tokens.len()).any(|at| tokens.is_word(at, "concurrently")) {
        return None;
    }
    let before = if tokens.is_word(0, "reindex") {
        (0..tokens.len()).find(|at| tokens.is_one_of(*at, &["index", "table", "schema"]))?
    } else {
        let index = if tokens.is_word(1, "unique") { 2 } else { 1 };
        let is_known = tokens.is_one_of(0, &["create", "drop"]) && tokens.is_word(index, "index");
        is_known.then_some(index)?
    };
    let word = tokens.text(before, before + 1)?;
    tokens.replaced(&[(before, before + 1, format!("{word} CONCURRENTLY"))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_statements_on_indexes_have_such_a_form() {
        let sql = |sql| concurrently(sql).unwrap_or_default();
        assert_eq!(
            sql("create unique index i on t (a)"),
            "create unique index CONCURRENTLY i on t (a)"
        );
        assert_eq!(
            sql("DROP INDEX IF EXISTS i"),
            "DROP INDEX CONCURRENTLY IF EXISTS i"
        );
        assert_eq!(
            sql("REINDEX (VERBOSE) TABLE t"),
            "REINDEX (VERBOSE) TABLE CONCURRENTLY t"
        );
        assert_eq!(sql("CREATE INDEX CONCURRENTLY i ON t (a)"), "");
        assert_eq!(sql("CREATE TABLE index (a int)"), "");
        assert_eq!(sql("DROP TABLE t"), "");
    }
}

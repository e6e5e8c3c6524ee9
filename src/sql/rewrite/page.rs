//! `docs/rewrites.md` says what these rules do.

use super::from_tables::only_t;
use super::*;

const PAGE: &str = include_str!("../../../docs/rewrites.md");

fn rewritten(condition: &str) -> Option<String> {
    let schema = |table: &FromTable| {
        let columns = [
            ("created_at", "timestamp with time zone"),
            ("placed_at", "timestamp without time zone"),
            ("day", "date"),
            ("id", "bigint"),
            ("cents", "bigint"),
            ("labels", "text"),
            ("state", "text"),
            ("tags", "text[]"),
        ];
        only_t(&columns, table)
    };
    let sql = format!("SELECT * FROM t WHERE {condition}");
    let rewriting = array_contains(&sql, &schema, &|_| true)
        .or_else(|| range_bounds(&sql, &schema))
        .or_else(|| bounded(&sql, &schema, None))
        .or_else(|| isolated(&sql, &schema))
        .or_else(|| equal(&sql, &schema))?;
    let (_, condition) = rewriting.sql.split_once("WHERE ")?;
    Some(condition.to_owned())
}

#[test]
fn the_page_shows_what_is_done() {
    let mut rows = 0;
    for line in PAGE.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split(" | ").collect();
        let [written, other] = cells.as_slice() else {
            panic!("{line}");
        };
        let plain = |cell: &str| cell.trim_matches(['|', ' ']).trim_matches('`').to_owned();
        assert_eq!(rewritten(&plain(written)), Some(plain(other)), "{line}");
        rows += 1;
    }
    assert!(rows >= 10, "{rows} rows");
    assert_eq!(
        rewritten("to_char(created_at, 'YYYY-MM-DD') = '2024-02-29'"),
        None
    );
}

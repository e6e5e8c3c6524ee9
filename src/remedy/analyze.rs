//! ANALYZE: a table that was never analyzed, or whose rows have changed since.

use crate::catalog::Table;

/// What is wrong with a table's statistics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stale {
    /// There are none.
    NeverAnalyzed,
    /// Rows were written since the last ANALYZE.
    Modified {
        /// The rows.
        rows: f64,
        /// Those of the table.
        of: f64,
    },
}

/// When autovacuum would analyze a table: its defaults for autovacuum_analyze_threshold and
/// autovacuum_analyze_scale_factor
/// (<https://www.postgresql.org/docs/current/routine-vacuuming.html#AUTOVACUUM>).
const THRESHOLD_ROWS: f64 = 50.0;
const SCALE_FACTOR: f64 = 0.1;

/// Is there something wrong with this table's statistics? Row counts in `pg_class` alone do not
/// make them: CREATE INDEX leaves them, too.
pub fn stale(table: &Table) -> Option<Stale> {
    let without = table.owned
        && !table.columns.is_empty()
        && table
            .columns
            .iter()
            .all(|column| column.statistics.is_none());
    match table.rows {
        _ if table.pages == 0 => None,
        None => Some(Stale::NeverAnalyzed),
        Some(rows) if without && rows > 0.0 => Some(Stale::NeverAnalyzed),
        Some(of) => {
            let rows = table.modified_rows as f64;
            (rows > THRESHOLD_ROWS + SCALE_FACTOR * of).then_some(Stale::Modified { rows, of })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::test_planner::{TestTable, table};

    fn orders() -> TestTable {
        table("orders", &["id bigint", "a bigint"]).rows(1_000.0)
    }

    fn found(table: TestTable) -> Option<Stale> {
        stale(&table.into())
    }

    fn without_statistics(table: &mut Table) {
        for column in &mut table.columns {
            column.statistics = None;
        }
    }

    #[test]
    fn a_table_is_stale_from_when_autovacuum_would_analyze_it() {
        let modified = |rows| found(orders().with(|table| table.modified_rows = rows));
        assert_eq!(modified(150), None);
        let expected = Stale::Modified {
            rows: 151.0,
            of: 1_000.0,
        };
        assert_eq!(modified(151), Some(expected));
    }

    #[test]
    fn a_table_without_row_count_or_statistics_was_never_analyzed() {
        let unknown = orders().with(|table| table.rows = None);
        assert_eq!(found(unknown), Some(Stale::NeverAnalyzed));
        assert_eq!(
            found(orders().with(without_statistics)),
            Some(Stale::NeverAnalyzed)
        );
        assert_eq!(found(orders()), None);
    }

    #[test]
    fn missing_statistics_mean_nothing_where_they_may_not_be_read_or_there_is_nothing() {
        let not_owned = orders().with(without_statistics).with(|table| {
            table.owned = false;
        });
        assert_eq!(found(not_owned), None, "not every role can read them");
        let no_rows = orders().with(without_statistics).rows(0.0);
        assert_eq!(found(no_rows), None);
        let no_pages = orders().with(|table| {
            table.rows = None;
            table.pages = 0;
        });
        assert_eq!(found(no_pages), None);
        let some = orders().with(|table| table.columns[0].statistics = None);
        assert_eq!(found(some), None);
    }
}

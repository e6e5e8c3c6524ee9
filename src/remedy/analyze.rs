//! ANALYZE: a table whose statistics were never made, or rest on rows that have changed since.

use crate::catalog::Table;

/// What is wrong with a table's statistics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stale {
    /// There are none.
    Never,
    /// So many rows were written since.
    Modified {
        /// The rows.
        rows: f64,
        /// Those of the table.
        of: f64,
    },
}

/// From when on autovacuum would analyze a table: its defaults for autovacuum_analyze_threshold and autovacuum_analyze_scale_factor
/// (<https://www.postgresql.org/docs/current/routine-vacuuming.html#AUTOVACUUM>).
const THRESHOLD_ROWS: f64 = 50.0;
const SCALE_FACTOR: f64 = 0.1;

/// Is there something wrong with this table's statistics? Row counts in `pg_class` alone do not make them: CREATE INDEX leaves them, too.
pub fn stale(table: &Table) -> Option<Stale> {
    let without = table.owned
        && !table.columns.is_empty()
        && table
            .columns
            .iter()
            .all(|column| column.statistics.is_none());
    match table.rows {
        _ if table.pages == 0 => None,
        None => Some(Stale::Never),
        Some(rows) if without && rows > 0.0 => Some(Stale::Never),
        Some(of) => {
            let rows = table.modified_rows as f64;
            (rows > THRESHOLD_ROWS + SCALE_FACTOR * of).then_some(Stale::Modified { rows, of })
        }
    }
}

//! The workload that `pg_stat_statements` has seen
//! (<https://www.postgresql.org/docs/current/pgstatstatements.html>).

use std::collections::BTreeSet;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::row::field;
use super::{DbError, Session};
use crate::model::quote_identifier;
use crate::sql::reads_only_catalogs;
use crate::workload::{LeftOut, OtherWriters, Usage, Workload};

const OPERATION: &str = "reading pg_stat_statements";

/// Where the view is, and what this version of it has.
struct View {
    /// Its schema, quoted.
    schema: String,
    has_info: bool,
    has_toplevel: bool,
}

impl Session {
    /// Adds the statements with the most total time, with their calls and, where these are others,
    /// their users; their literals are parameters (`$1`). Notes what is left out.
    ///
    /// # Errors
    /// When the extension is not in this database, or may not be read.
    pub fn add_stat_statements(&self, top: u32, workload: &mut Workload) -> Result<(), DbError> {
        let view = self.stat_statements_view()?;
        let is_alone = workload.statements().is_empty();
        let within_function = if view.has_toplevel {
            "pg_catalog.bool_and(NOT s.toplevel)"
        } else {
            "false"
        };
        let sql = view
            .query(include_str!("sql/stat_statements.sql"))
            .replace("WITHIN_FUNCTION", within_function);
        // Some of them are left out.
        let limit = i64::from(top) * 2 + 100;
        let rows = self.query(OPERATION, &sql, &[(&limit, Type::INT8)])?;
        let (mut added, mut of_catalogs) = (0, 0);
        let mut added_ids = BTreeSet::new();
        for row in &rows {
            if added == top {
                break;
            }
            let query: String = field(row, "query")?;
            if reads_only_catalogs(&query) {
                of_catalogs += 1;
            } else {
                add(row, &query, workload)?;
                added_ids.insert(field::<Option<String>>(row, "query_id")?);
                added += 1;
            }
        }
        if of_catalogs > 0 {
            workload.note_left_out(LeftOut::OfCatalogs(of_catalogs));
        }
        self.note_hidden(&view, workload)?;
        if is_alone && view.has_info {
            let sql = view.query(include_str!("sql/stat_statements_since.sql"));
            let rows = self.query(OPERATION, &sql, &[])?;
            if let Some(row) = rows.first() {
                workload.count_calls_for(field(row, "counted_for_s")?);
                let others = self.other_writers(&view, &added_ids, workload)?;
                workload.note_other_writers(others);
            }
        }
        Ok(())
    }

    /// What is not among the added ones, and may write.
    fn other_writers(
        &self,
        view: &View,
        added: &BTreeSet<Option<String>>,
        workload: &Workload,
    ) -> Result<OtherWriters, DbError> {
        let sql = view.query(include_str!("sql/stat_statements_writers.sql"));
        let is_hidden = |left: &LeftOut| matches!(left, LeftOut::Hidden { .. });
        let mut others = OtherWriters {
            hidden: workload.left_out().iter().any(is_hidden),
            ..OtherWriters::default()
        };
        for row in self.query(OPERATION, &sql, &[])? {
            if !added.contains(&field(&row, "query_id")?) {
                others.add(&field::<String>(&row, "query")?);
            }
        }
        Ok(others)
    }

    fn stat_statements_view(&self) -> Result<View, DbError> {
        let sql = include_str!("sql/stat_statements_view.sql");
        let rows = self.query(OPERATION, sql, &[])?;
        let Some(row) = rows.first() else {
            let advice = "pg_stat_statements is not installed in this database: CREATE EXTENSION pg_stat_statements \
                          (it also has to be in shared_preload_libraries)";
            return Err(DbError::Missing(advice.to_owned()));
        };
        Ok(View {
            schema: quote_identifier(&field::<String>(row, "schema_name")?).into_owned(),
            has_info: field(row, "has_info")?,
            has_toplevel: field(row, "has_toplevel")?,
        })
    }

    /// Notes how many statements of others the role may not see.
    fn note_hidden(&self, view: &View, workload: &mut Workload) -> Result<(), DbError> {
        let sql = view.query(include_str!("sql/stat_statements_hidden.sql"));
        let rows = self.query(OPERATION, &sql, &[])?;
        let Some(row) = rows.first() else {
            return Ok(());
        };
        let hidden: i64 = field(row, "hidden")?;
        if let Ok(statements @ 1..) = u64::try_from(hidden) {
            workload.note_left_out(LeftOut::Hidden {
                statements,
                role: field(row, "role")?,
            });
        }
        Ok(())
    }
}

impl View {
    fn query(&self, sql: &str) -> String {
        sql.replace("SCHEMA", &self.schema)
    }
}

fn add(row: &Row, query: &str, workload: &mut Workload) -> Result<(), DbError> {
    let id: Option<String> = field(row, "query_id")?;
    let name = format!("query-{}", id.unwrap_or_default().trim_start_matches('-'));
    let usage = Usage {
        calls: field::<f64>(row, "calls")?.max(1.0),
        mean_time_ms: field(row, "mean_time_ms")?,
    };
    let sql = query.trim().trim_end_matches(';');
    workload.add(&name, sql, usage, "pg_stat_statements".to_owned());
    if let Some(rows) = field(row, "rows_per_call")? {
        workload.note_rows_per_call(rows);
    }
    let authors: Vec<String> = field(row, "authors")?;
    workload.note_authors(authors.into_iter().collect());
    if field(row, "within_function")? {
        workload.note_within_function();
    }
    Ok(())
}

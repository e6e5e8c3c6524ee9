//! The workload that `pg_stat_statements` has seen
//! (<https://www.postgresql.org/docs/current/pgstatstatements.html>).

use tokio_postgres::types::Type;

use super::row::field;
use super::{DbError, Session};
use crate::model::quote_identifier;
use crate::workload::{Usage, Workload};

const OPERATION: &str = "reading pg_stat_statements";

impl Session {
    /// Adds the statements with the most total time, with their calls and, where these are others,
    /// their users; their literals are parameters (`$1`).
    ///
    /// # Errors
    /// When the extension is not in this database, or may not be read.
    pub fn add_stat_statements(&self, top: u32, workload: &mut Workload) -> Result<(), DbError> {
        let schema = "/* pgrehearse */ SELECT n.nspname::text AS schema_name, \
                      pg_catalog.to_regclass(pg_catalog.quote_ident(n.nspname) || '.pg_stat_statements_info') IS NOT NULL AS has_info \
                      FROM pg_catalog.pg_extension e \
                      JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'";
        let rows = self.query(OPERATION, schema, &[])?;
        let Some(row) = rows.first() else {
            let advice = "pg_stat_statements is not installed in this database: CREATE EXTENSION pg_stat_statements \
                          (it also has to be in shared_preload_libraries)";
            return Err(DbError::Missing(advice.to_owned()));
        };
        let schema: String = field(row, "schema_name")?;
        let is_alone = workload.statements().is_empty();
        let sql =
            include_str!("sql/stat_statements.sql").replace("SCHEMA", &quote_identifier(&schema));
        for row in self.query(OPERATION, &sql, &[(&i64::from(top), Type::INT8)])? {
            let id: Option<String> = field(&row, "query_id")?;
            let query: String = field(&row, "query")?;
            let name = format!("query-{}", id.unwrap_or_default().trim_start_matches('-'));
            let usage = Usage {
                calls: field::<f64>(&row, "calls")?.max(1.0),
                mean_time_ms: field(&row, "mean_time_ms")?,
            };
            workload.add(
                &name,
                query.trim().trim_end_matches(';'),
                usage,
                "pg_stat_statements".to_owned(),
            );
            let authors: Vec<String> = field(&row, "authors")?;
            workload.note_authors(authors.into_iter().collect());
        }
        if is_alone && field(row, "has_info")? {
            let sql = include_str!("sql/stat_statements_since.sql")
                .replace("SCHEMA", &quote_identifier(&schema));
            let rows = self.query(OPERATION, &sql, &[])?;
            workload.count_calls_for(
                rows.first()
                    .map(|row| field(row, "counted_for_s"))
                    .transpose()?
                    .flatten(),
            );
        }
        Ok(())
    }
}

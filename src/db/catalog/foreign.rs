//! What foreign tables stand for.

use tokio_postgres::Row;
use tokio_postgres::types::{Oid, Type};

use super::OPERATION;
use crate::catalog::ForeignTable;
use crate::db::row::field;
use crate::db::{DbError, Session};
use crate::model::QualifiedName;

impl Session {
    pub(super) fn foreign_tables(&self, oids: &[Oid]) -> Result<Vec<ForeignTable>, DbError> {
        let sql = include_str!("../sql/foreign_tables.sql");
        let rows = self.query(OPERATION, sql, &[(&oids, Type::OID_ARRAY)])?;
        rows.iter().map(foreign_table).collect()
    }
}

fn foreign_table(row: &Row) -> Result<ForeignTable, DbError> {
    let name = |schema, table| {
        Ok::<_, DbError>(QualifiedName::new(
            field::<String>(row, schema)?,
            field::<String>(row, table)?,
        ))
    };
    let here: Vec<String> = field(row, "columns_here")?;
    let there: Vec<String> = field(row, "columns_there")?;
    let fetch_size: Option<String> = field(row, "fetch_size")?;
    Ok(ForeignTable {
        name: name("schema_name", "table_name")?,
        server: field(row, "server_name")?,
        wrapper: field(row, "wrapper_name")?,
        is_postgres: field(row, "is_postgres")?,
        database: field(row, "remote_database")?,
        remote: name("remote_schema", "remote_table")?,
        columns: here.into_iter().zip(there).collect(),
        use_remote_estimate: is_true(&field::<String>(row, "use_remote_estimate")?),
        fetch_size: fetch_size.and_then(|size| size.trim().parse().ok()),
    })
}

/// As the server reads a boolean option (`defGetBoolean`, src/backend/commands/define.c).
fn is_true(text: &str) -> bool {
    matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "on" | "yes" | "1" | "t" | "y"
    )
}

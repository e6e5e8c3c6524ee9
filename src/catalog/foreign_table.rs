//! Foreign tables: which table of which server they stand for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::QualifiedName;

/// A foreign table (`pg_foreign_table`,
/// <https://www.postgresql.org/docs/current/postgres-fdw.html#POSTGRES-FDW-OPTIONS>).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignTable {
    /// Its name here.
    pub name: QualifiedName,
    /// The server it is on (`pg_foreign_server.srvname`).
    pub server: String,
    /// How that server is reached (`pg_foreign_data_wrapper.fdwname`).
    pub wrapper: String,
    /// The wrapper is postgres_fdw, whatever it is called: the other server understands DDL of ours.
    pub is_postgres: bool,
    /// The database there, where the server's options name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Its name there.
    pub remote: QualifiedName,
    /// Columns that have another name there, by their names here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, String>,
    /// The planner asks the other server for its estimates.
    #[serde(default)]
    pub use_remote_estimate: bool,
    /// How many rows are fetched at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetch_size: Option<u32>,
}

impl ForeignTable {
    /// The name of a column there.
    pub fn remote_column<'t>(&'t self, column: &'t str) -> &'t str {
        self.columns.get(column).map_or(column, String::as_str)
    }
}

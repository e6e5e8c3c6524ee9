//! What the names of relations mean under the `search_path` that a workload file sets.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use super::row::field;
use super::session::TransactionMode;
use super::{DbError, Session};
use crate::model::quote_identifier;
use crate::sql::{qualified, relation_names};
use crate::workload::Workload;

const OPERATION: &str = "resolving names under the search_path of a file";

impl Session {
    /// Writes the schemas of relations into the statements whose file sets a `search_path`, so that
    /// they mean the same under that of the connection.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub fn resolve_search_paths(&self, workload: &mut Workload) -> Result<(), DbError> {
        let mut texts = BTreeMap::new();
        for statement in workload.statements() {
            let Some(path) = &statement.search_path else {
                continue;
            };
            let names = relation_names(&statement.sql).into_iter();
            let names = names.filter(|name| name.schema.is_none());
            let names: Vec<String> = names.map(|name| name.name).collect();
            let schemas = self.schemas(path, &names)?;
            let schema_of = |name: &str| schemas.get(name).cloned();
            if let Some(text) = qualified(&statement.sql, &schema_of) {
                texts.insert(statement.id.clone(), text);
            }
        }
        *workload = workload.with_texts(&texts);
        Ok(())
    }

    /// The schemas, quoted, in which relations of these names are found. None where the path is not
    /// valid.
    fn schemas(&self, path: &str, names: &[String]) -> Result<BTreeMap<String, String>, DbError> {
        let found = self.within(OPERATION, TransactionMode::Read, |session| {
            session.set_local(OPERATION, "search_path", path)?;
            let sql = include_str!("sql/schemas_in_path.sql");
            session.query(OPERATION, sql, &[(&names, Type::TEXT_ARRAY)])
        });
        let rows = match found {
            Err(refused) if refused.is_refusal() => Vec::new(),
            other => other?,
        };
        let schema = |row| -> Result<(String, String), DbError> {
            let schema: String = field(row, "schema_name")?;
            Ok((field(row, "name")?, quote_identifier(&schema).into_owned()))
        };
        rows.iter().map(schema).collect()
    }
}

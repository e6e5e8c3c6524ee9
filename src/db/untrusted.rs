//! Tables that are not read: planning any query on them may execute a function of somebody else
//! with the rights of this session.
//!
//! The planner folds the expressions of a table's indexes, statistics and policies whatever the
//! query is. A table that the server planned a statement on is read all the same: the statement was
//! one's own, or its check has found nothing.

use tokio_postgres::types::{Oid, Type};

use super::row::field;
use super::{DbError, Session};
use crate::model::QualifiedName;

const OPERATION: &str = "checking what reading tables may execute";

impl Session {
    /// Those of these tables that must not be read.
    pub(super) fn untrusted_tables(&self, tables: &[Oid]) -> Result<Vec<Oid>, DbError> {
        let rows = self.query(
            OPERATION,
            include_str!("sql/untrusted_tables.sql"),
            &[(&tables, Type::OID_ARRAY)],
        )?;
        let mut untrusted = Vec::new();
        for row in rows {
            let name = QualifiedName::new(
                field::<String>(&row, "schema_name")?,
                field::<String>(&row, "table_name")?,
            );
            if !self.planned.contains(&name) {
                untrusted.push(field(&row, "oid")?);
            }
        }
        Ok(untrusted)
    }
}

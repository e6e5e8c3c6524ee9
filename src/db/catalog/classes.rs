//! What an index could hold: operator classes, functions that are not immutable, foreign keys.

use tokio_postgres::Row;
use tokio_postgres::types::{Oid, Type};

use super::OPERATION;
use crate::catalog::{CallKind, ForeignKey, Mutable, OperatorClass, contrib_classes};
use crate::db::row::field;
use crate::db::{DbError, Session};
use crate::index::{Extension, Method};
use crate::model::QualifiedName;

impl Session {
    pub(super) fn operator_classes(
        &self,
        path: &str,
        tables: &[Oid],
    ) -> Result<Vec<OperatorClass>, DbError> {
        let sql = include_str!("../sql/operator_classes.sql");
        let rows = self.query_as_shown_in(path, OPERATION, sql, &[(&tables, Type::OID_ARRAY)])?;
        let mut classes: Vec<OperatorClass> =
            rows.iter().map(operator_class).collect::<Result<_, _>>()?;
        let sql = include_str!("../sql/available_extensions.sql");
        let names = contrib_classes::EXTENSIONS;
        let available =
            self.query_as_shown_in(path, OPERATION, sql, &[(&names, Type::TEXT_ARRAY)])?;
        for row in available {
            let extension = Extension {
                name: field(&row, "extension_name")?,
                schema: field(&row, "schema_name")?,
            };
            classes.extend(contrib_classes::of_extension(&extension));
        }
        Ok(classes)
    }

    pub(super) fn mutable(&self, path: &str, tables: &[Oid]) -> Result<Vec<Mutable>, DbError> {
        let rows = self.query_as_shown_in(
            path,
            OPERATION,
            include_str!("../sql/mutable.sql"),
            &[(&tables, Type::OID_ARRAY)],
        )?;
        let mutable = |row: &Row| {
            Ok(Mutable {
                kind: match field::<String>(row, "kind")?.as_str() {
                    "function" => CallKind::Function,
                    "operator" => CallKind::Operator,
                    _ => CallKind::Cast,
                },
                called: field(row, "called")?,
                arguments: field(row, "arguments")?,
                own: field(row, "own")?,
                volatile: field(row, "volatile")?,
            })
        };
        rows.iter().map(mutable).collect()
    }

    pub(super) fn foreign_keys(&self, tables: &[Oid]) -> Result<Vec<ForeignKey>, DbError> {
        let rows = self.query(
            OPERATION,
            include_str!("../sql/foreign_keys.sql"),
            &[(&tables, Type::OID_ARRAY)],
        )?;
        let name = |row: &Row, schema: &str, name: &str| {
            Ok::<_, DbError>(QualifiedName::new(
                field::<String>(row, schema)?,
                field::<String>(row, name)?,
            ))
        };
        let foreign_key = |row: &Row| {
            Ok(ForeignKey {
                name: field(row, "constraint_name")?,
                table: name(row, "child_schema", "child_name")?,
                columns: field(row, "columns")?,
                operators: operators(row)?,
                parent: name(row, "parent_schema", "parent_name")?,
                parent_columns: field(row, "parent_columns")?,
                on_delete: field(row, "on_delete")?,
                on_update: field(row, "on_update")?,
                indexed: field(row, "indexed")?,
                certain: field(row, "certain")?,
            })
        };
        rows.iter().map(foreign_key).collect()
    }
}

/// None where all are `=`.
fn operators(row: &Row) -> Result<Vec<String>, DbError> {
    let operators: Vec<String> = field(row, "operators")?;
    let are_equal = operators.iter().all(|operator| operator == "=");
    Ok(if are_equal { Vec::new() } else { operators })
}

fn operator_class(row: &Row) -> Result<OperatorClass, DbError> {
    Ok(OperatorClass {
        method: Method::from_name(&field::<String>(row, "method")?),
        name: field(row, "class_name")?,
        input_type: field(row, "input_type")?,
        default: field(row, "is_default")?,
        searched: field(row, "searched")?,
        ordered: field(row, "ordered")?,
        extension: None,
    })
}

//! What the role may not read, and the GRANT that would help.

use std::collections::BTreeSet;

use tokio_postgres::Row;
use tokio_postgres::types::{Oid, ToSql, Type};

use super::{OPERATION, Resolved};
use crate::db::catalog::field;
use crate::db::{DbError, Session};
use crate::model::Gap;
use crate::model::{QualifiedName, quote_identifier};

/// The source of the statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// From `pg_statistic` itself.
    Catalog,
    /// From the views that every role may read.
    Views,
}

/// What of a table cannot be read.
struct TableAccess {
    table: QualifiedName,
    readable: bool,
    row_security: bool,
    hidden_expressions: bool,
    hidden_extended: bool,
    hidden_kinds: bool,
}

impl Session {
    pub(super) fn gaps(
        &self,
        relations: &[Oid],
        role: &str,
        source: Source,
    ) -> Result<Vec<Gap>, DbError> {
        let rows = self.query(
            OPERATION,
            include_str!("gaps.sql"),
            &[(&relations, Type::OID_ARRAY)],
        )?;
        let tables: Vec<TableAccess> = rows.iter().map(reach).collect::<Result<_, _>>()?;
        let role = quote_identifier(role);
        let mut gaps: Vec<Gap> = tables
            .iter()
            .filter(|table| !table.readable)
            .map(|table| unread(table, &role))
            .collect();
        let policies = |reach: &TableAccess| reach.row_security;
        gaps.extend(gap(
            &tables,
            policies,
            "row-level security policies apply to the role on the server, and the planner twin plans without them; \
             it does not know the smallest and largest values there either",
            None,
        ));
        if source == Source::Views {
            let remedy = format!(
                "GRANT SELECT ON pg_catalog.pg_statistic, pg_catalog.pg_statistic_ext_data TO {role}; (or GRANT pg_read_all_data TO {role};)"
            );
            let of = |what: &str, which: fn(&TableAccess) -> bool| {
                gap(&tables, which, what, Some(&remedy))
            };
            gaps.extend(of("row-level security hides the statistics", policies));
            gaps.extend(of(
                "only pg_statistic has the statistics of the expressions in indexes",
                |reach| reach.hidden_expressions,
            ));
            gaps.extend(of(
                "the role cannot read all extended statistics (CREATE STATISTICS)",
                |reach| reach.hidden_extended,
            ));
            gaps.extend(of(
                "only pg_statistic has the statistics of ranges and of types with an ANALYZE of their own",
                |reach| reach.hidden_kinds,
            ));
        }
        Ok(gaps)
    }
}

impl Session {
    /// Tables that the twin cannot have.
    pub(super) fn not_copied(
        &self,
        scope: &Resolved,
        relations: &[Oid],
    ) -> Result<Vec<Gap>, DbError> {
        let parameters: &[(&(dyn ToSql + Sync), Type)] = &[
            (&scope.everything, Type::BOOL),
            (&scope.oids, Type::OID_ARRAY),
            (&relations, Type::OID_ARRAY),
        ];
        let rows = self.query(OPERATION, include_str!("not_copied.sql"), parameters)?;
        let gap = |row: &Row| {
            let reason: String = field(row, "reason")?;
            let table = QualifiedName::new(
                field::<String>(row, "schema_name")?,
                field::<String>(row, "table_name")?,
            );
            let what = format!(
                "{reason}, which the planner twin does not support: only the server plans statements on it"
            );
            Ok(Gap {
                tables: BTreeSet::from([table]),
                what,
                remedy: None,
            })
        };
        rows.iter().map(gap).collect()
    }
}

fn reach(row: &Row) -> Result<TableAccess, DbError> {
    Ok(TableAccess {
        table: QualifiedName::new(
            field::<String>(row, "schema_name")?,
            field::<String>(row, "table_name")?,
        ),
        readable: field(row, "readable")?,
        row_security: field(row, "row_security")?,
        hidden_expressions: field(row, "hidden_expressions")?,
        hidden_extended: field(row, "hidden_extended")?,
        hidden_kinds: field(row, "hidden_kinds")?,
    })
}

fn unread(reach: &TableAccess, role: &str) -> Gap {
    Gap {
        tables: BTreeSet::from([reach.table.clone()]),
        what: format!(
            "the role {role} cannot read the table or some of its columns: statistics and the smallest and largest values are missing"
        ),
        remedy: Some(format!("GRANT SELECT ON {} TO {role};", reach.table)),
    }
}

fn gap(
    tables: &[TableAccess],
    which: fn(&TableAccess) -> bool,
    what: &str,
    remedy: Option<&str>,
) -> Option<Gap> {
    let tables: BTreeSet<QualifiedName> = tables
        .iter()
        .filter(|reach| which(reach))
        .map(|reach| reach.table.clone())
        .collect();
    (!tables.is_empty()).then(|| Gap {
        tables,
        what: what.to_owned(),
        remedy: remedy.map(str::to_owned),
    })
}

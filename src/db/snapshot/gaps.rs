//! What the role may not read, and which tables the twin cannot have.

use std::collections::BTreeSet;

use tokio_postgres::Row;
use tokio_postgres::types::{Oid, ToSql, Type};

use super::{OPERATION, Resolved};
use crate::db::row::field;
use crate::db::{DbError, Session};
use crate::model::{Gap, GapCause, HiddenStatistics, QualifiedName};

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
        let tables: Vec<TableAccess> = rows.iter().map(access).collect::<Result<_, _>>()?;
        let mut gaps: Vec<Gap> = tables
            .iter()
            .filter(|table| !table.readable)
            .map(|table| not_readable(table, role))
            .collect();
        gaps.extend(gap(&tables, has_policies, GapCause::RowSecurity));
        if source == Source::Views {
            gaps.extend(hidden_statistics(&tables, role));
        }
        Ok(gaps)
    }
}

/// Is something of a table missing?
type Which = fn(&TableAccess) -> bool;

/// What the views do not show.
fn hidden_statistics(tables: &[TableAccess], role: &str) -> Vec<Gap> {
    let kinds: [(Which, HiddenStatistics); 4] = [
        (has_policies, HiddenStatistics::OfTable),
        (
            |table| table.hidden_expressions,
            HiddenStatistics::OfExpressions,
        ),
        (|table| table.hidden_extended, HiddenStatistics::Extended),
        (|table| table.hidden_kinds, HiddenStatistics::OfSpecialTypes),
    ];
    let hidden = kinds.into_iter().filter_map(|(which, statistics)| {
        let role = role.to_owned();
        gap(
            tables,
            which,
            GapCause::StatisticsHidden { statistics, role },
        )
    });
    hidden.collect()
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
            let table = QualifiedName::new(
                field::<String>(row, "schema_name")?,
                field::<String>(row, "table_name")?,
            );
            let access_method: Option<String> = field(row, "access_method")?;
            let cause = match access_method {
                Some(access_method) => GapCause::AccessMethod { access_method },
                None => GapCause::ForeignTable,
            };
            Ok(Gap {
                tables: BTreeSet::from([table]),
                cause,
            })
        };
        rows.iter().map(gap).collect()
    }
}

fn access(row: &Row) -> Result<TableAccess, DbError> {
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

fn has_policies(table: &TableAccess) -> bool {
    table.row_security
}

fn not_readable(access: &TableAccess, role: &str) -> Gap {
    Gap {
        tables: BTreeSet::from([access.table.clone()]),
        cause: GapCause::TableNotReadable {
            role: role.to_owned(),
        },
    }
}

fn gap(tables: &[TableAccess], which: Which, cause: GapCause) -> Option<Gap> {
    let tables: BTreeSet<QualifiedName> = tables
        .iter()
        .filter(|access| which(access))
        .map(|access| access.table.clone())
        .collect();
    (!tables.is_empty()).then_some(Gap { tables, cause })
}

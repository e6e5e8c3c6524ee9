//! The smallest and the largest value of the leading columns of indexes. The planner reads them
//! when a condition is near the end of a histogram, and the twin must return the same values.

use tokio_postgres::types::{Oid, Type};

use super::{Extremes, OPERATION};
use crate::db::row::field;
use crate::db::{DbError, Session};

/// Maximum number of columns in one query.
const COLUMNS_AT_ONCE: usize = 50;

/// Reading the end of an index is fast, unless very many rows were deleted there. With row
/// security, a query would return only the ends of the visible rows.
const LOOKING: &[&str] = &[
    "SET LOCAL statement_timeout = '2s'",
    "SET LOCAL enable_seqscan = off",
    "SET LOCAL enable_sort = off",
    "SET LOCAL row_security = off",
];

struct LeadingColumn {
    relation: Oid,
    attribute: i16,
    table: String,
    column: String,
}

impl Session {
    /// Those of the tables that may be read.
    pub(super) fn extremes(
        &self,
        relations: &[Oid],
        untrusted: &[Oid],
    ) -> Result<Vec<Extremes>, DbError> {
        let rows = self.query(
            OPERATION,
            include_str!("extremes.sql"),
            &[(&relations, Type::OID_ARRAY), (&untrusted, Type::OID_ARRAY)],
        )?;
        let leading = rows.iter().map(|row| {
            Ok(LeadingColumn {
                relation: field(row, "relation")?,
                attribute: field(row, "attribute")?,
                table: field(row, "table_name")?,
                column: field(row, "column_name")?,
            })
        });
        let leading: Vec<LeadingColumn> = leading.collect::<Result<_, DbError>>()?;
        for setting in LOOKING {
            self.query(OPERATION, setting, &[])?;
        }
        let mut extremes = Vec::with_capacity(leading.len());
        for columns in leading.chunks(COLUMNS_AT_ONCE) {
            match self.ends(columns)? {
                Some(found) => extremes.extend(found),
                None => {
                    for column in columns.chunks(1) {
                        extremes.extend(self.ends(column)?.unwrap_or_default());
                    }
                }
            }
        }
        Ok(extremes)
    }

    /// None if the server refused or the time limit passed.
    fn ends(&self, columns: &[LeadingColumn]) -> Result<Option<Vec<Extremes>>, DbError> {
        let end = |column: &LeadingColumn, order: &str| {
            let LeadingColumn { table, column, .. } = column;
            format!(
                "(SELECT t.{column}::text FROM ONLY {table} t WHERE t.{column} IS NOT NULL ORDER BY t.{column} {order} LIMIT 1)"
            )
        };
        let ends: Vec<String> = columns
            .iter()
            .flat_map(|column| [end(column, "ASC"), end(column, "DESC")])
            .collect();
        let sql = format!(
            "/* pgrehearse: the ends of indexes */ SELECT ARRAY[{}] AS ends",
            ends.join(", ")
        );
        self.query(OPERATION, "SAVEPOINT ends", &[])?;
        let rows = match self.query(OPERATION, &sql, &[]) {
            Ok(rows) => rows,
            Err(refused) if refused.is_refusal() => {
                self.query(OPERATION, "ROLLBACK TO SAVEPOINT ends", &[])?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let ends: Vec<Option<String>> = field(row, "ends")?;
        let extremes = columns
            .iter()
            .zip(ends.chunks(2))
            .map(|(column, ends)| Extremes {
                relation: column.relation,
                attribute: column.attribute,
                smallest: ends.first().cloned().flatten(),
                largest: ends.get(1).cloned().flatten(),
            });
        Ok(Some(extremes.collect()))
    }
}

//! Two rows for each table: one with the smallest values of its columns, one with the largest.
//! Indexes over them have the same ends as production's.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use super::attempts::Attempt;
use super::{OPERATION, Twin};
use crate::db::DbError;
use crate::db::row::field;
use crate::model::{QualifiedName, quote_identifier, quote_literal};
use crate::twin::Snapshot;
use crate::twin::snapshot::{Extremes, Oid, RelationFile, Slot, Statistic, TableSample};

/// `STATISTIC_KIND_MCV` and `STATISTIC_KIND_HISTOGRAM` (src/include/catalog/pg_statistic.h).
const MOST_COMMON: i16 = 1;
const HISTOGRAM: i16 = 2;

/// Maximum number of tables in one statement, which contains the values of all their histograms.
const TABLES_AT_ONCE: usize = 50;

/// A column that gets a value.
struct Column<'s> {
    name: String,
    type_name: String,
    extremes: Option<&'s Extremes>,
    /// Slots with values, with their types' names.
    slots: Vec<(&'s Slot, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Smallest,
    Largest,
}

impl Twin {
    pub(super) fn add_rows(&self, snapshot: &Snapshot) -> Result<(), DbError> {
        let mut columns = self.columns(snapshot)?;
        let tables: Vec<&RelationFile> = snapshot
            .files
            .iter()
            .filter(|file| file.kind != "i" && file.blocks > 0)
            .collect();
        for tables in tables.chunks(TABLES_AT_ONCE) {
            let attempts = tables.iter().map(|file| {
                let columns = columns.remove(&file.oid).unwrap_or_default();
                let leading: Vec<&Column<'_>> = columns
                    .iter()
                    .filter(|column| column.extremes.is_some())
                    .collect();
                let all: Vec<&Column<'_>> = columns.iter().collect();
                match snapshot.whole_rows(file) {
                    Some(rows) => Attempt {
                        sql: insert_whole(&file.name, &all, rows),
                        otherwise: Some(insert(&file.name, &all)),
                    },
                    None => Attempt {
                        sql: insert(&file.name, &all),
                        otherwise: Some(insert(&file.name, &leading)),
                    },
                }
            });
            self.attempt_all(&attempts.collect::<Vec<_>>())?;
        }
        Ok(())
    }

    fn columns<'s>(
        &self,
        snapshot: &'s Snapshot,
    ) -> Result<BTreeMap<Oid, Vec<Column<'s>>>, DbError> {
        let oids: Vec<Oid> = snapshot
            .files
            .iter()
            .filter(|file| file.kind != "i")
            .map(|file| file.oid)
            .collect();
        let sql = "SELECT a.attrelid AS relation, a.attnum AS attribute, a.attname::text AS column_name, \
                   format_type(a.atttypid, a.atttypmod) AS type_name \
                   FROM pg_attribute a WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2";
        let type_names = self.type_names(snapshot)?;
        let extremes: BTreeMap<(Oid, i16), &Extremes> = snapshot
            .extremes
            .iter()
            .map(|found| ((found.relation, found.attribute), found))
            .collect();
        let statistics: BTreeMap<(Oid, i16), &Statistic> = snapshot
            .statistics
            .iter()
            .filter(|statistic| !statistic.inherited)
            .map(|statistic| ((statistic.relation, statistic.attribute), statistic))
            .collect();
        let mut columns: BTreeMap<Oid, Vec<Column<'s>>> = BTreeMap::new();
        for row in self
            .session
            .query(OPERATION, sql, &[(&oids, Type::OID_ARRAY)])?
        {
            let relation: Oid = field(&row, "relation")?;
            let key = (relation, field::<i16>(&row, "attribute")?);
            let slots = statistics
                .get(&key)
                .map(|statistic| statistic.slots.as_slice())
                .unwrap_or_default();
            let with_type = |slot: &'s Slot| {
                Some((
                    slot,
                    type_names.get(&slot.values.as_ref()?.element_type)?.clone(),
                ))
            };
            columns.entry(relation).or_default().push(Column {
                name: field(&row, "column_name")?,
                type_name: field(&row, "type_name")?,
                extremes: extremes.get(&key).copied(),
                slots: slots
                    .iter()
                    .filter(|slot| matches!(slot.kind, MOST_COMMON | HISTOGRAM))
                    .filter_map(with_type)
                    .collect(),
            });
        }
        Ok(columns)
    }

    fn type_names(&self, snapshot: &Snapshot) -> Result<BTreeMap<Oid, String>, DbError> {
        let values = snapshot
            .statistics
            .iter()
            .flat_map(|statistic| &statistic.slots)
            .filter_map(|slot| slot.values.as_ref());
        let oids: std::collections::BTreeSet<Oid> =
            values.map(|values| values.element_type).collect();
        let oids: Vec<Oid> = oids.into_iter().collect();
        let sql = "SELECT oid, format_type(oid, NULL) AS type_name FROM unnest($1::oid[]) AS oid";
        let rows = self
            .session
            .query(OPERATION, sql, &[(&oids, Type::OID_ARRAY)])?;
        rows.iter()
            .map(|row| Ok((field(row, "oid")?, field(row, "type_name")?)))
            .collect()
    }
}

fn insert(table: &QualifiedName, columns: &[&Column<'_>]) -> String {
    if columns.is_empty() {
        return format!("INSERT INTO {table} DEFAULT VALUES");
    }
    let names: Vec<String> = columns
        .iter()
        .map(|column| quote_identifier(&column.name).into_owned())
        .collect();
    let row = |end: End| {
        columns
            .iter()
            .map(|column| column.value(end))
            .collect::<Vec<_>>()
            .join(", ")
    };
    format!(
        "INSERT INTO {table} ({}) SELECT {} UNION ALL SELECT {}",
        names.join(", "),
        row(End::Smallest),
        row(End::Largest)
    )
}

/// All rows of a table, which functions read.
fn insert_whole(table: &QualifiedName, columns: &[&Column<'_>], rows: &TableSample) -> String {
    let of = |column: &&&Column<'_>| rows.columns.iter().position(|name| *name == column.name);
    let columns = columns
        .iter()
        .filter_map(|column| Some((column, of(&column)?)));
    let columns: Vec<_> = columns.collect();
    let names: Vec<_> = columns
        .iter()
        .map(|(column, _)| quote_identifier(&column.name))
        .collect();
    let value = |row: usize, (column, at): &(&&Column<'_>, usize)| {
        let value = rows.values.get(*at).and_then(|values| values.get(row));
        let value = value.cloned().flatten();
        let value = value.map_or_else(|| "NULL".to_owned(), |value| quote_literal(&value));
        format!("({value})::{}", column.type_name)
    };
    let count = rows.values.first().map_or(0, Vec::len);
    let tuples: Vec<String> = (0..count)
        .map(|row| {
            let values: Vec<String> = columns.iter().map(|column| value(row, column)).collect();
            format!("({})", values.join(", "))
        })
        .collect();
    format!(
        "INSERT INTO {table} ({}) VALUES {}",
        names.join(", "),
        tuples.join(", ")
    )
}

impl Column<'_> {
    /// The first or last value: read from an index if possible, otherwise from the statistics.
    fn value(&self, end: End) -> String {
        let of_type = |value: &str| format!("({value})::{}", self.type_name);
        if let Some(extremes) = self.extremes {
            let value = if end == End::Smallest {
                &extremes.smallest
            } else {
                &extremes.largest
            };
            return of_type(
                &value
                    .as_deref()
                    .map_or_else(|| "NULL".to_owned(), quote_literal),
            );
        }
        let values = self.slots.iter().filter_map(|(slot, type_name)| {
            Some(format!(
                "SELECT unnest({}::{type_name}[])",
                quote_literal(&slot.values.as_ref()?.literal)
            ))
        });
        let values: Vec<String> = values.collect();
        if values.is_empty() {
            return of_type("NULL");
        }
        let order = if end == End::Smallest { "ASC" } else { "DESC" };
        of_type(&format!(
            "SELECT v FROM ({}) AS s (v) ORDER BY v {order} LIMIT 1",
            values.join(" UNION ALL ")
        ))
    }
}

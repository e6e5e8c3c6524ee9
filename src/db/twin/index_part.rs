//! An index as the twin built it: one [`IndexPart`] for the index, and one for each partition's
//! index.

use tokio_postgres::Row;

use crate::db::DbError;
use crate::db::row::field;
use crate::twin::snapshot::Oid;

/// An index in the twin, or its part on one partition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct IndexPart {
    pub(super) oid: Oid,
    pub(super) index_name: String,
    pub(super) table: Oid,
    /// Qualified.
    pub(super) table_name: String,
    /// The path of its file; a partitioned index has none.
    pub(super) path: Option<String>,
    pub(super) method: String,
    pub(super) definition: String,
    /// The text after the table's name, with every name qualified.
    pub(super) body: String,
    /// The number of key columns; the others are from INCLUDE.
    pub(super) key_count: usize,
    pub(super) is_unique: bool,
    /// Can equal keys share an entry? The build of a btree sets this.
    pub(super) deduplicates: bool,
    /// The storage parameters `fillfactor`, in per cent, if it is set, and `deduplicate_items`.
    pub(super) fillfactor: Option<u8>,
    pub(super) deduplicate_items: bool,
    pub(super) predicate: Option<String>,
    pub(super) columns: Vec<IndexPartColumn>,
}

/// A column of an index.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct IndexPartColumn {
    /// The table's column; 0 for an expression.
    pub(super) attribute: i16,
    /// As SQL.
    pub(super) text: String,
    /// `attlen` and `attalign`, in bytes, of what the index stores.
    pub(super) length: i16,
    pub(super) alignment: u8,
    /// The operator class of a key.
    pub(super) class: Option<String>,
}

impl IndexPart {
    pub(super) fn keys(&self) -> impl Iterator<Item = &IndexPartColumn> + Clone {
        self.columns.iter().take(self.key_count)
    }

    pub(super) fn has_expression(&self) -> bool {
        self.columns.iter().any(|column| column.attribute == 0)
    }

    /// ` WHERE …`, or nothing.
    pub(super) fn filter(&self) -> String {
        self.predicate
            .as_ref()
            .map(|predicate| format!(" WHERE {predicate}"))
            .unwrap_or_default()
    }

    /// The key columns as SQL.
    pub(super) fn key_list(&self) -> String {
        self.keys()
            .map(|column| column.text.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// Reads a row of `parts.sql`.
pub(super) fn part(row: &Row) -> Result<IndexPart, DbError> {
    let texts: Vec<String> = field(row, "texts")?;
    let lengths: Vec<i16> = field(row, "lengths")?;
    let alignments: Vec<i16> = field(row, "alignments")?;
    let attributes: Vec<i16> = field(row, "attributes")?;
    let classes: Vec<String> = field(row, "classes")?;
    let columns = texts
        .into_iter()
        .enumerate()
        .map(|(at, text)| IndexPartColumn {
            attribute: attributes.get(at).copied().unwrap_or(0),
            text,
            length: lengths.get(at).copied().unwrap_or(-1),
            alignment: alignments
                .get(at)
                .and_then(|bytes| u8::try_from(*bytes).ok())
                .unwrap_or(1),
            class: classes.get(at).cloned(),
        });
    let definition: String = field(row, "definition")?;
    let body = definition
        .find(" USING ")
        .and_then(|at| definition.get(at..))
        .unwrap_or_default()
        .to_owned();
    Ok(IndexPart {
        oid: field(row, "oid")?,
        index_name: field(row, "index_name")?,
        table: field(row, "table_oid")?,
        table_name: field(row, "table_name")?,
        path: field(row, "path")?,
        method: field(row, "method")?,
        columns: columns.collect(),
        body,
        definition,
        key_count: usize::try_from(field::<i16>(row, "key_count")?).unwrap_or(0),
        is_unique: field(row, "is_unique")?,
        deduplicates: false,
        fillfactor: field::<Option<i16>>(row, "fillfactor")?
            .and_then(|percent| u8::try_from(percent).ok()),
        deduplicate_items: field(row, "deduplicate_items")?,
        predicate: field(row, "predicate")?,
    })
}

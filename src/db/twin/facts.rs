//! What the twin's catalogs and planner contain about the table of a candidate, read once for each
//! table.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::{Leaf, Twin};
use crate::db::DbError;
use crate::db::explain::Explained;
use crate::db::row::field;
use crate::model::QualifiedName;

const OPERATION: &str = "reading a table's facts from the planner twin";

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TableFacts {
    /// The planner's estimate.
    pub(super) rows: f64,
    /// The pages of its file.
    pub(super) pages: u64,
    /// By attribute number.
    pub(super) columns: BTreeMap<i16, ColumnFacts>,
}

/// A column with its statistics.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ColumnFacts {
    pub(super) name: String,
    /// With its type modifier: `numeric(12,2)`.
    pub(super) type_name: String,
    /// None without statistics.
    pub(super) statistics: Option<ColumnStatistics>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct ColumnStatistics {
    pub(super) null_fraction: f64,
    /// `stawidth`; for the type `name` the mean length of its strings with the terminating zero,
    /// which is what a btree stores.
    pub(super) width_bytes: f64,
    /// The standard deviation over the histogram's values.
    pub(super) width_deviation_bytes: f64,
    /// `stadistinct`.
    pub(super) distinct: f64,
    pub(super) common_fractions: Vec<f64>,
    /// Elements of an array, on average.
    pub(super) elements: Option<f64>,
}

impl ColumnStatistics {
    /// `stadistinct` as a number of values.
    pub(super) fn distinct_values(&self, table_rows: f64) -> f64 {
        if self.distinct < 0.0 {
            -self.distinct * table_rows
        } else {
            self.distinct
        }
    }
}

impl Twin {
    /// Reads the facts about a table, unless they were read before.
    pub(super) fn learn(&mut self, leaf: &Leaf) -> Result<(), DbError> {
        if self.facts.contains_key(&leaf.table) {
            return Ok(());
        }
        let mut columns = BTreeMap::new();
        for row in self.session.query(
            OPERATION,
            include_str!("columns.sql"),
            &[(&leaf.table, Type::OID)],
        )? {
            columns.insert(field::<i16>(&row, "attribute")?, column(&row)?);
        }
        let pages = self.heaps.get(&leaf.table).map_or(0, |heap| heap.pages);
        let facts = TableFacts {
            rows: self.planned_rows(&leaf.name)?,
            pages,
            columns,
        };
        self.facts.insert(leaf.table, facts);
        Ok(())
    }

    fn planned_rows(&self, table: &QualifiedName) -> Result<f64, DbError> {
        Ok(
            match self.session.explain(&format!("SELECT FROM ONLY {table}"))? {
                Explained::Plan { plan, .. } => plan
                    .nodes()
                    .iter()
                    .rev()
                    .find_map(|node| node.table().and(node.plan_rows()))
                    .unwrap_or(0.0),
                _ => 0.0,
            },
        )
    }
}

fn column(row: &Row) -> Result<ColumnFacts, DbError> {
    let statistics = match field::<Option<f64>>(row, "null_fraction")? {
        None => None,
        Some(null_fraction) => Some(ColumnStatistics {
            null_fraction,
            width_bytes: field(row, "width")?,
            width_deviation_bytes: field(row, "width_deviation")?,
            distinct: field(row, "distinct_values")?,
            common_fractions: field::<Option<Vec<f64>>>(row, "common_fractions")?
                .unwrap_or_default(),
            elements: field(row, "elements")?,
        }),
    };
    Ok(ColumnFacts {
        name: field(row, "column_name")?,
        type_name: field(row, "type_name")?,
        statistics,
    })
}

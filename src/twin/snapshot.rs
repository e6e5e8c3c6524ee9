//! Everything that production's planner knows about some tables, as a value: rows of the system
//! catalogs with their OIDs, statistics, file sizes, settings.
//!
//! Catalog rows are copied as they are, not as DDL: attribute numbers, enum values, operators
//! inside stored expressions and statistics all refer to OIDs, which stay valid this way. A server
//! of the same major version has the same catalogs and the same OIDs below 12000
//! (src/include/access/transam.h). Rows whose OIDs `initdb` assigned (collations, text search,
//! plpgsql) are copied too and replace the twin's own.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::metapage::Metapage;
use crate::model::{Gap, QualifiedName};

/// An object identifier of the server that the snapshot was read from.
pub type Oid = u32;

/// What a server's planner knows about some tables.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// The server.
    pub origin: Origin,
    /// Settings that affect plans, as `current_setting` prints them.
    pub settings: BTreeMap<String, String>,
    /// Settings of applications that functions of the statements and policies read, and their values
    /// in the session that the snapshot was read in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub application_settings: BTreeMap<String, String>,
    /// Rows of the system catalogs.
    pub system_tables: Vec<SystemTable>,
    /// Rows of `pg_statistic`.
    pub statistics: Vec<Statistic>,
    /// Rows of `pg_statistic_ext_data`.
    pub extended_statistics: Vec<ExtendedStatistic>,
    /// Everything that has a file: tables, materialized views, indexes.
    pub files: Vec<RelationFile>,
    /// Smallest and largest values of the leading columns of indexes.
    pub extremes: Vec<Extremes>,
    /// Tables that functions of the statements and of policies read: the planner calls functions that
    /// are not volatile, to know how many rows to expect.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub read_by_functions: BTreeSet<Oid>,
    /// What could not be read, with the GRANT that would help.
    pub gaps: Vec<Gap>,
    /// Rows of tables, for what statistics do not contain: predicates, expressions, GIN. Their
    /// values are all data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<TableSample>,
}

/// The server that a snapshot was read from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Origin {
    /// `server_version_num`.
    pub version_num: u32,
    /// `pg_encoding_to_char(encoding)`: `UTF8`.
    pub encoding: String,
    /// `pg_database.datlocprovider`: `c` (libc), `i` (ICU) or `b` (built in).
    pub locale_provider: String,
    /// `datcollate`.
    pub collate: String,
    /// `datctype`.
    pub ctype: String,
    /// The provider's own name of the locale: `daticulocale` or `datlocale`.
    pub provider_locale: Option<String>,
    /// `daticurules`.
    pub icu_rules: Option<String>,
    /// `block_size` in bytes.
    pub block_size_bytes: u32,
    /// The name of the database.
    pub database: String,
    /// A standby: nothing can be built there.
    pub in_recovery: bool,
    /// `current_user`: "$user" in `search_path`, and the role that policies apply to.
    #[serde(default)]
    pub role: String,
}

impl Origin {
    /// 15 for 150018.
    pub fn major(&self) -> u32 {
        self.version_num / 10_000
    }
}

/// Rows of one system catalog; every value as its type prints it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SystemTable {
    /// `pg_class`.
    pub name: String,
    /// Its columns' names.
    pub columns: Vec<String>,
    /// A value for each column.
    pub rows: Vec<Vec<Option<String>>>,
}

impl SystemTable {
    /// The position of a column in the rows.
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == column)
    }

    /// A column of all rows; empty if there is no such column.
    pub fn column(&self, column: &str) -> Vec<Option<&str>> {
        let Some(position) = self.position(column) else {
            return Vec::new();
        };
        self.rows
            .iter()
            .map(|row| row.get(position).and_then(Option::as_deref))
            .collect()
    }

    /// The rows whose value in that column is one of these.
    pub fn only(&self, column: &str, wanted: impl Fn(&str) -> bool) -> SystemTable {
        let position = self.position(column);
        let is_wanted = |row: &&Vec<Option<String>>| {
            position
                .and_then(|position| row.get(position)?.as_deref())
                .is_some_and(&wanted)
        };
        SystemTable {
            rows: self.rows.iter().filter(is_wanted).cloned().collect(),
            ..self.clone_empty()
        }
    }

    fn clone_empty(&self) -> SystemTable {
        SystemTable {
            name: self.name.clone(),
            columns: self.columns.clone(),
            rows: Vec::new(),
        }
    }
}

/// A row of `pg_statistic` (<https://www.postgresql.org/docs/current/catalog-pg-statistic.html>).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Statistic {
    /// `starelid`.
    pub relation: Oid,
    /// `staattnum`.
    pub attribute: i16,
    /// `stainherit`: over the table and everything that inherits from it.
    pub inherited: bool,
    /// `stanullfrac`.
    pub null_fraction: f32,
    /// `stawidth`.
    pub width_bytes: i32,
    /// `stadistinct`: a number of values, or minus a share of the rows.
    pub distinct: f32,
    /// The five slots.
    pub slots: Vec<Slot>,
}

/// A column of a relation, by names.
pub type ColumnName = (QualifiedName, String);

/// One of the five slots of a row of `pg_statistic`: most common values, a histogram, …
/// (src/include/catalog/pg_statistic.h).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Slot {
    /// `stakindN`; 0 is an empty slot.
    pub kind: i16,
    /// `staopN`.
    pub operator: Oid,
    /// `stacollN`.
    pub collation: Oid,
    /// `stanumbersN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Vec<f32>>,
    /// `stavaluesN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Values>,
}

/// An array whose element type is only known to its row.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Values {
    /// The element type.
    pub element_type: Oid,
    /// The array as text: `{a,b,"c d"}`.
    pub literal: String,
}

/// A row of `pg_statistic_ext_data`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ExtendedStatistic {
    /// `stxoid`.
    pub oid: Oid,
    /// `stxdinherit` (PostgreSQL 15 and later).
    pub inherited: bool,
    /// `stxdndistinct`, `stxddependencies` and `stxdmcv`: the bytes as hexadecimal digits.
    pub ndistinct: Option<String>,
    /// See `ndistinct`.
    pub dependencies: Option<String>,
    /// See `ndistinct`.
    pub most_common: Option<String>,
    /// `stxdexpr`: statistics of the expressions.
    pub expressions: Vec<Statistic>,
}

/// A relation with a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RelationFile {
    /// `pg_class.oid`.
    pub oid: Oid,
    /// Its name.
    pub name: QualifiedName,
    /// `pg_class.relkind`: `r`, `m` or `i`.
    pub kind: String,
    /// The access method of an index.
    pub method: Option<String>,
    /// `pg_relation_size` in blocks, which the planner uses instead of `relpages`.
    pub blocks: u64,
    /// The index's metapage, as far as the planner reads it.
    pub metapage: Option<Metapage>,
}

/// The smallest and the largest value of a column, as text.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Extremes {
    /// The table.
    pub relation: Oid,
    /// The column's number.
    pub attribute: i16,
    /// None when there is no row.
    pub smallest: Option<String>,
    /// None when there is no row.
    pub largest: Option<String>,
}

/// Rows of a table that were chosen one by one at random, in the table's order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TableSample {
    /// The table: one that has a file.
    pub relation: Oid,
    /// The columns' names.
    pub columns: Vec<String>,
    /// A list of values for each column, as their types print them; all equally long.
    pub values: Vec<Vec<Option<String>>>,
    /// How many rows there are.
    pub rows: u64,
    /// These are all rows of the table.
    pub is_whole: bool,
    /// The rows are from this share of the table's pages, which were chosen at random; none: from
    /// all pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_share: Option<f64>,
}

impl Snapshot {
    /// The rows of a system catalog.
    pub fn system_table(&self, name: &str) -> Option<&SystemTable> {
        self.system_tables.iter().find(|table| table.name == name)
    }

    /// The names of the system catalogs.
    pub fn system_table_names(&self) -> Vec<&str> {
        let tables = self.system_tables.iter();
        tables.map(|table| table.name.as_str()).collect()
    }

    /// The columns of relations with files, by relation and number.
    pub fn columns(&self) -> BTreeMap<(Oid, i16), ColumnName> {
        let names: BTreeMap<String, &QualifiedName> = self
            .files
            .iter()
            .map(|file| (file.oid.to_string(), &file.name))
            .collect();
        let mut columns = BTreeMap::new();
        for [relation, number, name] in
            self.rows_of("pg_attribute", ["attrelid", "attnum", "attname"])
        {
            if let (Some(table), Ok(oid), Ok(number)) =
                (names.get(relation), relation.parse(), number.parse())
            {
                columns.insert((oid, number), ((*table).clone(), name.to_owned()));
            }
        }
        columns
    }

    /// Some columns of a system catalog, row by row. Rows with a NULL in one of them are left out;
    /// if a column is missing, there are no rows.
    pub fn rows_of<'s, const N: usize>(
        &'s self,
        table: &str,
        columns: [&str; N],
    ) -> Vec<[&'s str; N]> {
        let Some(table) = self.system_table(table) else {
            return Vec::new();
        };
        let positions: Option<Vec<usize>> = columns
            .iter()
            .map(|column| table.position(column))
            .collect();
        let Some(positions) = positions else {
            return Vec::new();
        };
        let row = |row: &'s Vec<Option<String>>| {
            let mut values = [""; N];
            for (value, position) in values.iter_mut().zip(&positions) {
                *value = row.get(*position)?.as_deref()?;
            }
            Some(values)
        };
        table.rows.iter().filter_map(row).collect()
    }

    /// The foreign tables that are copied.
    pub fn foreign_tables(&self) -> Vec<QualifiedName> {
        let schemas: BTreeMap<&str, &str> = self
            .rows_of("pg_namespace", ["oid", "nspname"])
            .into_iter()
            .map(|[oid, name]| (oid, name))
            .collect();
        let classes = self.rows_of("pg_class", ["relname", "relnamespace", "relkind"]);
        let foreign = classes.into_iter().filter(|[_, _, kind]| *kind == "f");
        foreign
            .filter_map(|[name, schema, _]| Some(QualifiedName::new(*schemas.get(schema)?, name)))
            .collect()
    }

    /// All rows of a table of one block, with all its columns; none if they were not read.
    pub fn whole_rows(&self, file: &RelationFile) -> Option<&TableSample> {
        let sample = self
            .samples
            .iter()
            .find(|sample| sample.relation == file.oid)?;
        let oid = file.oid.to_string();
        let attributes = self.rows_of(
            "pg_attribute",
            ["attrelid", "attname", "attnum", "attisdropped"],
        );
        let mut columns = attributes
            .into_iter()
            .filter(|[relation, _, number, dropped]| {
                *relation == oid && !number.starts_with('-') && !matches!(*dropped, "t" | "true")
            });
        let has = |name: &str| sample.columns.iter().any(|column| column == name);
        (file.blocks == 1 && sample.is_whole && columns.all(|[_, name, ..]| has(name)))
            .then_some(sample)
    }

    /// Adds samples; a new one replaces an older one of the same table.
    pub fn keep_samples(&mut self, samples: Vec<TableSample>) {
        for sample in samples {
            self.samples
                .retain(|other| other.relation != sample.relation);
            self.samples.push(sample);
        }
    }

    /// The table that an index is on.
    fn table_of(&self, index: Oid) -> Option<&RelationFile> {
        let indexes = self.system_table("pg_index")?;
        let index = index.to_string();
        let position = indexes
            .column("indexrelid")
            .iter()
            .position(|oid| *oid == Some(&index))?;
        let table: Oid = indexes
            .column("indrelid")
            .get(position)?
            .as_ref()?
            .parse()
            .ok()?;
        self.files.iter().find(|file| file.oid == table)
    }

    /// An index's metapage as it was read, or computed from the sizes. None for other methods,
    /// because the planner reads none.
    pub fn metapage(&self, index: &RelationFile) -> Option<Metapage> {
        index.metapage.or_else(|| match index.method.as_deref()? {
            "btree" => Some(Metapage::Btree {
                level: btree_level(index.blocks),
            }),
            // With zeros the planner guesses, as for an index that was never vacuumed.
            "gin" => Some(Metapage::Gin {
                total_pages: 0,
                entry_pages: 0,
                data_pages: 0,
                entries: 0,
                pending_pages: 0,
            }),
            "brin" => {
                let pages_per_range = self.pages_per_range(index.oid).unwrap_or(PAGES_PER_RANGE);
                let table_blocks = self.table_of(index.oid)?.blocks;
                Some(Metapage::Brin {
                    pages_per_range,
                    last_revmap_page: last_revmap_page(table_blocks, pages_per_range),
                })
            }
            "spgist" => Some(Metapage::Spgist),
            _ => None,
        })
    }

    /// The storage parameter of a BRIN index.
    fn pages_per_range(&self, index: Oid) -> Option<u32> {
        let classes = self.system_table("pg_class")?;
        let index = index.to_string();
        let position = classes
            .column("oid")
            .iter()
            .position(|oid| *oid == Some(&index))?;
        let options = classes
            .column("reloptions")
            .get(position)
            .copied()
            .flatten()?;
        let (_, value) = options.split_once("pages_per_range=")?;
        value
            .split(|c: char| !c.is_ascii_digit())
            .next()?
            .parse()
            .ok()
    }
}

/// BRIN's default.
pub const PAGES_PER_RANGE: u32 = 128;

/// Pointers in a page of BRIN's range map (`REVMAP_PAGE_MAXITEMS`, src/include/access/brin_page.h).
const RANGES_PER_REVMAP_PAGE: u64 = 1360;

/// Entries in an inner page of a btree, if only the size of the index is known.
const BTREE_FAN_OUT: u64 = 200;

/// The last page of the range map of a BRIN index; the pages of tuples follow.
pub fn last_revmap_page(table_blocks: u64, pages_per_range: u32) -> u32 {
    let ranges = table_blocks.div_ceil(u64::from(pages_per_range.max(1)));
    u32::try_from(ranges.div_ceil(RANGES_PER_REVMAP_PAGE).max(1)).unwrap_or(u32::MAX)
}

/// The level of a btree's root, estimated from its size.
pub(super) fn btree_level(blocks: u64) -> u32 {
    let mut pages = blocks.saturating_sub(1);
    let mut level = 0;
    while pages > 1 {
        pages = pages.div_ceil(BTREE_FAN_OUT);
        level += 1;
    }
    level
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_as_high_as_its_size_makes_it() {
        assert_eq!(
            [1, 2, 3, 201, 202, 40_400].map(btree_level),
            [0, 0, 1, 1, 2, 3]
        );
        assert_eq!(last_revmap_page(86_000_000, 128), 495);
        assert_eq!(last_revmap_page(0, 128), 1);
    }
}

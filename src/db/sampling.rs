//! Reads some rows of a table, for what statistics do not contain: selectivity of predicates,
//! values of expressions, combinations of columns.
//!
//! It uses a read-only transaction with its own time limit, and needs SELECT on the table. If the
//! role may not read a table, or reading takes too long, there is no sample of it.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::types::{Oid, Type};

use super::row::field;
use super::session::{TransactionMode, milliseconds};
use super::{DbError, Session};
use crate::model::{Millis, QualifiedName, quote_identifier};
use crate::sql::RelationName;
use crate::twin::Snapshot;
use crate::twin::snapshot::TableSample;

const OPERATION: &str = "reading a sample of rows";

/// As many rows as ANALYZE reads with the default statistics target.
pub const MAX_ROWS: u64 = 30_000;
/// Maximum size of a sample in bytes, without values that are stored out of line.
const MAX_BYTES: u64 = 32 << 20;
/// A table of up to this many pages is read as a whole, and its rows are chosen at random. Of a
/// larger table, about this many pages are read at random, and so few of their rows are taken that
/// hardly any are neighbours.
const MAX_PAGES: f64 = 8192.0;
/// Time limit for one table.
const TIME: Millis = Millis(2_000.0);
/// Limits of the second attempt, if the first one took too long.
const FEWER_PAGES: f64 = 512.0;
const FEWER_ROWS: u64 = 5_000;
const LESS_TIME: Millis = Millis(1_000.0);

/// The sample requested of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleRequest {
    /// The table: one that has a file.
    pub relation: Oid,
    /// Its name.
    pub table: QualifiedName,
    /// The columns that are needed.
    pub columns: BTreeSet<String>,
}

/// What may be columns of a table: the names in the statements that name the table.
#[derive(Debug, Clone, Default)]
pub struct NamedColumns {
    /// By the name of the relation, without its schema.
    by_relation: BTreeMap<String, BTreeSet<String>>,
    /// Of all statements, for tables that none names (those behind views and functions).
    all: BTreeSet<String>,
}

impl NamedColumns {
    /// Adds the names in a statement.
    pub fn add(&mut self, relations: &BTreeSet<RelationName>, names: &BTreeSet<String>) {
        for relation in relations {
            let of_it = self.by_relation.entry(relation.name.clone()).or_default();
            of_it.extend(names.iter().cloned());
        }
        self.all.extend(names.iter().cloned());
    }

    /// Those that may be columns of this table.
    pub fn of(&self, table: &QualifiedName) -> &BTreeSet<String> {
        self.by_relation.get(&table.name).unwrap_or(&self.all)
    }
}

/// A source of sampled rows.
pub trait SampleSource {
    /// Some rows of a table; none if the role cannot read them or it takes too long.
    ///
    /// # Errors
    /// When the connection is lost or the work is interrupted.
    fn sample(&self, wanted: &SampleRequest) -> Result<Option<TableSample>, DbError>;
}

impl SampleSource for Session {
    fn sample(&self, wanted: &SampleRequest) -> Result<Option<TableSample>, DbError> {
        if wanted.columns.is_empty() {
            return Ok(None);
        }
        let untrusted =
            self.in_read_only(TIME, |session| session.untrusted_tables(&[wanted.relation]))?;
        if untrusted.is_none_or(|tables| !tables.is_empty()) {
            return Ok(None);
        }
        let Some(table) = self
            .in_read_only(TIME, |session| session.extent(wanted.relation))?
            .flatten()
        else {
            return Ok(None);
        };
        let first = Attempt {
            pages: MAX_PAGES,
            rows: MAX_ROWS,
        };
        if let Some(sample) =
            self.in_read_only(TIME, |session| session.read_sample(wanted, table, first))?
        {
            return Ok(Some(sample));
        }
        let second = Attempt {
            pages: FEWER_PAGES,
            rows: FEWER_ROWS,
        };
        self.in_read_only(LESS_TIME, |session| {
            session.read_sample(wanted, table, second)
        })
    }
}

impl Session {
    /// Samples of the tables of a snapshot, with the columns whose names a workload mentions, for
    /// advice without a connection. `only` limits this to some tables.
    ///
    /// # Errors
    /// When the connection to the server is lost.
    pub fn samples(
        &self,
        snapshot: &Snapshot,
        words: &BTreeSet<String>,
        only: Option<&BTreeSet<QualifiedName>>,
    ) -> Result<Vec<TableSample>, DbError> {
        let Some(attributes) = snapshot.system_table("pg_attribute") else {
            return Ok(Vec::new());
        };
        let mut samples = Vec::new();
        let wanted = |name: &QualifiedName| only.is_none_or(|only| only.contains(name));
        for file in snapshot
            .files
            .iter()
            .filter(|file| file.kind != "i" && wanted(&file.name))
        {
            let relation = file.oid.to_string();
            let of_table = attributes.only("attrelid", |oid| oid == relation);
            let named = of_table
                .column("attname")
                .into_iter()
                .zip(of_table.column("attnum"));
            let columns = named
                .filter(|(_, number)| number.is_some_and(|number| !number.starts_with('-')))
                .filter_map(|(name, _)| {
                    name.filter(|name| words.contains(*name)).map(str::to_owned)
                });
            let request = SampleRequest {
                relation: file.oid,
                table: file.name.clone(),
                columns: columns.collect(),
            };
            samples.extend(self.sample(&request)?);
        }
        Ok(samples)
    }

    /// All rows of the tables of one block that functions read: what a function returns decides how
    /// many rows the planner expects.
    ///
    /// # Errors
    /// When the connection to the server is lost.
    pub fn small_tables_of_functions(
        &self,
        snapshot: &Snapshot,
    ) -> Result<Vec<TableSample>, DbError> {
        let attributes = snapshot.rows_of(
            "pg_attribute",
            ["attrelid", "attname", "attnum", "attisdropped"],
        );
        let mut samples = Vec::new();
        let is_read = |oid: &Oid| snapshot.read_by_functions.contains(oid);
        let small = snapshot
            .files
            .iter()
            .filter(|file| file.kind == "r" && file.blocks == 1 && is_read(&file.oid));
        for file in small {
            let relation = file.oid.to_string();
            let columns = attributes.iter().filter(|[of, _, number, dropped]| {
                *of == relation && !number.starts_with('-') && !matches!(*dropped, "t" | "true")
            });
            let request = SampleRequest {
                relation: file.oid,
                table: file.name.clone(),
                columns: columns.map(|[_, name, ..]| (*name).to_owned()).collect(),
            };
            samples.extend(self.sample(&request)?);
        }
        Ok(samples)
    }

    /// Calls a function in a read-only transaction that is rolled back; none if the server refuses
    /// because of the time limit or of privileges.
    fn in_read_only<T>(
        &self,
        time: Millis,
        work: impl FnOnce(&Session) -> Result<T, DbError>,
    ) -> Result<Option<T>, DbError> {
        let limit = self.safety.statement_timeout;
        let time = if limit.0 > 0.0 && limit < time {
            limit
        } else {
            time
        };
        let settings = format!(
            "/* pgrehearse */ SELECT pg_catalog.set_config('statement_timeout', '{}', true), \
             pg_catalog.set_config('extra_float_digits', '3', true)",
            milliseconds(time)
        );
        let done = self.within(OPERATION, TransactionMode::ReadSnapshot, |session| {
            session.query(OPERATION, &settings, &[])?;
            work(session)
        });
        match done {
            Ok(value) => Ok(Some(value)),
            Err(refused) if refused.is_refusal() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn extent(&self, relation: Oid) -> Result<Option<TableSize>, DbError> {
        let sql = "/* pgrehearse: how large a table is */ \
                   SELECT c.reltuples::float8 AS row_count, \
                          (pg_relation_size(c.oid) / current_setting('block_size')::bigint)::float8 AS pages \
                   FROM pg_class c WHERE c.oid = $1";
        let rows = self.query(OPERATION, sql, &[(&relation, Type::OID)])?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        Ok(Some(TableSize {
            rows: field(row, "row_count")?,
            pages: field::<Option<f64>>(row, "pages")?.unwrap_or(0.0),
        }))
    }

    fn read_sample(
        &self,
        wanted: &SampleRequest,
        table: TableSize,
        attempt: Attempt,
    ) -> Result<TableSample, DbError> {
        let way = SampleMethod::choose(table, attempt);
        let sql = way.sql(wanted, attempt.rows);
        let mut values: Vec<Vec<Option<String>>> = vec![Vec::new(); wanted.columns.len()];
        let (mut rows, mut found) = (0, 0);
        for row in self.query(OPERATION, &sql, &[])? {
            rows += 1;
            found = field::<i64>(&row, "found")?.unsigned_abs();
            let fields: Vec<Option<String>> = field(&row, "fields")?;
            for (column, value) in values.iter_mut().zip(fields) {
                column.push(value);
            }
        }
        Ok(TableSample {
            relation: wanted.relation,
            columns: wanted.columns.iter().cloned().collect(),
            values,
            rows,
            is_whole: way == SampleMethod::Whole && found < attempt.rows && rows == found,
            page_share: match way {
                SampleMethod::Pages(percent) => Some(percent / 100.0),
                SampleMethod::Whole | SampleMethod::Rows(_) => None,
            },
        })
    }
}

/// The size of a table; `rows` is -1 if it is unknown.
#[derive(Debug, Clone, Copy)]
struct TableSize {
    rows: f64,
    pages: f64,
}

#[derive(Debug, Clone, Copy)]
struct Attempt {
    pages: f64,
    rows: u64,
}

/// Which rows are read. Of these, the ones with the smallest hashes of their positions are taken.
#[derive(Debug, Clone, Copy, PartialEq)]
enum SampleMethod {
    Whole,
    /// This percentage of the rows.
    Rows(f64),
    /// This percentage of the pages.
    Pages(f64),
}

impl SampleMethod {
    fn choose(table: TableSize, attempt: Attempt) -> SampleMethod {
        if table.pages > attempt.pages {
            return SampleMethod::Pages(100.0 * attempt.pages / table.pages);
        }
        // A little more than requested, because a random sample may be smaller.
        let share = 1.1 * attempt.rows as f64 / table.rows.max(1.0);
        if share < 0.8 {
            SampleMethod::Rows(100.0 * share)
        } else {
            SampleMethod::Whole
        }
    }

    fn clause(self) -> String {
        match self {
            SampleMethod::Whole => String::new(),
            SampleMethod::Rows(percent) => {
                format!(" TABLESAMPLE bernoulli ({percent:.6}) REPEATABLE (1)")
            }
            SampleMethod::Pages(percent) => {
                format!(" TABLESAMPLE system ({percent:.6}) REPEATABLE (1)")
            }
        }
    }

    /// Rows in the table's order; the same rows each time, while the table does not change.
    fn sql(self, wanted: &SampleRequest, rows: u64) -> String {
        let columns: Vec<String> = (1..=wanted.columns.len())
            .map(|number| format!("c{number}"))
            .collect();
        let named: Vec<String> = wanted
            .columns
            .iter()
            .zip(&columns)
            .map(|(name, column)| format!("t.{} AS {column}", quote_identifier(name)))
            .collect();
        let bytes: Vec<String> = columns
            .iter()
            .map(|column| format!("coalesce(pg_column_size({column}), 0)::bigint"))
            .collect();
        let texts: Vec<String> = columns
            .iter()
            .map(|column| format!("{column}::text"))
            .collect();
        format!(
            "/* pgrehearse: a sample of rows */ SELECT ARRAY[{}]::text[] AS fields, found FROM (\
             SELECT *, count(*) OVER () AS found, sum({}) OVER (ORDER BY pick) AS bytes FROM (\
             SELECT {}, t.ctid AS place, hashtid(t.ctid) AS pick FROM ONLY {} AS t{} ORDER BY pick LIMIT {rows}) AS chosen\
             ) AS counted WHERE bytes < {MAX_BYTES} ORDER BY place",
            texts.join(", "),
            bytes.join(" + "),
            named.join(", "),
            wanted.table,
            self.clause()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_those_that_the_statements_of_the_table_name() {
        let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let relation = |name: &str| RelationName {
            schema: None,
            name: name.to_owned(),
        };
        let mut named = NamedColumns::default();
        named.add(&[relation("a")].into(), &set(&["x"]));
        named.add(&[relation("a"), relation("b")].into(), &set(&["y"]));
        let of = |name| named.of(&QualifiedName::new("public", name)).clone();
        assert_eq!(of("a"), set(&["x", "y"]));
        assert_eq!(of("b"), set(&["y"]));
        assert_eq!(of("behind_a_view"), set(&["x", "y"]));
    }

    #[test]
    fn small_tables_are_read_and_large_ones_looked_into() {
        let first = Attempt {
            pages: MAX_PAGES,
            rows: MAX_ROWS,
        };
        let way = |rows, pages| SampleMethod::choose(TableSize { rows, pages }, first);
        assert_eq!(way(20_000.0, 300.0), SampleMethod::Whole);
        assert_eq!(way(-1.0, 300.0), SampleMethod::Whole);
        assert!(
            matches!(way(300_000.0, 4_000.0), SampleMethod::Rows(percent) if (percent - 11.0).abs() < 1e-9)
        );
        assert!(
            matches!(way(1e9, 8_192_000.0), SampleMethod::Pages(percent) if (percent - 0.1).abs() < 1e-9)
        );
    }
}

//! What a sample shows about an index: its rows, its expressions, its equal keys, and its size over
//! the sample.

use tokio_postgres::Row;

use super::index_part::IndexPart;
use super::samples::SideTable;
use super::{OPERATION, Twin};
use crate::db::DbError;
use crate::db::row::field;
use crate::db::session::PipelineStep;
use crate::twin::metapage::Metapage;
use crate::twin::page::{BLOCK_BYTES, read_metapage};
use crate::twin::size::GinPages;
use crate::twin::size::gin::GinSampleBuild;
use crate::twin::size::sample::SampledKeys;
use crate::twin::size::tree::SampleBuild;

/// The rows of a sample that an index covers.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Observed {
    /// Their number.
    pub(super) rows: f64,
    /// Its key columns.
    pub(super) columns: Vec<ObservedColumn>,
    /// Equal keys; none if they were not counted or cannot be.
    pub(super) keys: Option<SampledKeys>,
}

/// A key column over the sample.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct ObservedColumn {
    /// Mean and standard deviation of `pg_column_size`, in bytes.
    pub(super) width_bytes: f64,
    pub(super) width_deviation_bytes: f64,
    pub(super) null_fraction: f64,
}

impl Twin {
    /// What the sample shows about rows, widths and equal keys. None if there is no sample or the
    /// query on it fails.
    pub(super) fn observe(
        &mut self,
        part: &IndexPart,
        with_keys: bool,
    ) -> Result<Option<Observed>, DbError> {
        let Some(side) = self.side(part.table) else {
            return Ok(None);
        };
        let (rows, keys) = (rows_query(part, side), keys_query(part, side));
        let question = (
            part.table,
            format!("{rows}{}", if with_keys { keys.as_str() } else { "" }),
        );
        if let Some(known) = self.observed.get(&question) {
            return Ok(known.clone());
        }
        let mut statements = vec![PipelineStep::Statement(rows)];
        let page_share = side.page_share;
        if with_keys {
            statements.extend([keys, neighbours_query(part, side)].map(PipelineStep::Statement));
        }
        let observed = match self.session.attempt(OPERATION, statements)? {
            Ok(answers) => Some(read(&answers, part, with_keys.then_some(page_share))?),
            Err(_) => None,
        };
        self.observed.insert(question, observed.clone());
        Ok(observed)
    }

    /// Builds the index over the sample and its parts.
    pub(super) fn build_on_samples(
        &self,
        part: &IndexPart,
    ) -> Result<Vec<(SampleBuild, Option<GinPages>)>, DbError> {
        let Some(side) = self.side(part.table) else {
            return Ok(Vec::new());
        };
        let mut statements = Vec::new();
        let tables: Vec<&String> = std::iter::once(&side.name).chain(&side.parts).collect();
        for (number, table) in tables.iter().enumerate() {
            statements.push(PipelineStep::Statement(format!(
                "CREATE INDEX pgrehearse_probe_{number} ON {table} {}",
                part.body
            )));
        }
        let counts: Vec<String> = tables
            .iter()
            .enumerate()
            .map(|(number, table)| {
                let index = format!("'{}.pgrehearse_probe_{number}'", super::samples::SCHEMA);
                format!(
                    "SELECT count(*)::float8 AS row_count, pg_relation_size({index}) / 8192 AS pages, \
                     pg_relation_filepath({index}) AS path FROM {table}{}",
                    part.filter()
                )
            })
            .collect();
        self.session.batch(OPERATION, "SAVEPOINT probes")?;
        let builds = match self.session.attempt(OPERATION, statements)? {
            Ok(_) => self.measure_builds(part, counts.join(" UNION ALL "))?,
            Err(refused) => failed_on_data(refused).map(|()| Vec::new())?,
        };
        self.session.batch(
            OPERATION,
            "ROLLBACK TO SAVEPOINT probes; RELEASE SAVEPOINT probes",
        )?;
        Ok(builds)
    }

    /// The sizes of indexes that the transaction has just built.
    fn measure_builds(
        &self,
        part: &IndexPart,
        counts: String,
    ) -> Result<Vec<(SampleBuild, Option<GinPages>)>, DbError> {
        if part.method == "gin" {
            // Until now its pages are only in the server's memory.
            self.admin.batch(OPERATION, "CHECKPOINT")?;
        }
        let counts = vec![PipelineStep::Statement(counts)];
        match self.session.attempt(OPERATION, counts)? {
            Ok(answers) => {
                self.read_builds(part, answers.last().map(Vec::as_slice).unwrap_or_default())
            }
            Err(refused) => failed_on_data(refused).map(|()| Vec::new()),
        }
    }

    fn read_builds(
        &self,
        part: &IndexPart,
        rows: &[Row],
    ) -> Result<Vec<(SampleBuild, Option<GinPages>)>, DbError> {
        let build = |row: &Row| {
            let build = SampleBuild {
                rows: field(row, "row_count")?,
                pages: field::<i64>(row, "pages")?.unsigned_abs(),
            };
            if part.method != "gin" {
                return Ok((build, None));
            }
            let block = self
                .directory
                .read(&field::<String>(row, "path")?, BLOCK_BYTES)?;
            Ok((build, gin_pages(read_metapage("gin", &block))))
        };
        rows.iter().map(build).collect()
    }
}

fn gin_pages(metapage: Option<Metapage>) -> Option<GinPages> {
    match metapage? {
        Metapage::Gin {
            entry_pages,
            data_pages,
            entries,
            ..
        } => Some(GinPages {
            entry_pages: entry_pages.into(),
            data_pages: data_pages.into(),
            entries: entries.unsigned_abs(),
        }),
        _ => None,
    }
}

/// As input of the size model.
pub(super) fn gin_builds(builds: &[(SampleBuild, Option<GinPages>)]) -> Vec<GinSampleBuild> {
    let gin = |(build, contents): &(SampleBuild, Option<GinPages>)| {
        Some(GinSampleBuild {
            rows: build.rows,
            pages: build.pages,
            contents: (*contents)?,
        })
    };
    builds.iter().filter_map(gin).collect()
}

/// If an expression fails on real rows, the real index would fail as well. Any other refusal only
/// means that the sample gives no answer.
pub(super) fn failed_on_data(refused: DbError) -> Result<(), DbError> {
    if refused.is_data_error() {
        Err(refused)
    } else {
        Ok(())
    }
}

fn rows_query(part: &IndexPart, side: &SideTable) -> String {
    let names: Vec<String> = (1..=part.keys().count())
        .map(|number| format!("g{number}"))
        .collect();
    let list = |expression: &dyn Fn(&str) -> String| {
        names
            .iter()
            .map(|name| expression(name))
            .collect::<Vec<_>>()
            .join(", ")
    };
    format!(
        "SELECT count(*)::float8 AS row_count, ARRAY[{}]::float8[] AS widths, ARRAY[{}]::float8[] AS deviations, \
         ARRAY[{}]::float8[] AS nulls FROM (SELECT {} FROM {}{}) AS s ({})",
        list(&|name| format!("avg(pg_column_size({name}))")),
        list(&|name| format!("stddev_pop(pg_column_size({name}))")),
        list(&|name| format!("avg(({name} IS NULL)::int)")),
        part.key_list(),
        side.name,
        part.filter(),
        names.join(", ")
    )
}

fn keys_query(part: &IndexPart, side: &SideTable) -> String {
    let names: Vec<String> = (1..=part.keys().count())
        .map(|number| format!("g{number}"))
        .collect();
    let names = names.join(", ");
    // A hash index does not store NULLs.
    let filter = if part.method == "hash" {
        " WHERE g1 IS NOT NULL"
    } else {
        ""
    };
    format!(
        "SELECT size, count(*) AS groups FROM (SELECT count(*) AS size FROM (SELECT {} FROM {}{}) AS s ({names}){filter} \
         GROUP BY {names}) AS g GROUP BY size",
        part.key_list(),
        side.name,
        part.filter()
    )
}

/// The number of rows with the same key as the row before. A sample is in its table's order.
fn neighbours_query(part: &IndexPart, side: &SideTable) -> String {
    let names: Vec<String> = (1..=part.keys().count())
        .map(|number| format!("g{number}"))
        .collect();
    let same: Vec<String> = names
        .iter()
        .map(|name| format!("{name} IS NOT DISTINCT FROM lag({name}) OVER w"))
        .collect();
    format!(
        "SELECT count(*) FILTER (WHERE number > 1 AND same) AS as_before FROM (\
         SELECT row_number() OVER w AS number, {} AS same FROM (SELECT ctid, {} FROM {}{}) AS s (place, {}) WINDOW w AS (ORDER BY place)) AS n",
        same.join(" AND "),
        part.key_list(),
        side.name,
        part.filter(),
        names.join(", ")
    )
}

/// With `page_share` it also counts equal keys, in a sample of this share of the table's pages.
fn read(
    answers: &[Vec<Row>],
    part: &IndexPart,
    page_share: Option<f64>,
) -> Result<Observed, DbError> {
    let mut observed = Observed::default();
    if let Some(row) = answers.first().and_then(|rows| rows.first()) {
        observed.rows = field(row, "row_count")?;
        let numbers = |name| field::<Vec<Option<f64>>>(row, name);
        let (widths, deviations, nulls) = (
            numbers("widths")?,
            numbers("deviations")?,
            numbers("nulls")?,
        );
        let at = |numbers: &[Option<f64>], number: usize| {
            numbers.get(number).copied().flatten().unwrap_or(0.0)
        };
        observed.columns = (0..part.keys().count())
            .map(|number| ObservedColumn {
                width_bytes: at(&widths, number),
                width_deviation_bytes: at(&deviations, number),
                null_fraction: at(&nulls, number),
            })
            .collect();
    }
    if let (Some(rows), Some(page_share)) = (answers.get(1), page_share) {
        let group = |row: &Row| {
            Ok::<_, DbError>((
                field::<i64>(row, "size")?.unsigned_abs(),
                field::<i64>(row, "groups")?.unsigned_abs(),
            ))
        };
        let groups = rows.iter().map(group).collect::<Result<_, _>>()?;
        let as_before = match answers.get(2).and_then(|rows| rows.first()) {
            Some(row) => field::<i64>(row, "as_before")?.unsigned_abs(),
            None => 0,
        };
        observed.keys = Some(SampledKeys {
            groups,
            as_before,
            page_share,
        });
    }
    Ok(observed)
}

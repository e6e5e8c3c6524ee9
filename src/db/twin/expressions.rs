//! Statistics of expressions, estimated from a sample. On the server they would exist only after an
//! ANALYZE with the index.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use super::Twin;
use super::candidates::BEGIN_ESTIMATES;
use super::index_part::IndexPart;
use super::observed::failed_on_data;
use super::samples::{SCHEMA, SideTable};
use crate::db::DbError;
use crate::db::row::field;
use crate::db::session::PipelineStep;
use crate::twin::representatives::PartitionSize;
use crate::twin::snapshot::Oid;

const OPERATION: &str = "computing an expression's statistics in the planner twin";

/// The columns of `pg_statistic` behind `stadistinct`.
const SLOTS: &str = "stakind1, stakind2, stakind3, stakind4, stakind5, staop1, staop2, staop3, staop4, staop5, \
    stacoll1, stacoll2, stacoll3, stacoll4, stacoll5, stanumbers1, stanumbers2, stanumbers3, stanumbers4, stanumbers5, \
    stavalues1, stavalues2, stavalues3, stavalues4, stavalues5";

/// An expression's values in the sample.
struct Counted {
    attribute: i16,
    /// Rows with a value that is not NULL.
    rows: f64,
    distinct: f64,
    /// Values that occur in one row only.
    once: f64,
    null_fraction: f64,
}

impl Twin {
    /// Builds the same index over the sample, analyzes it, and copies the statistics to the new
    /// index.
    pub(super) fn add_expression_statistics(&self, part: &IndexPart) -> Result<(), DbError> {
        let Some(side) = self.side(part.table) else {
            return Ok(());
        };
        let probe = format!("{SCHEMA}.pgrehearse_probe");
        let analyze = format!(
            "{BEGIN_ESTIMATES}; CREATE INDEX pgrehearse_probe ON {} {}; ANALYZE {}; COMMIT",
            side.name, part.body, side.name
        );
        if let Err(refused) = self.session.batch(OPERATION, &analyze) {
            self.session.rollback();
            return if refused.is_refusal() {
                failed_on_data(refused)
            } else {
                Err(refused)
            };
        }
        let copy = format!(
            "INSERT INTO pg_catalog.pg_statistic (starelid, staattnum, stainherit, stanullfrac, stawidth, stadistinct, {SLOTS}) \
             SELECT own.attrelid, staattnum, stainherit, stanullfrac, stawidth, stadistinct, {SLOTS} \
             FROM pg_catalog.pg_statistic \
             JOIN pg_catalog.pg_attribute probed ON probed.attrelid = starelid AND probed.attnum = staattnum \
             JOIN pg_catalog.pg_attribute own ON own.attrelid = {} AND own.attnum = staattnum AND own.atttypid = probed.atttypid \
             WHERE starelid = pg_catalog.to_regclass('{probe}')",
            part.oid
        );
        let copied = self.admin.batch(OPERATION, &copy);
        self.admin
            .batch(OPERATION, &format!("DROP INDEX IF EXISTS {probe}"))?;
        copied?;
        if side.is_whole {
            return Ok(());
        }
        self.session.batch(OPERATION, BEGIN_ESTIMATES)?;
        let corrected = self.correct_distinct(part, side);
        self.session.rollback();
        corrected
    }

    /// Parts that others stand for have the same statistics of their expressions.
    pub(super) fn copy_expression_statistics(
        &self,
        parts: &[IndexPart],
        standing: &BTreeMap<Oid, PartitionSize>,
    ) -> Result<(), DbError> {
        let by_table: BTreeMap<Oid, Oid> =
            parts.iter().map(|part| (part.table, part.oid)).collect();
        let pairs = parts.iter().filter(|part| part.has_expression());
        let pairs = pairs.filter_map(|part| {
            let of = by_table.get(&standing.get(&part.table)?.table)?;
            (*of != part.oid).then(|| format!("({of}::oid, {}::oid)", part.oid))
        });
        let pairs: Vec<String> = pairs.collect();
        if pairs.is_empty() {
            return Ok(());
        }
        let copy = format!(
            "INSERT INTO pg_catalog.pg_statistic (starelid, staattnum, stainherit, stanullfrac, stawidth, stadistinct, {SLOTS}) \
             SELECT own.oid, staattnum, stainherit, stanullfrac, stawidth, stadistinct, {SLOTS} \
             FROM pg_catalog.pg_statistic JOIN (VALUES {}) AS own (of, oid) ON own.of = starelid",
            pairs.join(", ")
        );
        self.admin.batch(OPERATION, &copy)
    }

    /// ANALYZE assumed that the sample was the whole table.
    fn correct_distinct(&self, part: &IndexPart, side: &SideTable) -> Result<(), DbError> {
        let table_rows = self
            .facts
            .get(&part.table)
            .map_or(side.rows, |facts| facts.rows);
        for counted in self.count_values(part, side)? {
            let index_rows =
                table_rows * counted.rows / (1.0 - counted.null_fraction).max(1e-6) / side.rows;
            let sql = "UPDATE pg_catalog.pg_statistic SET stadistinct = $3 WHERE starelid = $1 AND staattnum = $2";
            let distinct = stadistinct(&counted, index_rows);
            let parameters: &[(&(dyn tokio_postgres::types::ToSql + Sync), Type)] = &[
                (&part.oid, Type::OID),
                (&counted.attribute, Type::INT2),
                (&distinct, Type::FLOAT4),
            ];
            self.admin.query(OPERATION, sql, parameters)?;
        }
        Ok(())
    }

    fn count_values(&self, part: &IndexPart, side: &SideTable) -> Result<Vec<Counted>, DbError> {
        let sql = "SELECT staattnum AS attribute, stanullfrac::float8 AS null_fraction FROM pg_catalog.pg_statistic \
                   WHERE starelid = $1 AND stadistinct <> 0";
        let mut counted = Vec::new();
        for row in self.admin.query(
            OPERATION,
            sql,
            &[(
                &part.oid as &(dyn tokio_postgres::types::ToSql + Sync),
                Type::OID,
            )],
        )? {
            let (attribute, null_fraction): (i16, f64) =
                (field(&row, "attribute")?, field(&row, "null_fraction")?);
            let number = usize::try_from(attribute - 1).unwrap_or(usize::MAX);
            let Some(column) = part.columns.get(number) else {
                continue;
            };
            let query = format!(
                "SELECT coalesce(sum(size), 0)::float8 AS row_count, count(*)::float8 AS distinct_values, \
                 (count(*) FILTER (WHERE size = 1))::float8 AS once \
                 FROM (SELECT count(*) AS size FROM (SELECT {} FROM {}{}) AS s (g) WHERE g IS NOT NULL GROUP BY g) AS groups",
                column.text,
                side.name,
                part.filter()
            );
            // A type without equality has no distinct values.
            let Ok(answers) = self
                .session
                .attempt(OPERATION, vec![PipelineStep::Statement(query)])?
            else {
                continue;
            };
            let Some(row) = answers.first().and_then(|rows| rows.first()) else {
                continue;
            };
            counted.push(Counted {
                attribute,
                rows: field(row, "row_count")?,
                distinct: field(row, "distinct_values")?,
                once: field(row, "once")?,
                null_fraction,
            });
        }
        Ok(counted)
    }
}

/// The value that ANALYZE would compute from a sample with `rows` values that are not NULL
/// (`compute_scalar_stats`, src/backend/commands/analyze.c).
fn stadistinct(counted: &Counted, index_rows: f64) -> f32 {
    let &Counted {
        rows,
        distinct,
        once,
        null_fraction,
        ..
    } = counted;
    let with_value = index_rows * (1.0 - null_fraction);
    if rows < 1.0 || distinct < 1.0 {
        return 0.0;
    }
    if once >= distinct {
        return (null_fraction - 1.0) as f32;
    }
    let estimate = if once < 1.0 {
        distinct
    } else {
        let duj1 = rows * distinct / (rows - once + once * rows / with_value.max(rows));
        (duj1 + 0.5)
            .floor()
            .clamp(distinct, with_value.max(distinct))
    };
    if estimate > 0.1 * index_rows {
        -(estimate / index_rows.max(1.0)) as f32
    } else {
        estimate as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_values_are_those_of_analyze() {
        let counted = |rows, distinct, once| Counted {
            attribute: 1,
            rows,
            distinct,
            once,
            null_fraction: 0.0,
        };
        assert!((stadistinct(&counted(1_000.0, 1_000.0, 1_000.0), 1e6) + 1.0).abs() < 1e-6);
        assert!((stadistinct(&counted(1_000.0, 20.0, 0.0), 1e6) - 20.0).abs() < 1e-6);
        // n d / (n - f1 + f1 n / N)
        assert!((stadistinct(&counted(1_000.0, 900.0, 800.0), 1e6) - 4_482.0).abs() < 1.0);
        assert!((stadistinct(&counted(1_000.0, 900.0, 800.0), 10_000.0) + 0.3214).abs() < 1e-3);
    }
}

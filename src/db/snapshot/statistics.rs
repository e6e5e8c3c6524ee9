//! The planner's statistics: from `pg_statistic` or, for a role that may not read it, rebuilt from
//! the views that every role may read.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Row;
use tokio_postgres::types::{Oid, ToSql, Type};

use super::OPERATION;
use super::gaps::Source;
use crate::db::row::field;
use crate::db::{DbError, Session};
use crate::twin::Snapshot;
use crate::twin::pg_stats_row::{Operators, PgStatsRow};
use crate::twin::snapshot::{ExtendedStatistic, Slot, Statistic, Values};

/// `array_send` writes the element type, but not every type has the send function that it needs;
/// for those, the column's type is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ElementTypes {
    Sent,
    Declared,
}

impl ElementTypes {
    /// SQL for the element type of an array of type `anyarray`.
    fn of(self, array: &str, declared: &str) -> String {
        match self {
            ElementTypes::Sent => format!(
                "('x' || pg_catalog.encode(pg_catalog.substr(pg_catalog.array_send({array}), 9, 4), 'hex'))::bit(32)::bigint::oid"
            ),
            ElementTypes::Declared => format!("CASE WHEN {array} IS NOT NULL THEN {declared} END"),
        }
    }

    /// Columns of the five slots of `s`.
    fn of_slots(self) -> String {
        let of_slot = |slot: usize| {
            let declared = format!(
                "(SELECT CASE s.stakind{slot} WHEN 4 THEN coalesce(nullif(t.typelem, 0), 25::oid) WHEN 6 THEN 701::oid \
                 ELSE a.atttypid END FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
                 WHERE a.attrelid = s.starelid AND a.attnum = s.staattnum)"
            );
            self.of(&format!("s.stavalues{slot}"), &declared)
        };
        (1..=5).map(of_slot).collect::<Vec<_>>().join(", ")
    }
}

impl Session {
    /// Reads them from where the role may read them.
    pub(super) fn add_statistics(
        &self,
        oids: &[Oid],
        snapshot: &mut Snapshot,
    ) -> Result<Source, DbError> {
        let version_num = snapshot.origin.version_num;
        let from_catalog = |types| {
            Ok((
                self.catalog_statistics(oids, types)?,
                self.extended_statistics(oids, version_num, types)?,
            ))
        };
        let from_views = |types| {
            Ok((
                self.shown_statistics(oids, version_num, types)?,
                self.shown_extended(oids, version_num, types)?,
            ))
        };
        let (found, source) = match self.with_element_types(from_catalog)? {
            Some(found) => (found, Source::Catalog),
            None => (
                self.with_element_types(from_views)?.unwrap_or_default(),
                Source::Views,
            ),
        };
        (snapshot.statistics, snapshot.extended_statistics) = found;
        Ok(source)
    }

    /// None if the role may not read it.
    fn with_element_types<T>(
        &self,
        read: impl Fn(ElementTypes) -> Result<T, DbError>,
    ) -> Result<Option<T>, DbError> {
        for types in [ElementTypes::Sent, ElementTypes::Declared] {
            self.query(OPERATION, "SAVEPOINT statistics", &[])?;
            match read(types) {
                Ok(found) => return Ok(Some(found)),
                Err(error) if !error.is_refusal() => return Err(error),
                Err(refused) => {
                    self.query(OPERATION, "ROLLBACK TO SAVEPOINT statistics", &[])?;
                    if refused.is_denial() {
                        break;
                    }
                }
            }
        }
        Ok(None)
    }

    fn catalog_statistics(
        &self,
        oids: &[Oid],
        types: ElementTypes,
    ) -> Result<Vec<Statistic>, DbError> {
        let sql = format!(
            "{} FROM pg_catalog.pg_statistic s WHERE s.starelid = ANY ($1::oid[]) ORDER BY 1, 2, 3",
            include_str!("statistics.sql").replace("ELEMENT_TYPES", &types.of_slots())
        );
        let rows = self.query(OPERATION, &sql, &[(&oids, Type::OID_ARRAY)])?;
        rows.iter().map(statistic).collect()
    }

    fn extended_statistics(
        &self,
        oids: &[Oid],
        version_num: u32,
        types: ElementTypes,
    ) -> Result<Vec<ExtendedStatistic>, DbError> {
        let inherited = if version_num >= 150_000 {
            "d.stxdinherit"
        } else {
            "false"
        };
        let sql = format!(
            "/* pgrehearse: extended statistics */ \
             SELECT d.stxoid AS oid, {inherited} AS inherited, encode(d.stxdndistinct::bytea, 'hex') AS ndistinct, \
                    encode(d.stxddependencies::bytea, 'hex') AS dependencies, encode(d.stxdmcv::bytea, 'hex') AS most_common \
             FROM pg_catalog.pg_statistic_ext_data d JOIN pg_catalog.pg_statistic_ext e ON e.oid = d.stxoid \
             WHERE e.stxrelid = ANY ($1::oid[]) ORDER BY 1, 2"
        );
        let rows = self.query(OPERATION, &sql, &[(&oids, Type::OID_ARRAY)])?;
        let mut found = rows.iter().map(extended).collect::<Result<Vec<_>, _>>()?;
        let expressions = format!(
            "{} FROM pg_catalog.pg_statistic_ext_data d, unnest(d.stxdexpr) AS s WHERE d.stxoid = $1 AND {inherited} = $2",
            include_str!("statistics.sql").replace("ELEMENT_TYPES", &types.of_slots())
        );
        for extended in &mut found {
            let parameters: &[(&(dyn ToSql + Sync), Type)] = &[
                (&extended.oid, Type::OID),
                (&extended.inherited, Type::BOOL),
            ];
            let rows = self.query(OPERATION, &expressions, parameters)?;
            extended.expressions = rows.iter().map(statistic).collect::<Result<_, _>>()?;
        }
        Ok(found)
    }

    /// From `pg_stats`, with the operators that belong to the types.
    fn shown_statistics(
        &self,
        oids: &[Oid],
        version_num: u32,
        types: ElementTypes,
    ) -> Result<Vec<Statistic>, DbError> {
        let ranges = match version_num {
            170_000.. => format!(
                "s.range_bounds_histogram::text AS range_bounds, {} AS range_bounds_type, \
                 s.range_length_histogram::text AS range_lengths, s.range_empty_frac AS range_empty",
                types.of("s.range_bounds_histogram", "a.atttypid")
            ),
            _ => "NULL::text AS range_bounds, NULL::oid AS range_bounds_type, NULL::text AS range_lengths, \
                  NULL::float4 AS range_empty"
                .to_owned(),
        };
        let sql = include_str!("public_statistics.sql")
            .replace("COMMON_TYPE", &types.of("s.most_common_vals", "a.atttypid"))
            .replace("BOUNDS_TYPE", &types.of("s.histogram_bounds", "a.atttypid"))
            .replace(
                "ELEMENTS_TYPE",
                &types.of(
                    "s.most_common_elems",
                    "coalesce(nullif(t.typelem, 0), 25::oid)",
                ),
            )
            .replace("RANGES", &ranges);
        let rows = self.query(OPERATION, &sql, &[(&oids, Type::OID_ARRAY)])?;
        self.rebuilt(&rows.iter().map(shown).collect::<Result<Vec<_>, _>>()?)
    }

    fn rebuilt(&self, shown: &[PgStatsRow]) -> Result<Vec<Statistic>, DbError> {
        let types: BTreeSet<Oid> = shown.iter().flat_map(PgStatsRow::types).collect();
        let types: Vec<Oid> = types.into_iter().collect();
        let rows = self.query(
            OPERATION,
            include_str!("type_operators.sql"),
            &[(&types, Type::OID_ARRAY)],
        )?;
        let operators = |row: &Row| {
            Ok((
                field(row, "type")?,
                Operators {
                    equal: field(row, "equal")?,
                    less: field(row, "less")?,
                },
            ))
        };
        let operators: BTreeMap<Oid, Operators> =
            rows.iter().map(operators).collect::<Result<_, DbError>>()?;
        Ok(shown
            .iter()
            .map(|shown| shown.rebuilt(&operators))
            .collect())
    }

    /// The views do not show the bytes of lists of most common combinations, so these are missing.
    fn shown_extended(
        &self,
        oids: &[Oid],
        version_num: u32,
        types: ElementTypes,
    ) -> Result<Vec<ExtendedStatistic>, DbError> {
        let inherited = if version_num >= 150_000 {
            "s.inherited"
        } else {
            "false"
        };
        // Before 15 the row always exists, and the planner depends on it.
        let join = if version_num >= 150_000 {
            "JOIN"
        } else {
            "LEFT JOIN"
        };
        let sql = format!(
            "/* pgrehearse: extended statistics of one's own tables */ \
             SELECT e.oid, {inherited} AS inherited, encode(s.n_distinct::bytea, 'hex') AS ndistinct, \
                    encode(s.dependencies::bytea, 'hex') AS dependencies, NULL::text AS most_common \
             FROM pg_catalog.pg_statistic_ext e JOIN pg_catalog.pg_namespace n ON n.oid = e.stxnamespace \
             {join} pg_catalog.pg_stats_ext s ON s.statistics_schemaname = n.nspname AND s.statistics_name = e.stxname \
             WHERE e.stxrelid = ANY ($1::oid[]) ORDER BY 1, 2"
        );
        let rows = self.query(OPERATION, &sql, &[(&oids, Type::OID_ARRAY)])?;
        let mut found = rows.iter().map(extended).collect::<Result<Vec<_>, _>>()?;
        let sql = include_str!("public_expressions.sql")
            .replace("INHERITED", inherited)
            .replace("COMMON_TYPE", &types.of("s.most_common_vals", "NULL::oid"))
            .replace("BOUNDS_TYPE", &types.of("s.histogram_bounds", "NULL::oid"))
            .replace(
                "ELEMENTS_TYPE",
                &types.of("s.most_common_elems", "NULL::oid"),
            );
        for extended in &mut found {
            let parameters: &[(&(dyn ToSql + Sync), Type)] = &[
                (&extended.oid, Type::OID),
                (&extended.inherited, Type::BOOL),
            ];
            let rows = self.query(OPERATION, &sql, parameters)?;
            extended.expressions =
                self.rebuilt(&rows.iter().map(shown).collect::<Result<Vec<_>, _>>()?)?;
        }
        Ok(found)
    }
}

fn extended(row: &Row) -> Result<ExtendedStatistic, DbError> {
    Ok(ExtendedStatistic {
        oid: field(row, "oid")?,
        inherited: field(row, "inherited")?,
        ndistinct: field(row, "ndistinct")?,
        dependencies: field(row, "dependencies")?,
        most_common: field(row, "most_common")?,
        expressions: Vec::new(),
    })
}

fn values(row: &Row, name: &str) -> Result<Option<Values>, DbError> {
    let (literal, element_type): (Option<String>, Option<Oid>) =
        (field(row, name)?, field(row, &format!("{name}_type"))?);
    Ok(literal
        .zip(element_type)
        .map(|(literal, element_type)| Values {
            element_type,
            literal,
        }))
}

fn shown(row: &Row) -> Result<PgStatsRow, DbError> {
    const FLOAT8: Oid = 701;
    let lengths: Option<String> = field(row, "range_lengths")?;
    Ok(PgStatsRow {
        relation: field(row, "relation")?,
        attribute: field(row, "attribute")?,
        inherited: field(row, "inherited")?,
        null_fraction: field(row, "null_fraction")?,
        width_bytes: field(row, "width_bytes")?,
        distinct: field(row, "distinct_values")?,
        type_oid: field(row, "type")?,
        collation: field(row, "collation")?,
        common: values(row, "common")?,
        common_shares: field(row, "common_shares")?,
        bounds: values(row, "bounds")?,
        correlation: field(row, "correlation")?,
        elements: values(row, "elements")?,
        element_shares: field(row, "element_shares")?,
        element_counts: field(row, "element_counts")?,
        range_bounds: values(row, "range_bounds")?,
        range_lengths: lengths.map(|literal| Values {
            element_type: FLOAT8,
            literal,
        }),
        range_empty: field(row, "range_empty")?,
    })
}

fn statistic(row: &Row) -> Result<Statistic, DbError> {
    let kinds: Vec<i16> = field(row, "kinds")?;
    let operators: Vec<Oid> = field(row, "operators")?;
    let collations: Vec<Oid> = field(row, "collations")?;
    let literals: Vec<Option<String>> = field(row, "literals")?;
    let element_types: Vec<Option<Oid>> = field(row, "element_types")?;
    let mut slots = Vec::with_capacity(kinds.len());
    for (number, kind) in kinds.into_iter().enumerate() {
        let literal = literals.get(number).cloned().flatten();
        let element_type = element_types.get(number).copied().flatten();
        if literal.is_some() && element_type.is_none() {
            slots.push(Slot::default());
            continue;
        }
        slots.push(Slot {
            kind,
            operator: operators.get(number).copied().unwrap_or(0),
            collation: collations.get(number).copied().unwrap_or(0),
            numbers: field(row, &format!("numbers_{}", number + 1))?,
            values: literal
                .zip(element_type)
                .map(|(literal, element_type)| Values {
                    element_type,
                    literal,
                }),
        });
    }
    Ok(Statistic {
        relation: field(row, "relation")?,
        attribute: field(row, "attribute")?,
        inherited: field(row, "inherited")?,
        null_fraction: field(row, "null_fraction")?,
        width_bytes: field(row, "width_bytes")?,
        distinct: field(row, "distinct_values")?,
        slots,
    })
}

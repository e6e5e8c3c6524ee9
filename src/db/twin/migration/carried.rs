//! Statistics of columns that a migration gave another type. PostgreSQL removes them
//! (`ATExecAlterColumnType`, src/backend/commands/tablecmds.c), and until the next ANALYZE the planner
//! knows nothing of the column. What ANALYZE will find is known already: the same values, converted.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use super::observation::{ColumnShape, OPERATION, Shape};
use crate::check::migration::Migrated;
use crate::db::DbError;
use crate::db::row::field;
use crate::db::twin::Twin;
use crate::model::{QualifiedName, quote_literal};
use crate::twin::Snapshot;
use crate::twin::snapshot::{Oid, Slot, Statistic, Values};

/// `STATISTIC_KIND_MCV`, `STATISTIC_KIND_HISTOGRAM` and `STATISTIC_KIND_CORRELATION`
/// (src/include/catalog/pg_statistic.h).
const MOST_COMMON: i16 = 1;
const HISTOGRAM: i16 = 2;
const CORRELATION: i16 = 3;

/// The statistics that a column had before it got another type.
#[derive(Debug, Clone, PartialEq)]
pub struct Lost {
    table: QualifiedName,
    name: String,
    statistic: Statistic,
    /// The type now.
    type_oid: Oid,
    collation: Oid,
    length: i16,
}

impl Lost {
    pub(super) fn column(&self) -> (QualifiedName, String) {
        (self.table.clone(), self.name.clone())
    }
}

/// The columns that have another type and had statistics.
pub(super) fn lost(
    before: &BTreeMap<Oid, Shape>,
    after: &BTreeMap<Oid, Shape>,
    snapshot: &Snapshot,
) -> Vec<Lost> {
    let mut lost = Vec::new();
    for statistic in &snapshot.statistics {
        let at = |shapes: &BTreeMap<Oid, Shape>| {
            let shape = shapes.get(&statistic.relation)?;
            let column = shape.columns.get(&statistic.attribute)?.clone();
            Some((shape.name.clone()?, column))
        };
        let (Some((_, old)), Some((table, new))) = (at(before), at(after)) else {
            continue;
        };
        if old.width.is_some() && new.width.is_none() && !statistic.inherited {
            let ColumnShape {
                name,
                type_oid,
                collation,
                length,
                ..
            } = new;
            lost.push(Lost {
                table,
                name,
                statistic: statistic.clone(),
                type_oid,
                collation,
                length,
            });
        }
    }
    lost
}

/// The operators by which values of a type are counted and ordered.
struct Operators {
    equal: Oid,
    less: Oid,
}

impl Twin {
    /// As if ANALYZE had been run on the columns that got another type. Values that cannot be
    /// converted are left out; what does not depend on them is kept.
    ///
    /// # Errors
    /// When the connection to the twin is lost.
    pub fn assume_analyzed(&mut self, lost: &[Lost]) -> Result<(), DbError> {
        if lost.is_empty() {
            return Ok(());
        }
        let tables = include_str!("../statistic_tables.sql")
            .replace("{role}", &crate::model::quote_identifier(&self.role.name));
        self.admin.batch(OPERATION, &tables)?;
        let mut carried = Vec::with_capacity(lost.len());
        for lost in lost {
            carried.push(self.converted(lost)?);
        }
        self.store_statistics(&carried)?;
        self.forget_tables();
        Ok(())
    }

    /// New columns have statistics as if each row had another value, or all the same.
    ///
    /// # Errors
    /// When the connection to the twin is lost.
    pub fn assume_new_columns(
        &mut self,
        migrated: &Migrated,
        distinct: f32,
    ) -> Result<(), DbError> {
        let names: Vec<String> = migrated
            .new_columns
            .iter()
            .map(|(table, column)| {
                let [schema, table, column] =
                    [&table.schema, &table.name, column].map(|name| quote_literal(name));
                format!("({schema}, {table}, {column})")
            })
            .collect();
        if names.is_empty() {
            return Ok(());
        }
        let kinds = "0, 0, 0, 0, 0";
        let sql = format!(
            "DELETE FROM pg_catalog.pg_statistic s USING pgrehearse_twin.assumed a \
             WHERE s.starelid = a.relation AND s.staattnum = a.attribute; \
             DELETE FROM pgrehearse_twin.assumed; \
             INSERT INTO pgrehearse_twin.assumed SELECT a.attrelid, a.attnum FROM (VALUES {}) AS v (s, t, c) \
             JOIN pg_catalog.pg_namespace n ON n.nspname = v.s JOIN pg_catalog.pg_class r ON r.relname = v.t AND r.relnamespace = n.oid \
             JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attname = v.c \
             WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_statistic s WHERE s.starelid = a.attrelid AND s.staattnum = a.attnum); \
             INSERT INTO pg_catalog.pg_statistic (starelid, staattnum, stainherit, stanullfrac, stawidth, stadistinct, \
                 stakind1, stakind2, stakind3, stakind4, stakind5, staop1, staop2, staop3, staop4, staop5, \
                 stacoll1, stacoll2, stacoll3, stacoll4, stacoll5) \
             SELECT m.relation, m.attribute, false, 0, CASE WHEN a.attlen > 0 THEN a.attlen ELSE 16 END, '{distinct}'::float4, \
                    {kinds}, {kinds}, {kinds} \
             FROM pgrehearse_twin.assumed m JOIN pg_catalog.pg_attribute a ON a.attrelid = m.relation AND a.attnum = m.attribute; \
             UPDATE pg_catalog.pg_class c SET relhasindex = relhasindex FROM pgrehearse_twin.assumed m WHERE c.oid = m.relation",
            names.join(", ")
        );
        self.admin.batch(
            OPERATION,
            "CREATE TABLE IF NOT EXISTS pgrehearse_twin.assumed (relation oid, attribute int2)",
        )?;
        self.admin.batch(OPERATION, &sql)
    }

    /// New columns have no statistics any more.
    ///
    /// # Errors
    /// When the connection to the twin is lost.
    pub fn forget_new_columns(&mut self) -> Result<(), DbError> {
        self.admin.batch(
            OPERATION,
            "DELETE FROM pg_catalog.pg_statistic s USING pgrehearse_twin.assumed a \
             WHERE s.starelid = a.relation AND s.staattnum = a.attribute; \
             UPDATE pg_catalog.pg_class c SET relhasindex = relhasindex FROM pgrehearse_twin.assumed m WHERE c.oid = m.relation; \
             DELETE FROM pgrehearse_twin.assumed",
        )
    }

    fn converted(&self, lost: &Lost) -> Result<Statistic, DbError> {
        let mut slots = Vec::new();
        if let Some(operators) = self.operators(lost.type_oid)? {
            for slot in &lost.statistic.slots {
                slots.extend(self.converted_slot(slot, lost, &operators)?);
            }
        }
        let width_bytes = if lost.length > 0 {
            i32::from(lost.length)
        } else {
            lost.statistic.width_bytes
        };
        Ok(Statistic {
            width_bytes,
            slots,
            ..lost.statistic.clone()
        })
    }

    fn converted_slot(
        &self,
        slot: &Slot,
        lost: &Lost,
        operators: &Operators,
    ) -> Result<Option<Slot>, DbError> {
        let operator = match slot.kind {
            MOST_COMMON => operators.equal,
            HISTOGRAM | CORRELATION => operators.less,
            _ => return Ok(None),
        };
        let converted = Slot {
            operator,
            collation: lost.collation,
            ..slot.clone()
        };
        let Some(values) = &slot.values else {
            return Ok(Some(converted));
        };
        let literal = self.converted_values(slot.kind, values, lost)?;
        Ok(literal.map(|literal| Slot {
            values: Some(Values {
                element_type: lost.type_oid,
                literal,
            }),
            ..converted
        }))
    }

    /// The values as an array of the new type; a histogram in its order. None if a value cannot be
    /// converted.
    fn converted_values(
        &self,
        kind: i16,
        values: &Values,
        lost: &Lost,
    ) -> Result<Option<String>, DbError> {
        let sql = "SELECT pg_catalog.format_type($1, NULL) AS old_type, pg_catalog.format_type($2, NULL) AS new_type";
        let types = self.session.query(
            OPERATION,
            sql,
            &[
                (&values.element_type, Type::OID),
                (&lost.type_oid, Type::OID),
            ],
        )?;
        let Some(row) = types.first() else {
            return Ok(None);
        };
        let (old, new): (String, String) = (field(row, "old_type")?, field(row, "new_type")?);
        let order = if kind == HISTOGRAM {
            format!("v.one::{new}")
        } else {
            "v.number".to_owned()
        };
        let sql = format!(
            "SELECT pg_catalog.array_agg(v.one::{new} ORDER BY {order})::text AS literal \
             FROM pg_catalog.unnest({}::{old}[]) WITH ORDINALITY AS v (one, number)",
            quote_literal(&values.literal)
        );
        match self.session.query(OPERATION, &sql, &[]) {
            Ok(rows) => rows
                .first()
                .map_or(Ok(None), |row| field::<Option<String>>(row, "literal")),
            Err(refused) if refused.is_refusal() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The operators of the default btree operator class.
    fn operators(&self, type_oid: Oid) -> Result<Option<Operators>, DbError> {
        let sql = "SELECT o.amopopr AS operator, o.amopstrategy AS strategy \
                   FROM pg_catalog.pg_type t JOIN pg_catalog.pg_opclass c ON c.opcmethod = 403 AND c.opcdefault \
                   AND c.opcintype = CASE WHEN t.typtype = 'd' THEN t.typbasetype \
                       WHEN t.oid = 1043 THEN 25 WHEN t.typtype = 'e' THEN 3500 \
                       WHEN t.typcategory = 'A' THEN 2277 WHEN t.typtype = 'r' THEN 3831 ELSE t.oid END \
                   JOIN pg_catalog.pg_amop o ON o.amopfamily = c.opcfamily AND o.amoplefttype = c.opcintype \
                        AND o.amoprighttype = c.opcintype AND o.amopstrategy IN (1, 3) \
                   WHERE t.oid = $1";
        let rows = self
            .admin
            .query(OPERATION, sql, &[(&type_oid, Type::OID)])?;
        let of = |strategy: i16| -> Result<Option<Oid>, DbError> {
            for row in &rows {
                if field::<i16>(row, "strategy")? == strategy {
                    return field(row, "operator").map(Some);
                }
            }
            Ok(None)
        };
        Ok(match (of(3)?, of(1)?) {
            (Some(equal), Some(less)) => Some(Operators { equal, less }),
            _ => None,
        })
    }
}

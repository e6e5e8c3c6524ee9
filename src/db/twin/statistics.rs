//! Production's statistics, written into the twin's `pg_statistic`.

use std::fmt::Write;

use tokio_postgres::types::{ToSql, Type};

use super::{OPERATION, Twin};
use crate::db::DbError;
use crate::model::{quote_identifier, quote_literal};
use crate::twin::Snapshot;
use crate::twin::snapshot::{ExtendedStatistic, Oid, Slot, Statistic};

/// `STATISTIC_NUM_SLOTS` (src/include/catalog/pg_statistic.h).
const SLOTS: usize = 5;

/// From the tables that the planning role may write into the catalogs.
const MOVE: &str = "\
INSERT INTO pg_catalog.pg_statistic SELECT * FROM pgrehearse_twin.statistic;
INSERT INTO pg_catalog.pg_statistic_ext_data SELECT * FROM pgrehearse_twin.extended_statistic;
DROP TABLE pgrehearse_twin.statistic, pgrehearse_twin.extended_statistic";

/// Maximum number of rows in one statement: a row can have a hundred kilobytes.
const ROWS_AT_ONCE: usize = 500;

impl Twin {
    pub(super) fn add_statistics(&self, snapshot: &Snapshot) -> Result<(), DbError> {
        self.insert_sound(&self.sound_statistics(snapshot)?)?;
        for extended in &snapshot.extended_statistics {
            self.attempt(&extended_row(extended, snapshot.origin.version_num))?;
        }
        self.admin.batch(OPERATION, MOVE)
    }

    /// Replaces the statistics of these columns.
    ///
    /// # Errors
    /// When the connection to the twin is lost.
    pub fn exchange_statistics(&self, statistics: &[Statistic]) -> Result<(), DbError> {
        let role = quote_identifier(&self.role.name);
        let tables = include_str!("statistic_tables.sql").replace("{role}", &role);
        self.admin.batch(OPERATION, &tables)?;
        let relations: Vec<Oid> = statistics.iter().map(|one| one.relation).collect();
        let attributes: Vec<i16> = statistics.iter().map(|one| one.attribute).collect();
        let inherited: Vec<bool> = statistics.iter().map(|one| one.inherited).collect();
        let sql = "DELETE FROM pg_catalog.pg_statistic s \
                   USING unnest($1::oid[], $2::int2[], $3::bool[]) AS r (relation, attribute, inherited) \
                   WHERE s.starelid = r.relation AND s.staattnum = r.attribute AND s.stainherit = r.inherited";
        self.admin.query(
            OPERATION,
            sql,
            &[
                (&relations, Type::OID_ARRAY),
                (&attributes, Type::INT2_ARRAY),
                (&inherited, Type::BOOL_ARRAY),
            ],
        )?;
        self.store_statistics(statistics)
    }

    /// Writes these rows, through tables that were made for that.
    pub(super) fn store_statistics(&self, statistics: &[Statistic]) -> Result<(), DbError> {
        self.insert_sound(statistics)?;
        self.admin.batch(OPERATION, MOVE)
    }

    fn insert_sound(&self, statistics: &[Statistic]) -> Result<(), DbError> {
        for statistics in statistics.chunks(ROWS_AT_ONCE) {
            if let Err(refused) = self.insert_statistics(statistics) {
                if !refused.is_refusal() {
                    return Err(refused);
                }
                statistics
                    .iter()
                    .try_for_each(|statistic| self.insert_as_far_as_known(statistic))?;
            }
        }
        Ok(())
    }

    fn insert_statistics(&self, statistics: &[Statistic]) -> Result<(), DbError> {
        let columns = columns(statistics);
        let parameters: Vec<(&(dyn ToSql + Sync), Type)> = columns
            .iter()
            .map(|values| (values as &(dyn ToSql + Sync), Type::TEXT_ARRAY))
            .collect();
        self.session
            .query(OPERATION, &insert(), &parameters)
            .map(|_| ())
    }

    /// Values of a type whose library is missing here cannot be read; counts and widths are kept.
    fn insert_as_far_as_known(&self, statistic: &Statistic) -> Result<(), DbError> {
        match self.insert_statistics(std::slice::from_ref(statistic)) {
            Err(refused) if refused.is_refusal() => self.insert_statistics(&[Statistic {
                slots: Vec::new(),
                ..statistic.clone()
            }]),
            other => other,
        }
    }
}

/// Only the row knows the type of `stavalues`, so it is an argument of `array_in`.
fn insert() -> String {
    let mut sql = "INSERT INTO pgrehearse_twin.statistic SELECT r.c1::oid, r.c2::int2, r.c3::bool, r.c4::float4, r.c5::int4, r.c6::float4"
        .to_owned();
    let first = 6;
    for (block, cast) in [(0, "int2"), (1, "oid"), (2, "oid"), (3, "float4[]")] {
        for slot in 1..=SLOTS {
            let _ = write!(sql, ", r.c{}::{cast}", first + block * SLOTS + slot);
        }
    }
    for slot in 1..=SLOTS {
        let _ = write!(
            sql,
            ", array_in(textout(r.c{}), r.c{}::oid, -1)",
            first + 4 * SLOTS + slot,
            first + 5 * SLOTS + slot
        );
    }
    let number = first + 6 * SLOTS;
    let arrays: Vec<String> = (1..=number)
        .map(|number| format!("${number}::text[]"))
        .collect();
    let names: Vec<String> = (1..=number).map(|number| format!("c{number}")).collect();
    let _ = write!(
        sql,
        " FROM unnest({}) AS r ({})",
        arrays.join(", "),
        names.join(", ")
    );
    sql
}

/// The rows transposed: a list for each column.
fn columns(statistics: &[Statistic]) -> Vec<Vec<Option<String>>> {
    let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); 6 + 6 * SLOTS];
    for statistic in statistics {
        let mut values = vec![
            Some(statistic.relation.to_string()),
            Some(statistic.attribute.to_string()),
            Some(statistic.inherited.to_string()),
            Some(statistic.null_fraction.to_string()),
            Some(statistic.width_bytes.to_string()),
            Some(statistic.distinct.to_string()),
        ];
        let slots = || (0..SLOTS).map(|number| statistic.slots.get(number));
        values.extend(slots().map(|slot| Some(slot.map_or(0, |slot| slot.kind).to_string())));
        values.extend(slots().map(|slot| Some(slot.map_or(0, |slot| slot.operator).to_string())));
        values.extend(slots().map(|slot| Some(slot.map_or(0, |slot| slot.collation).to_string())));
        values.extend(slots().map(|slot| numbers(slot?)));
        values.extend(slots().map(|slot| Some(slot?.values.as_ref()?.literal.clone())));
        values.extend(slots().map(|slot| Some(slot?.values.as_ref()?.element_type.to_string())));
        for (column, value) in columns.iter_mut().zip(values) {
            column.push(value);
        }
    }
    columns
}

fn numbers(slot: &Slot) -> Option<String> {
    let numbers: Vec<String> = slot
        .numbers
        .as_ref()?
        .iter()
        .map(ToString::to_string)
        .collect();
    Some(format!("{{{}}}", numbers.join(",")))
}

fn extended_row(extended: &ExtendedStatistic, version_num: u32) -> String {
    let bytes = |digits: &Option<String>, type_name: &str| match digits {
        Some(digits) => format!("decode({}, 'hex')::{type_name}", quote_literal(digits)),
        None => "NULL".to_owned(),
    };
    let inherited = if version_num >= 150_000 {
        format!("{}, ", extended.inherited)
    } else {
        String::new()
    };
    let expressions: Vec<String> = extended.expressions.iter().map(expression_row).collect();
    let expressions = if expressions.is_empty() {
        "NULL".to_owned()
    } else {
        format!(
            "ARRAY[{}]::pg_catalog.pg_statistic[]",
            expressions.join(", ")
        )
    };
    format!(
        "INSERT INTO pgrehearse_twin.extended_statistic SELECT {}, {inherited}{}, {}, {}, {expressions}",
        extended.oid,
        bytes(&extended.ndistinct, "pg_ndistinct"),
        bytes(&extended.dependencies, "pg_dependencies"),
        bytes(&extended.most_common, "pg_mcv_list"),
    )
}

/// A row of `pg_statistic` as SQL.
fn expression_row(statistic: &Statistic) -> String {
    let slots = || (0..SLOTS).map(|number| statistic.slots.get(number));
    let mut values = vec![
        format!("{}::oid", statistic.relation),
        format!("{}::int2", statistic.attribute),
        statistic.inherited.to_string(),
        format!("'{}'::float4", statistic.null_fraction),
        statistic.width_bytes.to_string(),
        format!("'{}'::float4", statistic.distinct),
    ];
    values.extend(slots().map(|slot| format!("{}::int2", slot.map_or(0, |slot| slot.kind))));
    values.extend(slots().map(|slot| format!("{}::oid", slot.map_or(0, |slot| slot.operator))));
    values.extend(slots().map(|slot| format!("{}::oid", slot.map_or(0, |slot| slot.collation))));
    let list = |slot: Option<&Slot>| {
        slot.and_then(numbers)
            .map_or_else(|| "NULL".to_owned(), |text| quote_literal(&text))
    };
    values.extend(slots().map(|slot| format!("{}::float4[]", list(slot))));
    values.extend(
        slots().map(|slot| match slot.and_then(|slot| slot.values.as_ref()) {
            Some(values) => format!(
                "array_in({}, {}, -1)",
                quote_literal(&values.literal),
                values.element_type
            ),
            None => "NULL".to_owned(),
        }),
    );
    format!("ROW({})::pg_catalog.pg_statistic", values.join(", "))
}

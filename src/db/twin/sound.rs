//! Copied rows that the server's C code would trust although they may be wrong: layouts and
//! functions of types, and statistics whose values are not of the column's type.

use std::borrow::Cow;
use std::collections::BTreeSet;

use tokio_postgres::types::{ToSql, Type};

use super::{OPERATION, Twin};
use crate::db::DbError;
use crate::db::row::field;
use crate::twin::checks::has_a_number_for_each_value;
use crate::twin::snapshot::{Oid, Slot, Snapshot, Statistic};

/// A slot: its relation, its column and its kind.
type SlotKey = (Oid, i16, i16);

/// Slots with values of another type than the planner takes them for (`examine_variable` and the
/// estimators, src/backend/utils/adt): 1 and 2 are values of the column, 4 elements of an array or
/// lexemes, 6 lengths of ranges, 7 ranges. The column of an index may store another type than its
/// expression has; then the operator class knows what it takes, perhaps only the category.
const UNSOUND: &str = "\
SELECT s.relation, s.attribute, s.kind
FROM unnest($1::oid[], $2::int2[], $3::int2[], $4::oid[]) AS s (relation, attribute, kind, element)
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = s.relation AND a.attnum = s.attribute
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = s.relation
LEFT JOIN pg_catalog.pg_opclass c ON c.oid = i.indclass[s.attribute - 1]
LEFT JOIN pg_catalog.pg_type t ON t.oid = CASE WHEN i.indexrelid IS NULL THEN a.atttypid ELSE c.opcintype END
LEFT JOIN pg_catalog.pg_type base ON base.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
LEFT JOIN pg_catalog.pg_type e ON e.oid = s.element
WHERE (CASE
    WHEN s.kind = 6 THEN e.oid = 701
    WHEN s.kind = 4 THEN e.oid = base.typelem OR base.oid = 3614 AND e.oid = 25 OR base.oid = 2277
    WHEN s.kind = 7 THEN e.typcategory = 'R'
    WHEN s.kind NOT IN (1, 2) THEN false
    WHEN base.typtype = 'p' THEN e.typcategory = CASE base.oid WHEN 2277 THEN 'A' WHEN 3500 THEN 'E' WHEN 3831 THEN 'R' WHEN 4537 THEN 'R' END
    WHEN i.indexrelid IS NOT NULL OR e.typcategory = 'S'
         THEN (e.typcategory, e.typlen, e.typbyval) = (base.typcategory, base.typlen, base.typbyval)
    ELSE e.oid IN (t.oid, base.oid)
END) IS NOT TRUE";

impl Twin {
    /// Fails if a copied row is one that PostgreSQL itself would not have made.
    pub(super) fn check_shapes(&self) -> Result<(), DbError> {
        let rows = self
            .admin
            .query(OPERATION, include_str!("shapes.sql"), &[])?;
        match rows.first() {
            Some(row) => Err(DbError::Missing(format!(
                "no planner twin can be made from this: {}",
                field::<String>(row, "fault")?
            ))),
            None => Ok(()),
        }
    }

    /// The statistics without slots that the planner cannot read as what they say to be.
    pub(super) fn sound_statistics<'s>(
        &self,
        snapshot: &'s Snapshot,
    ) -> Result<Cow<'s, [Statistic]>, DbError> {
        let unsound = self.unsound_slots(&snapshot.statistics)?;
        let is_sound = |statistic: &Statistic, slot: &Slot| {
            let key = (statistic.relation, statistic.attribute, slot.kind);
            has_a_number_for_each_value(slot) && !unsound.contains(&key)
        };
        let all_sound =
            |statistic: &Statistic| statistic.slots.iter().all(|slot| is_sound(statistic, slot));
        if snapshot.statistics.iter().all(all_sound) {
            return Ok(Cow::Borrowed(&snapshot.statistics));
        }
        let sound = |statistic: &Statistic| Statistic {
            slots: statistic
                .slots
                .iter()
                .filter(|slot| is_sound(statistic, slot))
                .cloned()
                .collect(),
            ..statistic.clone()
        };
        Ok(Cow::Owned(snapshot.statistics.iter().map(sound).collect()))
    }

    fn unsound_slots(&self, statistics: &[Statistic]) -> Result<BTreeSet<SlotKey>, DbError> {
        let mut keys: (Vec<Oid>, Vec<i16>, Vec<i16>, Vec<Oid>) = Default::default();
        for statistic in statistics {
            for slot in &statistic.slots {
                if let Some(values) = &slot.values {
                    keys.0.push(statistic.relation);
                    keys.1.push(statistic.attribute);
                    keys.2.push(slot.kind);
                    keys.3.push(values.element_type);
                }
            }
        }
        let parameters: &[(&(dyn ToSql + Sync), Type)] = &[
            (&keys.0, Type::OID_ARRAY),
            (&keys.1, Type::INT2_ARRAY),
            (&keys.2, Type::INT2_ARRAY),
            (&keys.3, Type::OID_ARRAY),
        ];
        let rows = self.admin.query(OPERATION, UNSOUND, parameters)?;
        let key = |row| {
            Ok((
                field(row, "relation")?,
                field(row, "attribute")?,
                field(row, "kind")?,
            ))
        };
        rows.iter().map(key).collect()
    }
}

//! What a statement of a migration did, as PostgreSQL's catalogs and counters show it: other files,
//! scans, locks, new relations and other columns.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::types::Type;

use crate::check::lock::LockMode;
use crate::check::migration::{HeldLock, StepOutcome};
use crate::db::row::field;
use crate::db::{DbError, Session};
use crate::model::QualifiedName;
use crate::twin::snapshot::Oid;

pub(super) const OPERATION: &str = "executing a migration in the planner twin";

/// A relation in a transaction.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Relation {
    pub(super) name: QualifiedName,
    /// `relkind`.
    pub(super) kind: String,
    /// `relfilenode`; 0 without a file.
    pub(super) file: Oid,
    /// The table of an index.
    pub(super) table: Option<Oid>,
    scans: i64,
    /// The strongest lock that this session holds.
    lock: Option<LockMode>,
}

/// The relations of the role, by OID.
pub(super) type Relations = BTreeMap<Oid, Relation>;

impl Relation {
    pub(super) fn is_table(&self) -> bool {
        matches!(self.kind.as_str(), "r" | "m")
    }
}

/// The relations as this session sees them, in its transaction.
pub(super) fn relations(session: &Session) -> Result<Relations, DbError> {
    let sql = "SELECT r.* FROM pgrehearse_twin.relations() AS r";
    let mut relations = Relations::new();
    for row in session.query(OPERATION, sql, &[])? {
        let modes: Option<Vec<String>> = field(&row, "locks")?;
        let modes = modes.unwrap_or_default();
        let relation = Relation {
            name: QualifiedName::new(
                field::<String>(&row, "schema_name")?,
                field::<String>(&row, "relation_name")?,
            ),
            kind: field(&row, "kind")?,
            file: field(&row, "file")?,
            table: field(&row, "table_oid")?,
            scans: field::<Option<i64>>(&row, "scans")?.unwrap_or(0),
            lock: modes.iter().filter_map(|mode| LockMode::parse(mode)).max(),
        };
        relations.insert(field(&row, "relation")?, relation);
    }
    Ok(relations)
}

/// Writes down what happened between two observations in one transaction; `known` has the relations
/// from before the migration, because nobody waits for new ones.
pub(super) fn note(
    outcome: &mut StepOutcome,
    known: &Relations,
    before: &Relations,
    after: &Relations,
) {
    let name_of = |oid: &Oid| known.get(oid).map(|relation| relation.name.clone());
    let changed_file = |oid: &Oid, relation: &Relation| {
        before.get(oid).is_some_and(|old| old.file != relation.file)
    };
    for (oid, relation) in after {
        let old = before.get(oid);
        let held = old.and_then(|old| old.lock);
        if let (Some(name), Some(mode)) = (name_of(oid), relation.lock)
            && held < Some(mode)
            && mode > LockMode::AccessShare
        {
            outcome.locks.push(HeldLock {
                relation: name,
                mode,
                is_seen: true,
            });
        }
        let is_scanned = old.is_some_and(|old| relation.scans > old.scans);
        if !relation.is_table() {
            let is_built = relation.kind == "i" && (old.is_none() || changed_file(oid, relation));
            let table = relation.table.as_ref().filter(|_| is_built);
            outcome.builds.extend(table.and_then(name_of));
        } else if changed_file(oid, relation) {
            outcome.rewrites.extend(name_of(oid));
        } else if is_scanned {
            outcome.scans.extend(name_of(oid));
        }
    }
    // A dropped relation is still locked, but in no catalog any more.
    for (oid, old) in before.iter().filter(|(oid, _)| !after.contains_key(oid)) {
        if let Some(relation) = name_of(oid).filter(|_| old.kind != "S") {
            outcome.locks.push(HeldLock {
                relation,
                mode: LockMode::AccessExclusive,
                is_seen: true,
            });
        }
    }
    only_tables_where_both(outcome, known);
}

/// The lock on an index says nothing where its table is locked as strongly.
fn only_tables_where_both(outcome: &mut StepOutcome, known: &Relations) {
    let table_of: BTreeMap<&QualifiedName, &QualifiedName> = known
        .values()
        .filter_map(|relation| Some((&relation.name, &known.get(&relation.table?)?.name)))
        .collect();
    let locks = outcome.locks.clone();
    outcome.locks.retain(|lock| {
        let table = table_of.get(&lock.relation);
        !table.is_some_and(|table| {
            let is_as_strong =
                |other: &HeldLock| other.relation == **table && other.mode >= lock.mode;
            locks.iter().any(is_as_strong)
        })
    });
    outcome.locks.sort_by(|a, b| {
        let key = |lock: &HeldLock| (std::cmp::Reverse(lock.mode), lock.relation.clone());
        key(a).cmp(&key(b))
    });
    // What is built anew needs a scan, which is part of it.
    let built: BTreeSet<&QualifiedName> = outcome.builds.iter().collect();
    outcome.scans.retain(|table| !built.contains(table));
}

/// The columns of a relation.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Shape {
    pub(super) name: Option<QualifiedName>,
    /// By number.
    pub(super) columns: BTreeMap<i16, ColumnShape>,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ColumnShape {
    pub(super) name: String,
    /// `atttypid`.
    pub(super) type_oid: Oid,
    /// `attcollation`.
    pub(super) collation: Oid,
    /// `attlen`.
    pub(super) length: i16,
    /// `stawidth`, if there are statistics.
    pub(super) width: Option<i32>,
}

/// The default width of a value of variable length without statistics (`get_typavgwidth`,
/// src/backend/utils/cache/lsyscache.c).
const UNKNOWN_WIDTH_BYTES: i32 = 32;

/// A number of type numeric with about ten digits
/// (<https://www.postgresql.org/docs/current/datatype-numeric.html>: two bytes for each four digits,
/// and three to eight bytes more).
const NUMERIC_WIDTH_BYTES: i32 = 8;

impl Shape {
    /// The expected bytes of a row: header, values, and the pointer to it
    /// (<https://www.postgresql.org/docs/current/storage-page-layout.html>).
    pub(super) fn row_bytes(&self) -> f64 {
        let width = |column: &ColumnShape| match (column.width, column.length) {
            (Some(width), _) => width,
            (None, length) if length > 0 => i32::from(length),
            (None, _) if column.type_oid == Type::NUMERIC.oid() => NUMERIC_WIDTH_BYTES,
            _ => UNKNOWN_WIDTH_BYTES,
        };
        let values: i32 = self.columns.values().map(width).sum();
        f64::from((24 + values + 7) / 8 * 8 + 4)
    }
}

/// The columns of all tables of the role.
pub(super) fn shapes(admin: &Session, role: Oid) -> Result<BTreeMap<Oid, Shape>, DbError> {
    let sql = "SELECT c.oid, n.nspname::text AS schema_name, c.relname::text AS relation_name, a.attnum AS attribute, \
                      a.attname::text AS column_name, a.atttypid AS type_oid, a.attcollation AS collation, a.attlen AS length, \
                      s.stawidth AS width \
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
               JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
               LEFT JOIN pg_catalog.pg_statistic s ON s.starelid = c.oid AND s.staattnum = a.attnum AND NOT s.stainherit \
               WHERE c.relowner = $1 AND c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' ORDER BY c.oid, a.attnum";
    let mut shapes: BTreeMap<Oid, Shape> = BTreeMap::new();
    for row in admin.query(OPERATION, sql, &[(&role, Type::OID)])? {
        let shape = shapes.entry(field(&row, "oid")?).or_default();
        shape.name = Some(QualifiedName::new(
            field::<String>(&row, "schema_name")?,
            field::<String>(&row, "relation_name")?,
        ));
        let column = ColumnShape {
            name: field(&row, "column_name")?,
            type_oid: field(&row, "type_oid")?,
            collation: field(&row, "collation")?,
            length: field(&row, "length")?,
            width: field(&row, "width")?,
        };
        shape.columns.insert(field(&row, "attribute")?, column);
    }
    Ok(shapes)
}

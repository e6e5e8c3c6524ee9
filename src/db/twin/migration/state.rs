//! What the twin has before and after a migration.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use super::observation::{OPERATION, Relations, Shape, relations, shapes};
use crate::check::migration::{ChangedIndex, IndexChange, TableSize};
use crate::db::DbError;
use crate::db::row::field;
use crate::db::twin::Twin;
use crate::model::{Bytes, QualifiedName};
use crate::twin::page::BLOCK_BYTES;
use crate::twin::snapshot::Oid;

/// Indexes by OID.
pub(super) type Indexes = BTreeMap<Oid, ChangedIndex>;

/// The twin before a migration.
pub(super) struct Before {
    pub(super) relations: Relations,
    pub(super) shapes: BTreeMap<Oid, Shape>,
    pub(super) indexes: Indexes,
    pub(super) tables: BTreeMap<QualifiedName, TableSize>,
}

impl Twin {
    pub(super) fn before(&self) -> Result<Before, DbError> {
        let relations = self.relations_of_role()?;
        let indexes = self.all_indexes(IndexChange::Dropped)?;
        let mut tables: BTreeMap<QualifiedName, TableSize> = BTreeMap::new();
        for (oid, relation) in &relations {
            if let Some(heap) = self.heaps.get(oid) {
                let size = TableSize {
                    rows: f64::from(heap.measures.tuples.max(0.0)),
                    size: Bytes(heap.pages * BLOCK_BYTES as u64),
                };
                tables.insert(relation.name.clone(), size);
            }
        }
        Ok(Before {
            relations,
            shapes: self.shapes()?,
            indexes,
            tables,
        })
    }

    pub(super) fn relations_of_role(&self) -> Result<Relations, DbError> {
        relations(&self.session)
    }

    pub(super) fn shapes(&self) -> Result<BTreeMap<Oid, Shape>, DbError> {
        shapes(&self.admin, self.role.oid)
    }

    /// The indexes of all tables that are no parts of others.
    pub(super) fn all_indexes(&self, change: IndexChange) -> Result<Indexes, DbError> {
        let sql = "SELECT c.oid, n.nspname::text AS schema_name, c.relname::text AS index_name, tn.nspname::text AS table_schema, \
                          t.relname::text AS table_name, pg_get_indexdef(c.oid) AS definition, \
                          i.indisunique OR i.indisexclusion AS enforces, \
                          tree.names, tree.size \
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_index i ON i.indexrelid = c.oid \
                   JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace \
                   CROSS JOIN LATERAL (SELECT array_agg(p.relname::text ORDER BY p.relname) AS names, \
                       coalesce(sum(pg_relation_size(p.oid)) FILTER (WHERE p.relkind = 'i'), 0)::bigint AS size \
                       FROM (SELECT c.oid UNION SELECT relid::oid FROM pg_partition_tree(c.oid)) AS part (oid) \
                       JOIN pg_class p ON p.oid = part.oid) AS tree \
                   WHERE c.relowner = $1 AND c.relkind IN ('i', 'I') AND NOT c.relispartition \
                     AND t.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' \
                   ORDER BY n.nspname, c.relname";
        let rows = self
            .admin
            .query(OPERATION, sql, &[(&self.role.oid, Type::OID)])?;
        let index = |row| {
            let index = ChangedIndex {
                name: QualifiedName::new(
                    field::<String>(row, "schema_name")?,
                    field::<String>(row, "index_name")?,
                ),
                table: QualifiedName::new(
                    field::<String>(row, "table_schema")?,
                    field::<String>(row, "table_name")?,
                ),
                names: field(row, "names")?,
                definition: field(row, "definition")?,
                change,
                enforces: field(row, "enforces")?,
                size: Bytes(field::<i64>(row, "size")?.unsigned_abs()),
            };
            Ok((field(row, "oid")?, index))
        };
        rows.iter().map(index).collect()
    }
}

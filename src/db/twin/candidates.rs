//! Indexes that do not exist: created over the few rows of the twin, given a file of the estimated size, and hidden.

use std::collections::BTreeSet;

use tokio_postgres::types::{ToSql, Type};

use super::{Heap, Twin};
use crate::db::catalog::field;
use crate::db::transaction::body;
use crate::db::{DbError, Session};
use crate::model::{Bytes, Millis, QualifiedName};
use crate::rehearsal::{Build, NamedIndex, Refusal};
use crate::twin::page::{self, BLOCK_BYTES};
use crate::twin::snapshot::Oid;
use crate::verdict::Reason;

const OPERATION: &str = "creating an index in the planner twin";

/// An index that the twin knows and hides.
#[derive(Debug, Clone)]
pub(super) struct Hypothetical {
    /// Itself and, on a partitioned table, its partitions' indexes.
    pub(super) oids: Vec<Oid>,
    /// As an answer has it: its size is an estimate, and it took no time.
    pub(super) build: Build,
}

/// A table or partition that gets a part of the index.
struct Leaf {
    table: Oid,
    name: QualifiedName,
}

/// A part of the index as the twin has built it.
struct Part {
    oid: Oid,
    table: Oid,
    path: Option<String>,
}

impl Twin {
    /// What is known of this index.
    pub(super) fn hypothetical(&self, index: &NamedIndex) -> Option<&Hypothetical> {
        self.known.get(&index.index.create(&index.name))
    }

    /// Creates an index that was not asked about before.
    pub(super) fn know(&mut self, index: &NamedIndex) -> Result<Result<(), Refusal>, DbError> {
        if self.hypothetical(index).is_some() {
            return Ok(Ok(()));
        }
        match self.create(index) {
            Ok(known) => {
                self.known.insert(index.index.create(&index.name), known);
                Ok(Ok(()))
            }
            Err(refused) if refused.is_refusal() => {
                self.session.rollback();
                let detail = refused.to_string();
                Ok(Err(Refusal { reason: Reason::BuildFailed, detail, write_block: Millis::default(), built: 0 }))
            }
            Err(error) => Err(error),
        }
    }

    fn create(&mut self, index: &NamedIndex) -> Result<Hypothetical, DbError> {
        let leaves = self.leaves(&index.index.table)?;
        let mut sizes = Vec::with_capacity(leaves.len());
        for leaf in &leaves {
            sizes.push((leaf.table, self.estimate(&index.index, &leaf.name)?));
        }
        self.session.batch(OPERATION, "BEGIN")?;
        if let Some(extension) = &index.index.extension {
            self.session.batch(OPERATION, &extension.create())?;
        }
        self.use_files(&leaves, |heap| heap.short)?;
        self.session.batch(OPERATION, &index.index.create(&index.name))?;
        let (definition, names, parts) = self.built(index)?;
        let mut bytes = 0;
        let mut files = Vec::with_capacity(parts.len());
        for part in &parts {
            let size = sizes.iter().find(|(table, _)| *table == part.table);
            let (Some((_, size)), Some(path)) = (size, &part.path) else { continue };
            let beginning = match &size.metapage {
                Some(metapage) => {
                    let built = self.directory.read(path, 2 * BLOCK_BYTES)?;
                    page::first_blocks(metapage, size.pages, &built)
                }
                None => Vec::new(),
            };
            let number = self.directory.create(&beginning, size.pages)?;
            files.push((part.oid, number, i32::try_from(size.pages).unwrap_or(i32::MAX), size.tuples as f32));
            bytes += size.pages * BLOCK_BYTES as u64;
        }
        self.give_files(&files)?;
        self.use_files(&leaves, |heap| heap.long)?;
        let oids: Vec<Oid> = parts.iter().map(|part| part.oid).collect();
        let hide = "UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid = ANY ($1::oid[])";
        self.session.query(OPERATION, hide, &[(&oids, Type::OID_ARRAY)])?;
        self.session.batch(OPERATION, "COMMIT")?;
        let build = Build {
            names,
            body: body(&definition, index),
            size: Bytes(bytes),
            build_time: Millis::default(),
            usable: true,
        };
        Ok(Hypothetical { oids, build })
    }

    /// The tables with files that an index on this table consists of.
    fn leaves(&self, table: &QualifiedName) -> Result<Vec<Leaf>, DbError> {
        let sql = "SELECT c.oid, n.nspname::text AS schema_name, c.relname::text AS table_name \
                   FROM (SELECT to_regclass($1)::oid UNION SELECT relid::oid FROM pg_partition_tree(to_regclass($1))) AS tree (oid) \
                   JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace \
                   WHERE c.relkind IN ('r', 'm') ORDER BY c.oid";
        let rows = self.session.query(OPERATION, sql, &[(&table.to_string(), Type::TEXT)])?;
        let leaf = |row| {
            let name = QualifiedName::new(field::<String>(row, "schema_name")?, field::<String>(row, "table_name")?);
            Ok(Leaf { table: field(row, "oid")?, name })
        };
        rows.iter().map(leaf).collect()
    }

    /// Puts the short or the long files under these tables, with the counts that production's have.
    fn use_files(&self, leaves: &[Leaf], which: impl Fn(&Heap) -> Oid) -> Result<(), DbError> {
        let heaps: Vec<(Oid, &Heap)> =
            leaves.iter().filter_map(|leaf| Some((leaf.table, self.heaps.get(&leaf.table)?))).collect();
        let tables: Vec<Oid> = heaps.iter().map(|(table, _)| *table).collect();
        let numbers: Vec<Oid> = heaps.iter().map(|(_, heap)| which(heap)).collect();
        let pages: Vec<i32> = heaps.iter().map(|(_, heap)| heap.measures.pages).collect();
        let tuples: Vec<f32> = heaps.iter().map(|(_, heap)| heap.measures.tuples).collect();
        let all_visible: Vec<i32> = heaps.iter().map(|(_, heap)| heap.measures.all_visible_pages).collect();
        let sql = "UPDATE pg_catalog.pg_class c SET relfilenode = f.number, relpages = f.pages, reltuples = f.tuples, \
                   relallvisible = f.all_visible \
                   FROM unnest($1::oid[], $2::oid[], $3::int4[], $4::float4[], $5::int4[]) \
                   AS f (oid, number, pages, tuples, all_visible) WHERE c.oid = f.oid";
        let parameters: &[(&(dyn ToSql + Sync), Type)] = &[
            (&tables, Type::OID_ARRAY),
            (&numbers, Type::OID_ARRAY),
            (&pages, Type::INT4_ARRAY),
            (&tuples, Type::FLOAT4_ARRAY),
            (&all_visible, Type::INT4_ARRAY),
        ];
        self.session.query(OPERATION, sql, parameters).map(|_| ())
    }

    fn give_files(&self, files: &[(Oid, Oid, i32, f32)]) -> Result<(), DbError> {
        let oids: Vec<Oid> = files.iter().map(|file| file.0).collect();
        let numbers: Vec<Oid> = files.iter().map(|file| file.1).collect();
        let pages: Vec<i32> = files.iter().map(|file| file.2).collect();
        let tuples: Vec<f32> = files.iter().map(|file| file.3).collect();
        let sql = "UPDATE pg_catalog.pg_class c SET relfilenode = f.number, relpages = f.pages, reltuples = f.tuples \
                   FROM unnest($1::oid[], $2::oid[], $3::int4[], $4::float4[]) AS f (oid, number, pages, tuples) \
                   WHERE c.oid = f.oid";
        let parameters: &[(&(dyn ToSql + Sync), Type)] = &[
            (&oids, Type::OID_ARRAY),
            (&numbers, Type::OID_ARRAY),
            (&pages, Type::INT4_ARRAY),
            (&tuples, Type::FLOAT4_ARRAY),
        ];
        self.session.query(OPERATION, sql, parameters).map(|_| ())
    }

    /// The index that was just created: its definition, the names plans may show it under, its parts.
    fn built(&self, index: &NamedIndex) -> Result<(String, BTreeSet<String>, Vec<Part>), DbError> {
        let name = QualifiedName::new(index.index.table.schema.clone(), index.name.clone()).to_string();
        let definition = definition(&self.session, &name)?;
        let sql = "SELECT c.oid, c.relname::text AS index_name, i.indrelid AS table_oid, \
                          CASE WHEN c.relkind = 'i' THEN pg_relation_filepath(c.oid) END AS path \
                   FROM (SELECT to_regclass($1)::oid UNION SELECT relid::oid FROM pg_partition_tree(to_regclass($1))) AS tree (oid) \
                   JOIN pg_class c USING (oid) JOIN pg_index i ON i.indexrelid = c.oid ORDER BY c.oid";
        let rows = self.session.query(OPERATION, sql, &[(&name, Type::TEXT)])?;
        let names = rows.iter().map(|row| field(row, "index_name")).collect::<Result<_, _>>()?;
        let part =
            |row| Ok(Part { oid: field(row, "oid")?, table: field(row, "table_oid")?, path: field(row, "path")? });
        let parts = rows.iter().map(part).collect::<Result<_, DbError>>()?;
        Ok((definition, names, parts))
    }
}

/// With every name qualified.
fn definition(session: &Session, name: &str) -> Result<String, DbError> {
    let path = session.query(OPERATION, "SELECT current_setting('search_path') AS path", &[])?;
    let path: String = path.first().map_or_else(|| Ok(String::new()), |row| field(row, "path"))?;
    session.set("search_path", "pg_catalog")?;
    let sql = "SELECT pg_get_indexdef(to_regclass($1)) AS definition";
    let rows = session.query(OPERATION, sql, &[(&name, Type::TEXT)])?;
    session.set("search_path", &path)?;
    rows.first().map_or_else(|| Ok(String::new()), |row| field(row, "definition"))
}

//! Files of the right size after a migration: tables as large as before, rewritten ones as large as
//! their new columns make them, new and rebuilt indexes as large as their keys make them.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::types::Type;

use super::observation::{OPERATION, Relations, Shape};
use super::state::Before;
use crate::db::DbError;
use crate::db::row::field;
use crate::db::twin::candidates::{BEGIN_ESTIMATES, give_files, raise_oids};
use crate::db::twin::index_part::IndexPart;
use crate::db::twin::{Heap, Measures, Twin};
use crate::index::{Index, parse_index};
use crate::model::{QualifiedName, quote_literal};
use crate::twin::page::{self, BLOCK_BYTES};
use crate::twin::size::IndexSize;
use crate::twin::snapshot::Oid;

/// The pages of a table with nothing in it that was never vacuumed, as the planner assumes them
/// (`estimate_rel_size`, src/backend/access/heap/heapam_handler.c).
const ASSUMED_PAGES: u64 = 10;

/// What a page has for rows.
const PAGE_CONTENT_BYTES: f64 = (BLOCK_BYTES - 24) as f64;

/// A table with so much more than its rows need is bloated; a rewrite makes it small.
const BLOATED: f64 = 1.2;

impl Twin {
    /// Forgets what was known of tables.
    pub(super) fn forget_tables(&mut self) {
        self.leaves.clear();
        self.facts.clear();
        self.relations.clear();
        self.observed.clear();
    }

    /// Gives every table its file; returns the new ones.
    pub(super) fn resize_tables(
        &mut self,
        before: &Before,
        after: &Relations,
    ) -> Result<Vec<QualifiedName>, DbError> {
        let shapes = self.shapes()?;
        let mut new_tables = Vec::new();
        let mut heaps: BTreeMap<Oid, Heap> = BTreeMap::new();
        for (oid, relation) in after.iter().filter(|(_, relation)| relation.is_table()) {
            let old = self.heaps.get(oid).copied();
            let heap = match old {
                Some(heap) if heap.short == relation.file => heap,
                _ => {
                    let path = self.path_of(*oid)?;
                    let beginning = self.directory.read(&path, BLOCK_BYTES)?;
                    let has_index = after.values().any(|index| index.table == Some(*oid));
                    let width = |shapes: &BTreeMap<Oid, Shape>| {
                        shapes.get(oid).map_or(32.0, Shape::row_bytes)
                    };
                    let (pages, measures) = match old {
                        Some(heap) => {
                            rewritten(heap, (width(&before.shapes), width(&shapes)), has_index)
                        }
                        None => (0, UNKNOWN),
                    };
                    Heap {
                        short: relation.file,
                        long: self.directory.create(&beginning, pages)?,
                        pages,
                        measures,
                    }
                }
            };
            if old.is_none() {
                new_tables.push(relation.name.clone());
            }
            heaps.insert(*oid, heap);
        }
        let parents = after
            .iter()
            .filter(|(oid, relation)| relation.kind == "p" && !before.relations.contains_key(*oid));
        new_tables.extend(parents.map(|(_, relation)| relation.name.clone()));
        self.heaps = heaps;
        self.use_all_heaps()?;
        Ok(new_tables)
    }

    /// All tables have their large files.
    fn use_all_heaps(&self) -> Result<(), DbError> {
        let oids: Vec<Oid> = self.heaps.keys().copied().collect();
        self.use_large_files(&oids)
    }

    fn use_large_files(&self, tables: &[Oid]) -> Result<(), DbError> {
        let switch = self.use_files_of(tables, |heap| heap.long);
        self.admin.batch(OPERATION, &switch)
    }

    /// New tables get as many rows as the largest table has, and files for them.
    ///
    /// # Errors
    /// When the connection to the twin is lost.
    pub fn enlarge_new_tables(&mut self, tables: &[QualifiedName]) -> Result<(), DbError> {
        let rows = self
            .heaps
            .values()
            .map(|heap| f64::from(heap.measures.tuples))
            .fold(0.0, f64::max);
        let shapes = self.shapes()?;
        let mut enlarged = Vec::new();
        for (oid, shape) in &shapes {
            let is_new = shape
                .name
                .as_ref()
                .is_some_and(|name| tables.contains(name));
            let Some(heap) = self.heaps.get(oid).copied().filter(|_| is_new) else {
                continue;
            };
            let pages = (rows * shape.row_bytes() / PAGE_CONTENT_BYTES).ceil() as u64;
            let beginning = self.directory.read(&self.path_of(*oid)?, BLOCK_BYTES)?;
            let long = self.directory.create(&beginning, pages)?;
            let heap = Heap {
                long,
                pages,
                measures: Measures {
                    pages: i32::try_from(pages).unwrap_or(i32::MAX),
                    tuples: rows as f32,
                    all_visible_pages: 0,
                },
                ..heap
            };
            self.heaps.insert(*oid, heap);
            enlarged.push(*oid);
        }
        self.use_large_files(&enlarged)?;
        let after = self.relations_of_role()?;
        let on_them: Vec<Oid> = after
            .iter()
            .filter(|(_, index)| index.kind == "i")
            .filter(|(_, index)| index.table.is_some_and(|table| enlarged.contains(&table)))
            .map(|(oid, _)| *oid)
            .collect();
        self.forget_tables();
        self.resize(&after, &on_them)
    }

    fn path_of(&self, oid: Oid) -> Result<String, DbError> {
        let sql = "SELECT pg_relation_filepath($1) AS path";
        let rows = self.admin.query(OPERATION, sql, &[(&oid, Type::OID)])?;
        let path = rows.first().map(|row| field::<Option<String>>(row, "path"));
        Ok(path.transpose()?.flatten().unwrap_or_default())
    }

    /// Gives new and rebuilt indexes files of their estimated sizes. New ones get OIDs above all
    /// others, as on the server.
    pub(super) fn resize_indexes(
        &mut self,
        before: &Before,
        after: &Relations,
    ) -> Result<(), DbError> {
        let is_changed = |oid: &Oid, file: Oid| {
            let old = before.relations.get(oid);
            old.is_none_or(|old| old.file != file)
        };
        let changed: Vec<Oid> = after
            .iter()
            .filter(|(oid, index)| index.kind == "i" && is_changed(oid, index.file))
            .map(|(oid, _)| *oid)
            .collect();
        self.resize(after, &changed)?;
        let new: Vec<Oid> = after
            .iter()
            .filter(|(_, index)| matches!(index.kind.as_str(), "i" | "I"))
            .filter(|(oid, _)| !before.relations.contains_key(*oid))
            .map(|(oid, _)| *oid)
            .collect();
        self.raise_new(after, &new)
    }

    fn resize(&mut self, after: &Relations, indexes: &[Oid]) -> Result<(), DbError> {
        let mut files = Vec::new();
        for oid in indexes {
            let Some(index) = after.get(oid) else {
                continue;
            };
            let parts = self.parts_of(&index.name)?;
            let Some(part) = parts.into_iter().next() else {
                continue;
            };
            let Some(path) = part.path.clone() else {
                continue;
            };
            let built = self.directory.read(&path, 2 * BLOCK_BYTES)?;
            let size = self.size_of(part, &built)?;
            let beginning = match size.metapage {
                Some(metapage) => page::first_blocks(&metapage, size.pages, &built),
                None => Vec::new(),
            };
            let file = self.directory.create(&beginning, size.pages)?;
            files.push((*oid, file, size));
        }
        self.admin.batch(OPERATION, &give_files(&files))
    }

    /// The estimated size; what cannot be estimated has that of a btree on columns without
    /// statistics.
    fn size_of(&mut self, mut part: IndexPart, built: &[u8]) -> Result<IndexSize, DbError> {
        let Some(leaf) = self.leaf(part.table)? else {
            return Ok(IndexSize {
                pages: 1,
                tuples: 0.0,
                metapage: None,
            });
        };
        self.learn(&leaf)?;
        part.deduplicates = part.method == "btree" && page::deduplicates(built);
        let definition = parse_index(&part.definition)
            .unwrap_or_else(|_| Index::btree(leaf.name.clone(), Vec::new()));
        self.session.batch(OPERATION, BEGIN_ESTIMATES)?;
        let estimated = self.estimate(&definition, &part);
        self.session.rollback();
        match estimated {
            Err(refused) if refused.is_refusal() => {
                part.predicate = None;
                part.columns.truncate(1);
                part.key_count = part.key_count.min(1);
                self.session.batch(OPERATION, BEGIN_ESTIMATES)?;
                let estimated = self.estimate(&definition, &part);
                self.session.rollback();
                estimated
            }
            other => other,
        }
    }

    fn raise_new(&mut self, after: &Relations, new: &[Oid]) -> Result<(), DbError> {
        if new.is_empty() {
            return Ok(());
        }
        let first = self.reserve_oids(u32::try_from(new.len()).unwrap_or(u32::MAX));
        let raised: Vec<(Oid, Oid)> = new.iter().copied().zip(first..).collect();
        let tables: BTreeSet<Oid> = new.iter().filter_map(|oid| after.get(oid)?.table).collect();
        let tables: Vec<Oid> = tables.into_iter().collect();
        self.admin.batch(OPERATION, &raise_oids(&raised, &tables))
    }

    fn parts_of(&self, index: &QualifiedName) -> Result<Vec<IndexPart>, DbError> {
        let sql = format!(
            "EXECUTE pgrehearse_parts({})",
            quote_literal(&index.to_string())
        );
        let rows = self.admin.query(OPERATION, &sql, &[])?;
        rows.iter().map(crate::db::twin::index_part::part).collect()
    }

    /// The columns that tables have got.
    pub(super) fn new_columns(
        &self,
        before: &Before,
    ) -> Result<Vec<(QualifiedName, String)>, DbError> {
        let mut new = Vec::new();
        for (oid, shape) in self.shapes()? {
            let (Some(old), Some(name)) = (before.shapes.get(&oid), &shape.name) else {
                continue;
            };
            for (number, column) in &shape.columns {
                if !old.columns.contains_key(number) {
                    new.push((name.clone(), column.name.clone()));
                }
            }
        }
        Ok(new)
    }
}

/// What `pg_class` has of a table that was never vacuumed or analyzed.
const UNKNOWN: Measures = Measures {
    pages: 0,
    tuples: -1.0,
    all_visible_pages: 0,
};

/// The pages of a table after a rewrite, and what `pg_class` then has: its indexes are built anew and
/// count its rows, and no page is known to be all-visible.
fn rewritten(heap: Heap, (old, new): (f64, f64), has_index: bool) -> (u64, Measures) {
    let rows = f64::from(heap.measures.tuples);
    if rows <= 0.0 {
        return (heap.pages.min(ASSUMED_PAGES), UNKNOWN);
    }
    let expected = |bytes: f64| (rows * bytes / PAGE_CONTENT_BYTES).max(1.0);
    let real = heap.pages as f64;
    let pages = if real > BLOATED * expected(old) {
        expected(new)
    } else {
        real * new / old
    };
    let pages = pages.ceil() as u64;
    let measures = if has_index {
        Measures {
            pages: i32::try_from(pages).unwrap_or(i32::MAX),
            all_visible_pages: 0,
            ..heap.measures
        }
    } else {
        UNKNOWN
    };
    (pages, measures)
}

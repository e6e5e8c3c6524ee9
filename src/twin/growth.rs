//! What if the data grows? A snapshot with more rows: larger files, taller trees, and statistics as
//! ANALYZE would find them.
//!
//! Assumptions:
//!
//! - A table's rows, pages and index pages grow by its factor. The width of its rows and the share
//!   of all-visible pages do not change.
//! - Sets stay the same (states, currencies, cities): most common values keep their shares, and a
//!   column with several rows for each value keeps their number.
//! - Keys grow: where a value has hardly more than one row, or its rows lie together, the number of
//!   values grows with the rows. Where it is between a set and a key, with two to five rows for each
//!   value, its power is between, too. (That ANALYZE stores a number of values above a tenth of the
//!   rows as a share says nothing about growth.) The number of values of a foreign key grows with the rows of the table it refers to, and each
//!   value becomes rarer by that factor.
//! - Time continues: where the rows are in the order of a number or a time (correlation above
//!   [`columns::IN_ORDER`]), the new rows follow the old ones and are distributed alike. The
//!   histogram and the end of the index grow in proportion. A column that a table is partitioned by
//!   stays within its partitions.
//! - Correlations, widths, shares of NULL, array elements, ranges and extended statistics do not
//!   change.

use std::collections::BTreeMap;

use super::metapage::Metapage;
use super::snapshot::{RelationFile, Snapshot, SystemTable, btree_level, last_revmap_page};

mod columns;
mod factors;
mod relations;

pub use factors::Growth;

use relations::Relations;

/// `MaxBlockNumber` (src/include/storage/block.h).
const MAX_BLOCKS: f64 = 4_294_967_294.0;

impl Snapshot {
    /// The same tables with more rows (or fewer). A factor of 1 changes nothing.
    pub fn grown(&self, growth: &Growth) -> Snapshot {
        let relations = Relations::of(self);
        let mut grown = self.clone();
        for file in &mut grown.files {
            let factor = relations.factor(file.oid, growth);
            let table_factor = relations
                .table_of(file.oid)
                .map_or(factor, |table| relations.factor(table, growth));
            grow_file(file, table_factor);
        }
        for sample in &mut grown.samples {
            // Each sampled row stands for more rows.
            sample.is_whole &= (relations.factor(sample.relation, growth) - 1.0).abs() < 1e-9;
        }
        let tables: BTreeMap<_, _> = grown
            .files
            .iter()
            .map(|file| (file.oid, file.blocks))
            .collect();
        for file in &mut grown.files {
            // The range map covers the table's new size.
            let table_blocks = relations
                .table_of(file.oid)
                .and_then(|table| tables.get(&table))
                .copied();
            if let (
                Some(Metapage::Brin {
                    pages_per_range,
                    last_revmap_page: last,
                }),
                Some(blocks),
            ) = (&mut file.metapage, table_blocks)
            {
                *last = (*last).max(last_revmap_page(blocks, *pages_per_range));
            }
        }
        if let Some(classes) = grown
            .system_tables
            .iter_mut()
            .find(|table| table.name == "pg_class")
        {
            grow_classes(classes, &relations, growth);
        }
        columns::grow(&mut grown, self, &relations, growth);
        grown
    }
}

/// A file of the same kind with more pages; a relation without rows has none afterwards.
fn grow_file(file: &mut RelationFile, factor: f64) {
    let old = file.blocks;
    // The metapage does not grow.
    let fixed = if file.kind == "i" { old.min(1) } else { 0 };
    file.blocks = fixed + times(old - fixed, factor);
    let count = |number: u32| times(number.into(), factor).try_into().unwrap_or(u32::MAX);
    match &mut file.metapage {
        Some(Metapage::Btree { level }) => {
            *level = (*level + btree_level(file.blocks)).saturating_sub(btree_level(old));
        }
        // As the planner scales it if an index has grown since its last VACUUM (gincostestimate,
        // selfuncs.c).
        Some(Metapage::Gin {
            total_pages,
            entry_pages,
            data_pages,
            entries,
            ..
        }) => {
            for pages in [total_pages, entry_pages, data_pages] {
                *pages = count(*pages);
            }
            *entries = (*entries as f64 * factor).round() as i64;
        }
        Some(Metapage::Brin { .. } | Metapage::Spgist) | None => {}
    }
}

/// Blocks; a relation with blocks keeps at least one.
fn times(blocks: u64, factor: f64) -> u64 {
    match blocks {
        0 => 0,
        _ => (blocks as f64 * factor).round().clamp(1.0, MAX_BLOCKS) as u64,
    }
}

/// Columns of `pg_class` that count pages.
const PAGE_COUNTS: [&str; 3] = ["relpages", "relallvisible", "relallfrozen"];

fn grow_classes(classes: &mut SystemTable, relations: &Relations<'_>, growth: &Growth) {
    let Some(oid) = classes.position("oid") else {
        return;
    };
    let tuples = classes.position("reltuples");
    let pages: Vec<usize> = PAGE_COUNTS
        .iter()
        .filter_map(|name| classes.position(name))
        .collect();
    for row in &mut classes.rows {
        let Some(oid) = row.get(oid).and_then(|oid| oid.as_ref()?.parse().ok()) else {
            continue;
        };
        let factor = relations.factor_with_children(relations.table_of(oid).unwrap_or(oid), growth);
        if factor == 1.0 {
            continue;
        }
        if let Some(value) = tuples.and_then(|tuples| row.get_mut(tuples)) {
            *value = value.as_ref().map(|value| grown_tuples(value, factor));
        }
        for value in &pages {
            if let Some(value) = row.get_mut(*value) {
                *value = value.as_ref().map(|value| grown_pages(value, factor));
            }
        }
    }
}

/// `reltuples`; -1 means "never counted".
fn grown_tuples(text: &str, factor: f64) -> String {
    match text.parse::<f32>() {
        Ok(tuples) if tuples > 0.0 => {
            ((f64::from(tuples) * factor).round().max(1.0) as f32).to_string()
        }
        _ => text.to_owned(),
    }
}

/// A `BlockNumber`, which the catalog stores as a signed integer.
fn grown_pages(text: &str, factor: f64) -> String {
    match text.parse::<i32>() {
        Ok(pages) => (times((pages as u32).into(), factor) as u32 as i32).to_string(),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;

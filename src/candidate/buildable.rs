//! What the server would not build, whatever the idea.

use super::types::{plain, type_of_key};
use crate::catalog::{Catalog, Table};
use crate::index::{Index, Key, Method};

/// `INDEX_MAX_KEYS`, with the columns it only carries (src/include/pg_config_manual.h).
const MAX_COLUMNS: usize = 32;

/// A btree's rows are at most a third of a page, 2704 bytes (`BTMaxItemSize`, src/include/access/nbtree.h); values vary around
/// their average.
const WIDEST_BTREE_ROW_BYTES: u32 = 2_000;

pub(super) fn is_buildable(index: &Index, table: &Table, catalog: &Catalog) -> bool {
    let columns = index.keys.len() + index.include.len();
    let fits = index.method != Method::Btree || width(index, table) <= WIDEST_BTREE_ROW_BYTES;
    !index.keys.is_empty() && columns <= MAX_COLUMNS && fits && has_classes(index, table, catalog)
}

/// As far as the statistics know.
fn width(index: &Index, table: &Table) -> u32 {
    let of = |name: &str| {
        table
            .column(name)?
            .statistics
            .as_ref()
            .map(|statistics| statistics.average_width_bytes)
    };
    let keys = index.keys.iter().filter_map(|key| match &key.key {
        Key::Column(name) => of(name),
        Key::Expression(_) => None,
    });
    keys.chain(index.include.iter().filter_map(|name| of(name)))
        .fold(0, u32::saturating_add)
}

/// A key without a class of its own needs its type's default one. The catalog tells of the columns' types; others are let through.
fn has_classes(index: &Index, table: &Table, catalog: &Catalog) -> bool {
    index
        .keys
        .iter()
        .filter(|key| key.operator_class.is_none())
        .all(|key| {
            let Some(type_name) = type_of_key(&key.key, table) else {
                return true;
            };
            let asked_about = table
                .columns
                .iter()
                .any(|column| plain(&column.type_name) == type_name);
            let mut known = catalog
                .operator_classes
                .iter()
                .filter(|class| plain(&class.input_type) == type_name);
            catalog.operator_classes.is_empty()
                || !asked_about
                || known.any(|class| class.method == index.method && class.default)
        })
}

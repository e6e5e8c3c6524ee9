//! Limits of the server: indexes that it would refuse to build, whichever generator proposes them.

use super::expression_types::{plain, type_of_key};
use crate::catalog::{Catalog, Table};
use crate::index::{Index, Key, Method};

/// `INDEX_MAX_KEYS`, with the columns it only carries (src/include/pg_config_manual.h).
const MAX_COLUMNS: usize = 32;

/// A btree's rows are at most a third of a page, 2704 bytes (`BTMaxItemSize`,
/// src/include/access/nbtree.h); values vary around their average.
const MAX_BTREE_ROW_BYTES: u32 = 2_000;

pub(super) fn is_buildable(index: &Index, table: &Table, catalog: &Catalog) -> bool {
    let columns = index.keys.len() + index.include.len();
    let fits = index.method != Method::Btree || width(index, table) <= MAX_BTREE_ROW_BYTES;
    !index.keys.is_empty() && columns <= MAX_COLUMNS && fits && has_classes(index, table, catalog)
}

/// The average bytes of a row in the index, as far as there are statistics.
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

/// A key without a class of its own needs its type's default one. The catalog knows the classes of
/// the columns' types only; keys of other types pass.
fn has_classes(index: &Index, table: &Table, catalog: &Catalog) -> bool {
    index
        .keys
        .iter()
        .filter(|key| key.operator_class.is_none())
        .all(|key| {
            let Some(type_name) = type_of_key(&key.key, table) else {
                return true;
            };
            let is_known_type = table
                .columns
                .iter()
                .any(|column| plain(&column.type_name) == type_name);
            let mut known = catalog
                .operator_classes
                .iter()
                .filter(|class| plain(&class.input_type) == type_name);
            catalog.operator_classes.is_empty()
                || !is_known_type
                || known.any(|class| class.method == index.method && class.default)
        })
}

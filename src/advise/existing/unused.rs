//! Indexes that nothing has used: no scan since the server's statistics began or were reset, and no
//! plan of the workload.
//!
//! `idx_scan` also counts the planner's own reads of the ends of an index, so an index with no
//! scans was never read. One with a few scans may be unused too, but that cannot be determined.

use super::finding::{ExistingCause, ExistingFinding, SupportedForeignKey, Unused};
use super::observed::Observed;
use crate::catalog::{Catalog, ExistingIndex, ForeignKey, Table};
use crate::index::Key;

/// Said only when the counters cover `--unused-after`.
pub(super) fn finding(
    index: &ExistingIndex,
    table: &Table,
    observed: Observed<'_>,
) -> Option<ExistingFinding> {
    let counters = observed.catalog.server.counters.as_ref()?;
    let long_enough = counters.counted_for_s * 1_000.0 >= observed.unused_after.0;
    let unused = index.valid && index.scans == 0 && !observed.used.contains(&index.name.name);
    if !long_enough || !unused || !index.may_be_dropped() {
        return None;
    }
    let server = &observed.catalog.server;
    let unused = Unused {
        counters: counters.clone(),
        version_num: server.version_num,
        in_recovery: server.in_recovery,
        foreign_key: foreign_key(index, table, observed.catalog),
    };
    Some(ExistingFinding::new(index, ExistingCause::Unused(unused)))
}

/// A DELETE of the parent looks rows up by the foreign key's columns, perhaps once a year.
fn foreign_key(
    index: &ExistingIndex,
    table: &Table,
    catalog: &Catalog,
) -> Option<SupportedForeignKey> {
    let mut of_table = catalog
        .foreign_keys
        .iter()
        .filter(|key| key.table == table.name);
    let key = of_table.find(|key| supports(index, key))?;
    let another_index = table
        .indexes
        .iter()
        .any(|other| other.valid && other.name != index.name && supports(other, key));
    Some(SupportedForeignKey {
        name: key.name.clone(),
        table: table.name.clone(),
        parent: key.parent.clone(),
        another_index,
    })
}

/// Does the index begin with the foreign key's columns, in whatever order?
fn supports(index: &ExistingIndex, key: &ForeignKey) -> bool {
    let Some(known) = index
        .index
        .as_ref()
        .filter(|known| known.predicate.is_none())
    else {
        return false;
    };
    let leading = known.keys.iter().take(key.columns.len());
    known.keys.len() >= key.columns.len()
        && leading
            .into_iter()
            .all(|part| matches!(&part.key, Key::Column(name) if key.columns.contains(name)))
}

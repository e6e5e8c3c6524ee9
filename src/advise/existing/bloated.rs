//! Indexes that are mostly empty: btrees that are much larger than the same index freshly built, as
//! the planner twin estimates it.

use super::finding::{ExistingCause, ExistingFinding};
use super::observed::FreshSizes;
use crate::catalog::{Catalog, ExistingIndex};
use crate::index::{Method, NamedIndex};
use crate::model::Bytes;

/// An index with insertions in random order becomes 69 % full over time, instead of 90 % (Yao: "On
/// random 2-3 trees", 1978), and the estimate may be off by a quarter. Neither explains twice the
/// size.
const MUCH_LARGER: f64 = 2.0;

/// Minimum saving that is worth a REINDEX.
pub(super) const MIN_GAIN: Bytes = Bytes(4 * Bytes::MB);

/// The indexes that could be: btrees of some size. Those that enforce something, too: to rebuild is
/// not to drop.
pub(in crate::advise) fn candidates(catalog: &Catalog) -> Vec<NamedIndex> {
    let indexes = catalog
        .tables
        .iter()
        .filter(|table| table.rows.is_some())
        .flat_map(|table| &table.indexes);
    let worth_asking = |index: &&ExistingIndex| {
        let present = index.valid && !index.being_built && !index.partitioned;
        present && index.size >= MIN_GAIN
    };
    let known = indexes.filter(worth_asking).filter_map(|index| {
        let known = index
            .index
            .clone()
            .filter(|known| known.method == Method::Btree)?;
        Some(NamedIndex {
            name: index.name.name.clone(),
            definition: known,
        })
    });
    known.collect()
}

/// Said only by an estimate.
pub(super) fn finding(index: &ExistingIndex, fresh_sizes: &FreshSizes) -> Option<ExistingFinding> {
    let fresh = *fresh_sizes.get(&index.name)?;
    let gain = index.size.0.saturating_sub(fresh.0);
    if (index.size.0 as f64) < MUCH_LARGER * fresh.0 as f64 || gain < MIN_GAIN.0 {
        return None;
    }
    Some(ExistingFinding::new(
        index,
        ExistingCause::Bloated { rebuilt: fresh },
    ))
}

//! Which columns of an index keep an UPDATE from being HOT
//! (<https://www.postgresql.org/docs/current/storage-hot.html>).

use std::collections::BTreeSet;

use super::definition::{Index, Method};

/// From this version on an index that only summarises ranges (BRIN) does not keep an update of its
/// keys from being HOT.
const SUMMARISING_KEEPS_HOT: u32 = 160_000;

/// The columns whose change keeps an update from being HOT; none when an expression could not be
/// parsed.
pub(crate) fn columns_that_block_hot(index: &Index, version_num: u32) -> Option<BTreeSet<String>> {
    let summarises = index.method == Method::Brin && version_num >= SUMMARISING_KEEPS_HOT;
    let mut columns: BTreeSet<String> = BTreeSet::new();
    if !summarises {
        columns.extend(index.include.iter().cloned());
        for key in &index.keys {
            columns.extend(key.key.columns()?);
        }
    }
    if let Some(predicate) = &index.predicate {
        columns.extend(predicate.known_columns()?.iter().cloned());
    }
    Some(columns)
}

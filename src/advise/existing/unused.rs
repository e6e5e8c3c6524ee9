//! Indexes that nothing has used: no scan since the server's statistics began or were reset, and no
//! plan of the workload.
//!
//! `idx_scan` also counts the planner's own reads of the ends of an index, so an index with no
//! scans was never read. One with a few scans may be unused too, but that cannot be determined.

use super::finding::{ExistingFinding, ExistingKind};
use super::observed::Observed;
use crate::catalog::{Catalog, Counters, ExistingIndex, ForeignKey, Table};
use crate::index::Key;
use crate::model::period::period;

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
    let detail = [
        Some(since(counters, observed.catalog.server.version_num)),
        foreign_key(index, table, observed.catalog),
        Some(elsewhere(counters, observed.catalog)),
    ];
    let detail = detail.into_iter().flatten().collect::<Vec<_>>().join("; ");
    let finding = ExistingFinding::of(index, ExistingKind::Unused, detail);
    Some(ExistingFinding {
        unused_since: Some(counters.since.clone()),
        ..finding
    })
}

/// Until 14 `stats_reset` is also the time at which a database's statistics began.
fn since(counters: &Counters, version_num: u32) -> String {
    let Counters {
        since,
        counted_for_s,
        was_reset,
        ..
    } = counters;
    let event = match (version_num, was_reset) {
        (..150_000, true) => "the statistics began or were reset",
        (_, true) => "the statistics were reset",
        (_, false) => "the server's statistics began",
    };
    format!(
        "not scanned once since {event} at {since}, {} ago (or since it was created, if that was later: PostgreSQL does not keep when), \
         and no plan of this workload uses it",
        period(*counted_for_s)
    )
}

/// Every server counts for itself.
fn elsewhere(counters: &Counters, catalog: &Catalog) -> String {
    if catalog.server.in_recovery {
        return "this is a standby: what the primary and other standbys use is counted there"
            .to_owned();
    }
    match counters.standbys {
        0 => "standbys count for themselves: if there are any, look there before dropping it"
            .to_owned(),
        1 => "a standby is connected, which counts for itself: look there before dropping it"
            .to_owned(),
        many => format!(
            "{many} standbys are connected, which count for themselves: look there before dropping it"
        ),
    }
}

/// A DELETE of the parent looks rows up by the foreign key's columns, perhaps once a year.
fn foreign_key(index: &ExistingIndex, table: &Table, catalog: &Catalog) -> Option<String> {
    let of_table = catalog
        .foreign_keys
        .iter()
        .filter(|key| key.table == table.name);
    let key = of_table.into_iter().find(|key| supports(index, key))?;
    let also = table
        .indexes
        .iter()
        .any(|other| other.valid && other.name != index.name && supports(other, key));
    let (name, parent) = (&key.name, &key.parent);
    Some(if also {
        format!("it supports the foreign key {name} to {parent}, as another index does")
    } else {
        format!(
            "it is the only index for the foreign key {name}: without it, each DELETE from {parent} or change of its key reads all of {}",
            table.name
        )
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

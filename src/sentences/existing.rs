//! The sentences of findings about existing indexes.

use crate::advise::{ExistingCause, ExistingFinding, Fix, SupportedForeignKey, Unused};
use crate::catalog::Counters;
use crate::model::Bytes;
use crate::model::period::period;

/// What is wrong with an existing index, in a sentence or two.
pub fn existing_index(finding: &ExistingFinding) -> String {
    let cause = match &finding.cause {
        ExistingCause::Duplicate { of } => format!("the same as {of}"),
        ExistingCause::Prefix { of } => format!("its columns are the first of {of}"),
        ExistingCause::Equivalent { of } => format!(
            "{of} has the same columns, in the other direction or carried in another order, and does the same"
        ),
        ExistingCause::Replaced { by, recommendation } => format!(
            "{recommendation} ({by}) replaces it: in the planner twin, no statement gets worse without it once that index exists"
        ),
        ExistingCause::Invalid { enforces } => invalid(*enforces),
        ExistingCause::Unused(unused) => not_used(unused),
        ExistingCause::Bloated { rebuilt } => bloated(finding.size, *rebuilt),
    };
    if finding.clustered && finding.fix() == Fix::Drop {
        return format!(
            "{cause}; the table is clustered on it: without it, CLUSTER needs the name of another index"
        );
    }
    cause
}

fn invalid(enforces: bool) -> String {
    let completed = if enforces {
        "; it is unique, so it is completed rather than dropped (remove duplicate rows first)"
    } else {
        ""
    };
    format!(
        "left behind by a CREATE INDEX CONCURRENTLY that failed: it is kept up to date and never used{completed}"
    )
}

fn bloated(size: Bytes, rebuilt: Bytes) -> String {
    let factor = size.0 as f64 / rebuilt.0.max(1) as f64;
    format!(
        "{factor:.1} × as large as necessary: rebuilt, it would take about {rebuilt} (estimated by the planner twin from the table's statistics)"
    )
}

fn not_used(unused: &Unused) -> String {
    let parts = [
        Some(since(&unused.counters, unused.version_num)),
        unused.foreign_key.as_ref().map(foreign_key),
        Some(other_servers(unused)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

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

fn foreign_key(key: &SupportedForeignKey) -> String {
    let SupportedForeignKey {
        name,
        table,
        parent,
        another_index,
    } = key;
    if *another_index {
        format!("it supports the foreign key {name} to {parent}, as another index does")
    } else {
        format!(
            "it is the only index for the foreign key {name}: without it, each DELETE from {parent} or change of its key reads all of {table}"
        )
    }
}

/// Every server counts for itself.
fn other_servers(unused: &Unused) -> String {
    if unused.in_recovery {
        return "this is a standby: what the primary and other standbys use is counted there"
            .to_owned();
    }
    match unused.counters.standbys {
        0 => "each standby counts its own scans: if there are any, look there before dropping it"
            .to_owned(),
        1 => "a standby is connected, which counts its own scans: look there before dropping it"
            .to_owned(),
        many => format!(
            "{many} standbys are connected, which count their own scans: look there before dropping it"
        ),
    }
}

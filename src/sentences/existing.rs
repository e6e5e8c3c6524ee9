//! The sentences of findings about existing indexes.

use crate::advise::{
    Bound, CheckedTables, ExistingCause, ExistingFinding, Fix, Incomplete, LeftBy,
    SupportedForeignKey, Unused,
};
use crate::catalog::{Counters, Stage};
use crate::model::period::period;
use crate::model::{Bytes, QualifiedName};

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
        ExistingCause::Invalid {
            enforces,
            left_by,
            stage,
        } => invalid(*enforces, left_by, *stage),
        ExistingCause::Unattached {
            partitions,
            invalid,
            incomplete,
        } => unattached(partitions, invalid, incomplete),
        ExistingCause::BeingBuilt => {
            "another session is building it with CONCURRENTLY: this advice is made without it, and nothing that it would do is recommended again; \
             once it is valid, advise again"
                .to_owned()
        }
        ExistingCause::Unused(unused) => not_used(unused),
        ExistingCause::Bloated { rebuilt } => bloated(finding.size, *rebuilt),
    };
    let cause = match &finding.bound {
        Some(bound) => format!("{cause}; {}", by_hand(bound, &finding.index)),
        None => cause,
    };
    if finding.clustered && finding.fix() == Some(Fix::Drop) {
        return format!(
            "{cause}; the table is clustered on it: without it, CLUSTER needs the name of another index"
        );
    }
    cause
}

/// Why there is no DDL that runs as it is, and what removes the index all the same.
fn by_hand(bound: &Bound, index: &QualifiedName) -> String {
    let sql = bound.by_hand(index).unwrap_or_default();
    match bound {
        Bound::Constraint {
            name, referenced, ..
        } => {
            let first = if *referenced {
                "foreign keys refer to it, and would have to be dropped first; "
            } else {
                ""
            };
            format!(
                "it belongs to the constraint {name}, so it is not dropped by itself: {first}{sql} removes both, takes an ACCESS EXCLUSIVE lock \
                 for a moment, and ON CONFLICT ON CONSTRAINT {name} fails from then on"
            )
        }
        Bound::Referenced => {
            "a foreign key refers to it, so that it cannot be dropped; the foreign key would have to be created again first".to_owned()
        }
        Bound::Partitioned { table } => format!(
            "an index of a partitioned table cannot be dropped with CONCURRENTLY: {sql} locks {table} and all its partitions (ACCESS EXCLUSIVE) \
             for a moment, so set lock_timeout first"
        ),
    }
}

fn invalid(enforces: bool, left_by: &LeftBy, stage: Stage) -> String {
    let cost = match stage {
        Stage::Ready => "it is kept up to date by each write and never used",
        Stage::NotReady => {
            "it is never used, and writes make no entries in it yet, but no update of its columns can be HOT"
        }
        Stage::Dead => "nothing uses it any more, and it only takes room",
    };
    let left = match left_by {
        LeftBy::Build if stage == Stage::Dead => {
            "left behind by a DROP INDEX CONCURRENTLY that failed".to_owned()
        }
        LeftBy::Build => "left behind by a CREATE INDEX CONCURRENTLY that failed, or a DROP INDEX CONCURRENTLY that was stopped".to_owned(),
        LeftBy::Rebuild(of) => format!(
            "the new version of {of}, left behind by a REINDEX CONCURRENTLY that failed"
        ),
        LeftBy::Replaced(by) => format!(
            "the old version of {by}, left behind by a REINDEX CONCURRENTLY that rebuilt it and could not drop this one"
        ),
    };
    let then = match (left_by, enforces, stage) {
        (_, true, Stage::Ready) => "; it is unique, and refuses duplicates all the same, so it is completed rather than dropped (remove duplicate rows first)".to_owned(),
        (_, true, _) => "; it is unique, so it is completed rather than dropped (remove duplicate rows first)".to_owned(),
        (LeftBy::Rebuild(of), ..) => format!("; drop it, then REINDEX INDEX CONCURRENTLY {of} again"),
        _ => String::new(),
    };
    format!("{left}: {cost}{then}")
}

/// Names are listed up to this number.
const MAX_NAMES: usize = 5;

fn unattached(
    partitions: &[QualifiedName],
    invalid: &[QualifiedName],
    incomplete: &Incomplete,
) -> String {
    let list = |names: &[QualifiedName]| {
        let mut shown: Vec<String> = names
            .iter()
            .take(MAX_NAMES)
            .map(ToString::to_string)
            .collect();
        if names.len() > MAX_NAMES {
            shown.push(format!("{} more", names.len() - MAX_NAMES));
        }
        shown.join(", ")
    };
    let mut lacks = Vec::new();
    match partitions {
        [] => {}
        [one] => lacks.push(format!("{one} has no index that is attached to it")),
        some => lacks.push(format!(
            "{} partitions have no index that is attached to it ({})",
            some.len(),
            list(some)
        )),
    }
    match invalid {
        [] => {}
        [one] => lacks.push(format!("its part {one} is not valid")),
        some => lacks.push(format!("its parts {} are not valid", list(some))),
    }
    let then = match incomplete {
        Incomplete::Steps(_) if invalid.is_empty() => {
            "the index becomes valid with the last ATTACH PARTITION, which locks only the index of the partition for a moment"
        }
        Incomplete::Steps(_) => {
            "the index becomes valid with an ATTACH PARTITION after all parts are valid; where none is left to attach, it has to be created again"
        }
        Incomplete::Foreign => {
            "one of them is a foreign table, which can have no index, so it can never become valid: drop it, and create it without ONLY, which leaves foreign tables out and blocks writers during the build"
        }
        Incomplete::Constraint => {
            "it belongs to a constraint: each of them needs the same constraint (ALTER TABLE … ADD CONSTRAINT … USING INDEX, with a unique index \
             that was built with CONCURRENTLY) before its index can be attached"
        }
        Incomplete::Unknown => "attach an index of the same definition for each",
    };
    format!(
        "an index of a partitioned table that is not valid: {}; statements use the indexes of the other \
         partitions all the same, but what needs it whole, such as ON CONFLICT or a foreign key, cannot use it; {then}",
        lacks.join(", and ")
    )
}

/// Whose indexes were checked.
pub fn checked_tables(checked: &CheckedTables) -> String {
    let count = |number: usize, one: &str| {
        let plural = if one == "index" {
            "indexes".to_owned()
        } else {
            format!("{one}s")
        };
        format!("{number} {}", if number == 1 { one } else { &plural })
    };
    let (indexes, tables) = (
        count(checked.indexes, "index"),
        count(checked.tables.len(), "table"),
    );
    if !checked.all {
        return format!(
            "Checked {indexes} of the workload's {tables} (--all-tables: those of every table)."
        );
    }
    let locked = match checked.locked.len() {
        0 => String::new(),
        locked => format!(
            " {} not checked, because another session has locked {}.",
            if locked == 1 {
                "1 table was".to_owned()
            } else {
                format!("{locked} tables were")
            },
            if locked == 1 { "it" } else { "them" }
        ),
    };
    format!("Checked {indexes} of all {tables} of the database.{locked}")
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
    let counted = unused.counters.standbys_counted;
    if counted > 0 {
        let servers = match counted {
            1 => "the given standby has".to_owned(),
            many => format!("the {many} given standbys have"),
        };
        let others = if unused.counters.standbys > counted {
            "; others are connected, which count their own scans"
        } else {
            ""
        };
        return format!("what {servers} scanned is counted, too{others}");
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

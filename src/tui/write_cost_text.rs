//! The write cost of an index, in a column and in sentences.

use crate::catalog::entries_written::EntriesWritten;
use crate::model::period::period;
use crate::model::printable;
use crate::tui::cells::{count, short_number};
use crate::tui::session_data::Writers;

/// Shorter than this, a rate per day would be a guess.
const DAY_S: f64 = 86_400.0;

/// `150 k/d`, `≤150 k/d`, or without a rate if it was counted for less than a day or for an unknown
/// time.
pub fn short(upkeep: &EntriesWritten) -> String {
    let bound = if upkeep.min == upkeep.max { "" } else { "≤" };
    let (number, per_day) = match days(upkeep) {
        Some(days) => (upkeep.max as f64 / days, "/d"),
        None => (upkeep.max as f64, ""),
    };
    format!("{bound}{}{per_day}", short_number(number))
}

/// What was counted, how much of it this index would add, and what the index changes for updates.
pub fn sentences(upkeep: &EntriesWritten, partial: bool) -> String {
    let writes = &upkeep.writes;
    let number = |rows: u64| short_number(rows as f64);
    let (inserted, updated, deleted) = (
        number(writes.n_tup_ins),
        number(writes.n_tup_upd),
        number(writes.n_tup_del),
    );
    let hot = match writes.n_tup_upd {
        0 => String::new(),
        all => format!(
            " ({:.0}% HOT)",
            writes.n_tup_hot_upd as f64 / all as f64 * 100.0
        ),
    };
    let since = match writes.counted_for_s {
        Some(seconds) => format!("in the {} since its statistics were reset", period(seconds)),
        None => "counted by the server since an unknown time".to_owned(),
    };
    let entries = if upkeep.min == upkeep.max {
        number(upkeep.max)
    } else if partial {
        format!(
            "at most {} (those that satisfy its predicate)",
            number(upkeep.max)
        )
    } else {
        format!("{} to {}", number(upkeep.min), number(upkeep.max))
    };
    let rate = days(upkeep).map_or_else(String::new, |days| {
        let most = if upkeep.min == upkeep.max {
            ""
        } else {
            "at most "
        };
        format!(": {most}{} a day", short_number(upkeep.max as f64 / days))
    });
    let mut text = format!(
        "Writes to the table {since}: {inserted} rows inserted, {updated} updated{hot}, {deleted} deleted. \
         Of these, {entries} would have added an entry to this index{rate}."
    );
    match &upkeep.newly_indexed {
        Some(columns) if columns.is_empty() => text += " HOT updates stay HOT.",
        Some(columns) => {
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            text += &format!(
                " With this index an update of {} cannot be HOT.",
                printable(&columns.join(" or "))
            );
        }
        None => {}
    }
    text
}

/// Which statements of the workload maintain the index; empty if none writes to the table.
pub fn workload_sentence(writers: Writers) -> Option<String> {
    let Writers { statements, calls } = writers;
    let verb = if statements == 1 {
        "inserts or updates"
    } else {
        "insert or update"
    };
    let statements = (statements > 0).then(|| count(statements, "statement", "statements"))?;
    Some(format!(
        "In the workload, {statements} ({} calls) {verb} rows of the table.",
        short_number(calls)
    ))
}

fn days(upkeep: &EntriesWritten) -> Option<f64> {
    upkeep
        .writes
        .counted_for_s
        .map(|seconds| seconds / DAY_S)
        .filter(|days| *days >= 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Writes;

    fn upkeep(
        min: u64,
        max: u64,
        counted_for_s: Option<f64>,
        newly_indexed: &[&str],
    ) -> EntriesWritten {
        let writes = Writes {
            n_tup_ins: 100,
            n_tup_upd: 50,
            n_tup_hot_upd: 40,
            n_tup_del: 7,
            counted_for_s,
            by_functions: None,
        };
        let newly_indexed = newly_indexed
            .iter()
            .map(|column| (*column).to_owned())
            .collect();
        EntriesWritten {
            writes,
            min,
            max,
            newly_indexed: Some(newly_indexed),
        }
    }

    #[test]
    fn a_rate_is_given_only_where_it_is_known() {
        assert_eq!(short(&upkeep(110, 110, Some(2.0 * DAY_S), &[])), "55/d");
        assert_eq!(short(&upkeep(110, 150, Some(3_600.0), &[])), "≤150");
        assert_eq!(short(&upkeep(0, 150, None, &[])), "≤150");
    }

    #[test]
    fn what_is_said_is_what_was_counted() {
        assert_eq!(
            sentences(&upkeep(110, 150, Some(2.0 * DAY_S), &["state"]), false),
            "Writes to the table in the 2 days since its statistics were reset: 100 rows inserted, 50 updated (80% HOT), \
             7 deleted. Of these, 110 to 150 would have added an entry to this index: at most 75 a day. With this index an update of \
             state cannot be HOT."
        );
        let partial = sentences(&upkeep(0, 110, None, &[]), true);
        assert!(
            partial.contains("since an unknown time: 100 rows"),
            "{partial}"
        );
        assert!(partial.ends_with("at most 110 (those that satisfy its predicate) would have added an entry to this index. HOT updates stay HOT."), "{partial}");
        assert_eq!(
            workload_sentence(Writers {
                statements: 0,
                calls: 0.0
            }),
            None
        );
    }
}

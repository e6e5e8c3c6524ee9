//! How long a statement of a migration takes on the server, from the sizes of its tables.
//!
//! What a row and a byte cost was measured on PostgreSQL 15 with tables of 0.2 to 3 million rows that were in memory
//! (`benches/durations.sh` measures it again). The range is from half of that to four times as much, for
//! other machines and what the text of a statement does not tell (types of keys, how the rows are
//! ordered, triggers). Random keys and foreign keys between them may take ten times as long. What is certainly not in memory is read and written at the speed of a slow disk, at worst.

use super::migration::{StepOutcome, StepStatus, TableSize};
use crate::model::{Millis, QualifiedName};
use crate::sql::fingerprint::identifiers;
use crate::sql::leading_words;

/// From the shortest to the longest.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct DurationRange {
    /// Half of what was measured.
    pub low: Millis,
    /// Four times as much, and a slow disk where tables are large.
    pub high: Millis,
}

/// What nobody notices.
const SHORT: Millis = Millis(100.0);

impl DurationRange {
    /// Does nobody notice that, on any machine?
    pub fn is_short(self) -> bool {
        self.high < SHORT
    }
}

/// What work costs for each row and each byte, in nanoseconds.
#[derive(Debug, Clone, Copy)]
struct Speed {
    row: f64,
    byte: f64,
    /// The same for each byte that a slow disk reads or writes.
    disk_byte: f64,
}

const SCAN: Speed = Speed {
    row: 25.0,
    byte: 0.2,
    disk_byte: 5.0,
};
/// Rows are looked up in another table, by a join of both.
const FOREIGN_KEY: Speed = Speed { row: 110.0, ..SCAN };
/// The rows of a query are written to a new table.
const QUERY: Speed = Speed { row: 500.0, ..SCAN };
const REWRITE: Speed = Speed {
    row: 200.0,
    byte: 1.7,
    disk_byte: 16.0,
};
/// A btree; a row whose key is text costs twice as much as one whose key is a number.
const BUILD: Speed = Speed { row: 450.0, ..SCAN };
/// Other access methods. What GIN and GiST cost depends on the values most.
const BUILDS: [(&str, Speed); 5] = [
    ("brin", Speed { row: 100.0, ..SCAN }),
    (
        "hash",
        Speed {
            row: 1_500.0,
            ..SCAN
        },
    ),
    (
        "spgist",
        Speed {
            row: 2_000.0,
            ..SCAN
        },
    ),
    (
        "gin",
        Speed {
            row: 4_500.0,
            ..SCAN
        },
    ),
    (
        "gist",
        Speed {
            row: 5_000.0,
            ..SCAN
        },
    ),
];
/// Rows that are written one by one; an UPDATE writes the entries of all indexes, too, and a DELETE none.
const UPDATE: f64 = 5_000.0;
const INSERT: f64 = 2_500.0;
const DELETE: f64 = 400.0;

/// What changes only the catalogs takes about as long anywhere, in milliseconds.
const CATALOG_ONLY: [f64; 2] = [1.0, 20.0];

/// Of a larger table, the rest is not in memory.
const IN_MEMORY_BYTES: f64 = 4.0 * 1024.0 * 1024.0 * 1024.0;

const NANOSECONDS: f64 = 1e-6;

impl Speed {
    fn of(self, size: TableSize) -> [f64; 2] {
        let bytes = size.size.0 as f64;
        let on_disk = (bytes - IN_MEMORY_BYTES).max(0.0) * self.disk_byte;
        let [low, high] = range(size.rows.max(0.0) * self.row + bytes * self.byte);
        [low, high + on_disk * NANOSECONDS]
    }
}

/// From half to four times so many nanoseconds, in milliseconds.
fn range(nanoseconds: f64) -> [f64; 2] {
    [0.5, 4.0].map(|share| share * nanoseconds * NANOSECONDS)
}

/// The speed of building an index of the access method that the statement names.
fn build(sql: &str) -> Speed {
    let words = identifiers(sql);
    let names = |(method, _): &&(&str, Speed)| words.contains(*method);
    let is_create = leading_words(sql, 1) == ["create"] && words.contains("using");
    let named = BUILDS.iter().find(names).filter(|_| is_create);
    named.map_or(BUILD, |(_, speed)| *speed)
}

/// What a statement on rows costs for each.
fn written(sql: &str) -> f64 {
    let words = identifiers(sql);
    if words.contains("update") {
        UPDATE
    } else if words.contains("delete") && !words.contains("insert") {
        DELETE
    } else {
        INSERT
    }
}

/// How long a statement takes; none for one that did not run.
pub fn estimate(
    step: &StepOutcome,
    size: impl Fn(&QualifiedName) -> Option<TableSize>,
) -> Option<DurationRange> {
    let sql = step.step.sql.as_str();
    let mut sum = match &step.status {
        StepStatus::Done => CATALOG_ONLY,
        StepStatus::Planned { rows } => range(rows.max(0.0) * written(sql)),
        _ => return None,
    };
    let words = leading_words(sql, 2);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if words.first() == Some(&"truncate") {
        // New files with nothing in them.
        return Some(of(sum));
    }
    let scan = match words.as_slice() {
        ["create" | "refresh", "table" | "materialized" | "unlogged"] => QUERY,
        // A constraint that reads two tables is a foreign key.
        _ if step.scans.len() > 1 => FOREIGN_KEY,
        _ => SCAN,
    };
    let parts = [
        (&step.scans, scan),
        (&step.rewrites, REWRITE),
        (&step.builds, build(sql)),
    ];
    for (tables, speed) in parts {
        for size in tables.iter().filter_map(&size) {
            for (total, part) in sum.iter_mut().zip(speed.of(size)) {
                *total += part;
            }
        }
    }
    Some(of(sum))
}

fn of([low, high]: [f64; 2]) -> DurationRange {
    DurationRange {
        low: Millis(low),
        high: Millis(high),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::script::steps;
    use crate::model::Bytes;

    #[test]
    fn a_rewrite_takes_as_long_as_its_table_is_large() {
        let step = &steps("m.sql", "ALTER TABLE t ALTER a TYPE bigint")[0];
        let table = QualifiedName::new("public", "t");
        let mut outcome = StepOutcome::new(step, StepStatus::Done);
        let of = |outcome: &StepOutcome, rows: f64| {
            let size = TableSize {
                rows,
                size: Bytes(rows as u64 * 100),
            };
            estimate(outcome, |_| Some(size)).unwrap()
        };
        assert!(of(&outcome, 1e9).high.0 <= 20.0);
        outcome.rewrites = vec![table.clone()];
        outcome.builds = vec![table];
        let small = of(&outcome, 1e6);
        let large = of(&outcome, 1e8);
        assert!(small.low < small.high);
        assert!(large.low.0 > 50.0 * small.low.0);
        let huge = of(&outcome, 1e9);
        assert!(huge.high.0 > 5.0 * huge.low.0, "a slow disk: {huge:?}");
        outcome.status = StepStatus::NotReached;
        assert_eq!(estimate(&outcome, |_| None), None);
    }
}

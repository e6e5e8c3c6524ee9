//! How long a statement of a migration takes on the server, from the sizes of its tables.
//!
//! The speeds are a range: of a fast machine with everything in memory, and of a slow one with a busy
//! disk. Between them is what was measured on PostgreSQL 15 with 2 million rows of 120 bytes, by the time
//! of the processor: a CHECK constraint reads 16 million rows a second, a foreign key 0.4 million, a
//! btree gets 3.7 (in order) to 1.1 million (text) entries a second, ALTER TABLE writes 1.0 million rows
//! anew (0.55 million with `gen_random_uuid()`), UPDATE 0.2 million.

use super::migration::{StepOutcome, StepStatus, TableSize};
use crate::model::{Millis, QualifiedName};

/// From the shortest to the longest.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct DurationRange {
    /// On a fast machine with everything in memory.
    pub low: Millis,
    /// On a slow one.
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

/// Rows a second, and bytes a second from the disk; the faster and the slower machine.
struct Speed {
    rows: [f64; 2],
    bytes: [f64; 2],
}

const SCAN: Speed = Speed {
    rows: [2.0e7, 4.0e6],
    bytes: [3.0e9, 2.0e8],
};
/// Rows are looked up in another table.
const FOREIGN_KEY: Speed = Speed {
    rows: [1.2e6, 2.0e5],
    bytes: [3.0e9, 2.0e8],
};
const REWRITE: Speed = Speed {
    rows: [1.5e6, 4.0e5],
    bytes: [6.0e8, 6.0e7],
};
const BUILD: Speed = Speed {
    rows: [3.5e6, 5.0e5],
    bytes: [3.0e9, 2.0e8],
};
const WRITE_ROWS: Speed = Speed {
    rows: [4.0e5, 5.0e4],
    bytes: [f64::INFINITY, f64::INFINITY],
};

/// What changes only the catalogs takes about as long anywhere, in milliseconds.
const CATALOG_ONLY: [f64; 2] = [1.0, 20.0];

impl Speed {
    fn of(&self, size: TableSize) -> [f64; 2] {
        [0, 1].map(|machine| {
            let rows = size.rows.max(0.0) / self.rows[machine];
            let bytes = size.size.0 as f64 / self.bytes[machine];
            1000.0 * rows.max(bytes)
        })
    }
}

/// How long a statement takes; none for one that did not run.
pub fn estimate(
    step: &StepOutcome,
    size: impl Fn(&QualifiedName) -> Option<TableSize>,
) -> Option<DurationRange> {
    let mut sum = match &step.status {
        StepStatus::Done => CATALOG_ONLY,
        StepStatus::Planned { rows } => {
            let written = TableSize {
                rows: *rows,
                ..TableSize::default()
            };
            WRITE_ROWS.of(written)
        }
        _ => return None,
    };
    // A constraint that reads two tables is a foreign key.
    let scan = if step.scans.len() > 1 {
        &FOREIGN_KEY
    } else {
        &SCAN
    };
    let parts = [
        (&step.scans, scan),
        (&step.rewrites, &REWRITE),
        (&step.builds, &BUILD),
    ];
    for (tables, speed) in parts {
        for size in tables.iter().filter_map(&size) {
            for (total, part) in sum.iter_mut().zip(speed.of(size)) {
                *total += part;
            }
        }
    }
    Some(DurationRange {
        low: Millis(sum[0]),
        high: Millis(sum[1]),
    })
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
        outcome.status = StepStatus::NotReached;
        assert_eq!(estimate(&outcome, |_| None), None);
    }
}

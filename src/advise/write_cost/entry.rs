//! What one more row costs in an index, in planner units.
//!
//! PostgreSQL's planner prices no index maintenance. Three parts of the price of an entry:
//! 1. The way down, as the planner prices it: 50 × `cpu_operator_cost` for each level
//!    (src/backend/utils/adt/selfuncs.c, `btcostestimate`).
//! 2. The leaf, which has to be there and to be written again: a quarter of a random page where
//!    each entry hits another leaf. Between two checkpoints a small index has its few leaves
//!    written once, however many entries they get.
//! 3. The room it takes: pages that are written for good, 69 % full.
//!
//! What access methods do besides:
//! - GIN makes an entry for each key of a row. They go to a pending list first (`fastupdate`), which
//!   is read again, sorted, and put in the tree when it is full (src/backend/access/gin/ginfast.c,
//!   README, "Fast-Update"). So each key is handled three times as a tuple and compared on its way
//!   into the accumulator's tree (ginbulk.c), and only what is new in the list goes down the index.
//! - GiST looks at all entries of an inner page to choose one (gistutil.c, `gistchoose`); one over
//!   signatures also hashes each key.
//! - Hash goes to its bucket at once: the planner prices no way down either (`hashcostestimate`).
//! - BRIN looks at the summary of the row's range, in two tuples, and leaves it as it is
//!   (brin.c, `brininsert`).

use std::collections::BTreeMap;

use super::items::{self, Items};
use crate::catalog::Table;
use crate::index::{Index, Method};
use crate::model::Bytes;

const PAGE_BYTES: f64 = 8192.0;
/// Downlinks of a page, roughly.
const DOWNLINKS: f64 = 200.0;
/// Three of four leaves are taken to be in memory.
const LEAVES_READ: f64 = 0.25;
/// Entries between two checkpoints, spread over the leaves.
const ENTRIES_TOGETHER: f64 = 10_000.0;
/// How full pages are that are filled in no order (Yao: "On random 2-3 trees", 1978).
const FILLED: f64 = 0.69;
/// Operators that the planner counts for a page on the way down.
const PAGE_OPERATORS: f64 = 50.0;
/// `gin_pending_list_limit` by default.
const PENDING_LIST_BYTES: f64 = 4.0 * 1024.0 * 1024.0;
/// A key in the pending list: a tuple of its own, with the row's address.
const PENDING_KEY_BYTES: f64 = 24.0;
/// A key is put in the list, taken from it, and put in a list of rows.
const TUPLES_OF_A_KEY: f64 = 3.0;
/// A row in a list or tree of the rows that have a key, compressed.
const POSTING_BYTES: f64 = 4.0;
/// A distinct key in a tree whose pages are half full.
const GIN_ENTRY_BYTES: f64 = 75.0;
/// Comparing two texts against comparing two numbers: a call with two pointers, and their bytes.
const TEXT_COMPARISONS: f64 = 2.0;

/// The settings that prices are made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Prices {
    cpu_operator_cost: f64,
    cpu_tuple_cost: f64,
    random_page_cost: f64,
    seq_page_cost: f64,
}

impl Prices {
    /// As they are set; where that is not known, the defaults.
    pub(super) fn of(settings: &BTreeMap<String, String>) -> Prices {
        let setting = |name: &str, default: f64| {
            settings
                .get(name)
                .and_then(|text| text.parse().ok())
                .unwrap_or(default)
        };
        Prices {
            cpu_operator_cost: setting("cpu_operator_cost", 0.0025),
            cpu_tuple_cost: setting("cpu_tuple_cost", 0.01),
            random_page_cost: setting("random_page_cost", 4.0),
            seq_page_cost: setting("seq_page_cost", 1.0),
        }
    }

    /// One more row in an index of this size over so many rows.
    pub(super) fn row(self, index: &Index, table: &Table, size: Bytes, rows: f64) -> f64 {
        let items = items::of_index(index, table);
        match (&index.method, items) {
            (Method::Gin, Some(items)) => self.row_of_keys(items, size, rows),
            (Method::Gist, items) => {
                let hashed = items.map_or(0.0, |items| self.key(items, size));
                self.entry(size, rows) + self.choices(size, rows) + hashed
            }
            (Method::Brin, _) => {
                let columns = index.keys.len() as f64;
                2.0 * (self.cpu_tuple_cost + columns * self.cpu_operator_cost)
            }
            (Method::Hash, _) => {
                self.page() + self.leaf(size, ENTRIES_TOGETHER) + self.room(size, rows)
            }
            _ => self.entry(size, rows),
        }
    }

    /// One more entry in an index of this size over so many rows.
    pub(super) fn entry(self, size: Bytes, rows: f64) -> f64 {
        self.descent(size) + self.leaf(size, ENTRIES_TOGETHER) + self.room(size, rows)
    }

    fn descent(self, size: Bytes) -> f64 {
        (levels(size) + 1.0) * self.page()
    }

    /// A page that is searched.
    fn page(self) -> f64 {
        PAGE_OPERATORS * self.cpu_operator_cost
    }

    /// The leaf of one of so many entries that are made together.
    fn leaf(self, size: Bytes, together: f64) -> f64 {
        let pages = pages(size);
        let other_leaves = pages / together * (1.0 - (-together / pages).exp());
        LEAVES_READ * self.random_page_cost * other_leaves
    }

    fn room(self, size: Bytes, rows: f64) -> f64 {
        let width = if rows >= 1.0 {
            size.0 as f64 / rows
        } else {
            0.0
        };
        self.seq_page_cost * (width / (PAGE_BYTES * FILLED)).min(1.0)
    }

    /// The keys of one more row in GIN.
    fn row_of_keys(self, items: Items, size: Bytes, rows: f64) -> f64 {
        let keys = items.number;
        let list = self.seq_page_cost * 2.0 * keys * PENDING_KEY_BYTES / PAGE_BYTES;
        let new = new_keys(items, size, rows);
        let rows_together = PENDING_LIST_BYTES / (keys * PENDING_KEY_BYTES);
        let together = (rows_together * new).max(1.0);
        let down = new * (self.descent(size) + self.leaf(size, together));
        self.key(items, size) + list + down + self.room(size, rows)
    }

    /// All keys of a row, as tuples and in comparisons with those before them.
    fn key(self, items: Items, size: Bytes) -> f64 {
        let distinct = (PENDING_LIST_BYTES / PENDING_KEY_BYTES)
            .min(size.0 as f64 / GIN_ENTRY_BYTES)
            .max(2.0);
        let comparisons = distinct.log2() + items.number.max(2.0).log2();
        let kind = if items.are_texts {
            TEXT_COMPARISONS
        } else {
            1.0
        };
        let each =
            TUPLES_OF_A_KEY * self.cpu_tuple_cost + comparisons * kind * self.cpu_operator_cost;
        items.number * each
    }

    /// The penalties of all entries of the inner pages on the way down.
    fn choices(self, size: Bytes, rows: f64) -> f64 {
        let width = size.0 as f64 / rows.max(1.0);
        let entries = (PAGE_BYTES * FILLED / width.max(16.0)).max(1.0);
        let inner = if entries > 1.0 {
            (pages(size).ln() / entries.max(2.0).ln()).ceil()
        } else {
            levels(size)
        };
        inner * entries * self.cpu_operator_cost
    }
}

fn pages(size: Bytes) -> f64 {
    (size.0 as f64 / PAGE_BYTES).max(1.0)
}

/// Levels above the leaves.
fn levels(size: Bytes) -> f64 {
    let pages = pages(size);
    if pages <= 2.0 {
        0.0
    } else {
        (pages.ln() / DOWNLINKS.ln()).ceil()
    }
}

/// Of a row's keys, those that no row had before: what the index holds besides lists of rows are
/// distinct keys.
fn new_keys(items: Items, size: Bytes, rows: f64) -> f64 {
    let of_lists = rows * items.number * POSTING_BYTES;
    let distinct = ((size.0 as f64 - of_lists) / GIN_ENTRY_BYTES).max(0.0);
    (distinct / rows.max(1.0)).min(items.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_a_large_or_wide_index_costs_more() {
        let prices = Prices::of(&BTreeMap::new());
        let small = prices.entry(Bytes(22 * Bytes::MB / 10), 100_000.0);
        let large = prices.entry(Bytes(2_200 * Bytes::MB), 100_000_000.0);
        let wide = prices.entry(Bytes(2_200 * Bytes::MB), 1_000_000.0);
        assert!(small < large && large < wide, "{small} {large} {wide}");
        assert!(
            (0.3..0.6).contains(&small) && (1.3..1.7).contains(&large),
            "{small} {large}"
        );
    }

    #[test]
    fn settings_are_heeded() {
        let settings = BTreeMap::from([("random_page_cost".to_owned(), "1.1".to_owned())]);
        let size = Bytes(500 * Bytes::MB);
        assert!(
            Prices::of(&settings).entry(size, 1e7) < Prices::of(&BTreeMap::new()).entry(size, 1e7)
        );
    }

    /// As measured by `make bench-upkeep`, in units in which an entry of a btree costs what it does
    /// here: tags out of a thousand, numbers that are hardly ever the same, trigrams of a title.
    #[test]
    fn a_row_of_many_keys_costs_more_than_one_key_and_rare_keys_more_than_frequent_ones() {
        let prices = Prices::of(&BTreeMap::new());
        let keys = |number| Items {
            number,
            are_texts: false,
        };
        let entry = prices.entry(Bytes(3 * Bytes::MB), 100_000.0);
        let frequent = prices.row_of_keys(keys(8.0), Bytes(12 * Bytes::MB / 10), 100_000.0);
        let rare = prices.row_of_keys(keys(8.0), Bytes(38 * Bytes::MB), 100_000.0);
        let trigrams = prices.row_of_keys(keys(24.0), Bytes(9 * Bytes::MB), 100_000.0);
        let near = |price: f64, measured: f64| {
            let ratio = price / measured;
            assert!((0.5..2.0).contains(&ratio), "{price} of {measured}");
        };
        assert!(entry < frequent, "{entry} {frequent}");
        near(frequent, 0.7);
        near(rare, 4.0);
        near(trigrams, 3.0);
    }
}

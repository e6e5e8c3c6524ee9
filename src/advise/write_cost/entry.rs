//! What one more entry costs in an index, in planner units.
//!
//! PostgreSQL's planner prices no index maintenance. Three parts of a price:
//! 1. The way down, as the planner prices it: 50 × `cpu_operator_cost` for each level
//!    (src/backend/utils/adt/selfuncs.c, `btcostestimate`).
//! 2. The leaf, which has to be there and to be written again: a quarter of a random page where
//!    each entry hits another leaf. Between two checkpoints a small index has its few leaves
//!    written once, however many entries they get.
//! 3. The room it takes: pages that are written for good, 69 % full.

use std::collections::BTreeMap;

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

/// The settings that prices are made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Prices {
    cpu_operator_cost: f64,
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
            random_page_cost: setting("random_page_cost", 4.0),
            seq_page_cost: setting("seq_page_cost", 1.0),
        }
    }

    /// One more entry in an index of this size over so many rows.
    pub(super) fn entry(self, size: Bytes, rows: f64) -> f64 {
        let pages = (size.0 as f64 / PAGE_BYTES).max(1.0);
        let levels = if pages <= 2.0 {
            0.0
        } else {
            (pages.ln() / DOWNLINKS.ln()).ceil()
        };
        let descent = (levels + 1.0) * 50.0 * self.cpu_operator_cost;
        let other_leaves = pages / ENTRIES_TOGETHER * (1.0 - (-ENTRIES_TOGETHER / pages).exp());
        let leaf = LEAVES_READ * self.random_page_cost * other_leaves;
        let width = if rows >= 1.0 {
            size.0 as f64 / rows
        } else {
            0.0
        };
        descent + leaf + self.seq_page_cost * (width / (PAGE_BYTES * FILLED)).min(1.0)
    }
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
}

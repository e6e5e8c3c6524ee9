//! What writes pay for sets of indexes, in planner units: the other side of what reads gain.
//!
//! A row version that is not HOT makes an entry in each index. So an index with which updates cannot be HOT any more costs more than its own
//! entries: those updates then make entries in all the others, too, existing and new
//! (<https://www.postgresql.org/docs/current/storage-hot.html>). That is why this is asked of a set, and not added up.

use std::collections::BTreeSet;

/// What all writes of a workload would pay.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Upkeep {
    /// For each trial, what an entry of one row version costs in its index, on average: less where only some rows are in it.
    pub entries: Vec<f64>,
    /// What is written.
    pub loads: Vec<Load>,
}

/// Row versions that are written to a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Load {
    /// How many, calls counted.
    pub versions: f64,
    /// The share of them that is HOT, as long as no index keeps them from it.
    pub hot: f64,
    /// The trials that are indexes on this table.
    pub on: BTreeSet<usize>,
    /// Those of them with which none of these can be HOT.
    pub keeps_from_hot: BTreeSet<usize>,
    /// What the entries of one row version cost in all the indexes that exist.
    pub existing: f64,
}

impl Upkeep {
    /// What writes pay more with these trials' indexes than without any.
    pub fn of(&self, set: &[usize]) -> f64 {
        self.loads
            .iter()
            .map(|load| load.pays_for(set, &self.entries))
            .sum()
    }

    /// The part of it that HOT updates cost which are none with these indexes.
    pub fn of_lost_hot(&self, set: &[usize]) -> f64 {
        let lost = |load: &Load| {
            if load.loses_hot(set) {
                load.versions * load.hot * load.existing
            } else {
                0.0
            }
        };
        self.loads.iter().map(lost).sum()
    }
}

impl Load {
    fn loses_hot(&self, set: &[usize]) -> bool {
        set.iter()
            .any(|position| self.keeps_from_hot.contains(position))
    }

    fn pays_for(&self, set: &[usize], entries: &[f64]) -> f64 {
        let own = set.iter().filter(|position| self.on.contains(position));
        let own: f64 = own.filter_map(|position| entries.get(*position)).sum();
        if self.loses_hot(set) {
            self.versions * (own + self.hot * self.existing)
        } else {
            self.versions * (1.0 - self.hot) * own
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hundred updates, nine of ten HOT, of a column that only the second index has; what exists costs 3.0 for each version.
    fn updates() -> Upkeep {
        let load = Load {
            versions: 100.0,
            hot: 0.9,
            on: [0, 1].into(),
            keeps_from_hot: [1].into(),
            existing: 3.0,
        };
        Upkeep {
            entries: vec![1.0, 2.0, 50.0],
            loads: vec![load],
        }
    }

    fn near(one: f64, other: f64) {
        assert!((one - other).abs() < 1e-9, "{one} is not {other}");
    }

    #[test]
    fn an_index_on_what_is_not_updated_costs_only_what_is_not_hot() {
        near(updates().of(&[0]), 10.0);
        near(updates().of(&[2]), 0.0);
    }

    #[test]
    fn an_index_that_keeps_updates_from_being_hot_costs_entries_in_all() {
        near(updates().of(&[1]), 100.0 * (2.0 + 0.9 * 3.0));
        near(updates().of_lost_hot(&[1]), 270.0);
        near(updates().of(&[0, 1]), 100.0 * (1.0 + 2.0 + 0.9 * 3.0));
        near(updates().of_lost_hot(&[0]), 0.0);
    }

    #[test]
    fn fixed_prices_are_added_up() {
        let inserts = Load {
            versions: 1.0,
            on: [0, 1].into(),
            ..Load::default()
        };
        near(
            Upkeep {
                entries: vec![5.0, 7.0],
                loads: vec![inserts],
            }
            .of(&[0, 1]),
            12.0,
        );
    }
}

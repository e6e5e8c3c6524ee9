//! What writes pay for sets of indexes, in planner units: the other side of what reads gain.
//!
//! A row version that is not HOT makes an entry in each index. So an index with which updates
//! cannot be HOT any more costs more than its own entries: those updates then make entries in all
//! the others, too, existing and new (<https://www.postgresql.org/docs/current/storage-hot.html>).
//! That is why a set has a cost of its own, which is no sum.

use std::collections::BTreeMap;

use super::trial::{TrialId, TrialSet};

/// The write cost of the workload with any set of new indexes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WriteCosts {
    /// For each trial, what an entry of one row version costs in its index, on average: less where
    /// only some rows are in it.
    pub entries: BTreeMap<TrialId, f64>,
    /// What is written.
    pub loads: Vec<WriteLoad>,
}

/// Row versions that are written to a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WriteLoad {
    /// How many, calls counted.
    pub versions: f64,
    /// The share of them that is HOT, as long as no index prevents it.
    pub hot: f64,
    /// The trials that are indexes on this table.
    pub on: TrialSet,
    /// Those of them with which none of these versions can be HOT.
    pub prevents_hot: TrialSet,
    /// What the entries of one row version cost in all the indexes that exist.
    pub existing: f64,
}

impl WriteCosts {
    /// What writes pay more with these trials' indexes than without any.
    pub fn of(&self, set: &[TrialId]) -> f64 {
        self.loads
            .iter()
            .map(|load| load.cost_of(set, &self.entries))
            .sum()
    }

    /// What writes pay for this index at least, whatever others there are: updates that are HOT stay
    /// so.
    pub fn at_least(&self, id: TrialId) -> f64 {
        let entry = self.entries.get(&id).copied().unwrap_or_default();
        let loads = self.loads.iter().filter(|load| load.on.contains(&id));
        loads
            .map(|load| load.versions * (1.0 - load.hot) * entry)
            .sum()
    }

    /// The part of it that is paid because updates are not HOT any more.
    pub fn lost_hot_cost(&self, set: &[TrialId]) -> f64 {
        let lost = |load: &WriteLoad| {
            if load.loses_hot(set) {
                load.versions * load.hot * load.existing
            } else {
                0.0
            }
        };
        self.loads.iter().map(lost).sum()
    }
}

impl WriteLoad {
    fn loses_hot(&self, set: &[TrialId]) -> bool {
        set.iter().any(|id| self.prevents_hot.contains(id))
    }

    fn cost_of(&self, set: &[TrialId], entries: &BTreeMap<TrialId, f64>) -> f64 {
        let own = set.iter().filter(|id| self.on.contains(id));
        let own: f64 = own.filter_map(|id| entries.get(id)).sum();
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

    const A: TrialId = TrialId(0);
    const B: TrialId = TrialId(1);
    const OTHER_TABLE: TrialId = TrialId(2);

    /// A hundred updates, nine of ten HOT, of a column that only index B has; what exists costs 3.0
    /// for each version.
    fn updates() -> WriteCosts {
        let load = WriteLoad {
            versions: 100.0,
            hot: 0.9,
            on: [A, B].into(),
            prevents_hot: [B].into(),
            existing: 3.0,
        };
        WriteCosts {
            entries: [(A, 1.0), (B, 2.0), (OTHER_TABLE, 50.0)].into(),
            loads: vec![load],
        }
    }

    fn near(one: f64, other: f64) {
        assert!((one - other).abs() < 1e-9, "{one} is not {other}");
    }

    #[test]
    fn an_index_on_what_is_not_updated_costs_only_what_is_not_hot() {
        near(updates().of(&[A]), 10.0);
        near(updates().of(&[OTHER_TABLE]), 0.0);
    }

    #[test]
    fn an_index_that_prevents_hot_updates_costs_entries_in_all_indexes() {
        near(updates().of(&[B]), 100.0 * (2.0 + 0.9 * 3.0));
        near(updates().lost_hot_cost(&[B]), 270.0);
        near(updates().of(&[A, B]), 100.0 * (1.0 + 2.0 + 0.9 * 3.0));
        near(updates().lost_hot_cost(&[A]), 0.0);
    }

    #[test]
    fn inserts_pay_for_each_index() {
        let inserts = WriteLoad {
            versions: 1.0,
            on: [A, B].into(),
            ..WriteLoad::default()
        };
        let costs = WriteCosts {
            entries: [(A, 5.0), (B, 7.0)].into(),
            loads: vec![inserts],
        };
        near(costs.of(&[A, B]), 12.0);
    }
}

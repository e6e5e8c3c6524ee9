//! What statements cost, with their weights.

use std::sync::Arc;

use super::unpriced::Unpriced;
use crate::model::Cost;
use crate::workload::StatementId;

/// A statement's weight and its present cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighted {
    /// How often it runs.
    pub calls: f64,
    /// Its plan's cost.
    pub cost: Cost,
    /// What the cost says too little about.
    pub unpriced: Unpriced,
}

/// Statements with their weights and costs, by id. A search compares thousands of these, so a copy
/// copies numbers only.
#[derive(Debug, Clone, PartialEq)]
pub struct Costs {
    ids: Arc<[StatementId]>,
    weighted: Vec<Weighted>,
}

impl Costs {
    /// The ids, in order.
    pub(super) fn ids(&self) -> &[StatementId] {
        &self.ids
    }

    /// In the order of the ids: all costs that come from the same ones have the same order.
    pub(super) fn as_slice(&self) -> &[Weighted] {
        &self.weighted
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [Weighted] {
        &mut self.weighted
    }

    /// The place of a statement.
    pub(super) fn position(&self, id: &StatementId) -> Option<usize> {
        self.ids.binary_search(id).ok()
    }

    /// Those of one statement.
    pub fn get(&self, id: &StatementId) -> Option<&Weighted> {
        self.weighted.get(self.position(id)?)
    }

    /// Changes the cost of one statement, if it is there.
    pub fn set_cost(&mut self, id: &StatementId, cost: Cost) {
        let place = self.position(id);
        if let Some(weighted) = place.and_then(|place| self.weighted.get_mut(place)) {
            weighted.cost = cost;
        }
    }

    /// All, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&StatementId, &Weighted)> {
        self.ids.iter().zip(&self.weighted)
    }

    /// Those of these statements only.
    #[must_use]
    pub fn of(&self, is_wanted: impl Fn(&StatementId) -> bool) -> Costs {
        let wanted = self.iter().filter(|(id, _)| is_wanted(id));
        wanted
            .map(|(id, weighted)| (id.clone(), *weighted))
            .collect()
    }
}

impl Default for Costs {
    fn default() -> Costs {
        std::iter::empty().collect()
    }
}

impl FromIterator<(StatementId, Weighted)> for Costs {
    fn from_iter<I: IntoIterator<Item = (StatementId, Weighted)>>(costs: I) -> Costs {
        let by_id: std::collections::BTreeMap<StatementId, Weighted> = costs.into_iter().collect();
        let (ids, weighted): (Vec<StatementId>, Vec<Weighted>) = by_id.into_iter().unzip();
        Costs {
            ids: ids.into(),
            weighted,
        }
    }
}

/// Σ calls × cost.
pub fn total(costs: &Costs) -> Cost {
    let each = costs.weighted.iter();
    Cost(each.map(|weighted| weighted.calls * weighted.cost.0).sum())
}

/// Σ calls × the planner's cost, without what was added to it.
pub(super) fn planned_total(costs: &Costs) -> Cost {
    let each = costs.weighted.iter();
    let cost = |weighted: &Weighted| weighted.unpriced.planned(weighted.cost).0;
    Cost(each.map(|weighted| weighted.calls * cost(weighted)).sum())
}

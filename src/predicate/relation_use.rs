//! What one plan asks of one relation.

use std::collections::BTreeSet;

use super::condition::Condition;
use super::key::OrderKey;
use super::relation::Relation;
use crate::index::Key;
use crate::model::QualifiedName;
use crate::plan::NodeId;
use crate::sql::{Expression, Shape};

/// Everything one plan asks of one relation.
#[derive(Debug, Clone, PartialEq)]
pub struct RelationUse {
    /// The node that reads it.
    pub node: NodeId,
    /// The table, as the catalog names it (a partition's own table is replaced by its partitioned
    /// table).
    pub table: QualifiedName,
    /// What the statement calls it.
    pub alias: String,
    /// The ANDed conditions on it, each once.
    pub conditions: Vec<Condition>,
    /// The orders that the plan needs its rows in: sort keys, and group keys that a sorted input
    /// would serve.
    pub orders: Vec<Vec<OrderKey>>,
    /// `min` and `max` over the whole relation.
    pub extremes: Vec<Key>,
    /// Distances by which its rows are ordered: `place <-> '(1,2)'`.
    pub distances: Vec<Distance>,
    /// ORed conditions that an index for each arm could answer together (a BitmapOr): the
    /// conditions of each arm.
    pub alternatives: Vec<Vec<Vec<Condition>>>,
    /// A LIMIT above it takes only some of its rows.
    pub limited: bool,
    /// How many of its rows the planner expects to be read for something above: what passes its
    /// filter, up to the LIMIT.
    pub fetched: Option<f64>,
    /// The columns that anything in the plan but these conditions reads of it; none when that is
    /// not known, or when whole rows are wanted.
    pub needed: Option<BTreeSet<String>>,
}

/// A distance from something that is known when the statement runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distance {
    /// What is near or far.
    pub key: Key,
    /// The operator: `<->`.
    pub operator: String,
}

impl RelationUse {
    /// A use without conditions or orders.
    pub fn new(node: NodeId, table: QualifiedName, alias: String) -> RelationUse {
        RelationUse {
            node,
            table,
            alias,
            conditions: Vec::new(),
            orders: Vec::new(),
            extremes: Vec::new(),
            distances: Vec::new(),
            alternatives: Vec::new(),
            limited: false,
            fetched: None,
            needed: None,
        }
    }

    /// Adds what a condition asks of the relation.
    pub fn add_conditions(&mut self, condition: &Expression, relation: Relation<'_>) {
        for conjunct in condition.conjuncts() {
            self.add_condition(conjunct, relation);
        }
    }

    pub(super) fn add_condition(&mut self, conjunct: &Expression, relation: Relation<'_>) {
        match &conjunct.shape {
            Shape::Or(arms) => {
                let arms: Option<Vec<Vec<Condition>>> = arms
                    .iter()
                    .map(|arm| arm_conditions(arm, relation))
                    .collect();
                self.alternatives
                    .extend(arms.filter(|arms| !self.alternatives.contains(arms)));
            }
            _ => {
                if let Some((condition, order)) = Condition::read_row(conjunct, relation) {
                    self.add(condition);
                    if !self.orders.contains(&order) {
                        self.orders.push(order);
                    }
                } else if let Some(condition) = Condition::read(conjunct, relation) {
                    self.add(condition);
                }
            }
        }
    }

    fn add(&mut self, condition: Condition) {
        if !self.conditions.contains(&condition) {
            self.conditions.push(condition);
        }
    }
}

/// The conditions of one arm of an OR; none when an index could not find its rows.
fn arm_conditions(arm: &Expression, relation: Relation<'_>) -> Option<Vec<Condition>> {
    let conditions: Vec<Condition> = arm
        .conjuncts()
        .iter()
        .filter_map(|part| Condition::read(part, relation))
        .collect();
    (!conditions.is_empty()).then_some(conditions)
}

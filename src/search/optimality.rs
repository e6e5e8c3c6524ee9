//! How far a choice can be from the best one.

use crate::model::Cost;

/// How far a choice can be from the best one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Optimality {
    /// What the workload costs with the chosen set, and what its writes pay for it: Σ calls × cost.
    pub cost: Cost,
    /// No set of the candidates that keeps the limits costs less, as far as plans do not become
    /// dearer with more indexes.
    pub bound: Cost,
    /// How many candidates could be chosen.
    pub candidates: usize,
    /// For so many statements a cheaper plan was seen that is not trusted: it reads an index in its
    /// order until a few rows are found.
    pub distrusted: usize,
    /// Does a limit on size or number restrict the choice?
    pub is_limited: bool,
}

impl Optimality {
    /// By which share the choice can be dearer than the best one.
    pub fn gap(&self) -> f64 {
        if self.bound.0 > 0.0 {
            (self.cost.0 / self.bound.0 - 1.0).max(0.0)
        } else {
            0.0
        }
    }
}

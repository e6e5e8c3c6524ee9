//! An index that the planner chose.

use super::benefit::Benefit;
use super::explanation::Explanation;
use crate::catalog::create_index::Creation;
use crate::model::{Bytes, Cost, Millis, QualifiedName};
use crate::planner::{Evidence, NamedIndex, Refusal};
use crate::workload::StatementId;

/// An index that the planner chose, with what it gains.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// `r1`, `r2`, …
    pub id: String,
    /// The index under its name.
    pub index: NamedIndex,
    /// The statements that create it in production.
    pub creation: Creation,
    /// Which planner chose it.
    pub evidence: Evidence,
    /// Why it was not built on the server, when only the planner twin was asked.
    pub not_built: Option<Refusal>,
    /// Its size when it was really built, or as it is estimated.
    pub size: Bytes,
    /// The estimate, when it was built, too.
    pub predicted_size: Option<Bytes>,
    /// How long building it took, where it was built.
    pub build_time: Option<Millis>,
    /// How long writers waited for the transaction that verified it, where there was one.
    pub write_block: Option<Millis>,
    /// The names of the other indexes that were built in the same transaction: some statement may
    /// use them together.
    pub built_with: Vec<String>,
    /// The statements it helps.
    pub benefits: Vec<Benefit>,
    /// What the workload's writes pay for it, beside nothing but what exists: Σ calls × rows ×
    /// cost, in planner units.
    pub write_cost: Cost,
    /// Existing indexes it makes redundant.
    pub replaces: Vec<QualifiedName>,
    /// What it does for which statement, and what it costs.
    pub explanation: Explanation,
}

impl Recommendation {
    /// Does it help this statement?
    pub fn helps(&self, id: &StatementId) -> bool {
        self.benefits.iter().any(|benefit| benefit.statement == *id)
    }
}

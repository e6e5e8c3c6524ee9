//! Statements whose cost without new indexes is another one than the planner says today.

use std::collections::BTreeMap;

use crate::model::Cost;
use crate::plan::Plan;
use crate::planner::NamedIndex;
use crate::workload::StatementId;

/// A statement that is compared under statistics which are not there today.
#[derive(Debug, Clone, PartialEq)]
pub struct Restated {
    /// Its plan under them, without a new index.
    pub plan: Plan,
    /// What the planner says today.
    pub today: Cost,
    /// What it has no statistics of.
    pub expressions: Vec<String>,
    /// The indexes that bring the statistics in the twin, and nothing else.
    pub brings: Vec<NamedIndex>,
}

/// Statements by name.
pub(super) type AllRestated = BTreeMap<StatementId, Restated>;

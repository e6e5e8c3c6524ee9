//! What executing statements took.

use std::collections::BTreeMap;

use crate::model::{Millis, group_thousands};
use crate::plan::Plan;
use crate::workload::{Statement, StatementId};

/// Minimum share by which a time must be shorter to count as shorter.
const CLEARLY_SHORTER: f64 = 0.1;

/// What executing statements took, Σ calls × each.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Effort {
    pub(super) time: Millis,
    pub(super) blocks: f64,
}

impl std::fmt::Display for Effort {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let blocks = group_thousands(self.blocks, 0);
        write!(formatter, "{} and {blocks} blocks", self.time)
    }
}

/// Which index was faster than this one, and by how much.
#[derive(Debug, Clone, PartialEq)]
pub struct SlowerThan {
    /// The statements that were executed.
    pub(super) statements: Vec<StatementId>,
    /// Σ calls of them; the efforts are for all.
    pub(super) calls: f64,
    pub(super) effort: Effort,
    /// The name of the faster index.
    pub(super) faster: String,
    pub(super) less: Effort,
}

impl std::fmt::Display for SlowerThan {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids: Vec<&str> = self.statements.iter().map(|id| id.0.as_str()).collect();
        let faster = &self.faster;
        // The calls are weights. Each statement was executed once.
        let (effort, less) = (
            self.effort.of_each(self.calls),
            self.less.of_each(self.calls),
        );
        let mean = if ids.len() > 1 { " on average" } else { "" };
        write!(
            formatter,
            "{}, executed, took{mean} {effort} with it, {less} with {faster}",
            ids.join(" and ")
        )
    }
}

/// None when a statement was not executed to its end.
pub(super) fn effort(
    statements: &[Statement],
    plans: &BTreeMap<StatementId, Plan>,
) -> Option<Effort> {
    let mut effort = Effort::default();
    for statement in statements {
        let plan = plans.get(&statement.id)?;
        effort.time.0 += statement.calls * plan.execution_time()?.0;
        effort.blocks += statement.calls * plan.shared_blocks().unwrap_or(0.0);
    }
    Some(effort)
}

impl Effort {
    /// That of one call.
    fn of_each(self, calls: f64) -> Effort {
        let calls = calls.max(f64::MIN_POSITIVE);
        Effort {
            time: Millis(self.time.0 / calls),
            blocks: self.blocks / calls,
        }
    }

    pub(super) fn is_clearly_shorter_than(self, other: Effort) -> bool {
        self.time.0 <= other.time.0 * (1.0 - CLEARLY_SHORTER)
    }
}

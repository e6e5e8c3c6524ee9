//! What the server said of indexes that were built together.

use std::collections::BTreeMap;

use super::baseline::Baseline;
use crate::planner::{Planned, Refusal};
use crate::search::TrialId;
use crate::workload::Statement;

/// What the server said of indexes that were built together, or were to be. Nothing of this is
/// asked again: a trial on the server verifies an index that is alone on its tables, and a set that
/// is verified again after another choice has most groups in common with the one before.
#[derive(Debug, Clone, Default)]
pub(super) struct BuiltGroups(BTreeMap<Vec<TrialId>, GroupAnswer>);

/// The answer about indexes that exist together.
#[derive(Debug, Clone)]
pub(super) enum GroupAnswer {
    /// The plans without and with them.
    Planned {
        before: Baseline,
        with: Planned,
    },
    Refused(Refusal),
}

impl BuiltGroups {
    pub(super) fn add(&mut self, group: &[TrialId], answer: GroupAnswer) {
        self.0.insert(group.to_vec(), answer);
    }

    /// The answer about this group, unless one of these statements was not planned with it.
    pub(super) fn known(
        &self,
        group: &[TrialId],
        statements: &[Statement],
    ) -> Option<&GroupAnswer> {
        self.0.get(group).filter(|answer| match answer {
            GroupAnswer::Planned { with, .. } => {
                let mut statements = statements.iter();
                statements.all(|statement| with.plans.contains_key(&statement.id))
            }
            GroupAnswer::Refused(_) => true,
        })
    }
}

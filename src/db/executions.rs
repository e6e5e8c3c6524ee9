//! The time for executing statements (`--max-analyze-time`), of all together.

use std::cell::Cell;
use std::time::Duration;

use crate::model::Millis;
use crate::planner::{NotExecuted, PlanOutcome};
use crate::verdict::MAX_ANALYZE_TIME;

/// How long statements have been executed in this session, and how long they may be.
pub(super) struct Executions {
    limit: Cell<Millis>,
    used: Cell<Duration>,
}

impl Default for Executions {
    fn default() -> Self {
        Executions {
            limit: Cell::new(MAX_ANALYZE_TIME),
            used: Cell::default(),
        }
    }
}

impl Executions {
    /// Counts from now on, up to this limit.
    pub(super) fn restart(&self, limit: Millis) {
        self.limit.set(limit);
        self.used.set(Duration::ZERO);
    }

    /// The remaining time.
    pub(super) fn left(&self) -> Millis {
        Millis((self.limit.get().0 - Millis::from(self.used.get()).0).max(0.0))
    }

    /// The outcome of a statement for which no time is left.
    pub(super) fn out_of_time(&self) -> Option<PlanOutcome> {
        let is_over = self.left().0 < 1.0;
        is_over.then(|| PlanOutcome::NotExecuted(NotExecuted::OutOfTime(self.limit.get())))
    }

    pub(super) fn add(&self, time: Duration) {
        self.used.set(self.used.get() + time);
    }
}

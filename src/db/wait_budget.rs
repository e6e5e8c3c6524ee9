//! How long other sessions may still wait because of a run.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::link::Link;
use super::watcher::{INTERVAL, duration};
use super::{DbError, Safety, Session};
use crate::planner::{RefusalCause, Waits};

/// What remains of a total below which no build begins: one interval could exceed it.
const LEAST_LEFT: Duration = INTERVAL;

/// What other sessions have waited because of a run, and what they still may.
#[derive(Default)]
pub(super) struct WaitBudget {
    /// The longest wait of each transaction, summed.
    spent: Duration,
    /// Nothing is locked before: a pause at least as long as the last wait.
    rest_until: Option<Instant>,
    /// The second connection, or why there is none.
    link: Option<Result<Arc<Link>, String>>,
}

impl WaitBudget {
    /// How long one session may wait for the next transaction.
    pub(super) fn limit(&self, safety: &Safety) -> Result<Duration, RefusalCause> {
        let total = safety.max_total_write_block;
        let left = duration(total).saturating_sub(self.spent);
        if left < LEAST_LEFT {
            return Err(RefusalCause::WriteBudgetSpent(total));
        }
        Ok(duration(safety.max_write_block).min(left))
    }

    /// Waits until the pause is over.
    pub(super) fn rest(&mut self, session: &Session) -> Result<(), DbError> {
        match self.rest_until.take() {
            Some(until) => session.pause(until),
            None => Ok(()),
        }
    }

    /// The second connection; opened when it is first needed, and again when it was lost.
    pub(super) fn watcher(
        &mut self,
        session: &Session,
    ) -> Result<Result<Arc<Link>, String>, DbError> {
        let is_usable = |known: &Result<Arc<Link>, String>| {
            known.as_ref().map_or(true, |link| !link.client.is_closed())
        };
        if let Some(known) = self.link.as_ref().filter(|known| is_usable(known)) {
            return Ok(known.clone());
        }
        let link = match session.second_connection() {
            Ok(link) => Ok(link),
            Err(error @ DbError::Interrupted { .. }) => return Err(error),
            Err(error) => Err(error.to_string()),
        };
        Ok(self.link.insert(link).clone())
    }

    /// Adds what a transaction that just ended did to others.
    pub(super) fn spend(&mut self, waits: &Waits) {
        if let Some(longest) = waits.longest {
            let longest = duration(longest);
            self.spent = self.spent.saturating_add(longest);
            self.rest_until = Instant::now().checked_add(longest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Millis;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn safety(total: f64) -> Safety {
        Safety {
            max_write_block: Millis(2_000.0),
            max_total_write_block: Millis(total),
            ..Safety::default()
        }
    }

    fn waited(time: f64) -> Waits {
        Waits {
            longest: Some(Millis(time)),
            unwatched: None,
        }
    }

    #[test]
    fn what_was_waited_is_spent_and_rested_for() {
        let mut budget = WaitBudget::default();
        let safety = safety(3_000.0);
        assert_eq!(budget.limit(&safety), Ok(seconds(2)));
        let before = Instant::now();
        budget.spend(&waited(1_500.0));
        assert!(budget.rest_until.unwrap() >= before + Duration::from_millis(1_500));
        assert_eq!(budget.limit(&safety), Ok(Duration::from_millis(1_500)));
        budget.spend(&waited(1_450.0));
        let spent = RefusalCause::WriteBudgetSpent(Millis(3_000.0));
        assert_eq!(budget.limit(&safety), Err(spent));
    }

    #[test]
    fn nobody_waiting_costs_nothing() {
        let mut budget = WaitBudget::default();
        budget.spend(&Waits::default());
        assert_eq!(budget.rest_until, None);
        assert_eq!(budget.limit(&safety(30_000.0)), Ok(seconds(2)));
    }

    #[test]
    fn a_total_of_zero_allows_no_build() {
        let refused = WaitBudget::default().limit(&safety(0.0));
        assert_eq!(refused, Err(RefusalCause::WriteBudgetSpent(Millis(0.0))));
    }
}

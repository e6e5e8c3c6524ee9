//! Statements executed for their time (`--analyze`): read-only, under statement_timeout, several
//! times.

use std::time::{Duration, Instant};

use super::explain::Explained;
use super::session::TransactionMode;
use super::{DbError, Session};
use crate::plan::Plan;
use crate::planner::PlanOutcome;

/// Number of executions of a statement; the one with the median time is kept.
pub(super) const RUNS: u32 = 3;

/// A statement that takes this long is executed once: the cache has little effect on its time.
pub(super) const LONG_RUN: Duration = Duration::from_secs(5);

const OPERATION: &str = "executing a statement";

/// TIMING off would cost less with a slow clock, but users want the times of nodes.
const EXPLAIN_ANALYZE: &str = "EXPLAIN (FORMAT JSON, VERBOSE, ANALYZE, BUFFERS) ";

impl Session {
    /// Executes a statement without new indexes, in transactions that are read-only and rolled
    /// back.
    pub(super) fn execute_without_indexes(&self, sql: &str) -> Result<PlanOutcome, DbError> {
        let mut seen = Vec::new();
        for _ in 0..RUNS {
            let began = Instant::now();
            let explained = self.within(OPERATION, TransactionMode::Read, |session| {
                session.explain_executed(sql)
            })?;
            seen.push(PlanOutcome::from(explained));
            let done = matches!(
                seen.last(),
                Some(PlanOutcome::Failed(_) | PlanOutcome::Empty)
            );
            if done || began.elapsed() > LONG_RUN {
                break;
            }
        }
        Ok(median(seen))
    }

    /// One execution in the current transaction. The caller makes sure that it is read-only.
    pub(super) fn explain_executed(&self, sql: &str) -> Result<Explained, DbError> {
        self.explain_text(
            &format!("{EXPLAIN_ANALYZE}{sql}"),
            EXPLAIN_ANALYZE.len(),
            sql,
        )
    }
}

/// The execution with the median time; a failure, if there was one.
pub(super) fn median(mut runs: Vec<PlanOutcome>) -> PlanOutcome {
    if let Some(failed) = runs.iter().position(|run| run.plan().is_none()) {
        return runs.swap_remove(failed);
    }
    let time = |run: &PlanOutcome| {
        run.plan()
            .and_then(Plan::execution_time)
            .unwrap_or_default()
    };
    runs.sort_by(|a, b| time(a).0.total_cmp(&time(b).0));
    let middle = runs.len() / 2;
    if runs.is_empty() {
        PlanOutcome::Empty
    } else {
        runs.swap_remove(middle)
    }
}

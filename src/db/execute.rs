//! Statements executed for their time (`--analyze`): read-only, under statement_timeout, several
//! times, and all together within a limit.

use std::time::{Duration, Instant};

use tokio_postgres::error::SqlState;

use super::explain::Explained;
use super::session::{TransactionMode, milliseconds};
use super::{DbError, Session};
use crate::model::Millis;
use crate::plan::Plan;
use crate::planner::PlanOutcome;

/// Number of executions of a statement; the one with the median time is kept.
pub(super) const RUNS: u32 = 3;

/// A statement that takes this long is executed once: the cache has little effect on its time.
pub(super) const LONG_RUN: Duration = Duration::from_secs(5);

const OPERATION: &str = "executing a statement";

/// TIMING off would cost less with a slow clock, but users want the times of nodes.
const EXPLAIN_ANALYZE: &str = "EXPLAIN (FORMAT JSON, VERBOSE, ANALYZE, BUFFERS) ";

/// Limits temporary files of the current transaction to 1 GB, if the role may: only a superuser may
/// set this.
const LIMIT_TEMPORARY_FILES: &str = "\
/* pgrehearse */ SELECT pg_catalog.set_config('temp_file_limit', '1GB', true) \
FROM pg_catalog.pg_settings s, pg_catalog.pg_roles r \
WHERE s.name OPERATOR(pg_catalog.=) 'temp_file_limit' \
  AND (s.setting::pg_catalog.int8 OPERATOR(pg_catalog.<) 0::pg_catalog.int8 \
       OR s.setting::pg_catalog.int8 OPERATOR(pg_catalog.>) 1048576::pg_catalog.int8) \
  AND r.rolname OPERATOR(pg_catalog.=) current_user AND r.rolsuper";

impl Session {
    /// Executes statements for at most this long from now on, all together.
    pub fn limit_executions(&self, limit: Millis) {
        self.executions.restart(limit);
    }

    /// Executes a statement without new indexes, in transactions that are read-only and rolled
    /// back.
    pub(super) fn execute_without_indexes(&self, sql: &str) -> Result<PlanOutcome, DbError> {
        let mut seen = Vec::new();
        for _ in 0..RUNS {
            if let Some(out_of_time) = self.executions.out_of_time() {
                if seen.is_empty() {
                    seen.push(out_of_time);
                }
                break;
            }
            let began = Instant::now();
            let explained =
                self.within_users_names(OPERATION, TransactionMode::Read, |session| {
                    session.explain_executed(sql, session.safety.statement_timeout)
                })?;
            seen.push(self.outcome(explained));
            let done = seen.last().is_some_and(|outcome| outcome.plan().is_none());
            if done || began.elapsed() > LONG_RUN {
                break;
            }
        }
        Ok(median(seen))
    }

    /// One execution in the current transaction, for at most this long (zero is no limit) and
    /// within the time for all executions. The caller makes sure that the transaction is read-only
    /// and the statement harmless.
    pub(super) fn explain_executed(&self, sql: &str, limit: Millis) -> Result<Explained, DbError> {
        let left = self.executions.left();
        let limit = if limit.0 > 0.0 && limit < left {
            limit
        } else {
            left
        };
        self.query(OPERATION, LIMIT_TEMPORARY_FILES, &[])?;
        self.set_local(OPERATION, "statement_timeout", &milliseconds(limit))?;
        let began = Instant::now();
        let explained = self.explain_text(
            &format!("{EXPLAIN_ANALYZE}{sql}"),
            EXPLAIN_ANALYZE.len(),
            sql,
        );
        self.executions.add(began.elapsed());
        explained
    }

    /// A statement that was cancelled because the time is over did not fail.
    pub(super) fn outcome(&self, explained: Explained) -> PlanOutcome {
        let is_cancelled = matches!(&explained, Explained::Refused { state: Some(state), .. } if *state == SqlState::QUERY_CANCELED);
        let out_of_time = self.executions.out_of_time().filter(|_| is_cancelled);
        out_of_time.unwrap_or_else(|| explained.into())
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

//! Waiting for the server, with limits: its answer, an interrupt, others who wait for us, or silence.

use std::future::Future;
use std::time::{Duration, Instant};

use super::limits::CANCEL_PATIENCE;
use super::watching::raised;
use super::{Open, Session};
use crate::db::DbError;
use crate::planner::{Rollback, Silence};

/// How long a cancel request may take that is sent to a server that does not answer.
const SHORT_PATIENCE: Duration = Duration::from_millis(500);

/// How much longer than its `statement_timeout` the server may take to answer. A server that does
/// not keep its own limit, or a network that carries nothing, is given up after that.
const SILENCE_MARGIN: Duration = Duration::from_secs(5);

impl Session {
    /// Runs a future to its end. If the user asks to stop, cancels the statement on the server and
    /// waits until it ends. If the server does not answer in time, gives the connection up.
    pub(super) fn drive<T>(
        &self,
        operation: &'static str,
        sql: &str,
        work: impl Future<Output = T>,
    ) -> Result<T, DbError> {
        if self.lost.get() {
            return Err(self.silent(operation, Duration::ZERO));
        }
        if let Some(trace) = self.trace {
            trace(sql);
        }
        if !self.interrupt.is_raised() {
            self.interrupt_deadline.set(None);
        }
        let began = Instant::now();
        let link = self.link();
        let patience = self.patience();
        self.heard.set(began);
        let alarm = self.alarm();
        let done = self.runtime.block_on(async {
            let mut work = std::pin::pin!(work);
            tokio::select! {
                biased;
                () = self.interrupt.raised() => {}
                done = &mut work => return Ok(done),
                () = self.without_answer(patience) => {
                    let waited = self.heard.get().elapsed();
                    self.lost.set(true);
                    let _ = tokio::time::timeout(SHORT_PATIENCE, link.cancel.cancel()).await;
                    return Err(self.silent(operation, waited));
                }
                () = raised(alarm) => return self.yield_to_others(operation, work).await,
            }
            let deadline = self.deadline();
            let (_, ended) = tokio::join!(
                tokio::time::timeout_at(deadline, link.cancel.cancel()),
                tokio::time::timeout_at(deadline, work),
            );
            self.lost.set(ended.is_err());
            Err(DbError::Interrupted {
                rollback: self.rollback_so_far(),
            })
        });
        self.waited.set(self.waited.get() + began.elapsed());
        done
    }

    /// How long the answer to one statement may take; none if the server has no limit.
    pub(super) fn patience(&self) -> Option<Duration> {
        Some(self.statement_limit.get()?.saturating_add(SILENCE_MARGIN))
    }

    /// Ends when no answer has come for this long, or never.
    async fn without_answer(&self, patience: Option<Duration>) {
        let Some(patience) = patience else {
            return std::future::pending().await;
        };
        loop {
            let heard = self.heard.get();
            tokio::time::sleep(patience.saturating_sub(heard.elapsed())).await;
            if self.heard.get() == heard {
                return;
            }
        }
    }

    /// When everything that an interrupt causes must be done.
    pub(super) fn deadline(&self) -> tokio::time::Instant {
        let deadline = self
            .interrupt_deadline
            .get()
            .unwrap_or_else(|| Instant::now() + CANCEL_PATIENCE);
        self.interrupt_deadline.set(Some(deadline));
        deadline.into()
    }

    /// What is known of the transaction before its rollback was answered.
    pub(super) fn rollback_so_far(&self) -> Rollback {
        if self.open.get() == Open::No && !self.lost.get() {
            Rollback::Confirmed
        } else {
            Rollback::Unconfirmed
        }
    }

    /// A rollback whose end was not seen.
    pub(in crate::db) fn unconfirmed(&self, operation: &'static str) -> DbError {
        self.silent(operation, Duration::ZERO)
    }

    /// The first silence is the one that is reported: nothing is sent after it.
    pub(super) fn silent(&self, operation: &'static str, waited: Duration) -> DbError {
        let silence = self.silence.get().unwrap_or(Silence {
            waited: waited.into(),
            rollback_seen: self.open.get() != Open::Change,
        });
        self.silence.set(Some(silence));
        DbError::Silent { operation, silence }
    }

    /// The server's silence, once it stopped answering.
    pub fn silence(&self) -> Option<Silence> {
        self.silence.get()
    }

    /// Is nothing sent any more?
    pub fn is_lost(&self) -> bool {
        self.lost.get()
    }
}

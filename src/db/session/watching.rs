//! The second connection that watches who waits for the open transaction.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Session;
use super::limits::CANCEL_PATIENCE;
use crate::db::DbError;
use crate::db::link::Link;
use crate::db::watcher::{Alarm, Holder, Watch};
use crate::planner::Rollback;

/// How long to wait until a cancelled build has ended.
const BUILD_END_PATIENCE: Duration = Duration::from_secs(10);

impl Session {
    /// Cancels the statement because somebody has waited too long for it, and waits for its end.
    pub(super) async fn yield_to_others<T>(
        &self,
        operation: &'static str,
        work: Pin<&mut impl Future<Output = T>>,
    ) -> Result<T, DbError> {
        self.yielded.set(true);
        let began = Instant::now();
        let _ = tokio::time::timeout(CANCEL_PATIENCE, self.link().cancel.cancel()).await;
        tokio::select! {
            () = self.interrupt.raised() => {
                self.deadline();
                Err(DbError::Interrupted { rollback: self.rollback_so_far() })
            }
            ended = tokio::time::timeout(BUILD_END_PATIENCE, work) => ended.map_err(|_| {
                self.lost.set(true);
                self.silent(operation, began.elapsed())
            }),
        }
    }

    pub(super) fn alarm(&self) -> Option<Alarm> {
        let is_armed = self.yields.get() && !self.yielded.get();
        let watch = self.watch.borrow();
        watch.as_ref().filter(|_| is_armed).map(Watch::alarm)
    }

    /// Watches who waits for the open transaction until [`Session::end_watch`]; an error says why
    /// that is not possible.
    pub(in crate::db) fn begin_watch(
        &self,
        link: Arc<Link>,
        limit: Duration,
    ) -> Result<(), String> {
        let rows = self.query(
            "watching",
            "/* pgrehearse */ SELECT pid, virtualtransaction FROM pg_catalog.pg_locks \
             WHERE pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() LIMIT 1",
            &[],
        );
        let rows = rows.map_err(|error| error.to_string())?;
        let row = rows
            .first()
            .ok_or("pg_locks does not show our transaction")?;
        let read = |error: tokio_postgres::Error| error.to_string();
        let holder = Holder {
            pid: row.try_get("pid").map_err(read)?,
            transaction: row.try_get("virtualtransaction").map_err(read)?,
        };
        let watch = self.runtime.block_on(Watch::begin(link, holder, limit))?;
        self.yielded.set(false);
        self.watch.replace(Some(watch));
        Ok(())
    }

    /// Looks once more who waits for the open transaction.
    pub(in crate::db) fn look(&self) {
        let watch = self.watch.take();
        if let Some(watch) = &watch {
            self.runtime.block_on(watch.look());
        }
        self.watch.replace(watch);
    }

    /// How long the session waited that waited longest.
    pub(in crate::db) fn end_watch(&self) -> Option<Duration> {
        self.yielded.set(false);
        self.watch.take()?.longest()
    }

    /// Runs statements that are cancelled when somebody waits too long for the open transaction.
    pub(in crate::db) fn yielding<T>(&self, call: impl FnOnce(&Session) -> T) -> T {
        self.yields.set(true);
        let result = call(self);
        self.yields.set(false);
        result
    }

    /// Has somebody waited too long for the open transaction?
    pub(in crate::db) fn has_yielded(&self) -> bool {
        self.yielded.get()
    }

    /// Does nothing until then, or until the user asks to stop.
    pub(in crate::db) fn pause(&self, until: tokio::time::Instant) -> Result<(), DbError> {
        self.runtime.block_on(async {
            tokio::select! {
                () = tokio::time::sleep_until(until) => Ok(()),
                () = self.interrupt.raised() => Err(DbError::Interrupted { rollback: Rollback::Confirmed }),
            }
        })
    }
}

/// Waits for the alarm; for ever where there is none.
pub(super) async fn raised(alarm: Option<Alarm>) {
    match alarm {
        Some(alarm) => alarm.raised().await,
        None => std::future::pending().await,
    }
}

//! Who waits for us: while a transaction of ours holds locks, a second connection looks ten times a
//! second.
//!
//! `pg_locks` and `pg_blocking_pids` are visible to every role, unlike other users' rows of
//! `pg_stat_activity`. `pg_locks.waitstart` (14 and later) is compared with the server's clock. A
//! session that waits for one that waits for us waits no longer because of us than that one does.
//!
//! What cannot be seen is assumed to be the worst: if looks fail, somebody may have been waiting
//! since the last one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::DbError;
use super::link::Link;
use super::session::marked;
use crate::model::Millis;

/// How often the second connection looks.
pub(super) const INTERVAL: Duration = Duration::from_millis(100);

/// How long one look may take.
pub(super) const LOOK_PATIENCE: Duration = Duration::from_secs(2);

/// The share of a limit that is kept for cancelling and rolling back, and the most that is.
const MARGIN_SHARE: f64 = 0.2;
const MAX_MARGIN: Duration = Duration::from_millis(400);

/// A transaction of ours, as `pg_locks` shows it. Through a pooler, or on another server than the
/// watcher's, it cannot be seen.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    pub(super) pid: i32,
    pub(super) transaction: String,
}

/// What was seen so far.
#[derive(Debug, Clone, Copy)]
struct Looks {
    /// When the last look began that succeeded.
    at: Instant,
    /// How long the session had waited by then that waits longest.
    waiting: Option<Duration>,
    /// The longest wait that any look saw.
    longest: Option<Duration>,
}

impl Looks {
    fn first(at: Instant, waiting: Option<Duration>) -> Looks {
        Looks {
            at,
            waiting,
            longest: waiting,
        }
    }

    fn add(&mut self, at: Instant, waiting: Option<Duration>) {
        *self = Looks {
            at,
            waiting,
            longest: self.longest.max(waiting),
        };
    }

    /// When somebody may have waited for this long. Between two looks nobody is assumed to wait
    /// who was not waiting; when looks fail, somebody may have come right after the last one.
    fn deadline(&self, limit: Duration) -> Instant {
        match self.waiting {
            Some(waiting) => self.at + limit.saturating_sub(waiting),
            None => self.at + limit.max(LOOK_PATIENCE),
        }
    }
}

/// Looks until it is dropped.
pub(super) struct Watch {
    link: Arc<Link>,
    holder: Holder,
    looks: watch::Sender<Looks>,
    task: JoinHandle<()>,
    limit: Duration,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watch {
    /// Begins with a look; an error if it does not show the transaction.
    pub(super) async fn begin(
        link: Arc<Link>,
        holder: Holder,
        limit: Duration,
    ) -> Result<Watch, String> {
        let at = Instant::now();
        let waiting = look(&link.client, &holder).await?;
        let (looks, _) = watch::channel(Looks::first(at, waiting));
        let task = tokio::spawn(keep_looking(link.clone(), holder.clone(), looks.clone()));
        let margin = limit.mul_f64(MARGIN_SHARE).min(MAX_MARGIN);
        Ok(Watch {
            link,
            holder,
            looks,
            task,
            limit: limit.saturating_sub(margin),
        })
    }

    /// Raised when somebody has waited for as long as is allowed.
    pub(super) fn alarm(&self) -> Alarm {
        Alarm {
            looks: self.looks.subscribe(),
            limit: self.limit,
        }
    }

    /// Looks once more, so that short waits at the end are seen, too.
    pub(super) async fn look(&self) {
        let at = Instant::now();
        if let Ok(waiting) = look(&self.link.client, &self.holder).await {
            self.looks.send_modify(|looks| looks.add(at, waiting));
        }
    }

    /// How long the session waited that waited longest, if the transaction ends now.
    pub(super) fn longest(&self) -> Option<Duration> {
        let looks = *self.looks.borrow();
        let until_now = looks.waiting.map(|waiting| waiting + looks.at.elapsed());
        looks.longest.max(until_now)
    }
}

/// Somebody has waited for as long as is allowed.
pub(super) struct Alarm {
    looks: watch::Receiver<Looks>,
    limit: Duration,
}

impl Alarm {
    /// Waits until it is raised.
    pub(super) async fn raised(mut self) {
        loop {
            let deadline = self.looks.borrow_and_update().deadline(self.limit);
            tokio::select! {
                biased;
                changed = self.looks.changed() => {
                    if changed.is_err() {
                        return sleep_until(deadline).await;
                    }
                }
                () = sleep_until(deadline) => return,
            }
        }
    }
}

async fn keep_looking(link: Arc<Link>, holder: Holder, looks: watch::Sender<Looks>) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        let at = Instant::now();
        if let Ok(waiting) = look(&link.client, &holder).await {
            looks.send_modify(|looks| looks.add(at, waiting));
        }
    }
}

/// How long the session has waited that waits longest; an error if the transaction is not seen.
async fn look(client: &Client, holder: &Holder) -> Result<Option<Duration>, String> {
    let sql = marked(include_str!("sql/who_waits.sql"));
    let parameters: [(&(dyn ToSql + Sync), Type); 2] =
        [(&holder.pid, Type::INT4), (&holder.transaction, Type::TEXT)];
    let asked = client.query_typed(&sql, &parameters);
    let rows = match timeout(LOOK_PATIENCE, asked).await {
        Ok(Ok(rows)) => rows,
        Ok(Err(error)) => return Err(DbError::query("watching", &error).to_string()),
        Err(_) => return Err("the second connection does not answer in time".to_owned()),
    };
    let row = rows.first().ok_or("no answer")?;
    let read = |error: tokio_postgres::Error| error.to_string();
    if !row.try_get::<_, bool>("is_visible").map_err(read)? {
        return Err("the second connection does not reach the same server process".to_owned());
    }
    let waited: Option<f64> = row.try_get("waited_ms").map_err(read)?;
    Ok(waited.map(|waited| duration(Millis(waited))))
}

/// Zero where it is negative, the longest where it is infinite.
pub(super) fn duration(time: Millis) -> Duration {
    let seconds = (time.0 / 1_000.0).max(0.0);
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(500);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_deadline_is_when_the_waiting_session_has_waited_that_long() {
        let at = Instant::now();
        let waiting = Looks::first(at, Some(Duration::from_millis(200)));
        assert_eq!(waiting.deadline(LIMIT), at + Duration::from_millis(300));
        let too_long = Looks::first(at, Some(seconds(9)));
        assert_eq!(too_long.deadline(LIMIT), at);
    }

    #[test]
    fn while_looks_succeed_a_quiet_table_has_no_deadline_that_comes() {
        let at = Instant::now();
        let mut looks = Looks::first(at, None);
        assert_eq!(looks.deadline(LIMIT), at + LOOK_PATIENCE);
        looks.add(at + INTERVAL, None);
        assert_eq!(looks.deadline(LIMIT), at + INTERVAL + LOOK_PATIENCE);
    }

    #[test]
    fn the_longest_wait_is_kept() {
        let at = Instant::now();
        let mut looks = Looks::first(at, Some(seconds(2)));
        looks.add(at, Some(seconds(1)));
        looks.add(at, None);
        assert_eq!(looks.longest, Some(seconds(2)));
        assert_eq!(looks.waiting, None);
    }
}

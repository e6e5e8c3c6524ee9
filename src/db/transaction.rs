//! The rehearsal itself: BEGIN, limits, locks, CREATE INDEX, ANALYZE where an expression needs
//! statistics, EXPLAIN, and always ROLLBACK.
//!
//! A build needs a lock that does not affect readers and makes writers wait until the ROLLBACK. So
//! a second connection watches who waits, and what runs here is cancelled as soon as somebody has
//! waited for `max_write_block`. Where nobody can watch, that is the limit of the whole transaction.
//! Nothing pauses between the statements, and the transaction ends as soon as the plans are known.
//! It also never waits for a lock *while it holds one*: it waits only for the first lock, and takes
//! all others at once or not at all. Otherwise an application that locks the same tables in another
//! order could be the victim of a deadlock
//! (<https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-DEADLOCKS>).

use std::time::{Duration, Instant};

use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::execute::{LONG_RUN, RUNS, median};
use super::explain::Explained;
use super::row::field;
use super::session::{CONNECTION_CHECK_INTERVAL, Names, TransactionMode, milliseconds};
use super::wait_budget::WaitBudget;
use super::watcher::LOOK_PATIENCE;
use super::{DbError, Session};
use crate::model::{Bytes, Millis, QualifiedName, quote_identifier};
use crate::planner::{
    Answer, LockHolders, Mode, NamedIndex, PlanOutcome, Planned, Refusal, RefusalCause, Rollback,
    TestedIndex, Waits,
};
use crate::verdict::Reason;
use crate::workload::Statement;

const OPERATION: &str = "rehearsing an index";

/// `?` for a refusal inside a function that returns [`Outcome`].
macro_rules! or_refuse {
    ($outcome:expr) => {
        match $outcome? {
            Ok(value) => value,
            Err(refusal) => return Ok(Err(refusal)),
        }
    };
}

pub(super) mod hypothesis;

/// How often a lock that must not be waited for is tried, and the pause between two attempts.
const LOCK_ATTEMPTS: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(150);

/// What is rehearsed.
pub(super) struct Rehearsal<'q> {
    /// What is built.
    pub(super) indexes: &'q [NamedIndex],
    /// What is planned or executed with it.
    pub(super) statements: Vec<&'q Statement>,
    pub(super) mode: Mode,
    /// The tables that are locked first.
    pub(super) locks: Locks<'q>,
    /// How long the longest build is expected to take.
    pub(super) expected: Millis,
}

impl Session {
    /// Builds the indexes, plans the statements, rolls back.
    pub(super) fn rehearse(
        &self,
        rehearsal: &Rehearsal<'_>,
        budget: &mut WaitBudget,
    ) -> Result<Answer, DbError> {
        for attempt in 1.. {
            let (answer, lock_missed) =
                self.in_transaction(budget, |transaction| transaction.run(rehearsal))?;
            if !lock_missed || attempt >= LOCK_ATTEMPTS {
                return Ok(answer);
            }
            std::thread::sleep(LOCK_PAUSE);
        }
        Err(DbError::Query {
            operation: OPERATION,
            message: "not tried".to_owned(),
            state: None,
        })
    }

    /// Calls a function in a transaction that is rolled back in every case; also returns whether it
    /// failed because a lock was not free at once.
    fn in_transaction(
        &self,
        budget: &mut WaitBudget,
        work: impl FnOnce(&mut Transaction<'_>) -> Outcome<Planned>,
    ) -> Result<(Answer, bool), DbError> {
        budget.rest(self)?;
        let longest_wait = match budget.limit(&self.safety) {
            Ok(limit) => limit,
            Err(cause) => return Ok((Answer::Refused(cause.into()), false)),
        };
        let watcher = budget.watcher(self)?;
        self.begin(OPERATION, TransactionMode::Change, Names::Users)?;
        let watching = watcher.and_then(|link| self.begin_watch(link, longest_wait));
        let mut transaction = Transaction {
            session: self,
            longest_wait: longest_wait.into(),
            statement_timeout: self.safety.statement_timeout,
            unwatched: watching.err(),
            locked: None,
            built: 0,
            lock_missed: false,
            waited_for: None,
        };
        let rehearsed = work(&mut transaction);
        self.look();
        let rollback = self.rollback();
        let waited = self.end_watch();
        let write_block = transaction
            .locked
            .map(|since| Millis::from(since.elapsed()));
        let Transaction {
            built,
            lock_missed,
            unwatched,
            waited_for,
            ..
        } = transaction;
        let waits = waits(unwatched, write_block, waited.map(Millis::from));
        budget.spend(&waits);
        match rehearsed {
            Ok(_) if rollback == Rollback::Unconfirmed => Err(self.unconfirmed(OPERATION)),
            Ok(Ok(planned)) => Ok((
                Answer::Planned(Planned {
                    write_block,
                    waits: Some(waits),
                    ..planned
                }),
                false,
            )),
            Ok(Err(refusal)) => Ok((
                Answer::Refused(Refusal {
                    write_block,
                    waits: Some(waits),
                    built,
                    locked_by: waited_for.and_then(|table| self.lock_holders(table)),
                    ..refusal
                }),
                lock_missed,
            )),
            Err(DbError::Interrupted { .. }) => Err(DbError::Interrupted { rollback }),
            Err(error) => Err(error),
        }
    }
}

/// What others felt of it: what was seen, or how long the tables were locked where nobody watched.
fn waits(unwatched: Option<String>, write_block: Option<Millis>, seen: Option<Millis>) -> Waits {
    Waits {
        longest: match unwatched {
            Some(_) => write_block,
            None => seen,
        },
        unwatched,
    }
}

impl Session {
    /// Who has the lock that was waited for. Asked after the rollback, so they may be gone: then, and
    /// where the server does not say it, nobody is named.
    fn lock_holders(&self, table: QualifiedName) -> Option<Box<LockHolders>> {
        let sql = include_str!("sql/lock_holders.sql");
        let name = table.to_string();
        let rows = self.query(OPERATION, sql, &[(&name, Type::TEXT)]).ok()?;
        let pids: Vec<i32> = rows
            .iter()
            .filter_map(|row| field(row, "pid").ok())
            .collect();
        (!pids.is_empty()).then(|| Box::new(LockHolders { table, pids }))
    }
}

/// The tables that a rehearsal locks first. What LOCK TABLE does not accept (a materialized view)
/// is locked later by CREATE INDEX and the planner.
pub(super) struct Locks<'t> {
    /// Tables that indexes are built on.
    pub(super) write: Vec<&'t QualifiedName>,
    /// Tables that the planner reads.
    pub(super) read: Vec<&'t QualifiedName>,
}

/// An open transaction. The function that opens it also rolls it back.
struct Transaction<'s> {
    session: &'s Session,
    /// How long somebody may wait for it.
    longest_wait: Millis,
    /// How long a statement may run while nobody waits; zero is for ever.
    statement_timeout: Millis,
    /// Why nobody watches who waits.
    unwatched: Option<String>,
    /// When the first lock was taken: writers may wait since then.
    locked: Option<Instant>,
    built: usize,
    lock_missed: bool,
    /// The table whose lock was not acquired.
    waited_for: Option<QualifiedName>,
}

/// The limit that ends a statement first.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    time: Millis,
    when_exceeded: Reason,
}

type Outcome<T> = Result<Result<T, Refusal>, DbError>;

impl Transaction<'_> {
    fn run(&mut self, rehearsal: &Rehearsal<'_>) -> Outcome<Planned> {
        let Rehearsal {
            indexes,
            statements,
            mode,
            locks,
            expected,
        } = rehearsal;
        self.statement_timeout = self.session.safety.build_timeout(*expected);
        self.set_limits()?;
        // Before any lock is held: another session may be installing the same extension.
        for extension in indexes
            .iter()
            .filter_map(|index| index.definition.extension.as_ref())
        {
            or_refuse!(self.execute(&extension.create()));
        }
        or_refuse!(self.lock(locks));
        let mut planned = Planned::default();
        for index in *indexes {
            planned.indexes.push(or_refuse!(self.build(index)));
            self.built += 1;
        }
        if *mode == Mode::Execute {
            self.set_local("transaction_read_only", "on")?;
        }
        for statement in statements {
            let plan = match mode {
                Mode::Plan | Mode::Check => or_refuse!(self.plan(statement)),
                Mode::Execute => or_refuse!(self.execute_statement(statement)),
            };
            planned.plans.insert(statement.id.clone(), plan);
        }
        Ok(Ok(planned))
    }

    /// Waits for the first table's lock while holding none; takes the locks of the other tables at
    /// once or not at all. SHARE ROW EXCLUSIVE is what CREATE INDEX (SHARE) and ALTER TABLE … SET
    /// STATISTICS and ANALYZE (SHARE UPDATE EXCLUSIVE) need together, so that no lock is upgraded
    /// later.
    fn lock(&mut self, locks: &Locks<'_>) -> Outcome<()> {
        let mut wait = "";
        for table in &locks.write {
            or_refuse!(self.lock_table(table, "SHARE ROW EXCLUSIVE", wait));
            self.locked.get_or_insert_with(Instant::now);
            wait = " NOWAIT";
        }
        for table in &locks.read {
            or_refuse!(self.lock_table(table, "ACCESS SHARE", wait));
        }
        Ok(Ok(()))
    }

    /// Without ONLY: of a partitioned table all partitions are locked, as CREATE INDEX does.
    fn lock_table(&mut self, table: &QualifiedName, mode: &str, wait: &str) -> Outcome<()> {
        let sql = format!("LOCK TABLE {table} IN {mode} MODE{wait}");
        let locked = self.guarded(|session| {
            Ok(session
                .try_query(&sql)?
                .map(|_| ())
                .map_err(|error| DbError::query(OPERATION, &error)))
        })?;
        let is_missed = locked
            .as_ref()
            .is_err_and(|refusal| refusal.reason() == Reason::LockTimeout);
        if is_missed {
            self.waited_for = Some(table.clone());
        }
        if is_missed && !wait.is_empty() {
            self.lock_missed = true;
            let table = (*table).clone();
            return Ok(Err(RefusalCause::LockNotFree(table).into()));
        }
        Ok(locked)
    }

    fn build(&mut self, index: &NamedIndex) -> Outcome<TestedIndex> {
        let began = Instant::now();
        self.locked.get_or_insert(began);
        let created = self.execute(&index.definition.create(&index.name))?;
        // Where the table was not locked before, CREATE INDEX waits for the lock.
        if created
            .as_ref()
            .is_err_and(|refusal| refusal.reason() == Reason::LockTimeout)
        {
            self.waited_for = Some(index.definition.table.clone());
        }
        if let Err(refusal) = created {
            return Ok(Err(refusal));
        }
        if index.definition.has_expression() {
            or_refuse!(self.analyze_expressions(&index.definition.table));
        }
        let build_time = Millis::from(began.elapsed());
        let name = QualifiedName::new(index.definition.table.schema.clone(), index.name.clone())
            .to_string();
        let rows = self.catalog_rows(include_str!("sql/built_index.sql"), &name)?;
        let Some(row) = rows.first() else {
            return Ok(Err(Refusal::server(
                Reason::BuildFailed,
                "the index does not exist after CREATE INDEX",
            )));
        };
        let definition: String = field(row, "definition")?;
        Ok(Ok(TestedIndex {
            names: field::<Vec<String>>(row, "names")?.into_iter().collect(),
            body: body(&definition, index),
            size: Bytes(field::<i64>(row, "size_bytes")?.unsigned_abs()),
            build_time: Some(build_time),
            usable: field(row, "usable")?,
        }))
    }

    /// What a query of ours about this relation returns when no name is looked up outside
    /// `pg_catalog`. The statements keep their `search_path`.
    fn catalog_rows(&self, sql: &str, relation: &str) -> Result<Vec<Row>, DbError> {
        let path = self.session.use_own_names(OPERATION)?;
        let rows = self
            .session
            .query(OPERATION, sql, &[(&relation, Type::TEXT)])?;
        self.set_local("search_path", &path)?;
        Ok(rows)
    }

    /// Gives the new index's expressions statistics, and does not change those of the table's
    /// columns.
    fn analyze_expressions(&mut self, table: &QualifiedName) -> Outcome<()> {
        let freeze = include_str!("sql/freeze_statistics.sql");
        let rows = self.catalog_rows(freeze, &table.to_string())?;
        let statement: Option<String> = rows
            .first()
            .map(|row| field(row, "statement"))
            .transpose()?
            .flatten();
        if let Some(statement) = statement {
            or_refuse!(self.execute(&statement));
        }
        // Autovacuum learns of an ANALYZE from the counters, and the report says when that matters.
        // So this ANALYZE is counted, even if the session is not.
        if self.session.is_uncounted {
            self.set_local("track_counts", "on")?;
        }
        or_refuse!(self.execute(&format!("ANALYZE {table}")));
        if self.session.is_uncounted {
            self.set_local("track_counts", "off")?;
        }
        Ok(Ok(()))
    }

    fn plan(&mut self, statement: &Statement) -> Outcome<PlanOutcome> {
        self.guarded(|session| {
            Ok(match session.explain(&statement.sql)? {
                Explained::Plan { plan, .. } => Ok(PlanOutcome::Plan(plan)),
                Explained::Empty => Ok(PlanOutcome::Empty),
                Explained::Refused { message, state } => {
                    let message = format!("planning {} with it: {message}", statement.id);
                    Err(DbError::Query {
                        operation: OPERATION,
                        message,
                        state: state.or(Some(SqlState::INTERNAL_ERROR)),
                    })
                }
            })
        })
    }

    /// Executes a statement; one that takes longer than is allowed ends the rehearsal.
    fn execute_statement(&mut self, statement: &Statement) -> Outcome<PlanOutcome> {
        let mut left = RUNS;
        let mut seen = Vec::new();
        while left > 0 {
            if let Some(out_of_time) = self.session.executions.out_of_time() {
                if seen.is_empty() {
                    seen.push(out_of_time);
                }
                break;
            }
            let began = Instant::now();
            let limit = self.allowance().time;
            seen.push(or_refuse!(self.guarded(|session| {
                let explained = session.explain_executed(&statement.sql, limit)?;
                Ok(match (session.executions.out_of_time(), explained) {
                    // The transaction has failed, and nothing more is executed in it.
                    (Some(out_of_time), Explained::Refused { .. }) => Ok(out_of_time),
                    (
                        None,
                        Explained::Refused {
                            message,
                            state: Some(state),
                        },
                    ) => Err(DbError::Query {
                        operation: OPERATION,
                        message,
                        state: Some(state),
                    }),
                    (_, other) => Ok(PlanOutcome::from(other)),
                })
            })));
            left = if began.elapsed() > LONG_RUN {
                0
            } else {
                left - 1
            };
        }
        Ok(Ok(median(seen)))
    }

    fn execute(&mut self, sql: &str) -> Outcome<()> {
        self.guarded(|session| {
            Ok(session
                .try_query(sql)?
                .map(|_| ())
                .map_err(|error| DbError::query(OPERATION, &error)))
        })
    }

    /// Runs a statement within the remaining time, and turns the server's error into a refusal. If
    /// the client stops between two statements, the server ends the transaction after that time,
    /// too.
    fn guarded<T>(
        &mut self,
        statement: impl FnOnce(&Session) -> Result<Result<T, DbError>, DbError>,
    ) -> Outcome<T> {
        let allowance = self.allowance();
        let left = self.left();
        if left.0 <= 0.0 || self.session.has_yielded() {
            return Ok(Err(self.refused_for_time(Reason::WriteBlockTooLong)));
        }
        self.set_local("statement_timeout", &milliseconds(allowance.time))?;
        self.set_local("idle_in_transaction_session_timeout", &milliseconds(left))?;
        match self.session.yielding(statement)? {
            Ok(value) => Ok(Ok(value)),
            Err(error) if error.is_refusal() => Ok(Err(self.refused(&error, allowance))),
            Err(error) => Err(error),
        }
    }

    /// How long the transaction may go on if the client stops: then nobody watches any more. Where
    /// nobody watches at all, somebody may have been waiting since the first lock.
    fn left(&self) -> Millis {
        if self.unwatched.is_none() {
            return Millis(self.longest_wait.0.max(Millis::from(LOOK_PATIENCE).0));
        }
        let gone = self
            .locked
            .map_or(Millis::default(), |since| Millis::from(since.elapsed()));
        Millis(self.longest_wait.0 - gone.0)
    }

    /// The timeout of statements (zero is none); where nobody watches, what is left if that is
    /// shorter.
    fn allowance(&self) -> Allowance {
        let (limit, left) = (self.statement_timeout, self.left());
        let is_left_shorter = limit.0 <= 0.0 || left < limit;
        if self.unwatched.is_some() && is_left_shorter {
            Allowance {
                time: left,
                when_exceeded: Reason::WriteBlockTooLong,
            }
        } else {
            Allowance {
                time: limit,
                when_exceeded: Reason::StatementTimeout,
            }
        }
    }

    fn refused(&self, error: &DbError, allowance: Allowance) -> Refusal {
        let DbError::Query { message, state, .. } = error else {
            return Refusal::server(Reason::BuildFailed, error.to_string());
        };
        match state.as_ref() {
            Some(state) if *state == SqlState::LOCK_NOT_AVAILABLE => {
                RefusalCause::LockTimeout(self.session.safety.lock_timeout).into()
            }
            Some(state) if *state == SqlState::QUERY_CANCELED => {
                let yielded = self.session.has_yielded();
                self.refused_for_time(if yielded {
                    Reason::WriteBlockTooLong
                } else {
                    allowance.when_exceeded
                })
            }
            Some(state) if *state == SqlState::READ_ONLY_SQL_TRANSACTION => {
                Refusal::server(Reason::ReadOnlyServer, message)
            }
            _ => Refusal::server(Reason::BuildFailed, message),
        }
    }

    fn refused_for_time(&self, reason: Reason) -> Refusal {
        let cause = match reason {
            Reason::WriteBlockTooLong if self.unwatched.is_some() => {
                RefusalCause::UnwatchedTooLong(self.longest_wait)
            }
            Reason::WriteBlockTooLong => RefusalCause::WriteBlockTooLong(self.longest_wait),
            _ => RefusalCause::StatementTimeout(self.statement_timeout),
        };
        cause.into()
    }

    fn set_limits(&mut self) -> Result<(), DbError> {
        self.set_local(
            "lock_timeout",
            &milliseconds(self.session.safety.lock_timeout),
        )?;
        if self.session.checks_connection {
            self.set_local(
                "client_connection_check_interval",
                CONNECTION_CHECK_INTERVAL,
            )?;
        }
        Ok(())
    }

    fn set_local(&self, name: &str, value: &str) -> Result<(), DbError> {
        self.session.set_local(OPERATION, name, value)
    }
}

/// The text after the table in `CREATE INDEX name ON [ONLY] table USING …`; our own text if the
/// server's does not begin like that.
pub(super) fn body(definition: &str, index: &NamedIndex) -> String {
    let on = format!("CREATE INDEX {} ON ", quote_identifier(&index.name));
    let table = index.definition.table.to_string();
    let rest = definition
        .strip_prefix(&on)
        .map(|rest| rest.strip_prefix("ONLY ").unwrap_or(rest));
    let own = index.definition.definition();
    let body = rest
        .and_then(|rest| rest.strip_prefix(&table))
        .or_else(|| own.strip_prefix(&table));
    body.unwrap_or_default().trim_start().to_owned()
}

//! One connection of our own, with limits on everything it does, driven synchronously.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::connect::{self, CancelHandle, Connected, Prompt};
use super::conninfo::Settings;
use super::executions::Executions;
use super::untrusted::PlannedTables;
use super::{DbError, Interrupt};
use crate::model::Millis;
use crate::planner::Rollback;

/// Limits for everything on the server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Safety {
    /// `lock_timeout`: how long to wait for a lock, and so how long later writers may queue behind
    /// us.
    pub lock_timeout: Millis,
    /// `statement_timeout`: how long one statement may run.
    pub statement_timeout: Millis,
    /// How long writers to a table may be blocked by one rehearsal.
    pub max_write_block: Millis,
}

impl Default for Safety {
    fn default() -> Self {
        Safety {
            lock_timeout: Millis(1_000.0),
            statement_timeout: Millis(30_000.0),
            max_write_block: Millis(10_000.0),
        }
    }
}

/// How long to wait for the server to confirm a cancel request before the connection is dropped.
const CANCEL_PATIENCE: Duration = Duration::from_millis(1_500);

/// How soon the server notices during a build that the client is gone (PG 14+; otherwise it would
/// complete the build).
pub(super) const CONNECTION_CHECK_INTERVAL: &str = "500ms";

/// A part of a pipeline.
pub(super) enum PipelineStep {
    /// Statements of our own (simple protocol), without a result.
    Script(String),
    /// One statement (extended protocol).
    Statement(String),
}

impl PipelineStep {
    fn sql(&self) -> &str {
        match self {
            PipelineStep::Script(sql) | PipelineStep::Statement(sql) => sql,
        }
    }
}

pub(super) type StepResult = Result<Vec<Row>, tokio_postgres::Error>;
type PipelineFuture<'s> = Pin<Box<dyn Future<Output = StepResult> + 's>>;

/// A step that was sent, and its result.
enum Pending<'s> {
    Running(PipelineFuture<'s>),
    Done(StepResult),
}

impl Pending<'_> {
    /// Is it done?
    fn advance(&mut self, context: &mut Context<'_>) -> bool {
        if let Pending::Running(future) = self
            && let Poll::Ready(result) = future.as_mut().poll(context)
        {
            *self = Pending::Done(result);
        }
        matches!(self, Pending::Done(_))
    }

    fn done(self) -> Option<StepResult> {
        match self {
            Pending::Done(result) => Some(result),
            Pending::Running(_) => None,
        }
    }
}

/// The options of a session other than where it connects to.
#[derive(Clone)]
pub struct SessionOptions {
    /// The limits.
    pub safety: Safety,
    /// Cancels the running statement.
    pub interrupt: Interrupt,
    /// Called with every statement before it is sent (`--verbose`).
    pub trace: Option<fn(&str)>,
}

/// A connection of our own.
pub struct Session {
    runtime: Runtime,
    client: Client,
    cancel: CancelHandle,
    interrupt: Interrupt,
    trace: Option<fn(&str)>,
    waited: Cell<Duration>,
    prepared: Cell<u32>,
    /// The limits.
    pub(super) safety: Safety,
    /// Does this server know `client_connection_check_interval`? (Not on every platform.)
    pub(super) checks_connection: bool,
    /// Does the server leave this session out of its counters? (Possible for superusers and roles
    /// with SET on `track_counts`.)
    pub(super) is_uncounted: bool,
    /// How long statements may be executed.
    pub(super) executions: Executions,
    /// The tables of statements that were planned.
    pub(super) planned: PlannedTables,
}

impl Session {
    /// Connects and sets the session's limits.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub fn connect(
        settings: &Settings,
        prompt: Prompt<'_>,
        options: SessionOptions,
    ) -> Result<Session, DbError> {
        let SessionOptions {
            safety,
            interrupt,
            trace,
        } = options;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| DbError::Query {
            operation: "starting",
            message: error.to_string(),
            state: None,
        })?;
        let connected = runtime.block_on(async {
            tokio::select! {
                connected = connect::connect(settings, prompt) => connected.map_err(DbError::from),
                () = interrupt.raised() => Err(DbError::Interrupted { rollback: Rollback::Confirmed }),
            }
        })?;
        let Connected { client, cancel, .. } = connected;
        let mut session = Session {
            runtime,
            client,
            cancel,
            interrupt,
            trace,
            waited: Cell::default(),
            prepared: Cell::default(),
            safety,
            checks_connection: true,
            is_uncounted: true,
            executions: Executions::default(),
            planned: PlannedTables::default(),
        };
        session.set_limits()?;
        Ok(session)
    }

    fn set_limits(&mut self) -> Result<(), DbError> {
        let Safety {
            lock_timeout,
            statement_timeout,
            max_write_block,
        } = self.safety;
        self.set("lock_timeout", &milliseconds(lock_timeout))?;
        self.set("statement_timeout", &milliseconds(statement_timeout))?;
        self.set("tcp_user_timeout", &milliseconds(max_write_block))
            .or_else(unless_refused)?;
        // Settings that affect how plans print values: the printed statements must mean the same in
        // any session.
        for (name, value) in [
            ("DateStyle", "ISO"),
            ("IntervalStyle", "postgres"),
            ("bytea_output", "hex"),
        ] {
            self.set(name, value)?;
        }
        // A stopped client (Ctrl-Z, a frozen machine) must not keep its locks.
        self.set(
            "idle_in_transaction_session_timeout",
            &milliseconds(max_write_block),
        )?;
        // `idx_scan` also counts reads of the ends of an index, by us and by the planner. These are
        // not a use of the index.
        match self.set("track_counts", "off") {
            Err(error) if error.is_refusal() => self.is_uncounted = false,
            other => other?,
        }
        match self.set(
            "client_connection_check_interval",
            CONNECTION_CHECK_INTERVAL,
        ) {
            Err(error) if error.is_refusal() => self.checks_connection = false,
            other => other?,
        }
        Ok(())
    }

    /// Sets a setting for the session.
    pub(super) fn set(&self, name: &str, value: &str) -> Result<(), DbError> {
        self.query(
            "setting the session's limits",
            "/* pgrehearse */ SELECT pg_catalog.set_config($1, $2, false)",
            &[(&name, Type::TEXT), (&value, Type::TEXT)],
        )?;
        Ok(())
    }

    /// Runs one statement with the extended protocol: the server refuses a second one behind a
    /// semicolon.
    pub(super) fn query(
        &self,
        operation: &'static str,
        sql: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, DbError> {
        let rows = self.drive(sql, self.client.query_typed(sql, parameters))?;
        rows.map_err(|error| DbError::query(operation, &error))
    }

    /// Like [`Session::query`], with the driver's error: for the user's statements, whose errors
    /// are results.
    pub(super) fn try_query(
        &self,
        sql: &str,
    ) -> Result<Result<Vec<Row>, tokio_postgres::Error>, DbError> {
        self.drive(sql, self.client.query_typed(sql, &[]))
    }

    /// Several statements at once (simple protocol): only for scripts of our own.
    pub(super) fn batch(&self, operation: &'static str, sql: &str) -> Result<(), DbError> {
        self.drive(sql, self.client.batch_execute(sql))?
            .map_err(|error| DbError::query(operation, &error))
    }

    /// Sends all steps at once and waits for all results, in one round trip.
    pub(super) fn pipeline(&self, steps: &[PipelineStep]) -> Result<Vec<StepResult>, DbError> {
        let traced = steps
            .iter()
            .map(PipelineStep::sql)
            .collect::<Vec<_>>()
            .join(";\n");
        self.drive(&traced, async {
            let mut pending: Vec<Pending<'_>> = steps
                .iter()
                .map(|step| Pending::Running(self.step(step)))
                .collect();
            // tokio-postgres sends a request when its future is first polled.
            std::future::poll_fn(|context| {
                let mut ready = true;
                for step in &mut pending {
                    ready &= step.advance(context);
                }
                if ready {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
            pending.into_iter().filter_map(Pending::done).collect()
        })
    }

    /// Statements that may fail inside a transaction that continues after a failure: their rows, or
    /// the first refusal.
    pub(super) fn attempt(
        &self,
        operation: &'static str,
        statements: Vec<PipelineStep>,
    ) -> Result<Result<Vec<Vec<Row>>, DbError>, DbError> {
        let mut steps = vec![PipelineStep::Script("SAVEPOINT attempt".to_owned())];
        steps.extend(statements);
        steps.push(PipelineStep::Script("RELEASE SAVEPOINT attempt".to_owned()));
        let results: Result<Vec<Vec<Row>>, _> = self.pipeline(&steps)?.into_iter().collect();
        match results {
            Ok(mut rows) => {
                rows.pop();
                Ok(Ok(rows.into_iter().skip(1).collect()))
            }
            Err(failed) => match DbError::query(operation, &failed) {
                refused if refused.is_refusal() => {
                    self.batch(operation, "ROLLBACK TO SAVEPOINT attempt")?;
                    Ok(Err(refused))
                }
                error => Err(error),
            },
        }
    }

    fn step<'s>(&'s self, step: &'s PipelineStep) -> PipelineFuture<'s> {
        match step {
            PipelineStep::Script(sql) => {
                Box::pin(async { self.client.batch_execute(sql).await.map(|()| Vec::new()) })
            }
            PipelineStep::Statement(sql) => Box::pin(self.client.query_typed(sql, &[])),
        }
    }

    /// A name that no prepared statement of this session had.
    pub(super) fn new_statement_name(&self) -> String {
        self.prepared.set(self.prepared.get() + 1);
        format!("pgrehearse_{}", self.prepared.get())
    }

    /// How long this session has waited for its server.
    pub fn waited(&self) -> Millis {
        self.waited.get().into()
    }

    /// Runs a future to its end. If the user asks to stop, cancels the statement on the server and
    /// waits until it ends.
    fn drive<T>(&self, sql: &str, work: impl Future<Output = T>) -> Result<T, DbError> {
        if let Some(trace) = self.trace {
            trace(sql);
        }
        let began = Instant::now();
        let done = self.runtime.block_on(async {
            let mut work = std::pin::pin!(work);
            tokio::select! {
                biased;
                () = self.interrupt.raised() => {}
                done = &mut work => return Ok(done),
            }
            let _ = tokio::time::timeout(CANCEL_PATIENCE, self.cancel.cancel()).await;
            let _ = tokio::time::timeout(CANCEL_PATIENCE, work).await;
            Err(DbError::Interrupted {
                rollback: Rollback::Confirmed,
            })
        });
        self.waited.set(self.waited.get() + began.elapsed());
        done
    }

    /// Ends a transaction, whatever happened in it, also after an interrupt. Never fails: a
    /// connection that does not answer is dropped with the session, and the server then rolls back.
    pub(super) fn rollback(&self) -> Rollback {
        if let Some(trace) = self.trace {
            trace("ROLLBACK");
        }
        let rollback = self.client.batch_execute("ROLLBACK");
        let ended = self
            .runtime
            .block_on(async { tokio::time::timeout(CANCEL_PATIENCE, rollback).await });
        if matches!(ended, Ok(Ok(()))) {
            Rollback::Confirmed
        } else {
            Rollback::Unconfirmed
        }
    }
}

/// A setting that this server does not know is skipped.
fn unless_refused(error: DbError) -> Result<(), DbError> {
    if error.is_refusal() {
        Ok(())
    } else {
        Err(error)
    }
}

/// A duration as the value of a setting; zero means no limit, as everywhere in PostgreSQL.
pub(super) fn milliseconds(duration: Millis) -> String {
    format!("{}ms", duration.0.ceil())
}

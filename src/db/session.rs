//! One connection of our own, with limits on everything it does, driven synchronously.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::connect::{self, CancelHandle, Connected, Prompt};
use super::conninfo::Settings;
use super::executions::Executions;
use super::watcher::{Alarm, Holder, Watch};
use super::{DbError, Interrupt};
use crate::model::Millis;
use crate::planner::Rollback;

mod opening;

pub(super) use opening::{OWN_PATH, TransactionMode};

/// Limits for everything on the server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Safety {
    /// `lock_timeout`: how long to wait for a lock, and so how long later writers may queue behind
    /// us.
    pub lock_timeout: Millis,
    /// `statement_timeout`: how long one statement may run.
    pub statement_timeout: Millis,
    /// The same while indexes are built; none: as long as they are expected to take, with a margin.
    pub build_timeout: Option<Millis>,
    /// How long another session may wait because of one rehearsal.
    pub max_write_block: Millis,
    /// How long others may wait because of all rehearsals of a run.
    pub max_total_write_block: Millis,
}

impl Default for Safety {
    fn default() -> Self {
        Safety {
            lock_timeout: Millis(1_000.0),
            statement_timeout: Millis(30_000.0),
            build_timeout: None,
            max_write_block: Millis(2_000.0),
            max_total_write_block: Millis(30_000.0),
        }
    }
}

/// A build may take this many times as long as expected,
const BUILD_MARGIN: f64 = 3.0;

/// and at least this long.
const MIN_BUILD_TIMEOUT: Millis = Millis(30_000.0);

impl Safety {
    /// How long a statement may run where a build is expected to take this long.
    pub(super) fn build_timeout(&self, expected: Millis) -> Millis {
        self.build_timeout
            .unwrap_or(Millis(MIN_BUILD_TIMEOUT.0.max(expected.0 * BUILD_MARGIN)))
    }

    /// How long the server waits for a client that does not answer.
    fn stalled_client(&self) -> Millis {
        Millis(STALLED_CLIENT.0.max(self.max_write_block.0))
    }
}

/// How long the server waits for a client that does not answer while nobody waits for us.
const STALLED_CLIENT: Millis = Millis(10_000.0);

/// How long to wait until a cancelled build has ended.
const BUILD_END_PATIENCE: Duration = Duration::from_secs(10);

/// How long a cancel request, the end of the cancelled statement and the rollback may take together
/// before the connection is dropped: an interrupt is answered within two seconds.
const CANCEL_PATIENCE: Duration = Duration::from_millis(1_500);

/// How long a cancel request may take that is sent to a server that does not answer.
const SHORT_PATIENCE: Duration = Duration::from_millis(500);

const STATEMENT: &str = "running a statement";

/// What the settings of every transaction depend on.
const PATH_AND_TIMEOUT: &str = "/* pgrehearse */ \
    SELECT pg_catalog.current_setting('search_path') AS path, \
           EXISTS (SELECT FROM pg_catalog.pg_settings \
                   WHERE name OPERATOR(pg_catalog.=) 'idle_session_timeout' \
                     AND setting OPERATOR(pg_catalog.<>) '0') AS ends_when_idle";

/// How much longer than its `statement_timeout` the server may take to answer. A server that does
/// not keep its own limit, or a network that carries nothing, is given up after that.
const SILENCE_MARGIN: Duration = Duration::from_secs(5);

/// How often a transaction is begun again when a timeout of the role ends its first message.
const OPENING_ATTEMPTS: u32 = 5;

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

/// Where the settings of a session live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// In each transaction: behind the connection may be a pooler.
    Transaction,
    /// In the session: the server is our own.
    Session,
}

/// The transaction that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    No,
    Read,
    Change,
}

/// A connection and its cancel requests.
pub(super) struct Link {
    pub(super) client: Client,
    cancel: CancelHandle,
}

impl Link {
    fn new(connected: Connected) -> Arc<Link> {
        let Connected { client, cancel, .. } = connected;
        Arc::new(Link { client, cancel })
    }
}

/// A connection of our own.
pub struct Session {
    runtime: Runtime,
    link: RefCell<Arc<Link>>,
    interrupt: Interrupt,
    trace: Option<fn(&str)>,
    waited: Cell<Duration>,
    prepared: Cell<u32>,
    scope: Scope,
    open: Cell<Open>,
    /// Did the server stop answering? Then nothing more is sent.
    lost: Cell<bool>,
    /// The server's own limit for a statement; none if it has none.
    statement_limit: Cell<Option<Duration>>,
    /// When the answers to an interrupt must be there.
    interrupt_deadline: Cell<Option<Instant>>,
    /// What every transaction sets.
    local_settings: Vec<(&'static str, String)>,
    /// The `search_path` for reading the catalog, where the session's own would not do.
    catalog_path: Option<String>,
    /// How to connect again; none for a server of our own.
    reconnect: Option<Reconnect>,
    /// May `idle_session_timeout` end the session between two transactions?
    ends_when_idle: bool,
    /// Watches who waits for the open transaction.
    watch: RefCell<Option<Watch>>,
    /// Is the running statement cancelled when somebody waits too long?
    yields: Cell<bool>,
    /// Was a statement of the open transaction cancelled for that?
    yielded: Cell<bool>,
    /// The limits.
    pub(super) safety: Safety,
    /// Does this server know `client_connection_check_interval`? (Not on every platform.)
    pub(super) checks_connection: bool,
    /// Does the server leave this session out of its counters? (Possible for superusers and roles
    /// with SET on `track_counts`.)
    pub(super) is_uncounted: bool,
    /// How long statements may be executed.
    pub(super) executions: Executions,
}

/// What a second connection needs.
struct Reconnect {
    settings: Settings,
    password: Option<String>,
}

impl Session {
    /// Connects to a server. Nothing is set for the session: every question is a transaction with
    /// settings of its own.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub fn connect(
        settings: &Settings,
        prompt: Prompt<'_>,
        options: SessionOptions,
    ) -> Result<Session, DbError> {
        let typed = Mutex::new(None);
        let remembering = |text: &str| {
            let password = prompt(text)?;
            *typed.lock().unwrap_or_else(PoisonError::into_inner) = Some(password.clone());
            Ok(password)
        };
        let mut session = Session::open(settings, &remembering, options, Scope::Transaction)?;
        let password = typed.into_inner().unwrap_or_else(PoisonError::into_inner);
        session.probe(Reconnect {
            settings: settings.clone(),
            password,
        })?;
        Ok(session)
    }

    /// Connects to a server that is ours alone, and sets the session's limits.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub fn connect_to_own(
        settings: &Settings,
        prompt: Prompt<'_>,
        options: SessionOptions,
    ) -> Result<Session, DbError> {
        let mut session = Session::open(settings, prompt, options, Scope::Session)?;
        session.set_limits()?;
        Ok(session)
    }

    fn open(
        settings: &Settings,
        prompt: Prompt<'_>,
        options: SessionOptions,
        scope: Scope,
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
        let link = connect_unless_interrupted(&runtime, settings, prompt, &interrupt)?;
        Ok(Session {
            runtime,
            link: RefCell::new(link),
            interrupt,
            trace,
            waited: Cell::default(),
            prepared: Cell::default(),
            scope,
            open: Cell::new(Open::No),
            lost: Cell::new(false),
            statement_limit: Cell::new(limit(safety.statement_timeout)),
            interrupt_deadline: Cell::new(None),
            local_settings: opening::always(safety),
            catalog_path: None,
            reconnect: None,
            ends_when_idle: false,
            watch: RefCell::default(),
            yields: Cell::default(),
            yielded: Cell::default(),
            safety,
            checks_connection: true,
            is_uncounted: true,
            executions: Executions::default(),
        })
    }

    /// Asks once what every transaction can set on this server.
    fn probe(&mut self, reconnect: Reconnect) -> Result<(), DbError> {
        const OPERATION: &str = "connecting";
        self.begin(OPERATION, TransactionMode::Read)
            .map_err(opening::without_transactions)?;
        let optional = opening::optional(self.safety);
        let mut steps = vec![PipelineStep::Statement(PATH_AND_TIMEOUT.to_owned())];
        for setting in &optional {
            steps.push(PipelineStep::Script("SAVEPOINT probe".to_owned()));
            steps.push(PipelineStep::Statement(opening::set_local(
                std::slice::from_ref(setting),
            )));
            steps.push(PipelineStep::Script(
                "ROLLBACK TO SAVEPOINT probe".to_owned(),
            ));
        }
        let probed = self.pipeline(&steps);
        let ended = self.rollback();
        let mut results = probed?.into_iter();
        let facts = results.next().transpose();
        let facts = facts.map_err(|error| DbError::query(OPERATION, &error))?;
        for setting in optional {
            let mut of_setting = results.by_ref().take(3);
            let opened = of_setting.next().transpose();
            opened.map_err(|error| {
                opening::without_transactions(DbError::query(OPERATION, &error))
            })?;
            match of_setting.next().transpose() {
                Ok(_) => self.local_settings.push(setting),
                Err(error) if DbError::query(OPERATION, &error).is_refusal() => {}
                Err(error) => return Err(DbError::query(OPERATION, &error)),
            }
            of_setting.for_each(drop);
        }
        if ended == Rollback::Unconfirmed {
            return Err(self.silent(OPERATION, Duration::ZERO));
        }
        let is_set = |name| self.local_settings.iter().any(|(set, _)| *set == name);
        (self.is_uncounted, self.checks_connection) = (
            is_set("track_counts"),
            is_set("client_connection_check_interval"),
        );
        if let Some(row) = facts.iter().flatten().next() {
            let path: String = super::catalog::field(row, "path")?;
            self.catalog_path = opening::catalog_first(&path);
            self.ends_when_idle = super::catalog::field(row, "ends_when_idle")?;
        }
        self.reconnect = Some(reconnect);
        if let Some(trace) = self.trace {
            trace(&format!(
                "every transaction begins with: {}",
                opening::set_local(&self.local_settings)
            ));
        }
        Ok(())
    }

    /// The limits of a server of our own.
    fn set_limits(&mut self) -> Result<(), DbError> {
        for (name, value) in opening::always(self.safety) {
            self.set(name, &value)?;
        }
        let mut accepted = Vec::new();
        for (name, value) in opening::optional(self.safety) {
            match self.set(name, &value) {
                Ok(()) => accepted.push(name),
                Err(error) if error.is_refusal() => {}
                Err(error) => return Err(error),
            }
        }
        self.is_uncounted = accepted.contains(&"track_counts");
        self.checks_connection = accepted.contains(&"client_connection_check_interval");
        Ok(())
    }

    /// Begins a transaction with our settings. [`Session::rollback`] ends it.
    pub(super) fn begin(
        &self,
        operation: &'static str,
        mode: TransactionMode,
    ) -> Result<(), DbError> {
        let mut script = mode.begin().to_owned();
        if self.scope == Scope::Transaction {
            script += &format!("; {}", opening::set_local(&self.local_settings));
        }
        for attempt in 1.. {
            self.open.set(match mode {
                TransactionMode::Change => Open::Change,
                _ => Open::Read,
            });
            let work = async {
                let link = self.link();
                link.client.batch_execute(&script).await
            };
            let opened = self
                .drive(operation, mode.begin(), 1, work)?
                .map_err(|error| DbError::query(operation, &error));
            match opened {
                Ok(()) => break,
                Err(error) if attempt < OPENING_ATTEMPTS && self.can_begin_again(&error)? => {}
                Err(error) => {
                    self.rollback();
                    return Err(error);
                }
            }
        }
        self.statement_limit
            .set(limit(self.safety.statement_timeout));
        Ok(())
    }

    fn can_begin_again(&self, error: &DbError) -> Result<bool, DbError> {
        if opening::may_open_again(error) {
            self.rollback();
            return Ok(true);
        }
        let gone = error.is_idle_session_timeout() || self.link().client.is_closed();
        if !gone || !self.ends_when_idle {
            return Ok(false);
        }
        let Some(reconnect) = &self.reconnect else {
            return Ok(false);
        };
        self.open.set(Open::No);
        self.link.replace(self.connect_again(reconnect)?);
        Ok(true)
    }

    fn connect_again(&self, reconnect: &Reconnect) -> Result<Arc<Link>, DbError> {
        let Reconnect { settings, password } = reconnect;
        let known = |_: &str| {
            let missing = || std::io::Error::other("the password is not known any more");
            password.clone().ok_or_else(missing)
        };
        connect_unless_interrupted(&self.runtime, settings, &known, &self.interrupt)
    }

    /// Another connection to the same server, for the same role.
    pub(super) fn second_connection(&self) -> Result<Arc<Link>, DbError> {
        let missing = || DbError::Missing("the server is our own".to_owned());
        self.connect_again(self.reconnect.as_ref().ok_or_else(missing)?)
    }

    /// Calls a function in a transaction that is rolled back in every case.
    pub(super) fn within<T>(
        &self,
        operation: &'static str,
        mode: TransactionMode,
        work: impl FnOnce(&Session) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        self.begin(operation, mode)?;
        let done = work(self);
        let rollback = self.rollback();
        match done {
            Err(DbError::Interrupted { .. }) => Err(DbError::Interrupted { rollback }),
            other => other,
        }
    }

    /// Like [`Session::within`], for reading the catalog with queries whose results depend on
    /// `search_path`: names resolve as in the statements, but nothing of the user's comes before
    /// `pg_catalog`.
    pub(super) fn reading_catalog<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Session) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        self.within(operation, TransactionMode::ReadSnapshot, |session| {
            if let Some(path) = &session.catalog_path {
                session.set_local(operation, "search_path", path)?;
            }
            work(session)
        })
    }

    /// Sets a setting for the session: only of a server of our own.
    pub(super) fn set(&self, name: &str, value: &str) -> Result<(), DbError> {
        self.set_config("setting the session's limits", (name, value), false)
    }

    /// Sets a setting for the current transaction.
    pub(super) fn set_local(
        &self,
        operation: &'static str,
        name: &str,
        value: &str,
    ) -> Result<(), DbError> {
        self.set_config(operation, (name, value), true)
    }

    fn set_config(
        &self,
        operation: &'static str,
        (name, value): (&str, &str),
        is_local: bool,
    ) -> Result<(), DbError> {
        self.query(
            operation,
            "/* pgrehearse */ SELECT pg_catalog.set_config($1, $2, $3)",
            &[
                (&name, Type::TEXT),
                (&value, Type::TEXT),
                (&is_local, Type::BOOL),
            ],
        )?;
        if name == "statement_timeout" {
            self.statement_limit.set(limit_of(value));
        }
        Ok(())
    }

    /// The options it was opened with.
    pub(super) fn options(&self) -> SessionOptions {
        SessionOptions {
            safety: self.safety,
            interrupt: self.interrupt.clone(),
            trace: self.trace,
        }
    }

    /// From now on its statements are not interrupted: for short ones that must not be left out.
    pub(super) fn ignore_interrupts(&mut self) {
        self.interrupt = Interrupt::never();
    }

    fn link(&self) -> Arc<Link> {
        Arc::clone(&self.link.borrow())
    }

    /// Runs one statement with the extended protocol: the server refuses a second one behind a
    /// semicolon. Outside a transaction of ours it gets one, in which names are those of
    /// `pg_catalog`.
    pub(super) fn query(
        &self,
        operation: &'static str,
        sql: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, DbError> {
        if self.scope == Scope::Transaction && self.open.get() == Open::No {
            return self.within(operation, TransactionMode::Read, |session| {
                session.set_local(operation, "search_path", OWN_PATH)?;
                session.query(operation, sql, parameters)
            });
        }
        let link = self.link();
        let rows = self.drive(operation, sql, 1, link.client.query_typed(sql, parameters))?;
        rows.map_err(|error| DbError::query(operation, &error))
    }

    /// Like [`Session::query`], with the driver's error: for the user's statements, whose errors
    /// are results.
    pub(super) fn try_query(
        &self,
        sql: &str,
    ) -> Result<Result<Vec<Row>, tokio_postgres::Error>, DbError> {
        let link = self.link();
        self.drive(STATEMENT, sql, 1, link.client.query_typed(sql, &[]))
    }

    /// Several statements at once (simple protocol): only for scripts of our own.
    pub(super) fn batch(&self, operation: &'static str, sql: &str) -> Result<(), DbError> {
        let link = self.link();
        self.drive(operation, sql, 1, link.client.batch_execute(sql))?
            .map_err(|error| DbError::query(operation, &error))
    }

    /// Sends all steps at once and waits for all results, in one round trip.
    pub(super) fn pipeline(&self, steps: &[PipelineStep]) -> Result<Vec<StepResult>, DbError> {
        let traced = steps
            .iter()
            .map(PipelineStep::sql)
            .collect::<Vec<_>>()
            .join(";\n");
        let link = self.link();
        self.drive(STATEMENT, &traced, steps.len(), async {
            let mut pending: Vec<Pending<'_>> = steps
                .iter()
                .map(|step| Pending::Running(send(&link.client, step)))
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
    /// waits until it ends. If the server does not answer in time, gives the connection up.
    fn drive<T>(
        &self,
        operation: &'static str,
        sql: &str,
        statements: usize,
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
        let patience = self.patience(statements);
        let alarm = self.alarm();
        let done = self.runtime.block_on(async {
            let mut work = std::pin::pin!(work);
            tokio::select! {
                biased;
                () = self.interrupt.raised() => {}
                done = &mut work => return Ok(done),
                () = pass(patience) => {
                    self.lost.set(true);
                    let _ = tokio::time::timeout(SHORT_PATIENCE, link.cancel.cancel()).await;
                    return Err(self.silent(operation, began.elapsed()));
                }
                () = raised(alarm) => return self.yield_to_others(operation, work).await,
            }
            let deadline = self.deadline();
            let _ = tokio::time::timeout_at(deadline, link.cancel.cancel()).await;
            let ended = tokio::time::timeout_at(deadline, work).await;
            self.lost.set(ended.is_err());
            Err(DbError::Interrupted {
                rollback: self.rollback_so_far(),
            })
        });
        self.waited.set(self.waited.get() + began.elapsed());
        done
    }

    /// Cancels the statement because somebody has waited too long for it, and waits for its end.
    async fn yield_to_others<T>(
        &self,
        operation: &'static str,
        work: Pin<&mut impl Future<Output = T>>,
    ) -> Result<T, DbError> {
        self.yielded.set(true);
        let began = Instant::now();
        let _ = tokio::time::timeout(CANCEL_PATIENCE, self.link().cancel.cancel()).await;
        tokio::select! {
            () = self.interrupt.raised() => {
                Err(DbError::Interrupted { rollback: self.rollback_so_far() })
            }
            ended = tokio::time::timeout(BUILD_END_PATIENCE, work) => ended.map_err(|_| {
                self.lost.set(true);
                self.silent(operation, began.elapsed())
            }),
        }
    }

    fn alarm(&self) -> Option<Alarm> {
        let is_armed = self.yields.get() && !self.yielded.get();
        let watch = self.watch.borrow();
        watch.as_ref().filter(|_| is_armed).map(Watch::alarm)
    }

    /// Watches who waits for the open transaction until [`Session::end_watch`]; an error says why
    /// that is not possible.
    pub(super) fn begin_watch(&self, link: Arc<Link>, limit: Duration) -> Result<(), String> {
        let rows = self.query(
            "watching",
            "/* pgrehearse */ SELECT pid, virtualtransaction FROM pg_catalog.pg_locks WHERE pid = pg_catalog.pg_backend_pid() LIMIT 1",
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
    pub(super) fn look(&self) {
        let watch = self.watch.take();
        if let Some(watch) = &watch {
            self.runtime.block_on(watch.look());
        }
        self.watch.replace(watch);
    }

    /// How long the session waited that waited longest.
    pub(super) fn end_watch(&self) -> Option<Duration> {
        self.yielded.set(false);
        self.watch.take()?.longest()
    }

    /// Runs statements that are cancelled when somebody waits too long for the open transaction.
    pub(super) fn yielding<T>(&self, call: impl FnOnce(&Session) -> T) -> T {
        self.yields.set(true);
        let result = call(self);
        self.yields.set(false);
        result
    }

    /// Has somebody waited too long for the open transaction?
    pub(super) fn has_yielded(&self) -> bool {
        self.yielded.get()
    }

    /// Does nothing until then, or until the user asks to stop.
    pub(super) fn pause(&self, until: tokio::time::Instant) -> Result<(), DbError> {
        self.runtime.block_on(async {
            tokio::select! {
                () = tokio::time::sleep_until(until) => Ok(()),
                () = self.interrupt.raised() => Err(DbError::Interrupted { rollback: Rollback::Confirmed }),
            }
        })
    }

    /// How long the answers to so many statements may take; none if the server has no limit.
    fn patience(&self, statements: usize) -> Option<Duration> {
        let statements = u32::try_from(statements).unwrap_or(u32::MAX);
        let limit = self.statement_limit.get()?;
        Some(limit.saturating_mul(statements) + SILENCE_MARGIN)
    }

    /// When everything that an interrupt causes must be done.
    fn deadline(&self) -> tokio::time::Instant {
        let deadline = self
            .interrupt_deadline
            .get()
            .unwrap_or_else(|| Instant::now() + CANCEL_PATIENCE);
        self.interrupt_deadline.set(Some(deadline));
        deadline.into()
    }

    /// What is known of the transaction before its rollback was answered.
    fn rollback_so_far(&self) -> Rollback {
        if self.open.get() == Open::No && !self.lost.get() {
            Rollback::Confirmed
        } else {
            Rollback::Unconfirmed
        }
    }

    fn silent(&self, operation: &'static str, waited: Duration) -> DbError {
        DbError::Silent {
            operation,
            waited: waited.into(),
            may_hold_locks: self.open.get() == Open::Change,
        }
    }

    /// Ends a transaction, whatever happened in it, also after an interrupt. Never fails: a
    /// connection that does not answer is dropped with the session, and the server then rolls back.
    pub(super) fn rollback(&self) -> Rollback {
        if self.lost.get() {
            return Rollback::Unconfirmed;
        }
        if let Some(trace) = self.trace {
            trace("ROLLBACK");
        }
        let link = self.link();
        let rollback = link.client.batch_execute("ROLLBACK");
        let patience = self.patience(1);
        let ended = self.runtime.block_on(async {
            match (self.interrupt_deadline.get(), patience) {
                (Some(deadline), _) => tokio::time::timeout_at(deadline.into(), rollback)
                    .await
                    .ok(),
                (None, Some(patience)) => tokio::time::timeout(patience, rollback).await.ok(),
                (None, None) => Some(rollback.await),
            }
        });
        self.statement_limit
            .set(limit(self.safety.statement_timeout));
        match ended {
            Some(Ok(())) => {
                self.open.set(Open::No);
                self.interrupt_deadline.set(None);
                Rollback::Confirmed
            }
            Some(Err(_)) => Rollback::Unconfirmed,
            None => {
                self.lost.set(true);
                Rollback::Unconfirmed
            }
        }
    }
}

/// Sends a part of a pipeline when it is first polled.
fn send<'s>(client: &'s Client, step: &'s PipelineStep) -> PipelineFuture<'s> {
    match step {
        PipelineStep::Script(sql) => {
            Box::pin(async move { client.batch_execute(sql).await.map(|()| Vec::new()) })
        }
        PipelineStep::Statement(sql) => Box::pin(client.query_typed(sql, &[])),
    }
}

/// Waits for the alarm; for ever where there is none.
async fn raised(alarm: Option<Alarm>) {
    match alarm {
        Some(alarm) => alarm.raised().await,
        None => std::future::pending().await,
    }
}

/// Ends after this time, or never.
async fn pass(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

fn connect_unless_interrupted(
    runtime: &Runtime,
    settings: &Settings,
    prompt: Prompt<'_>,
    interrupt: &Interrupt,
) -> Result<Arc<Link>, DbError> {
    let connected = runtime.block_on(async {
        tokio::select! {
            connected = connect::connect(settings, prompt) => connected.map_err(DbError::from),
            () = interrupt.raised() => Err(DbError::Interrupted { rollback: Rollback::Confirmed }),
        }
    })?;
    Ok(Link::new(connected))
}

/// A limit of the server as a time; zero means no limit, as everywhere in PostgreSQL.
fn limit(timeout: Millis) -> Option<Duration> {
    (timeout.0 > 0.0).then(|| Duration::from_secs_f64(timeout.0 / 1000.0))
}

/// The limit that a value of `statement_timeout` sets; all values are in milliseconds or seconds.
fn limit_of(value: &str) -> Option<Duration> {
    let (number, unit_ms) = match value.strip_suffix("ms") {
        Some(number) => (number, 1.0),
        None => (value.strip_suffix('s')?, 1000.0),
    };
    limit(Millis(number.parse::<f64>().ok()? * unit_ms))
}

/// A duration as the value of a setting; zero means no limit, as everywhere in PostgreSQL.
pub(super) fn milliseconds(duration: Millis) -> String {
    format!("{}ms", duration.0.ceil())
}

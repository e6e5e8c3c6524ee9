//! One connection of our own, with limits on everything it does, driven synchronously.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::connect::Prompt;
use super::conninfo::Settings;
use super::executions::Executions;
use super::link::{Link, connect_unless_interrupted};
use super::planned_tables::PlannedTables;
use super::watcher::Watch;
use super::{DbError, Interrupt};
use crate::model::Millis;
use crate::planner::Silence;

mod limits;
mod mark;
mod opening;
mod pipeline;
mod transactions;
mod waiting;
mod watching;

pub use limits::Safety;
pub(super) use limits::{CONNECTION_CHECK_INTERVAL, milliseconds};
pub(super) use opening::{Names, OWN_PATH, TransactionMode, catalog_first};
pub(super) use pipeline::{PipelineStep, StepResult};

use limits::{limit, limit_of};
pub(super) use mark::marked;

const STATEMENT: &str = "running a statement";

/// The options of a session other than where it connects to.
#[derive(Clone)]
pub struct SessionOptions {
    /// The limits.
    pub safety: Safety,
    /// Cancels the running statement.
    pub interrupt: Interrupt,
    /// Called with every statement before it is sent (`--echo-queries`).
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

/// A connection of our own.
pub struct Session {
    runtime: Runtime,
    link: RefCell<Arc<Link>>,
    interrupt: Interrupt,
    trace: Option<fn(&str)>,
    waited: Cell<Duration>,
    /// How many names of prepared statements were tried to find types with.
    tried: Cell<u32>,
    /// The number of the name under which statements are prepared to be explained.
    prepared: Cell<u32>,
    scope: Scope,
    open: Cell<Open>,
    /// Did the server stop answering? Then nothing more is sent.
    lost: Cell<bool>,
    /// What is known of that.
    silence: Cell<Option<Silence>>,
    /// The server's own limit for a statement; none if it has none.
    statement_limit: Cell<Option<Duration>>,
    /// When something was sent or the server answered last.
    heard: Cell<Instant>,
    /// When the answers to an interrupt must be there.
    interrupt_deadline: Cell<Option<Instant>>,
    /// What every transaction sets.
    local_settings: Vec<(&'static str, String)>,
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
    /// The tables of statements that were planned.
    pub(super) planned: PlannedTables,
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
            settings: with_time_limit(settings, session.safety),
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

    /// The session of a server that is ours alone: its settings are the session's, so that questions
    /// need not repeat them.
    ///
    /// # Errors
    /// When the connection is lost.
    pub(super) fn into_own(mut self) -> Result<Session, DbError> {
        if self.scope == Scope::Transaction {
            self.scope = Scope::Session;
            self.set_limits()?;
        }
        Ok(self)
    }

    /// A session of a server of our own as it was at first: without a transaction, temporary objects
    /// or settings of anybody.
    ///
    /// # Errors
    /// When the connection is lost.
    pub(super) fn renew(&mut self) -> Result<(), DbError> {
        self.rollback();
        self.batch("renewing a session", "DISCARD ALL")?;
        self.set_limits()
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
        let settings = with_time_limit(settings, safety);
        let link = match connect_unless_interrupted(&runtime, &settings, prompt, &interrupt) {
            Ok(link) => link,
            Err(error) => {
                // A name server that does not answer is not waited for.
                runtime.shutdown_background();
                return Err(error);
            }
        };
        Ok(Session {
            runtime,
            link: RefCell::new(link),
            interrupt,
            trace,
            waited: Cell::default(),
            tried: Cell::default(),
            prepared: Cell::default(),
            scope,
            open: Cell::new(Open::No),
            lost: Cell::new(false),
            silence: Cell::default(),
            statement_limit: Cell::new(limit(safety.statement_timeout)),
            heard: Cell::new(Instant::now()),
            interrupt_deadline: Cell::new(None),
            local_settings: opening::always(safety),
            reconnect: None,
            ends_when_idle: false,
            watch: RefCell::default(),
            yields: Cell::default(),
            yielded: Cell::default(),
            safety,
            checks_connection: true,
            is_uncounted: true,
            executions: Executions::default(),
            planned: PlannedTables::default(),
        })
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
            debug_assert!(!sql.starts_with("BEGIN"), "`Session::begin` begins");
            return self.within(operation, TransactionMode::Read, |session| {
                session.query(operation, sql, parameters)
            });
        }
        let link = self.link();
        let sql = &marked(sql);
        let rows = self.drive(operation, sql, link.client.query_typed(sql, parameters))?;
        rows.map_err(|error| DbError::query(operation, &error))
    }

    /// Like [`Session::query`], with the driver's error: for the user's statements, whose errors
    /// are results.
    pub(super) fn try_query(
        &self,
        sql: &str,
    ) -> Result<Result<Vec<Row>, tokio_postgres::Error>, DbError> {
        let link = self.link();
        self.drive(STATEMENT, sql, link.client.query_typed(sql, &[]))
    }

    /// Several statements at once (simple protocol): only for scripts of our own.
    pub(super) fn batch(&self, operation: &'static str, sql: &str) -> Result<(), DbError> {
        let link = self.link();
        self.drive(operation, sql, link.client.batch_execute(sql))?
            .map_err(|error| DbError::query(operation, &error))
    }

    /// The name of the database.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub fn database(&self) -> Result<String, DbError> {
        const OPERATION: &str = "asking for the database's name";
        let sql = "/* pgrehearse */ SELECT pg_catalog.current_database()::text AS name";
        let rows = self.query(OPERATION, sql, &[])?;
        let row = rows.first();
        row.map_or_else(|| Ok(String::new()), |row| super::row::field(row, "name"))
    }

    /// A name that no prepared statement of this session had.
    pub(super) fn new_statement_name(&self) -> String {
        self.tried.set(self.tried.get() + 1);
        format!("pgrehearse_try_{}", self.tried.get())
    }

    /// The name under which one statement after the other is prepared to be explained. It stays the
    /// same, because `pg_stat_statements` counts `EXECUTE` of another name as another statement.
    pub(super) fn explained_name(&self) -> String {
        format!("pgrehearse_{}", self.prepared.get())
    }

    /// Gives up that name: a statement of this name may be left on the server.
    pub(super) fn give_up_explained_name(&self) {
        self.prepared.set(self.prepared.get() + 1);
    }

    /// Has the server or the network ended the connection? Nothing is sent to find out.
    pub fn is_closed(&self) -> bool {
        // The connection's own task sees the end of its socket, if it may run.
        self.runtime
            .block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
        self.link().client.is_closed()
    }

    /// How long this session has waited for its server.
    pub fn waited(&self) -> Millis {
        self.waited.get().into()
    }
}

/// The settings, with the time of a statement as `connect_timeout` where none is given: every wait
/// has a limit.
fn with_time_limit(settings: &Settings, safety: Safety) -> Settings {
    let mut settings = settings.clone();
    settings.connect_timeout = settings
        .connect_timeout
        .or_else(|| limit(safety.statement_timeout));
    settings
}

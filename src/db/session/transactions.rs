//! Transactions that begin with our settings and are rolled back.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::limits::limit;
use super::opening::{self, Names, OWN_PATH, TransactionMode};
use super::pipeline::PipelineStep;
use super::{Open, Reconnect, Scope, Session};
use crate::db::DbError;
use crate::db::link::{Link, connect_unless_interrupted};
use crate::db::row::field;
use crate::model::quote_literal;
use crate::planner::Rollback;

/// How often a transaction is begun again when a timeout of the role ends its first message.
const OPENING_ATTEMPTS: u32 = 10;

/// What the settings of every transaction depend on.
const IDLE_TIMEOUT: &str = "\
    SELECT /* pgrehearse */ EXISTS (SELECT FROM pg_catalog.pg_settings \
                   WHERE name OPERATOR(pg_catalog.=) 'idle_session_timeout' \
                     AND setting OPERATOR(pg_catalog.<>) '0') AS ends_when_idle";

impl Session {
    /// Asks once what every transaction can set on this server.
    pub(super) fn probe(&mut self, reconnect: Reconnect) -> Result<(), DbError> {
        const OPERATION: &str = "connecting";
        self.begin(OPERATION, TransactionMode::Read, Names::Own)
            .map_err(opening::without_transactions)?;
        let optional = opening::optional(self.safety);
        let mut steps = vec![PipelineStep::Statement(IDLE_TIMEOUT.to_owned())];
        for setting in &optional {
            steps.push(PipelineStep::Script("SAVEPOINT probe".to_owned()));
            steps.push(PipelineStep::Statement(opening::probe(setting)));
            steps.push(PipelineStep::Script(
                "ROLLBACK TO SAVEPOINT probe".to_owned(),
            ));
        }
        let probed = self.pipeline(&steps);
        let ended = self.rollback();
        let mut results = match probed {
            Err(DbError::Interrupted { .. }) => {
                return Err(DbError::Interrupted { rollback: ended });
            }
            other => other?.into_iter(),
        };
        let facts = results.next().transpose();
        let facts = facts.map_err(|error| DbError::query(OPERATION, &error))?;
        for setting in optional {
            let mut of_setting = results.by_ref().take(3);
            let opened = of_setting.next().transpose();
            opened.map_err(|error| {
                opening::without_transactions(DbError::query(OPERATION, &error))
            })?;
            match of_setting.next().transpose() {
                Ok(rows) if rows.as_ref().is_none_or(Vec::is_empty) => {}
                Ok(_) => self.local_settings.push(setting),
                Err(error) if DbError::query(OPERATION, &error).is_refusal() => {}
                Err(error) => return Err(DbError::query(OPERATION, &error)),
            }
            of_setting.for_each(drop);
        }
        if ended == Rollback::Unconfirmed {
            return Err(self.silent(OPERATION, Duration::ZERO));
        }
        self.learn(facts.iter().flatten().next(), reconnect)
    }

    /// Notes what the probe showed.
    fn learn(&mut self, facts: Option<&Row>, reconnect: Reconnect) -> Result<(), DbError> {
        let is_set = |name| self.local_settings.iter().any(|(set, _)| *set == name);
        (self.is_uncounted, self.checks_connection) = (
            is_set("track_counts"),
            is_set("client_connection_check_interval"),
        );
        if let Some(row) = facts {
            self.ends_when_idle = field(row, "ends_when_idle")?;
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

    /// Begins a transaction with our settings. [`Session::rollback`] ends it.
    pub(in crate::db) fn begin(
        &self,
        operation: &'static str,
        mode: TransactionMode,
        names: Names,
    ) -> Result<(), DbError> {
        let mut settings = match self.scope {
            Scope::Transaction => self.local_settings.clone(),
            Scope::Session => Vec::new(),
        };
        if names == Names::Own {
            settings.push(("search_path", OWN_PATH.to_owned()));
        }
        let mut script = mode.begin().to_owned();
        if !settings.is_empty() {
            script += &format!("; {}", opening::set_local(&settings));
        }
        for attempt in 1.. {
            self.set_open(match mode {
                TransactionMode::Change => Open::Change,
                _ => Open::Read,
            });
            let work = async {
                let link = self.link();
                link.client.batch_execute(&script).await
            };
            let opened = match self.drive(operation, mode.begin(), work) {
                Ok(opened) => opened.map_err(|error| DbError::query(operation, &error)),
                Err(DbError::Interrupted { .. }) => {
                    let rollback = self.rollback();
                    return Err(DbError::Interrupted { rollback });
                }
                Err(error) => return Err(error),
            };
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
        self.set_open(Open::No);
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
    pub(in crate::db) fn second_connection(&self) -> Result<Arc<Link>, DbError> {
        let missing = || DbError::Missing("the server is our own".to_owned());
        self.connect_again(self.reconnect.as_ref().ok_or_else(missing)?)
    }

    /// Calls a function in a transaction that is rolled back in every case, and in which names are
    /// those of `pg_catalog`: for our own queries.
    pub(in crate::db) fn within<T>(
        &self,
        operation: &'static str,
        mode: TransactionMode,
        work: impl FnOnce(&Session) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        self.in_transaction_of(operation, (mode, Names::Own), work)
    }

    /// The same with the session's `search_path`: for the user's statements.
    pub(in crate::db) fn within_users_names<T>(
        &self,
        operation: &'static str,
        mode: TransactionMode,
        work: impl FnOnce(&Session) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        self.in_transaction_of(operation, (mode, Names::Users), work)
    }

    fn in_transaction_of<T>(
        &self,
        operation: &'static str,
        (mode, names): (TransactionMode, Names),
        work: impl FnOnce(&Session) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        self.begin(operation, mode, names)?;
        let done = work(self);
        let rollback = self.rollback();
        match done {
            Err(DbError::Interrupted { .. }) => Err(DbError::Interrupted { rollback }),
            other => other,
        }
    }

    /// Names are those of `pg_catalog` until the transaction ends. Returns the `search_path` that
    /// was set before.
    pub(in crate::db) fn use_own_names(&self, operation: &'static str) -> Result<String, DbError> {
        let sql = format!(
            "/* pgrehearse */ SELECT pg_catalog.current_setting('search_path') AS path, \
             pg_catalog.set_config('search_path', {}, true)",
            quote_literal(OWN_PATH)
        );
        let rows = self.query(operation, &sql, &[])?;
        rows.first()
            .map_or_else(|| Ok(OWN_PATH.to_owned()), |row| field(row, "path"))
    }

    /// Runs a query of ours whose result has names as this `search_path` shows them: with their
    /// schema or without (`format_type`, `pg_get_indexdef`). The names in the query itself are
    /// looked up where the transaction does, because the server parses a query when its cursor is
    /// declared, and runs it when its rows are fetched.
    pub(in crate::db) fn query_as_shown_in(
        &self,
        path: &str,
        operation: &'static str,
        sql: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, DbError> {
        let declare =
            format!("DECLARE /* pgrehearse */ pgrehearse_rows NO SCROLL CURSOR FOR\n{sql}");
        self.query(operation, &declare, parameters)?;
        let path_is = |path: &str| opening::set_local(&[("search_path", path.to_owned())]);
        let steps = [
            path_is(path),
            "FETCH /* pgrehearse */ ALL FROM pgrehearse_rows".to_owned(),
            path_is(OWN_PATH),
            "CLOSE /* pgrehearse */ pgrehearse_rows".to_owned(),
        ];
        let results = self.pipeline(&steps.map(PipelineStep::Statement))?;
        let results: Result<Vec<Vec<Row>>, _> = results.into_iter().collect();
        let results = results.map_err(|error| DbError::query(operation, &error))?;
        Ok(results.into_iter().nth(1).unwrap_or_default())
    }

    /// Ends a transaction, whatever happened in it, also after an interrupt. Never fails: a
    /// connection that does not answer is dropped with the session, and the server then rolls back.
    pub(in crate::db) fn rollback(&self) -> Rollback {
        if self.lost.get() {
            return Rollback::Unconfirmed;
        }
        if let Some(trace) = self.trace {
            trace("ROLLBACK");
        }
        let link = self.link();
        let rollback = link.client.batch_execute("ROLLBACK");
        let patience = self.patience();
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
                self.set_open(Open::No);
                self.interrupt_deadline.set(None);
                Rollback::Confirmed
            }
            Some(Err(_)) => Rollback::Unconfirmed,
            None => {
                self.lost.set(true);
                if let (None, Some(patience)) = (self.interrupt_deadline.get(), patience) {
                    self.silent("rolling back", patience);
                }
                Rollback::Unconfirmed
            }
        }
    }

    fn set_open(&self, open: Open) {
        match (self.open.replace(open), open) {
            (Open::Change, Open::Change) => {}
            (_, Open::Change) => self.interrupt.change_begins(),
            (Open::Change, _) => self.interrupt.change_is_undone(),
            _ => {}
        }
    }
}

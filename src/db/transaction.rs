//! The rehearsal itself: BEGIN, limits, CREATE INDEX, ANALYZE where an expression needs statistics, EXPLAIN, and always ROLLBACK.
//!
//! CREATE INDEX takes a SHARE lock until the ROLLBACK: readers go on, writers wait. So everything in here is bounded by
//! `max_write_block`, nothing is waited for between the statements, and the transaction ends as soon as the plans are seen.

use std::time::Instant;

use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::catalog::field;
use super::session::{CONNECTION_CHECK_INTERVAL, milliseconds};
use super::{DbError, Session};
use crate::model::{Bytes, Millis, QualifiedName};
use crate::rehearsal::{Answer, Build, NamedIndex, PlanOutcome, Planned, Refusal};
use crate::verdict::Reason;
use crate::workload::Statement;

const OPERATION: &str = "rehearsing an index";

impl Session {
    /// Builds the indexes, plans the statements, rolls back.
    pub(super) fn rehearse(&self, indexes: &[NamedIndex], statements: &[Statement]) -> Result<Answer, DbError> {
        self.query(OPERATION, "BEGIN", &[])?;
        let started = Instant::now();
        let rehearsed = Transaction { session: self, started }.run(indexes, statements);
        self.rollback();
        let write_block = Millis::from(started.elapsed());
        match rehearsed {
            Ok(Ok(planned)) => Ok(Answer::Planned(Planned { write_block, ..planned })),
            Ok(Err(refusal)) => Ok(Answer::Refused(Refusal { write_block, ..refusal })),
            Err(error) => Err(error),
        }
    }
}

/// An open transaction. Whoever opened it rolls it back.
struct Transaction<'s> {
    session: &'s Session,
    /// Writers may be waiting since then.
    started: Instant,
}

/// Which limit ends a statement first.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    time: Millis,
    when_exceeded: Reason,
}

type Outcome<T> = Result<Result<T, Refusal>, DbError>;

/// `?` for a refusal inside a function that returns [`Outcome`].
macro_rules! or_refuse {
    ($outcome:expr) => {
        match $outcome? {
            Ok(value) => value,
            Err(refusal) => return Ok(Err(refusal)),
        }
    };
}

impl Transaction<'_> {
    fn run(&self, indexes: &[NamedIndex], statements: &[Statement]) -> Outcome<Planned> {
        self.set_local("lock_timeout", &milliseconds(self.session.safety.lock_timeout))?;
        self.set_local("idle_in_transaction_session_timeout", &milliseconds(self.session.safety.max_write_block))?;
        if self.session.checks_connection {
            self.set_local("client_connection_check_interval", CONNECTION_CHECK_INTERVAL)?;
        }
        let mut planned = Planned::default();
        for index in indexes {
            planned.builds.push(or_refuse!(self.build(index)));
        }
        for statement in statements {
            let plan = or_refuse!(self.guarded(|| Ok(self.session.explain_again(&statement.sql))));
            planned.plans.insert(statement.id.clone(), PlanOutcome::Plan(plan));
        }
        Ok(Ok(planned))
    }

    fn build(&self, index: &NamedIndex) -> Outcome<Build> {
        let began = Instant::now();
        or_refuse!(self.execute(&index.index.create(&index.name)));
        if index.index.has_expression() {
            or_refuse!(self.analyze_expressions(&index.index.table));
        }
        let build_time = Millis::from(began.elapsed());
        let name = QualifiedName::new(index.index.table.schema.clone(), index.name.clone()).to_string();
        let rows = self.session.query(OPERATION, include_str!("sql/built_index.sql"), &[(&name, Type::TEXT)])?;
        let Some(row) = rows.first() else {
            return Ok(Err(self.refusal(Reason::BuildFailed, "the index is not there")));
        };
        Ok(Ok(Build {
            names: field::<Vec<String>>(row, "names")?.into_iter().collect(),
            size: Bytes(field::<i64>(row, "size_bytes")?.unsigned_abs()),
            build_time,
            usable: field(row, "usable")?,
        }))
    }

    /// Gives the new index's expressions statistics, and leaves those of the table's columns as they are.
    fn analyze_expressions(&self, table: &QualifiedName) -> Outcome<()> {
        let name = table.to_string();
        let rows = self.session.query(OPERATION, include_str!("sql/freeze_statistics.sql"), &[(&name, Type::TEXT)])?;
        let clauses: Option<String> = rows.first().map(|row| field(row, "clauses")).transpose()?.flatten();
        if let Some(clauses) = clauses {
            or_refuse!(self.execute(&format!("ALTER TABLE {table} {clauses}")));
        }
        self.execute(&format!("ANALYZE {table}"))
    }

    fn execute(&self, sql: &str) -> Outcome<()> {
        self.guarded(|| {
            let executed = self.session.try_query(sql)?;
            Ok(executed.map(|_| ()).map_err(|error| DbError::query(OPERATION, &error)))
        })
    }

    /// Runs a statement within what is left of the time, and turns the server's "no" into a refusal.
    fn guarded<T>(&self, statement: impl FnOnce() -> Result<Result<T, DbError>, DbError>) -> Outcome<T> {
        let allowance = self.allowance();
        if allowance.time.0 <= 0.0 {
            return Ok(Err(self.refusal(allowance.when_exceeded, "no time was left")));
        }
        self.set_local("statement_timeout", &milliseconds(allowance.time))?;
        match statement()? {
            Ok(value) => Ok(Ok(value)),
            Err(error)
                if error.is_refusal()
                    || matches!(error, DbError::Query { state: None, operation: "planning again", .. }) =>
            {
                Ok(Err(self.refused(&error, allowance)))
            }
            Err(error) => Err(error),
        }
    }

    /// The shorter of `statement_timeout` and what `max_write_block` leaves.
    fn allowance(&self) -> Allowance {
        let safety = self.session.safety;
        let left = Millis(safety.max_write_block.0 - Millis::from(self.started.elapsed()).0);
        if left < safety.statement_timeout {
            Allowance { time: left, when_exceeded: Reason::WriteBlockTooLong }
        } else {
            Allowance { time: safety.statement_timeout, when_exceeded: Reason::StatementTimeout }
        }
    }

    fn refused(&self, error: &DbError, allowance: Allowance) -> Refusal {
        let safety = self.session.safety;
        let DbError::Query { message, state, .. } = error else {
            return self.refusal(Reason::BuildFailed, &error.to_string());
        };
        match state.as_ref() {
            Some(state) if *state == SqlState::LOCK_NOT_AVAILABLE => self.refusal(
                Reason::LockTimeout,
                &format!("the lock was not to be had within --lock-timeout {}", safety.lock_timeout),
            ),
            Some(state) if *state == SqlState::QUERY_CANCELED => match allowance.when_exceeded {
                Reason::WriteBlockTooLong => self.refusal(
                    Reason::WriteBlockTooLong,
                    &format!(
                        "stopped: it would have blocked writers longer than --max-write-block {}",
                        safety.max_write_block
                    ),
                ),
                reason => {
                    self.refusal(reason, &format!("stopped after --statement-timeout {}", safety.statement_timeout))
                }
            },
            Some(state) if *state == SqlState::READ_ONLY_SQL_TRANSACTION => {
                self.refusal(Reason::ReadOnlyServer, message)
            }
            _ => self.refusal(Reason::BuildFailed, message),
        }
    }

    fn refusal(&self, reason: Reason, detail: &str) -> Refusal {
        Refusal { reason, detail: detail.to_owned(), write_block: Millis::default() }
    }

    fn set_local(&self, name: &str, value: &str) -> Result<(), DbError> {
        let parameters: &[(&(dyn tokio_postgres::types::ToSql + Sync), Type)] =
            &[(&name, Type::TEXT), (&value, Type::TEXT)];
        self.session.query(OPERATION, "SELECT pg_catalog.set_config($1, $2, true)", parameters)?;
        Ok(())
    }
}

//! Types for the parameters of a statement that the server does not accept as it is.

use std::collections::BTreeMap;

use tokio_postgres::error::{ErrorPosition, SqlState};

use super::explain::MAX_PARAMETERS;
use super::session::{PipelineStep, StepResult, TransactionMode};
use super::{DbError, Session, error};
use crate::sql::settle::{Refusal, Search};
use crate::sql::split::highest_parameter;
use crate::sql::{ValuePlace, with_values};
use crate::workload::Statement;

const OPERATION: &str = "looking for the types of parameters";

/// What became of a refused statement.
pub(super) enum Settled {
    /// The server accepts this text.
    To(String),
    /// With types for its parameters, this is what the server says: the message and the SQLSTATE.
    Missing(String, SqlState),
    /// Nothing is known that it accepts.
    No,
}

/// What the server says first of a text that it can parse, where it cannot parse the statement itself.
fn behind_syntax(refusals: Vec<(SqlState, String)>) -> Option<(SqlState, String)> {
    let is_syntax = |(state, _): &(SqlState, String)| *state == SqlState::SYNTAX_ERROR;
    refusals.first().filter(|first| is_syntax(first))?;
    refusals.into_iter().find(|refusal| !is_syntax(refusal))
}

fn search(statement: &Statement) -> Option<Search> {
    let sql = &statement.sql;
    match highest_parameter(sql) {
        parameters if parameters > MAX_PARAMETERS => None,
        _ if statement.within_function => Search::within_function(sql),
        0 => None,
        _ => Search::of(sql),
    }
}

/// The parameters of a prepared statement that are of a domain, with the type that is below all
/// domains.
fn base_types(name: &str) -> String {
    format!(
        "WITH RECURSIVE below (number, oid, is_domain, base) AS ( \
           SELECT u.number, t.oid, t.typtype OPERATOR(pg_catalog.=) 'd', t.typbasetype \
           FROM pg_catalog.pg_prepared_statements AS p, pg_catalog.unnest(p.parameter_types) WITH ORDINALITY AS u (type, number) \
           JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) u.type::pg_catalog.oid \
           WHERE p.name OPERATOR(pg_catalog.=) '{name}' AND t.typtype OPERATOR(pg_catalog.=) 'd' \
           UNION ALL \
           SELECT below.number, t.oid, t.typtype OPERATOR(pg_catalog.=) 'd', t.typbasetype \
           FROM below JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) below.base WHERE below.is_domain) \
         SELECT number::pg_catalog.int4, pg_catalog.format_type(oid, -1) FROM below WHERE NOT is_domain"
    )
}

impl Session {
    /// Looks for types of the statement's parameters with which the server accepts it, in a
    /// transaction that is read-only and rolled back. The statement is parsed, and not planned.
    pub(super) fn settle(&self, statement: &Statement) -> Result<Settled, DbError> {
        if search(statement).is_none() {
            return Ok(Settled::No);
        }
        self.within_users_names(OPERATION, TransactionMode::Read, |session| {
            session.settle_here(statement)
        })
    }

    /// The same in the current transaction.
    pub(super) fn settle_here(&self, statement: &Statement) -> Result<Settled, DbError> {
        let Some(mut search) = search(statement) else {
            return Ok(Settled::No);
        };
        if let Some(text) = self.with_base_types(&statement.sql)? {
            return Ok(Settled::To(text));
        }
        let mut refusals: Vec<(SqlState, String)> = Vec::new();
        while let Some(text) = search.next_text().map(str::to_owned) {
            match self.refusal_of(&text)? {
                None => {
                    let with_base_types = self.with_base_types(&text)?;
                    return Ok(Settled::To(with_base_types.unwrap_or(text)));
                }
                Some((refusal, message)) => {
                    refusals.push((SqlState::from_code(&refusal.state), message));
                    search.refused(refusal);
                }
            }
        }
        let reason = match search.lasting() {
            Some(_) => refusals.pop(),
            None => behind_syntax(refusals),
        };
        Ok(reason.map_or(Settled::No, |(state, message)| {
            Settled::Missing(message, state)
        }))
    }

    /// The results of statements that prepare another one under this name, which is not left behind:
    /// DEALLOCATE fails where PREPARE did, and a rollback does not undo PREPARE.
    fn prepared(
        &self,
        name: &str,
        statements: impl IntoIterator<Item = String>,
    ) -> Result<std::vec::IntoIter<StepResult>, DbError> {
        let script = |sql: &str| PipelineStep::Script(sql.to_owned());
        let mut steps = vec![script("SAVEPOINT settling")];
        steps.extend(statements.into_iter().map(PipelineStep::Statement));
        steps.extend([
            script("ROLLBACK TO SAVEPOINT settling"),
            PipelineStep::Statement(format!("DEALLOCATE {name}")),
            script("ROLLBACK TO SAVEPOINT settling"),
        ]);
        let mut results = self.pipeline(&steps)?.into_iter();
        let begun = results.next().transpose();
        begun.map_err(|failed| DbError::query(OPERATION, &failed))?;
        Ok(results)
    }

    /// The text with a cast to the base type for each parameter of a domain; none if it has none of
    /// these, or is refused. A cast to the domain itself stays, and is not executed by EXPLAIN.
    fn with_base_types(&self, text: &str) -> Result<Option<String>, DbError> {
        let name = self.new_statement_name();
        let prepare = format!("PREPARE {name} AS {text}");
        let mut results = self.prepared(&name, [prepare, base_types(&name)])?;
        let (Some(Ok(_)), Some(Ok(rows))) = (results.next(), results.next()) else {
            return Ok(None);
        };
        let casts = rows.iter().map(|row| {
            let (number, type_name): (i32, String) = (row.try_get(0).ok()?, row.try_get(1).ok()?);
            let number = u32::try_from(number).ok()?;
            let cast = format!("${number}::{type_name}");
            Some((ValuePlace::Parameter(number), cast))
        });
        let casts: Option<BTreeMap<ValuePlace, String>> = casts.collect();
        let casts = casts.filter(|casts| !casts.is_empty());
        Ok(casts.and_then(|casts| with_values(text, &casts)))
    }

    /// What the server says against a text, and its whole message.
    fn refusal_of(&self, text: &str) -> Result<Option<(Refusal, String)>, DbError> {
        let name = self.new_statement_name();
        let prepare = format!("PREPARE {name} AS ");
        let mut results = self.prepared(&name, [format!("{prepare}{text}")])?;
        let Some(Err(failed)) = results.next() else {
            return Ok(None);
        };
        let refused = DbError::query(OPERATION, &failed);
        let Some(server) = failed.as_db_error().filter(|_| refused.is_refusal()) else {
            return Err(refused);
        };
        let at = match server.position() {
            Some(ErrorPosition::Original(position)) => {
                (*position as usize).checked_sub(prepare.len() + 1)
            }
            _ => None,
        };
        let refusal = Refusal {
            state: server.code().code().to_owned(),
            message: server.message().to_owned(),
            at,
        };
        Ok(Some((
            refusal,
            error::message(&failed, prepare.len(), text),
        )))
    }
}

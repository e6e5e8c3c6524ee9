//! One EXPLAIN for one statement, whose text is never altered.

use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, Type};

use super::session::{PipelineStep, StepResult, TransactionMode};
use super::{DbError, Session, error};
use crate::plan::Plan;
use crate::plan::read::{ReadError, Reason, read_text};
use crate::sql::split::highest_parameter;

/// VERBOSE prints every relation's schema and every column's alias, which are needed to resolve
/// conditions.
pub(super) const EXPLAIN: &str = "EXPLAIN (FORMAT JSON, VERBOSE) ";

/// The protocol's limit; with more parameters the server reports the error.
pub(super) const MAX_PARAMETERS: usize = 65_535;

/// The server's JSON, not parsed.
struct JsonText(String);

impl<'a> FromSql<'a> for JsonText {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(JsonText(std::str::from_utf8(raw)?.to_owned()))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::JSON || *ty == Type::TEXT
    }
}

/// The result of an EXPLAIN.
pub(super) enum Explained {
    /// A plan, and the length of the server's text.
    Plan {
        /// The plan.
        plan: Plan,
        /// The length of its text.
        bytes: usize,
    },
    /// The server or pgrehearse refused the statement.
    Refused {
        /// The message.
        message: String,
        /// The SQLSTATE; none if pgrehearse refused it.
        state: Option<SqlState>,
    },
    /// The text has no statement.
    Empty,
}

impl Explained {
    fn refused(message: String) -> Explained {
        Explained::Refused {
            message,
            state: None,
        }
    }
}

impl Session {
    /// The plan of a statement without new indexes, in a transaction that is read-only and rolled
    /// back: functions that the planner evaluates must not leave anything behind.
    pub(super) fn capture(&self, sql: &str) -> Result<Explained, DbError> {
        self.within_users_names("planning a statement", TransactionMode::Read, |session| {
            session.explain(sql)
        })
    }

    /// Like [`Session::capture`], with one setting changed for that transaction.
    pub(super) fn capture_under(
        &self,
        (name, value): (&str, &str),
        sql: &str,
    ) -> Result<Explained, DbError> {
        const OPERATION: &str = "planning a statement under another setting";
        self.within_users_names(OPERATION, TransactionMode::Read, |session| {
            session.set_local(OPERATION, name, value)?;
            session.explain(sql)
        })
    }

    /// The plan of a statement in this session, whatever transaction it is in. A statement with
    /// parameters is prepared first and its generic plan shown
    /// (`plan_cache_mode = force_generic_plan`,
    /// <https://www.postgresql.org/docs/current/sql-prepare.html>).
    pub(super) fn explain(&self, sql: &str) -> Result<Explained, DbError> {
        match (sql.is_empty(), highest_parameter(sql)) {
            (true, _) => Ok(Explained::Empty),
            (false, parameters) if parameters == 0 || parameters > MAX_PARAMETERS => {
                self.explain_text(&format!("{EXPLAIN}{sql}"), EXPLAIN.len(), sql)
            }
            (false, parameters) => self.explain_prepared(sql, parameters),
        }
    }

    /// A rollback does not undo PREPARE, and DEALLOCATE does not work in a failed transaction: so
    /// the transaction first goes back to where it did not fail. Everything is sent at once, so that
    /// an interrupt or a refusal cannot leave the prepared statement behind.
    fn explain_prepared(&self, sql: &str, parameters: usize) -> Result<Explained, DbError> {
        let request = ExplainRequest::prepared(sql, parameters, self);
        let steps: Vec<PipelineStep> = request.steps().collect();
        let mut results = self.explaining_pipeline(&steps)?.into_iter();
        request.read(self, &mut results)
    }

    /// A pipeline that prepares statements under [`Session::explained_name`].
    fn explaining_pipeline(&self, steps: &[PipelineStep]) -> Result<Vec<StepResult>, DbError> {
        self.pipeline(steps)
            .inspect_err(|_| self.give_up_explained_name())
    }

    /// The plans of these statements in a transaction that begins with `opening` and is rolled
    /// back. All are in one round trip, unless one is refused; then the remaining ones are asked
    /// again.
    pub(super) fn explain_together(
        &self,
        opening: &Preamble,
        statements: &[&str],
    ) -> Result<Vec<Explained>, DbError> {
        let mut explained = Vec::with_capacity(statements.len());
        while let Some(rest) = statements
            .get(explained.len()..)
            .filter(|rest| !rest.is_empty())
        {
            let some = rest.get(..AT_ONCE).unwrap_or(rest);
            self.explain_some(opening, some, &mut explained)?;
        }
        Ok(explained)
    }

    /// The plans of the first of these statements, up to one that is refused, because that fails
    /// the transaction.
    fn explain_some(
        &self,
        opening: &Preamble,
        statements: &[&str],
        explained: &mut Vec<Explained>,
    ) -> Result<(), DbError> {
        let questions: Vec<ExplainRequest<'_>> = statements
            .iter()
            .map(|sql| ExplainRequest::new(sql, self))
            .collect();
        let mut steps = vec![PipelineStep::Script(opening.script.clone())];
        steps.extend(
            opening
                .statements
                .iter()
                .cloned()
                .map(PipelineStep::Statement),
        );
        let openings = steps.len();
        steps.extend(questions.iter().flat_map(ExplainRequest::steps));
        steps.push(PipelineStep::Script("ROLLBACK".to_owned()));
        let mut results = self.explaining_pipeline(&steps)?.into_iter();
        for opened in results.by_ref().take(openings) {
            opened.map_err(|failed| DbError::query("asking the planner", &failed))?;
        }
        for question in &questions {
            let answer = question.read(self, &mut results)?;
            let refused = matches!(answer, Explained::Refused { state: Some(_), .. });
            explained.push(answer);
            if refused {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn explain_text(
        &self,
        explain: &str,
        prefix_characters: usize,
        sql: &str,
    ) -> Result<Explained, DbError> {
        let rows = match self.try_query(explain)? {
            Ok(rows) => rows,
            Err(failed) => return refusal(&failed, prefix_characters, sql),
        };
        Ok(read_rows(&rows))
    }
}

/// The plan that an EXPLAIN of our own returned.
pub(super) fn plan_of(rows: &[Row]) -> Option<Plan> {
    match read_rows(rows) {
        Explained::Plan { plan, .. } => Some(plan),
        _ => None,
    }
}

fn read_rows(rows: &[Row]) -> Explained {
    let Some(JsonText(text)) = rows
        .first()
        .and_then(|row| row.try_get::<_, JsonText>(0).ok())
    else {
        return Explained::refused("the server returned no plan".to_owned());
    };
    match read_text(&text) {
        Ok(plans) => match plans.into_iter().next() {
            Some(read) => Explained::Plan {
                plan: read.plan,
                bytes: text.len(),
            },
            None => Explained::Empty,
        },
        Err(ReadError {
            reason: Reason::Utility(_) | Reason::NoPlan | Reason::NotExplain,
            ..
        }) => Explained::refused("a utility statement: it has no plan".to_owned()),
        Err(unreadable) => {
            Explained::refused(format!("the server's plan could not be read: {unreadable}"))
        }
    }
}

/// How the transaction of a question begins.
#[derive(Debug, Clone, Default)]
pub(super) struct Preamble {
    /// Statements of our own, BEGIN first.
    pub(super) script: String,
    /// Statements with parts that are not our own: sent one at a time, so that the server refuses a
    /// second one behind a semicolon.
    pub(super) statements: Vec<String>,
}

impl From<&str> for Preamble {
    fn from(script: &str) -> Preamble {
        Preamble {
            script: script.to_owned(),
            statements: Vec::new(),
        }
    }
}

/// Maximum number of statements in one round trip.
const AT_ONCE: usize = 100;

/// The positions of these messages where a statement has parameters.
const PREPARE: usize = 1;
const GUARD: usize = 3;
const DEALLOCATE: usize = 6;

/// The SQLSTATE of a statement that [`guard`] refuses: one of our own.
pub(super) const PARAMETER_OF_DOMAIN: &str = "PGR01";

/// Fails if a parameter of a prepared statement is of a domain: EXECUTE would check even a NULL, and
/// call functions of the domain's owner with the rights of this connection (`ExecEvalConstraintCheck`,
/// src/backend/executor/execExprInterp.c).
fn guard(name: &str) -> String {
    format!(
        "SELECT 1 OPERATOR(pg_catalog./) (SELECT CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.=) 0 THEN 1 ELSE 0 END \
         FROM pg_catalog.pg_prepared_statements AS p, pg_catalog.unnest(p.parameter_types) AS u (type) \
         JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) u.type::pg_catalog.oid \
         WHERE p.name OPERATOR(pg_catalog.=) '{name}' AND t.typtype OPERATOR(pg_catalog.=) 'd')"
    )
}

/// A statement that is explained together with others.
struct ExplainRequest<'q> {
    sql: &'q str,
    /// The messages, each with the number of our characters before the statement's own text.
    sent: Vec<(String, usize)>,
    /// The position of the message that returns the plan.
    plan: usize,
}

impl<'q> ExplainRequest<'q> {
    fn new(sql: &'q str, session: &Session) -> ExplainRequest<'q> {
        let parameters = highest_parameter(sql);
        if sql.is_empty() {
            return ExplainRequest {
                sql,
                sent: Vec::new(),
                plan: 0,
            };
        }
        if parameters == 0 || parameters > MAX_PARAMETERS {
            return ExplainRequest {
                sql,
                sent: vec![(format!("{EXPLAIN}{sql}"), EXPLAIN.len())],
                plan: 0,
            };
        }
        ExplainRequest::prepared(sql, parameters, session)
    }

    /// A statement with parameters.
    fn prepared(sql: &'q str, parameters: usize, session: &Session) -> ExplainRequest<'q> {
        let name = session.explained_name();
        let prepare = format!("PREPARE {name} AS ");
        let nulls = vec!["NULL"; parameters].join(", ");
        let own = |sql: String| (sql, usize::MAX);
        let sent = vec![
            own("SET LOCAL plan_cache_mode = force_generic_plan".to_owned()),
            (format!("{prepare}{sql}"), prepare.len()),
            own("SAVEPOINT prepared".to_owned()),
            own(guard(&name)),
            own(format!("{EXPLAIN}EXECUTE {name}({nulls})")),
            own("ROLLBACK TO SAVEPOINT prepared".to_owned()),
            own(format!("DEALLOCATE {name}")),
        ];
        ExplainRequest { sql, sent, plan: 4 }
    }

    fn steps(&self) -> impl Iterator<Item = PipelineStep> + '_ {
        self.sent
            .iter()
            .map(|(sql, _)| PipelineStep::Statement(sql.clone()))
    }

    /// Takes its own results from the iterator.
    fn read(
        &self,
        session: &Session,
        results: &mut impl Iterator<Item = StepResult>,
    ) -> Result<Explained, DbError> {
        let mut explained = Explained::Empty;
        let mut failure = None;
        let (mut is_left, mut is_of_domain) = (false, false);
        for (number, ((_, prefix_characters), result)) in self.sent.iter().zip(results).enumerate()
        {
            if self.plan > 0 {
                is_left = match (number, &result) {
                    (PREPARE, Ok(_)) => true,
                    (PREPARE, Err(failed)) => {
                        failed.code() == Some(&SqlState::DUPLICATE_PSTATEMENT)
                    }
                    (DEALLOCATE, Ok(_)) => false,
                    _ => is_left,
                };
            }
            match result {
                Err(failed)
                    if number == GUARD
                        && self.plan > 0
                        && failed.code() == Some(&SqlState::DIVISION_BY_ZERO) =>
                {
                    explained = of_domain();
                    is_of_domain = true;
                }
                // The transaction has failed since then.
                Err(_) if is_of_domain && number < DEALLOCATE => {}
                Err(failed) => {
                    failure.get_or_insert((failed, *prefix_characters));
                }
                Ok(rows) if number == self.plan => explained = read_rows(&rows),
                Ok(_) => {}
            }
        }
        if is_left {
            session.give_up_explained_name();
        }
        match failure {
            Some((failed, prefix_characters)) => refusal(&failed, prefix_characters, self.sql),
            None => Ok(explained),
        }
    }
}

fn of_domain() -> Explained {
    let message = "a parameter is of a domain, whose checks would be executed with the rights of this connection; \
                   cast it to the domain's base type first";
    Explained::Refused {
        message: message.to_owned(),
        state: Some(SqlState::from_code(PARAMETER_OF_DOMAIN)),
    }
}

/// The server's refusal is a result; a lost connection is an error.
fn refusal(
    failed: &tokio_postgres::Error,
    prefix_characters: usize,
    sql: &str,
) -> Result<Explained, DbError> {
    let error = DbError::query("planning a statement", failed);
    if error.is_refusal() {
        Ok(Explained::Refused {
            message: error::message(failed, prefix_characters, sql),
            state: failed.code().cloned(),
        })
    } else {
        Err(error)
    }
}

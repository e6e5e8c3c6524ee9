//! One EXPLAIN for one statement, whose text is never altered.

use tokio_postgres::types::{FromSql, Type};

use super::{DbError, Session, error};
use crate::plan::Plan;
use crate::plan::read::{ReadError, Reason, read_text};
use crate::rehearsal::PlanOutcome;
use crate::sql::split::highest_parameter;

/// VERBOSE gives every relation's schema and every column's alias, which is what makes conditions resolvable.
const EXPLAIN: &str = "EXPLAIN (FORMAT JSON, VERBOSE) ";

/// The protocol's limit; beyond it the server has the word.
const MOST_PARAMETERS: usize = 65_535;

/// The server's JSON, unread.
struct JsonText(String);

impl<'a> FromSql<'a> for JsonText {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(JsonText(std::str::from_utf8(raw)?.to_owned()))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::JSON || *ty == Type::TEXT
    }
}

impl Session {
    /// The plan of a statement as things are in this session. A statement with parameters is prepared first and its generic plan
    /// shown (`plan_cache_mode = force_generic_plan`, <https://www.postgresql.org/docs/current/sql-prepare.html>).
    pub(super) fn explain(&self, sql: &str) -> Result<PlanOutcome, DbError> {
        match (sql.is_empty(), highest_parameter(sql)) {
            (true, _) => Ok(PlanOutcome::Empty),
            (false, parameters) if parameters == 0 || parameters > MOST_PARAMETERS => {
                self.explain_text(&format!("{EXPLAIN}{sql}"), EXPLAIN.len(), sql)
            }
            (false, parameters) => self.explain_prepared(sql, parameters),
        }
    }

    /// Each time under a new name: PREPARE is not undone by a rollback, and in a failed transaction DEALLOCATE does not work.
    fn explain_prepared(&self, sql: &str, parameters: usize) -> Result<PlanOutcome, DbError> {
        let name = self.new_statement_name();
        let prepare = format!("PREPARE {name} AS ");
        self.set("plan_cache_mode", "force_generic_plan")?;
        if let Err(failed) = self.try_query(&format!("{prepare}{sql}"))? {
            return refusal(&failed, prepare.len(), sql);
        }
        let nulls = vec!["NULL"; parameters].join(", ");
        let outcome = self.explain_text(&format!("{EXPLAIN}EXECUTE {name}({nulls})"), usize::MAX, sql);
        let _ = self.try_query(&format!("DEALLOCATE {name}"))?;
        outcome
    }

    fn explain_text(&self, explain: &str, prefix_characters: usize, sql: &str) -> Result<PlanOutcome, DbError> {
        let rows = match self.try_query(explain)? {
            Ok(rows) => rows,
            Err(failed) => return refusal(&failed, prefix_characters, sql),
        };
        let text = rows.first().and_then(|row| row.try_get::<_, JsonText>(0).ok());
        let plans = text.map(|JsonText(text)| read_text(&text));
        Ok(match plans {
            Some(Ok(plans)) => plans.into_iter().next().map_or(PlanOutcome::Empty, |read| PlanOutcome::Plan(read.plan)),
            Some(Err(ReadError { reason: Reason::Utility(_) | Reason::NoPlan | Reason::NotExplain, .. })) => {
                PlanOutcome::Failed("a utility statement: it has no plan".to_owned())
            }
            Some(Err(unreadable)) => PlanOutcome::Failed(format!("the server's plan could not be read: {unreadable}")),
            None => PlanOutcome::Failed("the server returned no plan".to_owned()),
        })
    }

    /// The plans of a batch that must all succeed, such as one that was planned before.
    pub(super) fn explain_again(&self, sql: &str) -> Result<Plan, DbError> {
        match self.explain(sql)? {
            PlanOutcome::Plan(plan) => Ok(plan),
            PlanOutcome::Failed(message) => Err(DbError::Query { operation: "planning again", message, state: None }),
            PlanOutcome::Empty => {
                Err(DbError::Query { operation: "planning again", message: "no plan".to_owned(), state: None })
            }
        }
    }
}

/// The server's refusal is a result; a lost connection is an error.
fn refusal(failed: &tokio_postgres::Error, prefix_characters: usize, sql: &str) -> Result<PlanOutcome, DbError> {
    let error = DbError::query("planning a statement", failed);
    if error.is_refusal() {
        Ok(PlanOutcome::Failed(error::message(failed, prefix_characters, sql)))
    } else {
        Err(error)
    }
}

//! What a statement may call, before it is executed or, if it is of another user, planned.
//!
//! EXPLAIN ANALYZE in a read-only transaction does not make a statement harmless: advisory locks,
//! sequences, signals to backends, files, other servers and counters are not of the transaction. So
//! what is not known to be harmless is not executed.
//!
//! The server itself resolves the names of a statement: it makes a temporary view of it, in a
//! transaction that is rolled back, and `sql/reached_functions.sql` follows the stored tree of that
//! view through views, policies, operators, aggregates, casts and bodies of functions. This does
//! not plan the statement, but it evaluates its literals (`'x'::domain`). So texts of other users
//! are only read, by name.

use tokio_postgres::types::Type;

use super::row::field;
use super::session::TransactionMode;
use super::{DbError, Session};
use crate::planner::{NotExecuted, TwinOnly, TwinOnlyReason};
use crate::sql::split::highest_parameter;
use crate::workload::Statement;

const OPERATION: &str = "checking what a statement calls";

/// A temporary view of the statement; only its stored tree is of use.
const VIEW: &str = "pg_temp.pgrehearse_statement";

/// JIT would take longer than the query that it compiles.
const SETTINGS: &str = "/* pgrehearse */ SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true), \
                        pg_catalog.set_config('jit', 'off', true)";

/// The first objection to a statement.
struct Objection {
    problem: String,
    name: String,
    detail: String,
}

impl Session {
    /// Why this statement must not be executed; none if everything that it may call is harmless.
    pub(super) fn objection_to_executing(&self, sql: &str) -> Result<Option<NotExecuted>, DbError> {
        if highest_parameter(sql) > 0 {
            return Ok(Some(NotExecuted::HasParameters));
        }
        let view = format!(
            "CREATE TEMPORARY VIEW {VIEW} AS SELECT 1 AS one FROM (\n{sql}\n) AS statement"
        );
        let objection = self.within_users_names(OPERATION, TransactionMode::Temporary, |session| {
            session.query(OPERATION, &view, &[])?;
            session.objection(VIEW, "")
        });
        match objection {
            Ok(found) => Ok(found.map(not_executed)),
            Err(refused) if refused.is_refusal() => {
                Ok(Some(NotExecuted::NotChecked(refused.to_string())))
            }
            Err(error) => Err(error),
        }
    }

    /// Why this statement is not planned on the server: it is of other users, and its planning may
    /// execute a function of somebody who is not trusted.
    pub(super) fn objection_to_planning(
        &self,
        statement: &Statement,
    ) -> Result<Option<TwinOnly>, DbError> {
        if statement.authors.is_empty() || statement.sql.is_empty() {
            return Ok(None);
        }
        let objection = self.within(OPERATION, TransactionMode::Read, |session| {
            session.objection("", &statement.sql)
        });
        let reason = match objection {
            Ok(None) => return Ok(None),
            Ok(Some(Objection {
                problem,
                name,
                detail,
            })) => match problem.as_str() {
                "owner" => TwinOnlyReason::FunctionOf {
                    function: name,
                    owner: detail,
                },
                _ => TwinOnlyReason::EscapedNames,
            },
            Err(refused) if refused.is_refusal() => TwinOnlyReason::NotChecked(refused.to_string()),
            Err(error) => return Err(error),
        };
        Ok(Some(TwinOnly {
            authors: statement.authors.clone(),
            reason,
        }))
    }

    /// In the current transaction: what speaks against executing this view's statement, or planning
    /// this text.
    fn objection(&self, view: &str, text: &str) -> Result<Option<Objection>, DbError> {
        self.query(OPERATION, SETTINGS, &[])?;
        let parameters: &[(&(dyn tokio_postgres::types::ToSql + Sync), Type)] =
            &[(&view, Type::TEXT), (&text, Type::TEXT)];
        let rows = self.query(
            OPERATION,
            include_str!("sql/reached_functions.sql"),
            parameters,
        )?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let text = |name: &str| field::<Option<String>>(row, name).map(Option::unwrap_or_default);
        Ok(Some(Objection {
            problem: text("problem")?,
            name: text("name")?,
            detail: text("detail")?,
        }))
    }
}

fn not_executed(objection: Objection) -> NotExecuted {
    let Objection {
        problem,
        name,
        detail,
    } = objection;
    match problem.as_str() {
        "volatile" => NotExecuted::Volatile(name),
        "reaches_outside" => NotExecuted::ReachesOutside(name),
        "locks_rows" => NotExecuted::LocksRows,
        "foreign_table" => NotExecuted::ForeignTable(name),
        "language" => NotExecuted::Language {
            function: name,
            language: detail,
        },
        "dynamic" => NotExecuted::DynamicSql(name),
        other => NotExecuted::NotChecked(other.to_owned()),
    }
}

//! Statements that may fail, sent in one message, each in a subtransaction.

use tokio_postgres::types::Type;

use super::{OPERATION, Twin};
use crate::db::DbError;

/// A statement that may fail.
pub(super) struct Attempt {
    pub(super) sql: String,
    /// What to run if it fails.
    pub(super) otherwise: Option<String>,
}

/// This needs PL/pgSQL, the production server's row of `pg_language`. If that is missing, each
/// statement is sent by itself.
const FUNCTION: &str = "\
CREATE OR REPLACE FUNCTION pg_temp.pgrehearse_attempts(statements text[], otherwise text[]) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    FOR number IN 1..cardinality(statements) LOOP
        BEGIN
            EXECUTE statements[number];
        EXCEPTION WHEN OTHERS THEN
            BEGIN
                EXECUTE otherwise[number];
            EXCEPTION WHEN OTHERS THEN
                NULL;
            END;
        END;
    END LOOP;
END $body$";

impl Twin {
    /// Runs all of these in one transaction, which limits how many locks it can hold.
    pub(super) fn attempt_all(&self, attempts: &[Attempt]) -> Result<(), DbError> {
        if self.attempt(FUNCTION)? {
            let statements: Vec<&str> = attempts
                .iter()
                .map(|attempt| attempt.sql.as_str())
                .collect();
            let otherwise: Vec<Option<&str>> = attempts
                .iter()
                .map(|attempt| attempt.otherwise.as_deref())
                .collect();
            let call = "SELECT pg_temp.pgrehearse_attempts($1, $2)";
            match self.session.query(
                OPERATION,
                call,
                &[
                    (&statements, Type::TEXT_ARRAY),
                    (&otherwise, Type::TEXT_ARRAY),
                ],
            ) {
                Err(refused) if refused.is_refusal() => {}
                other => return other.map(|_| ()),
            }
        }
        for attempt in attempts {
            let done = self.attempt(&attempt.sql)?;
            if let (false, Some(otherwise)) = (done, &attempt.otherwise) {
                self.attempt(otherwise)?;
            }
        }
        Ok(())
    }
}

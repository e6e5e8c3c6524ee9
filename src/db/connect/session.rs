//! `target_session_attrs`: whether a session has the requested attributes.
//!
//! Source: PostgreSQL documentation, "Parameter Key Words", and the statements libpq uses for
//! servers before 14.

use tokio_postgres::{Client, SimpleQueryMessage};

use super::Reason;
use crate::db::conninfo::TargetSessionAttrs;

const TRANSACTION_READ_ONLY: &str = "SHOW transaction_read_only";
const IN_RECOVERY: &str =
    "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'on' ELSE 'off' END";

/// Succeeds if the session has the requested attributes.
pub(super) async fn check(client: &Client, wanted: TargetSessionAttrs) -> Result<(), Reason> {
    let (question, wanted_answer, otherwise) = match wanted {
        TargetSessionAttrs::Any | TargetSessionAttrs::PreferStandby => return Ok(()),
        TargetSessionAttrs::ReadWrite => (TRANSACTION_READ_ONLY, "off", "session is read-only"),
        TargetSessionAttrs::ReadOnly => (TRANSACTION_READ_ONLY, "on", "session is not read-only"),
        TargetSessionAttrs::Primary => (IN_RECOVERY, "off", "server is in hot standby mode"),
        TargetSessionAttrs::Standby => (IN_RECOVERY, "on", "server is not in hot standby mode"),
    };
    let messages = client
        .simple_query(question)
        .await
        .map_err(|error| Reason::of(&error))?;
    let is_wanted = messages
        .iter()
        .any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some(wanted_answer)));
    if is_wanted {
        Ok(())
    } else {
        Err(Reason::Session(otherwise))
    }
}
